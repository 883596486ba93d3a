"""The gate for samples: numbers, at least one, all finite and of a size that audio has.

Whatever is computed on a signal has passed here.
"""

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from skkws._engine.limits import LARGEST_SAMPLE, first_beyond

# 16-bit PCM in 32 bits would be at -96 dB, and floats 36 dB above full scale are PCM that nobody scaled.
_LOUDEST_16_BIT, _LOUDEST_FLOAT = 2**15, 64.0


class AudioError(ValueError):
    """A recording that cannot be used: the message names it, the rule it breaks and what to do."""


def pcm_to_float(y: ArrayLike) -> NDArray[np.float32]:
    """Scale integer PCM samples to floats in [-1, 1) by the full range of their type.

    Parameters
    ----------
    y : array-like of any shape
        Integers, whose type says the width: ``int16`` is divided by 32768, ``int32`` by 2**31; ``uint8`` is offset
        by 128 and divided by 128. Floats pass through. Of 64 bits no PCM is made: such integers pass if they lie in
        [-2, 2], as floats would, and are refused otherwise.

    Returns
    -------
    ndarray of the same shape, dtype float32

    Raises
    ------
    ValueError
        If `y` holds neither integers nor floats, or 64-bit integers that are PCM of another width.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws.audio import pcm_to_float
    >>> pcm_to_float(np.array([-32768, 0, 16384], dtype=np.int16))
    array([-1. ,  0. ,  0.5], dtype=float32)
    >>> pcm_to_float(np.array([0, 128, 192], dtype=np.uint8))
    array([-1. ,  0. ,  0.5], dtype=float32)
    """
    y = np.asarray(y)
    if y.dtype.kind == "f":
        return y.astype(np.float32, copy=False)
    if y.dtype.kind not in "iu":
        raise ValueError(f"samples must be floats in [-1, 1] or integer PCM, got dtype {y.dtype}.")
    if y.dtype.itemsize == 8:
        if y.size and max(abs(int(y.min())), abs(int(y.max()))) > 2:
            raise ValueError(
                f"samples of dtype {y.dtype} do not say how wide their PCM is, and so what full scale is. Pass them "
                "as what they were, as in y.astype(np.int16)."
            )
        return y.astype(np.float32)
    full_scale = 2.0 ** (8 * y.dtype.itemsize - 1)
    offset = full_scale if y.dtype.kind == "u" else 0.0
    return ((y.astype(np.float64) - offset) / full_scale).astype(np.float32)


def level_doubt(y: NDArray) -> str | None:
    """Say what looks wrong about the level of samples: PCM in a wider type, or floats that nobody scaled.

    Parameters
    ----------
    y : ndarray of any shape
        Integer PCM or floats, all finite.

    Returns
    -------
    doubt : str or None
        The type and the largest sample; None if nothing looks wrong.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws.audio import level_doubt
    >>> level_doubt(np.array([-20000, 12000], dtype=np.int32))
    'int32 up to 20000'
    >>> level_doubt(np.array([-20000, 12000], dtype=np.int16))
    """
    wide_pcm = y.dtype.kind in "iu" and y.dtype.itemsize == 4
    if y.size == 0 or not (wide_pcm or y.dtype.kind == "f"):
        return None
    peak = max(abs(float(y.min())), abs(float(y.max())))
    wrong = 0 < peak <= _LOUDEST_16_BIT if wide_pcm else peak > _LOUDEST_FLOAT
    return f"{y.dtype} up to {peak:.0f}" if wrong else None


def as_signals(y: ArrayLike, name: str = "y", *, dtype: DTypeLike | None = np.float32) -> NDArray[np.floating]:
    """Return signals as floats, checked: numbers, at least one sample on the last axis, all finite.

    Parameters
    ----------
    y : array-like of shape (..., n_samples)
        Signals. Integers are taken as the numbers they are; :func:`pcm_to_float` scales integer PCM.
    name : str, default="y"
        What errors call it.
    dtype : dtype or None, default=float32
        Precision wanted. None keeps that of floats, and makes float32 of integers.

    Returns
    -------
    ndarray of the same shape
        May share memory with `y`.

    Raises
    ------
    AudioError
        If there is no sample, or one that is no number, not finite or beyond 2**32.

    Examples
    --------
    >>> from skkws.audio import as_signals
    >>> as_signals([[0, 1], [2, 3]]).dtype
    dtype('float32')
    """
    y = np.asarray(y)
    if y.dtype.kind not in "fiu" or y.ndim == 0 or y.shape[-1] == 0:
        raise AudioError(
            f"{name} needs at least one sample on its last axis, got an array of shape {y.shape} and dtype {y.dtype}; "
            "pass numbers of shape (..., n_samples)."
        )
    if dtype is None:
        dtype = y.dtype if y.dtype.kind == "f" else np.float32
    return check_samples(y, name).astype(dtype, copy=False)


def check_samples(y: NDArray[np.floating], name: str) -> NDArray[np.floating]:
    """Return samples if there are any and all are finite and of a size that audio has.

    Parameters
    ----------
    y : ndarray of shape (..., n_samples)
        Samples, numbers.
    name : str
        What errors call them.

    Returns
    -------
    ndarray
        `y` itself.

    Raises
    ------
    AudioError
        If there is no sample, or one that is NaN, infinite or beyond 2**32, twice what 32-bit PCM reaches.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws.audio import check_samples
    >>> check_samples(np.array([0.0, 0.5]), "clip 3")
    array([0. , 0.5])
    """
    if y.size == 0:
        raise AudioError(f"{name}: holds no samples. Record it again or leave it out.")
    first = first_beyond(y, LARGEST_SAMPLE)
    if first is not None:
        place = f"sample {first[-1]}" + (f" of signal {', '.join(map(str, first[:-1]))}" if first[:-1] else "")
        rule = "no larger than 2**32" if np.isfinite(y[first]) else "finite"
        raise AudioError(
            f"{name}: {place} is {y[first]}; samples must be {rule}, and audio lies in [-1, 1]. Repair it or leave it "
            "out."
        )
    return y
