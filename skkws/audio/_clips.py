"""Clips of any kind, a file, bytes, an array, to waveforms; and what is to be said of them."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from numbers import Real
from typing import Literal
from warnings import warn

import numpy as np
from numpy.typing import NDArray

from skkws._runtime.text import plural
from skkws.audio._decoding import Decoded, check_rate, decode
from skkws.audio._recording import PADS, crop_row, resample_recording, row_part
from skkws.audio._samples import AudioError, check_samples, level_doubt, pcm_to_float
from skkws.audio._source import is_source, read_bytes, source_name

# A clip is called longer than a row from here on, in rows.
_SLACK = 1.05
# In a pair of rate and samples; more are taken for samples in the wrong place.
_MOST_CHANNELS = 8
# Clips that a message names.
_MOST_NAMED = 5


@dataclass(frozen=True)
class Clip:
    """A clip that was loaded, and what is to be said of it."""

    name: str
    """What errors and warnings call it."""
    y: NDArray[np.float32]
    """The waveform, of the length that was asked for."""
    seconds: float
    """How long it was."""
    doubt: str | None
    """What looks wrong about its level, as `level_doubt` says it."""


@dataclass
class ClipReport:
    """Counts clips that lost their ends or look wrong, to warn once of all of them."""

    n_clips: int = 0
    n_cut: int = 0
    longest: float = 0.0
    n_doubtful: int = 0
    cut: list[str] = field(default_factory=list)
    """Names of the first ones."""
    doubtful: list[str] = field(default_factory=list)

    def add(self, clip: Clip, duration: float | None, pad: str) -> None:
        """Count a clip that :class:`AudioLoader` has loaded with these parameters."""
        self.n_clips += 1
        if duration and pad in PADS and clip.seconds > _SLACK * duration:
            self.n_cut += 1
            self.longest = max(self.longest, clip.seconds)
            self.cut = [*self.cut, clip.name][:_MOST_NAMED]
        if clip.doubt:
            self.n_doubtful += 1
            self.doubtful = [*self.doubtful, f"{clip.name} ({clip.doubt})"][:_MOST_NAMED]

    def merge(self, other: "ClipReport") -> None:
        """Count what another one has counted."""
        self.n_clips += other.n_clips
        self.n_cut += other.n_cut
        self.longest = max(self.longest, other.longest)
        self.n_doubtful += other.n_doubtful
        self.cut = [*self.cut, *other.cut][:_MOST_NAMED]
        self.doubtful = [*self.doubtful, *other.doubtful][:_MOST_NAMED]

    def warn(self, duration: float | None, *, stacklevel: int) -> None:
        """Warn of what was counted, if there was any; `stacklevel` is that of the caller."""
        if self.n_cut:
            warn(
                f"{self.n_cut} of {plural(self.n_clips, 'clip')} are longer than duration={duration:g} s, up to "
                f"{self.longest:.1f} s, and are cut: {shorten(self.cut, self.n_cut)}. Raise the duration if words lie "
                "outside, or choose pad='loudest', which keeps the loudest stretch.",
                UserWarning,
                stacklevel=stacklevel + 1,
            )
        if self.n_doubtful:
            warn(
                f"{self.n_doubtful} of {plural(self.n_clips, 'clip')} look like 16-bit PCM that was not scaled: "
                f"{shorten(self.doubtful, self.n_doubtful)}. Pass it as int16, or floats in [-1, 1].",
                UserWarning,
                stacklevel=stacklevel + 1,
            )


def load_clip(
    clip: object,
    name: str,
    *,
    sample_rate: int,
    source_rate: int,
    n_samples: int | None,
    pad: Literal["center", "start", "end", "loudest"],
    on_error: str,
) -> Clip | Exception:
    """Load a clip as a waveform of `n_samples` (None: as long as it is), or as an error if those are skipped."""
    row = {"sample_rate": sample_rate, "n_samples": n_samples, "pad": pad}
    part = None if n_samples is None else partial(row_part, **row)
    try:
        if is_source(clip):
            decoded = decode(read_bytes(clip, name), name, part)
            doubt = level_doubt(decoded.y)
        else:
            samples, rate = _samples_of(clip, name, source_rate)
            doubt = level_doubt(samples)
            decoded = _part_of(check_samples(_scaled(samples, name), name), rate, part)
        y = resample_recording(decoded.y, decoded.rate, sample_rate, name)
        y = check_samples(y, name)
    except (AudioError, OSError) as error:
        if on_error == "raise":
            raise
        return error
    y = y if n_samples is None else crop_row(y, decoded.start, decoded.n_frames, decoded.rate, **row)
    return Clip(name, y, decoded.n_frames / decoded.rate, doubt)


def _part_of(y, rate, part):
    """Take what is wanted of samples, as `decode` does of a recording."""
    start, stop = (0, len(y)) if part is None else part(len(y), rate)
    return Decoded(y[start:stop], rate, start, len(y))


def _is_pair(clip):
    """Tell whether a clip is a rate and samples, in this order or the other."""
    if not isinstance(clip, tuple | list) or len(clip) != 2:
        return False
    return any(isinstance(rate, Real) and np.ndim(samples) > 0 for rate, samples in (clip, clip[::-1]))


def _samples_of(clip, name, source_rate):
    """Return the samples of a clip that is no recording, mono but of their own type, and their rate."""
    rate, channels_last = source_rate, False
    if _is_pair(clip):
        rate, clip = clip
        channels_last = True  # as SciPy and Gradio have it
        if not isinstance(rate, Real):
            raise AudioError(f"{name}: expected a pair of rate and samples, got samples first. Exchange them.")
        check_rate(rate, name)
    y = np.asarray(clip)
    if y.dtype.kind not in "fiu" or y.ndim == 0:
        raise AudioError(
            f"{name}: expected a path, bytes, a file object, a 1-D array of floats or integer PCM, or a pair of rate "
            f"and array, got {type(clip).__name__}."
        )
    if y.ndim == 2 and 1 in y.shape:
        y = y.reshape(-1)
    if y.ndim == 2 and channels_last and y.shape[1] <= _MOST_CHANNELS:
        y = _scaled(y, name).mean(axis=1)
    if y.ndim > 1:
        axis = int(np.argmin(y.shape))
        raise AudioError(
            f"{name}: expected a 1-D array, got shape {y.shape}. Average the channels first, as in y.mean(axis={axis})."
        )
    return y, int(rate)


def _scaled(y, name):
    try:
        return pcm_to_float(y)
    except ValueError as error:
        raise AudioError(f"{name}: {error}") from error


def as_clip_list(X: object) -> list | None:
    """Return the clips of a 1-D collection as a list, or None if `X` can only be an array of waveform rows."""
    if is_source(X):
        raise ValueError(f"X must be a collection of clips, got a single {type(X).__name__}. Pass a list: [X].")
    if _is_pair(X) and isinstance(X, tuple):
        raise ValueError("X must be a collection of clips, got a single pair of rate and samples. Pass a list: [X].")
    if isinstance(X, list | tuple):
        clips = list(X)
    else:
        array = np.asarray(X)
        if array.dtype.kind not in "OUT":
            return None
        if array.ndim == 2 and array.size and isinstance(array[0, 0], str | os.PathLike):
            if array.shape[1] > 1:
                raise ValueError(f"paths must come as one column, got shape {array.shape}. Pass one column of X.")
            array = array[:, 0]
        if array.ndim != 1:
            return None
        clips = list(array)
    if not clips:
        raise ValueError("X holds no clips (0 samples); a minimum of 1 is required.")
    if any(is_source(clip) or getattr(clip, "ndim", 0) or _is_pair(clip) for clip in clips):
        return clips
    return None


def clip_names(clips: Iterable) -> list[str]:
    """Names by which errors call clips."""
    return [source_name(clip, f"clip {index}") for index, clip in enumerate(clips)]


def shorten(lines: list[str], n_lines: int) -> str:
    """Join the first few of some lines and count the rest."""
    shown = lines[:_MOST_NAMED]
    return "; ".join(shown) + (f" and {n_lines - len(shown)} more" if n_lines > len(shown) else "")
