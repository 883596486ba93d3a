"""Waveforms to embedding vectors: ours against openWakeWord and other engines; speed against the machine's; growth.

    python benchmarks/embedding.py --repeat 5

openWakeWord computes each vector from its own 76 frames. The engines run the same network, made from the Keras model,
on our log-mel frames. All get the same unpadded clips of noise and all cores; ``--growth`` asks how the cost grows with
the length of the clips, their number and the cores instead.
"""

import os
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from warnings import catch_warnings, simplefilter

import numpy as np
from harness import parser_for, run, write


def operations(n_frames):
    """Floating-point operations of the convolutions on so many frames: two for each multiplication and addition."""
    from skkws._engine.spec import BLOCKS

    rows, columns, channels = n_frames - 2, 32, 24
    total = rows * columns * 9 * channels
    for filters, pairs, (pool_rows, pool_columns) in BLOCKS:
        for _ in range(pairs):
            total += rows * columns * 3 * channels * filters
            rows -= 2
            total += rows * columns * 3 * filters * filters
            channels = filters
        rows, columns = rows // pool_rows, columns // pool_columns
    return 2 * (total + (rows - 2) * 3 * 96 * 96)


def make_ours(X):
    from skkws import SpeechEmbeddingTransformer

    embedding = SpeechEmbeddingTransformer(padding=0).fit(X)
    return lambda: embedding.transform(X)


def make_openwakeword(X):
    from openwakeword.utils import AudioFeatures

    features = AudioFeatures(ncpu=os.cpu_count())
    pcm = (X * 32767).astype(np.int16)
    return lambda: features.embed_clips(pcm, batch_size=len(pcm), ncpu=os.cpu_count())


def keras_model():
    """Return the network as a Keras model with the original's weights."""
    from skkws.embedding import read_weights
    from skkws.networks import speech_embedding

    model, arrays = speech_embedding(), read_weights("google")
    for layer in model.layers:
        for variable in layer.weights:
            variable.assign(arrays[f"{layer.name}/{variable.name}"])
    return model


def make_tensorflow(X):
    import tensorflow as tf

    from skkws import log_mel

    model = keras_model()
    run_model = tf.function(lambda x: model(x, training=False), input_signature=[tf.TensorSpec((None, None, 32))])
    return lambda: run_model(log_mel(X)).numpy()


def make_xla(X):
    import tensorflow as tf

    from skkws import log_mel

    model = keras_model()
    run_model = tf.function(lambda x: model(x, training=False), jit_compile=True)
    return lambda: run_model(log_mel(X)).numpy()


def make_openvino(X):
    import openvino

    from skkws import log_mel

    model = openvino.convert_model(keras_model())
    settings = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    compiled = openvino.Core().compile_model(model, "CPU", settings)
    request = compiled.create_infer_request()
    return lambda: request.infer([log_mel(X)], share_inputs=True)[compiled.output(0)]


def make_onnxruntime(X):
    import onnxruntime
    import tf2onnx  # noqa: F401 (Keras exports by it)

    from skkws import log_mel

    model = keras_model()
    model(np.zeros((1, 76, 32), np.float32))
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "embedding.onnx"))
        model.export(path, format="onnx", verbose=False)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda: session.run(None, {name: log_mel(X)})[0]


def make_litert(X):
    import tensorflow as tf
    from ai_edge_litert.interpreter import Interpreter

    from skkws import log_mel

    content = tf.lite.TFLiteConverter.from_keras_model(keras_model()).convert()
    interpreter = Interpreter(model_content=content, num_threads=os.cpu_count())
    interpreter.resize_tensor_input(0, log_mel(X).shape)
    interpreter.allocate_tensors()

    def call():
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], log_mel(X))
        interpreter.invoke()
        return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])

    return call


JOBS = {
    "skkws": make_ours,
    "openwakeword": make_openwakeword,
    "tf.function": make_tensorflow,
    "XLA": make_xla,
    "OpenVINO": make_openvino,
    "ONNX Runtime": make_onnxruntime,
    "LiteRT": make_litert,
}


def quietly(make, X):
    """Make a job and leave out what the converters print meanwhile."""
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere), catch_warnings():
        simplefilter("ignore")
        return make(X)


def make_noise(clips, seconds):
    return np.random.default_rng(0).normal(0, 0.1, (clips, round(16000 * seconds))).astype(np.float32)


def ask(clips, seconds, args, names=None):
    X = make_noise(clips, seconds)
    jobs = {name: lambda make=make: quietly(make, X) for name, make in JOBS.items() if names is None or name in names}
    return run(f"Embedding of {clips} x {seconds:g} s", jobs, args)


def compare(args):
    results = [ask(args.clips, args.seconds, args)]
    n_frames = 1 + (round(16000 * args.seconds) - 400) // 160
    matrix = np.random.default_rng(0).normal(size=(1024, 1024)).astype(np.float32)
    frames = np.random.default_rng(0).normal(-3, 1, (args.clips, n_frames, 32)).astype(np.float32)
    from skkws import embed

    jobs = {"skkws": lambda: lambda: embed(frames), "matrix product": lambda: lambda: matrix @ matrix}
    args.peer = [*args.peer, "matrix product"]
    results.append(run("Network alone, and a float32 product of 1024 x 1024 matrices", jobs, args))
    work = {"skkws": args.clips * operations(n_frames), "matrix product": 2 * 1024**3}
    for name, result in results[-1]["results"].items():
        result["gflops"] = work[name] / np.median(result["seconds"]) / 1e9
        print(f"{name:24} {result['gflops']:10.0f} GFLOP/s")
    args.repeat *= 10
    results.append(ask(1, 1.0, args))
    return results


def grow(args):
    results = []
    for clips, seconds in ((1, 1), (1, 10), (1, 60), (1, 600), (10, 1), (100, 1), (1000, 1), (5000, 1)):
        results.append(ask(clips, seconds, args, ["skkws"]))
    for threads in range(1, os.cpu_count() + 1):
        os.environ["OMP_NUM_THREADS"] = str(threads)
        print(f"threads: {threads}")
        results.append({"threads": threads, **ask(args.clips, args.seconds, args, ["skkws"])})
    return results


def main():
    parser = parser_for(__doc__, [name for name in JOBS if name != "skkws"])
    parser.add_argument("--clips", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--growth", action="store_true", help="how the cost grows, in place of the peers")
    args = parser.parse_args()
    write(args, grow(args) if args.growth else compare(args))


if __name__ == "__main__":
    main()
