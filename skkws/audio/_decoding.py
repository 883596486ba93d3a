"""Encoded bytes to samples, within bounds of rate, size and time that no header can lift."""

import io
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skkws._runtime.quiet import quiet_stderr
from skkws.audio._samples import AudioError, check_samples, pcm_to_float

# In Hz. No microphone records beyond them; the resampler would make gigabytes of seconds at 1 Hz.
MIN_RATE, MAX_RATE = 1_000, 768_000

# Decoded at once at the most, 1 GiB as float32: 4.6 h at 16 kHz, 1.5 h at 48 kHz.
MAX_SAMPLES = 2**28

# A writer that cannot know the length beforehand (a pipe) leaves 0 or a size near 2 or 4 GiB in a 32-bit header:
# SoX writes 0x7FFFF000, arecord 0x80000000, FFmpeg 0xFFFFFFFF.
_PLACEHOLDER_SIZE = 0x7FFF0000

# No codec packs more into a byte than FLAC does with digital silence, 65535 samples in about 14 bytes. A header that
# promises more is damaged, or that of a FLAC stream, which leaves its length open.
_MAX_FRAMES_PER_BYTE = 8192

# Samples of all channels that are decoded before they are averaged.
_BLOCK = 2**18

# Encodings in which a decoder can begin at any sample and give exactly what it gives from the start on.
_EXACT_SEEK = {"PCM_S8", "PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"}

_MIDI = 0xF0

# What FFmpeg decodes and libsndfile does not: what it is, how it begins, FFmpeg's name for the container, and whether
# that has a header which gives the length.
_FFMPEG = (
    ("MP4 (AAC or ALAC)", rb"....ftyp", "mov", True),
    ("WebM or Matroska", rb"\x1a\x45\xdf\xa3", "matroska", True),
    ("AAC", rb"\xff[\xf0\xf1\xf8\xf9]|ADIF", "aac", False),
    ("AMR", rb"#!AMR", "amr", False),
)
_MOST_CHANNELS = 8  # PyAV reads beyond the planes of a frame that has more
_MAX_WAIT = 5.0  # seconds in which FFmpeg has to open a recording, and to read a packet
_MAX_PRIMING = 0.05  # seconds that encoders put before the sound and that a container may count in


@dataclass(frozen=True)
class Decoded:
    """Samples of a recording, or of a part of it."""

    y: NDArray[np.float32]
    """The mean of the channels."""
    rate: int
    """In Hz."""
    start: int
    """Where in the recording `y` begins, in samples."""
    n_frames: int
    """The length of the whole recording, in samples."""


def decode(content: bytes, name: str, part: Callable[[int, int], tuple[int, int]] | None = None) -> Decoded:
    """Decode a recording, or the part of it that is wanted.

    Parameters
    ----------
    content : bytes
        The recording as it is stored.
    name : str
        What errors call it.
    part : callable or None, default=None
        Gets the length in samples and the rate in Hz, and returns start and stop of what is wanted, in samples. More
        may come where the length is only known at the end. None takes all.
    """
    if not content:
        raise AudioError(f"{name}: the file is empty (0 bytes). Record it again or leave it out.")
    _check_complete(content, name)
    for kind, beginning, demuxer, has_header in _FFMPEG:
        if re.match(beginning, content, re.DOTALL):
            decoded = _decode_av(content, name, kind, demuxer, has_header)
            break
    else:
        decoded = _decode_sndfile(content, name, part)
    check_samples(decoded.y, f"{name}, samples from {decoded.start} on" if decoded.start else name)
    return decoded


def check_rate(rate: float, name: str) -> int:
    """Return the sample rate of a recording if it is one."""
    if not MIN_RATE <= rate <= MAX_RATE or rate != int(rate):
        raise AudioError(
            f"{name}: has a sample rate of {rate:,} Hz, and recordings have whole numbers from {MIN_RATE:,} to "
            f"{MAX_RATE:,}. Correct the rate, or leave it out."
        )
    return int(rate)


