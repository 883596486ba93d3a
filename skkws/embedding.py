"""The pretrained speech embedding: one 96-d vector every 80 ms."""

import hashlib
import io
import re
import threading
import zipfile
from importlib import resources
from numbers import Integral
from pathlib import Path

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from skkws._threads import available_threads, run_threads
from skkws.features._base import FrameTransformer
from skkws.features._logmel import log_mel
from skkws.networks._speech_embedding import (
    FRAMES_PER_HOP,
    FRAMES_PER_VECTOR,
    N_BANDS,
    N_DIMS,
    speech_embedding,
    weight_shapes,
)
from skkws.networks._speech_embedding_kernel import SpeechEmbeddingKernel

# The front end of the original module: `log_mel` at its defaults.
_HOP_LENGTH = 160
_WIN_LENGTH = 400
_SILENCE = np.log(np.float32(1e-3))
_MIN_SAMPLES = _WIN_LENGTH + (FRAMES_PER_VECTOR - 1) * _HOP_LENGTH
_GOOGLE_SHA256 = "9fda429ce4a15c53a2844e844a9d6bc4e47efce761131e70088053b958f1c8c1"
# Clips whose log-mel frames are held at once, counted in frames.
_BLOCK_FRAMES = 16384
# Vectors in the shortest part of a signal that a thread takes; every part computes 68 frames of its neighbour's.
_LEAST_PART = 64
_LOGMEL_NAME = re.compile(r"logmel_t\d+_b([012]\d|3[01])")
_POOLINGS = {"mean": (np.mean,), "max": (np.max,), "mean_max": (np.mean, np.max)}

_networks = {}
_networks_lock = threading.Lock()


def embed(frames, *, weights="google"):
    """Speech embedding of log-mel frames, all vectors of a signal in one pass.

    Parameters
    ----------
    frames : array-like of shape (..., n_frames, 32)
        Output of :func:`skkws.features.log_mel` at its defaults, at least 76 frames.
    weights : {"google"}, path or None, default="google"
        As in :class:`SpeechEmbeddingTransformer`.

    Returns
    -------
    vectors : ndarray of shape (..., ``(n_frames - 76) // 8 + 1``, 96), dtype float32
        One vector every 8 frames (80 ms), each over 76 frames (0.775 s of signal).

    Raises
    ------
    ValueError
        If the frames do not have 32 bands, are fewer than 76 or not finite, or the weights cannot be used.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws import embed, log_mel
    >>> embed(log_mel(np.zeros(32000))).shape
    (16, 96)
    """
    frames = np.asarray(frames, dtype=np.float32)
    if frames.ndim < 2 or frames.shape[-1] != N_BANDS or frames.shape[-2] < FRAMES_PER_VECTOR:
        raise ValueError(
            f"frames must have the shape (..., n_frames >= {FRAMES_PER_VECTOR}, {N_BANDS}), got {frames.shape}; "
            "compute them with skkws.log_mel at its defaults, from 12,400 samples or more."
        )
    if not np.isfinite(frames).all():
        raise ValueError("frames holds NaN or infinity; look for it in the signal that they were computed from.")
    return embed_with(load_network(weights), frames)


