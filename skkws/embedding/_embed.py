"""The speech embedding as functions: one 96-d vector every 80 ms."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skkws._engine.limits import first_beyond
from skkws._engine.spec import FRAMES_PER_HOP, FRAMES_PER_VECTOR, N_BANDS, N_DIMS, SILENCE, count_vectors
from skkws._runtime.threads import available_threads, run_threads
from skkws.embedding._weights import load_network

if TYPE_CHECKING:
    from skkws._engine.embedding_kernel import SpeechEmbeddingKernel
    from skkws.embedding._weights import EmbeddingWeights

# Vectors in the shortest part of a signal that a thread takes; every part computes 68 frames of its neighbour's.
_LEAST_PART = 64
# Energies of the loudest samples there are, 2**32, have logarithms of 28.
_LARGEST_LOG = 50
POOLINGS = {"mean": (np.mean,), "max": (np.max,), "mean_max": (np.mean, np.max)}


def embed(frames: ArrayLike, *, weights: str | Path | EmbeddingWeights | None = "google") -> NDArray[np.float32]:
    """Speech embedding of log-mel frames, all vectors of a signal in one pass.

    Parameters
    ----------
    frames : array-like of shape (..., n_frames, 32)
        Output of :func:`skkws.features.log_mel` at its defaults, at least 76 frames.
    weights : {"google"}, path, EmbeddingWeights or None, default="google"
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
    with np.errstate(over="ignore"):  # what does not fit is refused as infinite
        frames = np.asarray(frames, dtype=np.float32)
    if frames.ndim < 2 or frames.shape[-1] != N_BANDS or frames.shape[-2] < FRAMES_PER_VECTOR:
        raise ValueError(
            f"frames must have the shape (..., n_frames >= {FRAMES_PER_VECTOR}, {N_BANDS}), got {frames.shape}; "
            "compute them with skkws.log_mel at its defaults, from 12,400 samples or more."
        )
    first = first_beyond(frames, _LARGEST_LOG)
    if first is not None:
        raise ValueError(
            f"frames holds {frames[first]} at {', '.join(map(str, first))}; log-mel energies are finite and no larger "
            f"than {_LARGEST_LOG}. Look for it in the signal that they were computed from."
        )
    return embed_with(load_network(weights), frames)


def embed_with(network: SpeechEmbeddingKernel, frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """Vectors of valid log-mel frames (..., n_frames, 32) by a network that is loaded."""
    signals = np.ascontiguousarray(frames.reshape(-1, *frames.shape[-2:]))
    n_vectors = count_vectors(frames.shape[-2])
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


def pool_vectors(vectors: ArrayLike, pooling: str) -> NDArray[np.floating]:
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
    if pooling not in POOLINGS:
        raise ValueError(f"pooling must be one of {sorted(POOLINGS)}, got {pooling!r}.")
    return np.concatenate([how(vectors, axis=-2) for how in POOLINGS[pooling]], axis=-1)


def pad_with_silence(frames: NDArray[np.float32], n_silent: int) -> NDArray[np.float32]:
    """Log-mel frames (n_clips, n_frames, 32) with silent ones on both sides, as many as a vector needs at least."""
    missing = max(n_silent, FRAMES_PER_VECTOR - frames.shape[1])
    return np.pad(frames, ((0, 0), both_sides(missing), (0, 0)), constant_values=SILENCE)


def both_sides(n):
    """Split a number of samples or frames to add into those in front and those behind."""
    return n // 2, n - n // 2
