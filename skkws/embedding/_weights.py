"""Weights of the speech embedding: the original's, those of a file, or untrained ones."""

import hashlib
import io
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from skkws._engine.embedding_kernel import SpeechEmbeddingKernel
from skkws._engine.keras_networks import require_keras
from skkws._engine.spec import weight_shapes
from skkws._runtime.npz import read_npz

_GOOGLE_SHA256 = "9fda429ce4a15c53a2844e844a9d6bc4e47efce761131e70088053b958f1c8c1"
# Bytes of the widest float type, and of the longest header of an array in an .npz file that NumPy writes of ours.
_MOST_PER_NUMBER, _MOST_PER_HEADER = 16, 256

_networks = {}
_networks_lock = threading.Lock()
_carried = ContextVar("_carried", default=None)


class EmbeddingWeights:
    """Weights of the speech embedding as a value: they travel with whatever holds them, and need no file.

    Where it is passed as ``weights=``, a pickle holds the arrays too. It never changes, so that copies are itself.

    Parameters
    ----------
    arrays : dict of str to ndarray
        ``{"layer/variable": array}``, such as `backbone_` of a :class:`KeywordNetClassifier`.

    Attributes
    ----------
    arrays : dict of str to ndarray
        The same, as float32 and not to be written to.
    digest : str
        What they are, as 16 hexadecimal digits.

    Raises
    ------
    ValueError
        If a name is missing or unknown, or an array has another shape or holds something else than finite numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws import SpeechEmbeddingTransformer
    >>> from skkws.embedding import EmbeddingWeights, read_weights
    >>> weights = EmbeddingWeights(read_weights("google"))
    >>> SpeechEmbeddingTransformer(weights=weights).fit(np.zeros((1, 16000))).output_shape_
    (13, 96)
    """

    def __init__(self, arrays):
        self.arrays = _checked(arrays, "arrays")

    @cached_property
    def digest(self):
        """Name of the weights by what they are."""
        digest = hashlib.sha256()
        for name in sorted(self.arrays):
            digest.update(name.encode())
            digest.update(np.ascontiguousarray(self.arrays[name], dtype="<f4").tobytes())
        return digest.hexdigest()[:16]

    def __repr__(self):
        return f"<EmbeddingWeights {self.digest}>"

    def __eq__(self, other):
        return isinstance(other, EmbeddingWeights) and self.digest == other.digest

    def __hash__(self):
        return hash(self.digest)

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    def __reduce__(self):
        return EmbeddingWeights, (self.arrays,)


@contextmanager
def carry_weights() -> Iterator[None]:
    """Have the state of each :class:`SpeechEmbeddingTransformer` hold what is in the file that its `weights` name.

    A pickle that is made meanwhile stands alone.

    Examples
    --------
    >>> import pickle
    >>> from skkws import KeywordNetClassifier, SpeechEmbeddingTransformer
    >>> from skkws.embedding import carry_weights
    >>> with carry_weights():
    ...     alone = pickle.dumps(SpeechEmbeddingTransformer())  # the published weights are everywhere
    >>> pickle.loads(alone)
    SpeechEmbeddingTransformer()
    """
    token = _carried.set({})
    try:
        yield
    finally:
        _carried.reset(token)


def as_carried(weights):
    """Return weights as a state holds them: inside of `carry_weights` those of a file as :class:`EmbeddingWeights`."""
    read = _carried.get()
    weights = weights if read is None else _found(weights)
    if read is None or not isinstance(weights, Path):
        return weights
    if weights not in read:  # once for all that share them
        read[weights] = EmbeddingWeights(read_weights(weights))
    return read[weights]


def google_weights() -> bytes:
    """Content of the file that holds the original's weights."""
    return resources.files("skkws.embedding").joinpath("weights/google_speech_embedding.npz").read_bytes()


def load_network(weights: str | Path | EmbeddingWeights | None) -> SpeechEmbeddingKernel:
    """Network at these weights, from frames to vectors, loaded once per process."""
    weights = _found(weights)
    key = (weights, weights.stat().st_mtime_ns) if isinstance(weights, Path) else weights
    with _networks_lock:
        if key not in _networks:
            _networks[key] = SpeechEmbeddingKernel(read_weights(weights))
        return _networks[key]


def _found(weights):
    """Return weights with the file, if it is one, as a whole path to something that is there."""
    if weights is None or weights == "google" or isinstance(weights, EmbeddingWeights):
        return weights
    path = Path(weights).expanduser().resolve()
    if not path.is_file():
        raise FileNotFoundError(
            f'weights must be "google", None or a file, and there is no file {path}; check the path.'
        )
    return path


def read_weights(weights: str | Path | EmbeddingWeights | None) -> dict[str, NDArray[np.floating]]:
    """Arrays of the network's weights by their names."""
    weights = _found(weights)
    if isinstance(weights, EmbeddingWeights):
        return weights.arrays
    if weights is None:
        require_keras("weights=None, whose numbers Keras draws,")
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
    most = sum(_MOST_PER_NUMBER * math.prod(shape) + _MOST_PER_HEADER for shape in weight_shapes().values())
    try:
        arrays = read_npz(weights, max_bytes=most)
    except ValueError as error:
        raise ValueError(
            f"{weights} is no readable .npz file of network weights: {error}. Pass one that save_backbone wrote."
        ) from error
    return _checked(arrays, weights)


def _checked(arrays, name):
    """Return the arrays, read-only float32, if they are the weights of the network; `name` is what an error names."""
    shapes = weight_shapes()
    if shapes.keys() != arrays.keys():
        wrong = sorted(shapes.keys() ^ arrays.keys())
        raise ValueError(f"{name} does not hold the weights of the speech embedding: missing or unknown {wrong[:4]}.")
    checked = {}
    for key, shape in shapes.items():
        array = np.asarray(arrays[key])
        if array.shape != shape:
            raise ValueError(f"{name}: {key} must have the shape {shape}, got {array.shape}.")
        with np.errstate(over="ignore"):  # of what does not fit into float32
            checked[key] = array.astype(np.float32, order="C") if array.dtype.kind == "f" else None
        if checked[key] is None or not np.isfinite(checked[key]).all():
            raise ValueError(
                f"{name}: {key} must hold finite numbers of a float type, which float32 can hold, got dtype "
                f"{array.dtype}{_extremes(array)}."
            )
        if key.endswith("variance") and checked[key].min() < 0:
            raise ValueError(f"{name}: {key} must hold no negative number, got {checked[key].min()}.")
        checked[key].setflags(write=False)
    return checked


def _extremes(array):
    """Say between what the numbers of a float array are."""
    return f" between {array.min()} and {array.max()}" if array.dtype.kind == "f" else ""