def embed_with(network, frames):
    """Vectors of valid log-mel frames (..., n_frames, 32) by a network that is loaded."""
    signals = np.ascontiguousarray(frames.reshape(-1, *frames.shape[-2:]))
    n_vectors = _n_vectors(frames.shape[-2])
    vectors = np.empty((len(signals), n_vectors, N_DIMS), dtype=np.float32)
    # Threads share out the signals, and the parts of long ones: vectors depend on their own 76 frames alone.
    n_threads = available_threads()
    part = max(_LEAST_PART, -(-len(signals) * n_vectors // (4 * n_threads)))
    parts = [(i, v) for i in range(len(signals)) for v in range(0, n_vectors, part)]

    def fill(some):
        stream = network.stream()
        for i, v in some:
            stop = min(v + part, n_vectors)
            stream.restart()
            stream.push(
                signals[i, v * FRAMES_PER_HOP : (stop - 1) * FRAMES_PER_HOP + FRAMES_PER_VECTOR], vectors[i, v:stop]
            )

    run_threads(fill, parts, n_threads)
    return vectors.reshape(*frames.shape[:-2], n_vectors, N_DIMS)


def pool_vectors(vectors, pooling):
    """Pool the vectors of each clip over time.

    Parameters
    ----------
    vectors : array-like of shape (..., n_vectors, n_dims)
        Vectors, as :func:`embed` returns them.
    pooling : {"mean", "max", "mean_max"}
        Their mean, their maximum, or the mean followed by the maximum.

    Returns
    -------
    pooled : ndarray of shape (..., n_dims) or (..., 2 * n_dims)
        One row for each clip.

    Examples
    --------
    >>> from skkws.embedding import pool_vectors
    >>> pool_vectors([[1.0, 5.0], [3.0, 1.0]], "mean_max")
    array([2., 3., 3., 5.])
    """
    if pooling not in _POOLINGS:
        raise ValueError(f"pooling must be one of {sorted(_POOLINGS)}, got {pooling!r}.")
    return np.concatenate([how(vectors, axis=-2) for how in _POOLINGS[pooling]], axis=-1)


class SpeechEmbeddingTransformer(FrameTransformer):
    """Waveform or log-mel rows to vectors of Google's speech embedding, one 96-d vector every 80 ms.

    The network of [1]_ with its published weights (google/speech_embedding/1, Apache-2.0), which come with the
    package; every result equals the original module's to 1e-5. The network is fully convolutional, so all vectors
    of a clip come from one pass.

    `fit` trains nothing. The network is no part of the estimator: it is loaded once per process, when first needed,
    and a pickle holds the parameters and lengths alone.

    Parameters
    ----------
    input : {"audio", "logmel"}, default="audio"
        What a row is: samples at 16 kHz in [-1, 1], or the output of a :class:`LogMelTransformer` at its defaults.
    weights : {"google"}, path or None, default="google"
        Weights of the network: the original's, an ``.npz`` file of the same layout, or None for an untrained network
        (always the same one; it shows what pretraining gives).
    pooling : {"mean", "max", "mean_max"} or None, default=None
        How the vectors of a clip become one row: not at all, their mean, their maximum, or both side by side.
    padding : int, default=6000
        Zero samples in front of and behind each clip (for log-mel rows the corresponding frames of silence). A
        vector covers 12,400 samples; without padding a clip of one second keeps 3 vectors and a word at its edge is
        seen by none of them whole, with 6,000 samples (0.375 s) it keeps 13. Chosen on recordings of digits and
        commands, see ``benchmarks/README.md``. A clip still shorter than one vector is padded on both sides to its
        length.

    Attributes
    ----------
    output_shape_ : tuple of (int, int)
        Vectors and dimensions of a row: ``row.reshape(output_shape_)``.
    n_features_in_ : int
        Columns of a row in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the input columns, where `X` has names.

    See Also
    --------
    embed : The same network as a function on log-mel frames.
    KeywordHeadClassifier : The classifier made for these rows.

    References
    ----------
    .. [1] Lin, Kilgour, Roblek, Sharifi (2020), "Training Keyword Spotters with Limited and Synthesized Speech
       Data", arXiv:2002.01322.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws import SpeechEmbeddingTransformer
    >>> clips = np.random.RandomState(0).uniform(-0.1, 0.1, (2, 16000))
    >>> embedding = SpeechEmbeddingTransformer().fit(clips)
    >>> embedding.transform(clips).shape, embedding.output_shape_
    ((2, 1248), (13, 96))
    """

    _parameter_constraints = {
        "input": [StrOptions({"audio", "logmel"})],
        "weights": [str, Path, None],
        "pooling": [StrOptions(set(_POOLINGS)), None],
        "padding": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(self, input="audio", *, weights="google", pooling=None, padding=6000):
        self.input = input
        self.weights = weights
        self.pooling = pooling
        self.padding = padding

    _axis_names = ("embedding_v", "_d")

    def _output_names(self):
        if self.pooling is None:
            return super()._output_names()
        return [f"embedding_{how}_d{d:02d}" for how in self.pooling.split("_") for d in range(N_DIMS)]

    def _shape_for(self, n_features):
        if self.pooling is not None:
            return 1, N_DIMS * len(_POOLINGS[self.pooling])
        return _n_vectors(self._n_padded_frames(n_features)), N_DIMS

    def _n_padded_frames(self, n_features):
        if self.input == "audio":
            frames = 1 + max(0, n_features + 2 * self.padding - _WIN_LENGTH) // _HOP_LENGTH
        else:
            frames = n_features // N_BANDS + 2 * self.padding // _HOP_LENGTH
        return max(frames, FRAMES_PER_VECTOR)

    def _frames(self, X):
        n_rows, n_columns = self.output_shape_
        out = np.empty((len(X), n_rows, n_columns), dtype=np.float32)
        clips = max(1, _BLOCK_FRAMES // self._n_padded_frames(X.shape[1]))
        for i in range(0, len(X), clips):
            vectors = embed(self._padded_log_mel(X[i : i + clips]), weights=self.weights)
            out[i : i + clips] = vectors if self.pooling is None else pool_vectors(vectors, self.pooling)[:, None]
        return out

    def _padded_log_mel(self, X):
        if self.input == "audio":
            missing = max(0, _MIN_SAMPLES - X.shape[1] - 2 * self.padding)
            return log_mel(np.pad(X, ((0, 0), _both_sides(2 * self.padding + missing))))
        return pad_with_silence(X.reshape(len(X), -1, N_BANDS), 2 * self.padding // _HOP_LENGTH)

    def _validate(self, X, reset):
        X = super()._validate(X, reset)
        if self.input == "logmel":
            names = getattr(self, "feature_names_in_", ())
            if X.shape[1] % N_BANDS or not all(_LOGMEL_NAME.fullmatch(name) for name in names):
                named = f" named {names[0]} to {names[-1]}" if len(names) else ""
                raise ValueError(
                    f'SpeechEmbeddingTransformer(input="logmel") needs rows of frames x {N_BANDS} bands, got '
                    f"{X.shape[1]} columns{named}; pass the output of LogMelTransformer() at its defaults, or waveform "
                    'rows with input="audio".'
                )
            if X.min(initial=0.0) < _SILENCE - 1e-3:
                raise ValueError(
                    f'SpeechEmbeddingTransformer(input="logmel") got {X.min():.3f}, below log(0.001) = {_SILENCE:.3f}, '
                    "the least that LogMelTransformer() gives at its defaults; the network knows no other log_offset, "
                    "scaling or feature."
                )
        return X


def _n_vectors(n_frames):
    return 1 + (n_frames - FRAMES_PER_VECTOR) // FRAMES_PER_HOP


def pad_with_silence(frames, n_silent):
    """Log-mel frames (n_clips, n_frames, 32) with silent ones on both sides, as many as a vector needs at least."""
    missing = max(n_silent, FRAMES_PER_VECTOR - frames.shape[1])
    return np.pad(frames, ((0, 0), _both_sides(missing), (0, 0)), constant_values=_SILENCE)


def _both_sides(n):
    return n // 2, n - n // 2


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
        return {f"{layer.name}/{v.name}": v.numpy() for layer in speech_embedding().layers for v in layer.weights}
    if weights == "google":
        content = resources.files("skkws").joinpath("weights/google_speech_embedding.npz").read_bytes()
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
