"""Band limits and equalizers."""

from dataclasses import dataclass

import numpy as np
import scipy.fft
import scipy.signal
from numpy.typing import ArrayLike, NDArray

from skkws.audio import as_signals
from skkws.augment._transform import Transform, draw

# Seconds of zeros that take up the ringing on both sides, which is over after a few periods of the lowest band.
_RINGING = 0.05
_LOWEST_BAND = 125.0


def band_limit(
    y: ArrayLike, low: float | None = None, high: float | None = None, *, sample_rate: int = 16000, order: int = 4
) -> NDArray[np.floating]:
    """Keep a band of frequencies, as a telephone line or a small loudspeaker does.

    A Butterworth filter, run forwards.

    Parameters
    ----------
    y : array-like of shape (..., n_samples)
        Signals.
    low, high : float or None, default=None
        Lower and upper edge of the band, in Hz, where the filter takes 3 dB away. None leaves a side open.
    sample_rate : int, default=16000
        Samples per second.
    order : int, default=4
        Order on each side: 6 dB per octave each.

    Returns
    -------
    limited : ndarray of shape (..., n_samples)
        In the dtype of `y`.

    Raises
    ------
    ValueError
        If not 0 < low < high < sample_rate / 2.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws.augment import band_limit
    >>> tone = np.sin(2 * np.pi * 6000 * np.arange(16000) / 16000)
    >>> bool(np.abs(band_limit(tone, 300, 3400)[8000:]).max() < 0.02)
    True
    """
    y = as_signals(y, "y", dtype=None)
    if low is None and high is None:
        return y.copy()
    edges = [edge for edge in (low, high) if edge is not None]
    if not all(0 < edge < sample_rate / 2 for edge in edges) or sorted(set(edges)) != edges:
        raise ValueError(
            f"low and high must hold 0 < low < high < {sample_rate / 2:g} Hz (half the sample rate) or be None, got "
            f"low={low} and high={high}."
        )
    kind = "highpass" if high is None else "lowpass" if low is None else "bandpass"
    sections = scipy.signal.butter(order, edges[0] if len(edges) == 1 else edges, kind, fs=sample_rate, output="sos")
    return scipy.signal.sosfilt(sections, y).astype(y.dtype, copy=False)


def equalize(
    y: ArrayLike, frequencies: ArrayLike, gains_db: ArrayLike, *, sample_rate: int = 16000
) -> NDArray[np.floating]:
    """Amplify frequencies differently, without moving them in time.

    Parameters
    ----------
    y : array-like of shape (..., n_samples)
        Signals.
    frequencies : array-like of shape (n_points,)
        Rising frequencies above 0, in Hz.
    gains_db : array-like of shape (n_points,)
        The gain at each, in dB; between them it is a straight line over the logarithm of the frequency, and constant
        outside.
    sample_rate : int, default=16000
        Samples per second.

    Returns
    -------
    equalized : ndarray of shape (..., n_samples)
        In the dtype of `y`.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws.augment import equalize
    >>> tone = np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)
    >>> float(np.abs(equalize(tone, [500, 1000, 2000], [0, 6, 0])[4000:12000]).max().round(1))
    2.0
    """
    y = as_signals(y, "y", dtype=None)
    frequencies, gains_db = np.asarray(frequencies, dtype=np.float64), np.asarray(gains_db, dtype=np.float64)
    if frequencies.ndim != 1 or frequencies.shape != gains_db.shape or not frequencies.size:
        raise ValueError(
            f"frequencies and gains_db must be 1-D and of equal length, got {frequencies.shape} and {gains_db.shape}."
        )
    if not (frequencies > 0).all() or not (np.diff(frequencies) > 0).all() or not np.isfinite(gains_db).all():
        raise ValueError(
            f"frequencies must rise from above 0 Hz and gains_db be finite, got {frequencies} and {gains_db}."
        )
    n_samples = y.shape[-1]
    n_fft = scipy.fft.next_fast_len(n_samples + round(_RINGING * sample_rate), real=True)
    bins = np.maximum(np.fft.rfftfreq(n_fft, 1.0 / sample_rate), 1e-9)
    gains = 10 ** (np.interp(np.log(bins), np.log(frequencies), gains_db) / 20)
    spectra = scipy.fft.rfft(y, n_fft)
    spectra *= gains.astype(y.dtype)
    return scipy.fft.irfft(spectra, n_fft)[..., :n_samples]


@dataclass(frozen=True, eq=False)
class BandLimit(Transform):
    """Keep a random band of frequencies, as :func:`band_limit` does.

    Parameters
    ----------
    low : float, (low, high) or None, default=(50.0, 400.0)
        Lower edge, in Hz. None leaves this side open.
    high : float, (low, high) or None, default=(3000.0, 7000.0)
        Upper edge, in Hz. None leaves this side open.
    sample_rate : int, default=16000
        Samples per second.
    order : int, default=4
        Order of the filter on each side.
    probability : float, default=1.0
        How likely a row is varied.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws.augment import BandLimit
    >>> BandLimit(300.0, 3400.0)(np.ones((2, 16000)), np.random.default_rng(0)).shape
    (2, 16000)
    """

    low: float | tuple | None = (50.0, 400.0)
    high: float | tuple | None = (3000.0, 7000.0)
    sample_rate: int = 16000
    order: int = 4

    def _check(self):
        self._check_count("sample_rate", 1)
        self._check_count("order", 1)
        for name in ("low", "high"):
            if getattr(self, name) is not None:
                self._check_range(name, above=0, below=self.sample_rate / 2)
        if self.low is not None and self.high is not None and not np.max(self.low) < np.min(self.high):
            raise ValueError(
                f"BandLimit: all of low must lie below all of high, got low={self.low} and high={self.high} Hz."
            )

    def _vary(self, y, rng):
        low, high = draw(rng, self.low), draw(rng, self.high)
        return band_limit(y, low, high, sample_rate=self.sample_rate, order=self.order)


@dataclass(frozen=True, eq=False)
class Equalizer(Transform):
    """Amplify the octaves differently, as another microphone or room does.

    Each octave from 125 Hz to half the sample rate gets a gain of its own, with straight lines between them:
    :func:`equalize`.

    Parameters
    ----------
    gain_db : float or (low, high), default=(-6.0, 6.0)
        Gain of an octave, in dB.
    sample_rate : int, default=16000
        Samples per second.
    probability : float, default=1.0
        How likely a row is varied.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws.augment import Equalizer
    >>> Equalizer()(np.ones((2, 16000)), np.random.default_rng(0)).shape
    (2, 16000)
    """

    gain_db: float | tuple = (-6.0, 6.0)
    sample_rate: int = 16000

    def _check(self):
        self._check_range("gain_db")
        self._check_count("sample_rate", 1)

    def _vary(self, y, rng):
        n_octaves = max(1, 1 + int(np.log2(max(1.0, self.sample_rate / 2 / _LOWEST_BAND))))
        frequencies = _LOWEST_BAND * 2.0 ** np.arange(n_octaves)
        gains_db = [draw(rng, self.gain_db) for _ in frequencies]
        return equalize(y, frequencies, gains_db, sample_rate=self.sample_rate)