def _decode_sndfile(content, name, part):
    """Decode what libsndfile knows by its content."""
    import soundfile as sf

    if content[0] == _MIDI:  # libsndfile's decoder of sample dumps prints on the standard output stream
        raise AudioError(f"{name}: a MIDI sample dump, which is not read. Convert it to WAV, or leave it out.")

    class Sequential(sf.SoundFile):
        def seekable(self):  # else soundfile seeks after every block, and an MP3 decoder stumbles over that
            return False

    try:
        with quiet_stderr(), Sequential(_Content(_restore_streamed_size(content))) as file:
            n_frames = file.frames
            if n_frames > _MAX_FRAMES_PER_BYTE * len(content):
                raise AudioError(
                    f"{name}: its header does not give the true number of samples. Convert it to WAV, or leave it out."
                )
            rate = check_rate(file.samplerate, name)
            # The number of frames of an MP3 file without a tag is libsndfile's estimate, not the file's promise.
            exact_length = file.format != "MP3" or re.search(b"Xing|Info", content)
            start, stop = 0, n_frames
            if part and not file.subtype.startswith("MPEG"):
                start, stop = part(n_frames, rate)
            _check_decoded_size((stop - start) * file.channels, rate, name)
            if start and file.subtype in _EXACT_SEEK:
                file.seek(start)
            else:
                start = sum(map(len, _blocks(file, start)))
            y, n = np.empty(stop - start, dtype=np.float32), 0
            for block in _blocks(file, len(y)):
                y[n : n + len(block)] = block
                n += len(block)
    except sf.SoundFileError as error:
        raise _undecodable(name, getattr(error, "error_string", str(error))) from error
    if n < len(y) and exact_length:
        raise _truncated(name, f"{n_frames} samples", start + n)
    return Decoded(y[:n], rate, start, n_frames if exact_length else start + n)


def _blocks(file, n_frames):
    """Yield the mean of the channels of the next frames of a SoundFile, some at a time."""
    most = max(1, _BLOCK // file.channels)
    while n_frames and len(block := file.read(min(most, n_frames), dtype="float32", always_2d=True)):
        yield block.mean(axis=1)
        n_frames -= len(block)


def _decode_av(content, name, kind, demuxer, has_header):
    """Decode what FFmpeg alone knows, by PyAV."""
    try:
        import av
    except ImportError:
        raise AudioError(
            f"{name}: this is {kind}, which PyAV decodes: pip install av. Or convert it to WAV or FLAC."
        ) from None
    blocks, n = [], 0
    try:
        # The demuxer is named, since some of those that FFmpeg would try open further files and addresses.
        with av.open(_Content(content), format=demuxer, timeout=_MAX_WAIT) as container:
            if not container.streams.audio:
                raise AudioError(f"{name}: this is {kind} without sound. Leave it out.")
            stream = container.streams.audio[0]
            if stream.codec_context is None:
                raise AudioError(f"{name}: {kind} in an encoding that PyAV does not know. Convert it to WAV or FLAC.")
            layouts = set()
            for frame in container.decode(stream):
                rate, n_channels = check_rate(frame.sample_rate, name), frame.layout.nb_channels
                layouts.add((rate, n_channels, frame.format.name))
                if len(layouts) > 1 or not 1 <= n_channels <= _MOST_CHANNELS:
                    raise AudioError(
                        f"{name}: damaged: its rate or its channels change, or are too many. Leave it out."
                    )
                n += frame.samples
                _check_decoded_size(n * n_channels, rate, name)
                samples = pcm_to_float(frame.to_ndarray())
                channels = samples if frame.format.is_planar else samples.reshape(-1, n_channels).T
                blocks.append(channels.mean(axis=0))
            seconds = stream.duration * stream.time_base if stream.duration else (container.duration or 0) / 1e6
    except AudioError:
        raise
    except (av.FFmpegError, ValueError, OverflowError) as error:
        raise _undecodable(name, getattr(error, "strerror", None) or str(error)) from error
    if not blocks:
        raise AudioError(f"{name}: holds no samples. Record it again or leave it out.")
    y, promised = np.concatenate(blocks), int(seconds * rate)
    if has_header and len(y) < promised - _MAX_PRIMING * rate:
        raise _truncated(name, f"{promised} samples", len(y))
    return Decoded(y, rate, 0, len(y))


class _Content(io.BytesIO):
    """Bytes as a file that stays where it is when a damaged header sends the decoder to a place before its start."""

    def seek(self, offset, whence=0):
        try:
            return super().seek(offset, whence)
        except (ValueError, OverflowError):
            return self.tell()


def _check_decoded_size(n_samples, rate, name):
    if n_samples > MAX_SAMPLES:
        raise AudioError(
            f"{name}: unpacks to {n_samples:,} samples, {n_samples / rate / 3600:.1f} h at {rate:,} Hz, and "
            f"{MAX_SAMPLES:,} in all channels are the most that are decoded at once. Cut it into pieces."
        )


def _undecodable(name, reason):
    return AudioError(
        f"{name}: cannot be decoded: not audio, damaged or cut off ({reason.strip()}) "
        "Convert it to WAV or FLAC, copy it again, or leave it out."
    )


def _truncated(name, promised, held):
    return AudioError(
        f"{name}: cut off: it promises {promised} and holds {held}. Copy or record it again, or leave it out."
    )


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
