"""One recording: read, mix down, resample, fit to length."""

import os
from math import gcd
from typing import BinaryIO, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skkws.audio._decoding import MAX_SAMPLES, decode
from skkws.audio._samples import AudioError
from skkws.audio._source import read_bytes, source_name

# How many of the samples that are added or removed lie before the waveform.
_SIDES = {"center": lambda change: change // 2, "start": lambda change: change, "end": lambda change: 0}
PADS = tuple(_SIDES)
CROPS = (*PADS, "loudest")

# What the resampler hears on either side of a sample, and more: samples at the lower of the two rates.
_MARGIN = 1000

# The loudest stretch of a recording is found to a hundredth of its length. One is nearly as loud that has this share of
# its energy.
_FRAMES, _NEARLY = 100, 0.99


def read_audio(
    source: str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO, *, sample_rate: int | None = None
) -> tuple[NDArray[np.float32], int]:
    """Read a recording as mono float samples.

    Parameters
    ----------
    source : str, path-like, bytes-like or binary file object
        A file, or the bytes of one, in any format that libsndfile knows by its content: WAV, FLAC, OGG, MP3, MP3
        inside WAV, AIFF, CAF and others; with PyAV (the extra ``av``) also AAC, MP4, WebM and AMR. A file object is
        read from its beginning if it can seek.
    sample_rate : int, default=None
        The rate to resample to, in Hz. None keeps the recording's own.

    Returns
    -------
    y : ndarray of shape (n_samples,), dtype float32
        The mean of the channels. PCM is scaled by its full range to [-1, 1); floating point samples are kept as they
        are. Lossy decoders and the resampler may overshoot full scale slightly; nothing is clipped.
    rate : int
        The sample rate of `y`, in Hz.

    Raises
    ------
    AudioError
        If the recording is empty, cut off, not audio, holds no samples, or holds NaN or infinity. Cut off is a WAV or
        AIFF file shorter than its header says (placeholder sizes of streams aside), a FLAC or tagged MP3 file that
        ends early, and an OGG file that ends within a page. Other formats, and MP3 without a length tag, are read as
        far as they go. Also if it is no regular file, has a rate outside 1 kHz to 768 kHz, is larger than 1 GiB, or
        would unpack to more than 1 GiB (2**28 samples in all channels, 4.6 h of mono at 16 kHz).
    FileNotFoundError
        If the path does not exist.

    Examples
    --------
    >>> import io
    >>> import numpy as np, soundfile as sf
    >>> from skkws.audio import read_audio
    >>> tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(8000) / 8000)
    >>> file = io.BytesIO()
    >>> sf.write(file, tone, 8000, format="WAV")
    >>> y, rate = read_audio(file, sample_rate=16000)
    >>> y.shape, y.dtype, rate
    ((16000,), dtype('float32'), 16000)
    """
    name = source_name(source, "the recording")
    decoded = decode(read_bytes(source, name), name)
    y, rate = decoded.y, decoded.rate
    if sample_rate is None or sample_rate == rate:
        return y, rate
    return resample_recording(y, rate, sample_rate, name), int(sample_rate)


def resample(y: ArrayLike, *, orig_sr: float, target_sr: float) -> NDArray[np.floating]:
    """Resample waveforms with soxr at high quality ("HQ": 20 bit, linear phase).

    Parameters
    ----------
    y : array-like of shape (..., n_samples), floats
        Waveforms along the last axis.
    orig_sr, target_sr : float
        The rate of `y` and the rate wanted, in Hz.

    Returns
    -------
    ndarray of shape (..., n_samples * target_sr / orig_sr), the length rounded to the nearest integer, half up
        In the dtype of `y`. `y` itself where the rates are equal.

    Raises
    ------
    ValueError
        If `y` holds no floats, a rate is not positive, or a waveform would have more than 2**28 samples.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws.audio import resample
    >>> resample(np.zeros(44100), orig_sr=44100, target_sr=16000).shape
    (16000,)
    """
    y = np.asarray(y)
    if y.dtype.kind != "f":
        raise ValueError(f"resample needs floats, got dtype {y.dtype}; scale integer PCM with pcm_to_float first.")
    for name, rate in (("orig_sr", orig_sr), ("target_sr", target_sr)):
        if not 0 < rate < np.inf:
            raise ValueError(f"{name} must be a positive rate in Hz, got {rate!r}.")
    return resample_recording(y, orig_sr, target_sr, "resample")


def resample_recording(y, orig_sr, target_sr, name):
    """Resample floats along the last axis, at rates that are in order, as `resample` does; errors say `name`."""
    if orig_sr == target_sr:
        return y
    n_samples = y.shape[-1] * target_sr / orig_sr
    if n_samples > MAX_SAMPLES:  # the resampler counts in 32 bits
        raise AudioError(
            f"{name}: {y.shape[-1]:,} samples at {orig_sr:,} Hz would become {n_samples:,.0f} at {target_sr:,} Hz, and "
            f"{MAX_SAMPLES:,} are the most. Correct the rate, or cut it into pieces."
        )

    import soxr

    rows = [soxr.resample(row, orig_sr, target_sr, quality="HQ") for row in y.reshape(-1, y.shape[-1])]
    return np.stack(rows).reshape(*y.shape[:-1], -1)


def resampled_length(n_frames, orig_sr, target_sr):
    """Return the number of samples that `resample` makes of a recording at whole rates: to the nearest, half up."""
    return (2 * n_frames * target_sr + orig_sr) // (2 * orig_sr)


def row_part(n_frames, rate, *, sample_rate, n_samples, pad):
    """Return start and stop, in frames, of what a row needs of a recording.

    The part begins where the resampler gives a sample for a frame exactly, so that the row is that of the whole
    recording.
    """
    length = resampled_length(n_frames, rate, sample_rate)
    if length <= n_samples or pad == "loudest":
        return 0, n_frames
    first = _SIDES[pad](length - n_samples)
    if rate == sample_rate:
        return first, first + n_samples
    unit = rate // gcd(rate, sample_rate)
    margin = _MARGIN * max(rate, sample_rate) // sample_rate
    start = max(0, first * rate // sample_rate - margin) // unit * unit
    stop = (first + n_samples) * rate // sample_rate + margin
    return start, min(n_frames, stop)


def crop_row(y, start, n_frames, rate, *, sample_rate, n_samples, pad):
    """Make a row of a resampled recording, or of the part of it that `row_part` has named."""
    length = resampled_length(n_frames, rate, sample_rate)
    if length <= n_samples or pad == "loudest":
        return fit_length(y, n_samples, pad=pad)
    first = _SIDES[pad](length - n_samples) - start * sample_rate // rate
    return fit_length(y[first : first + n_samples], n_samples, pad="end")


def fit_length(
    y: ArrayLike, n_samples: int, *, pad: Literal["center", "start", "end", "loudest"] = "center"
) -> NDArray:
    """Crop or zero-pad waveforms to a number of samples.

    Parameters
    ----------
    y : array-like of shape (..., length)
        Waveforms along the last axis.
    n_samples : int
        The length wanted, in samples.
    pad : {"center", "start", "end", "loudest"}, default="center"
        The side that changes: where zeros are added to a shorter waveform, and samples removed from a longer one.

        - "center": both sides by the same number, the end by one more where the difference is odd;
        - "start": the start, so the end of the waveform stays at the end;
        - "end": the end, so the start of the waveform stays at the start;
        - "loudest": as "center" for a shorter waveform. Of a longer one the stretch is kept whose energy is greatest,
          and of several that are as loud to 1 % the middle one, so that a word in silence comes to lie in the middle.

    Returns
    -------
    ndarray of shape (..., n_samples)
        In the dtype of `y`; may share memory with it.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws.audio import fit_length
    >>> fit_length(np.array([1, 2, 3]), 6)
    array([0, 1, 2, 3, 0, 0])
    >>> fit_length(np.array([1, 2, 3, 4, 5, 6]), 3)
    array([2, 3, 4])
    >>> fit_length(np.array([1, 2, 3]), 5, pad="start")
    array([0, 0, 1, 2, 3])
    >>> fit_length(np.array([0, 0, 0, 0, -1, 3, -1, 0]), 3, pad="loudest")
    array([-1,  3, -1])
    """
    if pad not in CROPS:
        raise ValueError(f"pad must be one of {', '.join(map(repr, CROPS))}, got {pad!r}.")
    y = np.asarray(y)
    missing = n_samples - y.shape[-1]
    if missing < 0 and pad == "loudest":
        rows = y.reshape(-1, y.shape[-1])
        starts = [_loudest(row, n_samples) for row in rows]
        cut = [row[start : start + n_samples] for row, start in zip(rows, starts, strict=True)]
        return np.stack(cut).reshape(*y.shape[:-1], n_samples) if cut else y[..., :n_samples]
    before = _SIDES.get(pad, _SIDES["center"])(abs(missing))
    if missing > 0:
        return np.pad(y, [(0, 0)] * (y.ndim - 1) + [(before, missing - before)])
    return y[..., before : before + n_samples]


def _loudest(row, n_samples):
    """Find where the loudest stretch of a longer waveform begins: in the middle of all that are nearly as loud."""
    hop = max(1, n_samples // _FRAMES)
    frames = row[: len(row) // hop * hop].reshape(-1, hop).astype(np.float64)
    energy = np.concatenate([[0.0], np.cumsum(np.square(frames - row.mean(dtype=np.float64)).sum(axis=1))])
    length = n_samples // hop
    energies = energy[length:] - energy[:-length]
    loudest = int(energies.argmax())
    fainter = np.flatnonzero(energies < _NEARLY * energies[loudest])
    first, last = (fainter[fainter < loudest], fainter[fainter > loudest])
    begin, end = (first[-1] + 1 if len(first) else 0), (last[0] - 1 if len(last) else len(energies) - 1)
    return min((begin + end) // 2 * hop, len(row) - n_samples)
