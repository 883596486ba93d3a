"""One recording: read, mix down, resample, fit to length."""

import io
import os
import re
import struct
from typing import BinaryIO, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skkws.audio._samples import AudioError, check_samples

PADS = ("center", "start", "end")
AUDIO_EXTENSIONS = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".aif", ".au", ".caf")

# A writer that cannot know the length beforehand (a pipe) leaves 0 or a size near 2 or 4 GiB in a 32-bit header:
# SoX writes 0x7FFFF000, arecord 0x80000000, FFmpeg 0xFFFFFFFF.
_PLACEHOLDER_SIZE = 0x7FFF0000

# No codec packs more into a byte than FLAC does with digital silence, 65535 samples in about 14 bytes. A header that
# promises more is damaged, or that of a FLAC stream, which leaves its length open.
_MAX_FRAMES_PER_BYTE = 8192


def read_audio(
    source: str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO, *, sample_rate: int | None = None
) -> tuple[NDArray[np.float32], int]:
    """Read a recording as mono float samples.

    Parameters
    ----------
    source : str, path-like, bytes-like or binary file object
        A file, or the bytes of one, in any format that libsndfile knows by its content: WAV, FLAC, OGG, MP3, MP3
        inside WAV, AIFF, CAF and others. A file object is read from its beginning if it can seek.
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
        far as they go.
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
    y, rate = decode(source, source_name(source, "the recording"))
    if sample_rate is None or sample_rate == rate:
        return y, rate
    return resample(y, orig_sr=rate, target_sr=sample_rate), int(sample_rate)


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
        if not rate > 0:
            raise ValueError(f"{name} must be a positive rate in Hz, got {rate!r}.")
    if orig_sr == target_sr:
        return y

    import soxr

    rows = [soxr.resample(row, orig_sr, target_sr, quality="HQ") for row in y.reshape(-1, y.shape[-1])]
    return np.stack(rows).reshape(*y.shape[:-1], -1)


def fit_length(y: ArrayLike, n_samples: int, *, pad: Literal["center", "start", "end"] = "center") -> NDArray:
    """Crop or zero-pad waveforms to a number of samples.

    Parameters
    ----------
    y : array-like of shape (..., length)
        Waveforms along the last axis.
    n_samples : int
        The length wanted, in samples.
    pad : {"center", "start", "end"}, default="center"
        The side that changes: where zeros are added to a shorter waveform, and samples removed from a longer one.

        - "center": both sides by the same number, the end by one more where the difference is odd;
        - "start": the start, so the end of the waveform stays at the end;
        - "end": the end, so the start of the waveform stays at the start.

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
    """
    if pad not in PADS:
        raise ValueError(f"pad must be one of {', '.join(map(repr, PADS))}, got {pad!r}.")
    y = np.asarray(y)
    missing = n_samples - y.shape[-1]
    change = abs(missing)
    before = {"center": change // 2, "start": change, "end": 0}[pad]
    if missing > 0:
        return np.pad(y, [(0, 0)] * (y.ndim - 1) + [(before, change - before)])
    return y[..., before : before + n_samples]


def is_source(item: object) -> bool:
    """Say whether `item` is something to decode, rather than samples."""
    return isinstance(item, str | os.PathLike | bytes | bytearray | memoryview) or hasattr(item, "read")


def source_name(source, default):
    """Return the name by which errors call `source`."""
    if isinstance(source, str | os.PathLike):
        return os.fspath(source)
    name = getattr(source, "name", None)  # a file object's path; a file descriptor's number says nothing
    return name if isinstance(name, str) else default


def read_bytes(source: str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO, name: str) -> bytes:
    """Return the encoded bytes of a recording, whatever holds them."""
    if isinstance(source, str | os.PathLike):
        try:
            with open(source, "rb") as file:
                return file.read()
        except FileNotFoundError:
            raise FileNotFoundError(
                f"{name}: no such file. Check the path; a relative one starts at the working directory."
            ) from None
        except IsADirectoryError:
            raise AudioError(f"{name}: a folder, not an audio file. Pass the files in it.") from None
    if isinstance(source, bytes | bytearray | memoryview):
        return bytes(source)
    if hasattr(source, "seekable") and source.seekable():
        source.seek(0)  # so that fit and transform read the same
    content = source.read()
    if not isinstance(content, bytes):
        raise AudioError(f"{name}: a file object opened as text. Open it in binary mode, 'rb'.")
    return content


def _sample_chunk(content):
    """Find the samples in a RIFF (WAV) or FORM (AIFF) file: their position and declared size in bytes, or None."""
    order = {b"RIFF": "<", b"RIFX": ">", b"FORM": ">"}.get(content[:4])
    position = 12
    while order and position + 8 <= len(content):
        name, size = struct.unpack_from(f"{order}4sI", content, position)
        if name in (b"data", b"SSND"):
            return position + 8, size
        position += 8 + size + size % 2
    return None


def _check_complete(content, name):
    """Raise AudioError if the container says that its sound goes on after the last byte."""
    promised, held = 0, len(content)
    if chunk := _sample_chunk(content):
        start, size = chunk
        # Some writers count the header in, so only a size beyond the whole file is proof.
        if held < size < _PLACEHOLDER_SIZE:
            promised, held = size, held - start
    elif content[:4] == b"OggS":
        page = content.rfind(b"OggS")
        n_segments = content[page + 26] if page + 26 < held else 0
        promised = page + 27 + n_segments + sum(content[page + 27 : page + 27 + n_segments])
    if promised > held:
        raise _truncated(name, f"{promised} bytes", held)


def _truncated(name, promised, held):
    return AudioError(
        f"{name}: cut off: it promises {promised} and holds {held}. Copy or record it again, or leave it out."
    )


def _restore_streamed_size(content):
    """Declare the sample chunk of a WAV file to last until the end if its writer never filled the sizes in."""
    chunk = _sample_chunk(content) if content[:4] == b"RIFF" else None
    if not chunk or chunk[1] != 0 or chunk[0] == len(content):
        return content
    start = chunk[0]
    (riff_size,) = struct.unpack_from("<I", content, 4)
    if start - 8 < riff_size < _PLACEHOLDER_SIZE:
        return content  # the sizes were filled in: the file holds no samples, but further chunks
    return content[: start - 4] + b"\xff\xff\xff\xff" + content[start:]


def decode(source, name):
    """Return the mono float32 samples and the rate of an encoded recording."""
    import soundfile as sf

    content = read_bytes(source, name)
    if not content:
        raise AudioError(f"{name}: the file is empty (0 bytes). Record it again or leave it out.")
    _check_complete(content, name)
    try:
        with sf.SoundFile(io.BytesIO(_restore_streamed_size(content))) as file:
            n_frames, rate, kind = file.frames, file.samplerate, file.format
            if n_frames > _MAX_FRAMES_PER_BYTE * len(content):
                raise AudioError(
                    f"{name}: its header does not give the true number of samples. Convert it to WAV, or leave it out."
                )
            # In one go: soundfile seeks after every read, and an MP3 decoder stumbles over that.
            y = file.read(n_frames, dtype="float32", always_2d=True).mean(axis=1)
    except sf.LibsndfileError as error:
        raise AudioError(
            f"{name}: cannot be decoded: not audio, damaged or cut off ({error.error_string.strip()}) "
            "Convert it to WAV or FLAC, copy it again, or leave it out."
        ) from error
    # The number of frames of an MP3 file without a tag is libsndfile's estimate, not the file's promise.
    if len(y) < n_frames and (kind != "MP3" or re.search(b"Xing|Info", content)):
        raise _truncated(name, f"{n_frames} samples", len(y))
    return check_samples(y, name), rate
