"""Weights of the speech embedding: the original's, those of a file, or untrained ones."""

import hashlib
import io
import threading
import zipfile
from importlib import resources
from pathlib import Path

import numpy as np

from skkws._engine.embedding_kernel import SpeechEmbeddingKernel
from skkws._engine.spec import weight_shapes
from skkws._runtime.optional import require

_GOOGLE_SHA256 = "9fda429ce4a15c53a2844e844a9d6bc4e47efce761131e70088053b958f1c8c1"

_networks = {}
_networks_lock = threading.Lock()


def google_weights():
    """Content of the file that holds the original's weights."""
    return resources.files("skkws.embedding").joinpath("weights/google_speech_embedding.npz").read_bytes()


def load_network(weights):
    """Network at these weights, from frames to vectors, loaded once per process."""
    weights = _found(weights)
    key = (weights, weights.stat().st_mtime_ns) if isinstance(weights, Path) else weights
    with _networks_lock:
        if key not in _networks:
            _networks[key] = SpeechEmbeddingKernel(read_weights(weights))
        return _networks[key]


def _found(weights):
    """Return weights with the file, if it is one, as a whole path to something that is there."""
    if weights is None or weights == "google":
        return weights
    path = Path(weights).expanduser().resolve()
    if not path.is_file():
        raise FileNotFoundError(
            f'weights must be "google", None or a file, and there is no file {path}; check the path.'
        )
    return path


def read_weights(weights):
    """Arrays of the network's weights by their names."""
    weights = _found(weights)
    if weights is None:
        require("tensorflow", "weights=None, whose numbers Keras draws,")
        from skkws.networks import speech_embedding

        return {f"{layer.name}/{v.name}": v.numpy() for layer in speech_embedding().layers for v in layer.weights}
    if weights == "google":
        content = google_weights()
        digest = hashlib.sha256(content).hexdigest()
        if digest != _GOOGLE_SHA256:
            raise ValueError(
                f"The weights file google_speech_embedding.npz of this installation is damaged: SHA-256 is {digest} "
                f"and should be {_GOOGLE_SHA256}. Install skkws again."
            )
        with np.load(io.BytesIO(content)) as arrays:
            return dict(arrays)
    try:
        with np.load(weights) as file:
            arrays = dict(file)
    except (ValueError, TypeError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{weights} is no readable .npz file of network weights: {error}") from error
    shapes = weight_shapes()
    if shapes.keys() != arrays.keys():
        wrong = sorted(shapes.keys() ^ arrays.keys())
        raise ValueError(
            f"{weights} does not hold the weights of the speech embedding: missing or unknown {wrong[:4]}."
        )
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            raise ValueError(f"{weights}: {name} must have the shape {shape}, got {arrays[name].shape}.")
    return arrays
