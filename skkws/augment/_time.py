"""Shift in time, speed and pitch."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skkws._runtime.optional import require
from skkws.audio import as_signals, fit_length, resample
from skkws.augment._transform import Transform, draw

# 64 ms at 16 kHz: long enough to part the harmonics of a low voice, short enough to keep its plosives.
_PITCH_WINDOW = 0.064


def shift_time(y: ArrayLike, n_samples: int, *, wrap: bool = False) -> NDArray:
    """Move signals in time.

    Parameters
    ----------
    y : array-like of shape (..., length)
        Signals.
    n_samples : int
        Samples to move by: later where positive, earlier where negative.
    wrap : bool, default=False
        Whether what leaves at one end comes in at the other, or zeros do.

    Returns
    -------
    shifted : ndarray of shape (..., length)
        In the dtype of `y`.

    Examples
    --------
    >>> from skkws.augment import shift_time
    >>> shift_time([1.0, 2.0, 3.0], 1), shift_time([1.0, 2.0, 3.0], -1, wrap=True)
    (array([0., 1., 2.]), array([2., 3., 1.]))
    """
    y = as_signals(y, dtype=None)
    if wrap:
        return np.roll(y, n_samples, axis=-1)
    shifted = np.zeros_like(y)
    if n_samples >= 0:
        shifted[..., n_samples:] = y[..., : max(0, y.shape[-1] - n_samples)]
    else:
        shifted[..., :n_samples] = y[..., -n_samples:]
    return shifted


def change_speed(y: ArrayLike, factor: float) -> NDArray[np.floating]:
    """Play signals faster or slower, as a tape does: tempo and pitch change together.

    The signals are resampled with soxr, and stay in the middle of the clip: zeros come in on both sides of a faster
    one, and a slower one loses samples on both sides.

    Parameters
    ----------
    y : array-like of shape (..., n_samples)
        Signals.
    factor : float
        Speed, above 0: 2 halves the duration and doubles all frequencies.

    Returns
    -------
    changed : ndarray of shape (..., n_samples)
        In the dtype of `y`.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws.augment import change_speed
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    >>> faster = change_speed(tone, 2.0)
    >>> faster.shape, int(np.abs(np.fft.rfft(faster)).argmax())
    ((16000,), 880)
    """
    if not 0 < factor < np.inf:
        raise ValueError(f"factor must be a finite number above 0, got {factor!r}.")
    y = as_signals(y, "y", dtype=None)
    return fit_length(resample(y, orig_sr=float(factor), target_sr=1.0), y.shape[-1])


def shift_pitch(y: ArrayLike, semitones: float, *, sample_rate: int = 16000) -> NDArray[np.floating]:
    """Raise or lower the pitch of signals; their duration stays.

    As :func:`librosa.effects.pitch_shift` does: a phase vocoder followed by resampling, with windows of 64 ms.

    Parameters
    ----------
    y : array-like of shape (..., n_samples)
        Signals.
    semitones : float
        Semitones to raise by: 12 doubles all frequencies.
    sample_rate : int, default=16000
        Samples per second.

    Returns
    -------
    shifted : ndarray of shape (..., n_samples)
        In the dtype of `y`.

    Raises
    ------
    ImportError
        If librosa is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws.augment import shift_pitch
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    >>> int(np.abs(np.fft.rfft(shift_pitch(tone, 12))).argmax())
    880
    """
    y = as_signals(y, "y", dtype=None)
    if not np.isfinite(semitones):
        raise ValueError(f"semitones must be a finite number, got {semitones!r}.")
    if semitones == 0:
        return y.copy()
    require("librosa", "shift_pitch")
    import librosa

    n_fft = max(16, 2 ** round(np.log2(_PITCH_WINDOW * sample_rate)))
    # The vocoder stretches the signal first, and what is left must still fill a window.
    rate = 2.0 ** (-semitones / 12)
    padded = fit_length(y, max(y.shape[-1], int(np.ceil(n_fft * max(1.0, rate)))), pad="end")
    # Step by step, because the whole in one passes on what librosa 1.0 warns of.
    spectra = librosa.stft(padded, n_fft=n_fft)
    with np.errstate(invalid="ignore"):  # its compiled code may raise the flag though all that it gives is finite
        stretched = librosa.phase_vocoder(spectra, rate=rate)
    stretched = librosa.istft(stretched, n_fft=n_fft, dtype=y.dtype, length=round(padded.shape[-1] / rate))
    shifted = librosa.resample(stretched, orig_sr=sample_rate / rate, target_sr=sample_rate, res_type="soxr_hq")
    return fit_length(shifted, padded.shape[-1], pad="end")[..., : y.shape[-1]]


@dataclass(frozen=True, eq=False)
class TimeShift(Transform):
    """Move in time, as :func:`shift_time` does.

    Parameters
    ----------
    seconds : float or (low, high), default=(-0.1, 0.1)
        Seconds to move by, rounded to whole samples; later where positive.
    wrap : bool, default=False
        Whether what leaves at one end comes in at the other, or zeros do.
    sample_rate : int, default=16000
        Samples per second.
    probability : float, default=1.0
        How likely a row is varied.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws.augment import TimeShift
    >>> TimeShift(2 / 16000)(np.array([[1.0, 2.0, 3.0, 4.0]]), np.random.default_rng(0))
    array([[0., 0., 1., 2.]])
    """

    seconds: float | tuple = (-0.1, 0.1)
    wrap: bool = False
    sample_rate: int = 16000

    def _check(self):
        self._check_range("seconds")
        self._check_count("sample_rate", 1)

    def _vary(self, y, rng):
        return shift_time(y, round(draw(rng, self.seconds) * self.sample_rate), wrap=self.wrap)


@dataclass(frozen=True, eq=False)
class SpeedChange(Transform):
    """Play faster or slower, as :func:`change_speed` does.

    Parameters
    ----------
    factor : float or (low, high), default=(0.9, 1.1)
        Speed; the default range is that of Ko, Peddinti, Povey, Khudanpur (2015), "Audio augmentation for speech
        recognition".
    probability : float, default=1.0
        How likely a row is varied.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws.augment import SpeedChange
    >>> SpeedChange()(np.ones((2, 16000)), np.random.default_rng(0)).shape
    (2, 16000)
    """

    factor: float | tuple = (0.9, 1.1)

    def _check(self):
        self._check_range("factor", above=0)

    def _vary(self, y, rng):
        return change_speed(y, draw(rng, self.factor))


@dataclass(frozen=True, eq=False)
class PitchShift(Transform):
    """Raise or lower the pitch, as :func:`shift_pitch` does.

    Parameters
    ----------
    semitones : float or (low, high), default=(-2.0, 2.0)
        Semitones to raise by.
    sample_rate : int, default=16000
        Samples per second.
    probability : float, default=1.0
        How likely a row is varied.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws.augment import PitchShift
    >>> PitchShift()(np.ones((2, 16000)), np.random.default_rng(0)).shape
    (2, 16000)
    """

    semitones: float | tuple = (-2.0, 2.0)
    sample_rate: int = 16000

    def _check(self):
        require("librosa", "PitchShift")
        self._check_range("semitones")
        self._check_count("sample_rate", 1)

    def _vary(self, y, rng):
        return shift_pitch(y, draw(rng, self.semitones), sample_rate=self.sample_rate)
