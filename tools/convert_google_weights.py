"""Rebuild the weights and the window that the package carries; needs ``pip install onnx tensorflow``.

    pip download --no-deps openwakeword==0.4.0
    python tools/convert_google_weights.py openwakeword-0.4.0-py3-none-any.whl

The wheel carries a faithful ONNX conversion of google/speech_embedding/1 (Apache-2.0). Later releases lost the ReLU
behind the first convolution: the checksum below keeps them out.
"""

import argparse
import hashlib
import zipfile
from pathlib import Path

import numpy as np

ONNX_FILE = "openwakeword/resources/models/embedding_model.onnx"
ONNX_SHA256 = "ba754db3cd768a524c655ea90655ee5e6055a43b8dfd29366a11e93716ae9e51"
PACKAGE = Path(__file__).parent.parent / "skkws"
WEIGHTS = PACKAGE / "embedding" / "weights" / "google_speech_embedding.npz"
WINDOW = PACKAGE / "features" / "google_hann_400.npy"


def arrays_in_order(onnx_bytes):
    """Kernels, biases and norm statistics of the graph as ``{"layer/variable": array}``, kernels time x frequency."""
    import onnx

    from skkws.networks import speech_embedding

    graph = onnx.load_from_string(onnx_bytes).graph
    value = {i.name: onnx.numpy_helper.to_array(i) for i in graph.initializer}
    names = iter([layer.name for layer in speech_embedding().layers if layer.__class__.__name__ == "Conv2D"])
    arrays = {}
    for node in graph.node:
        if node.op_type == "Conv":
            name = next(names)
            arrays[f"{name}/kernel"] = value[node.input[1]].transpose(2, 3, 1, 0)
            if len(node.input) == 3:
                arrays[f"{name}/bias"] = value[node.input[2]]
        elif node.op_type == "BatchNormalization":
            for variable, i in zip(("gamma", "beta", "moving_mean", "moving_variance"), node.input[1:], strict=True):
                arrays[f"stem_norm/{variable}"] = value[i]
    if next(names, None) is not None:
        raise SystemExit("The graph holds fewer convolutions than the network; is this the right file?")
    return arrays


def main():
    """Read the wheel, check it, write both files and print their checksums."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path)
    wheel = parser.parse_args().wheel
    onnx_bytes = zipfile.ZipFile(wheel).read(ONNX_FILE)
    if hashlib.sha256(onnx_bytes).hexdigest() != ONNX_SHA256:
        raise SystemExit(f"{ONNX_FILE} in {wheel} is not the one with SHA-256 {ONNX_SHA256}; take openwakeword==0.4.0.")
    np.savez(WEIGHTS, **arrays_in_order(onnx_bytes))

    import tensorflow as tf

    np.save(WINDOW, tf.signal.hann_window(400).numpy())
    for file in (WEIGHTS, WINDOW):
        print(hashlib.sha256(file.read_bytes()).hexdigest(), file.name)


if __name__ == "__main__":
    main()
