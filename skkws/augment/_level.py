"""Gain, clipping and full scale."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skkws.audio import as_signals
from skkws.augment._transform import Transform, draw


def apply_gain(y: ArrayLike, gain_db: float) -> NDArray[np.floating]:
    """Amplify signals.

    Parameters
    ----------
    y : array-like of shape (..., n_samples)
        Signals.
    gain_db : float
        Gain, in dB: 20 multiplies by 10.

    Returns
    -------
    amplified : ndarray of shape (..., n_samples)
        In the dtype of `y`.

    Examples
    --------
    >>> from skkws.augment import apply_gain
    >>> apply_gain([0.05, -0.01], 20)
    array([ 0.5, -0.1])
    """
    y = as_signals(y, "y", dtype=None)
    return y * y.dtype.type(10 ** (gain_db / 20))


def clip_peaks(y: ArrayLike, fraction: float) -> NDArray[np.floating]:
    """Cut off the peaks of signals, as an overdriven microphone does.

    Parameters
    ----------
    y : array-like of shape (..., n_samples)
        Signals.
    fraction : float
        Part of each signal's highest absolute sample at which it is cut off, from 0 to 1.

    Returns
    -------
    clipped : ndarray of shape (..., n_samples)
        In the dtype of `y`.

    Examples
    --------
    >>> from skkws.augment import clip_peaks
    >>> clip_peaks([0.1, -1.0, 0.75], 0.5)
    array([ 0.1, -0.5,  0.5])
    """
    if not 0 <= fraction <= 1:
        raise ValueError(f"fraction must be from 0 to 1, got {fraction!r}.")
    y = as_signals(y, "y", dtype=None)
    bound = y.dtype.type(fraction) * np.abs(y).max(axis=-1, keepdims=True)
    return np.clip(y, -bound, bound)


def limit_peak(y: ArrayLike, peak: float = 1.0) -> NDArray[np.floating]:
    """Scale signals down that exceed a peak; the others stay as they are.

    Parameters
    ----------
    y : array-like of shape (..., n_samples)
        Signals.
    peak : float, default=1.0
        The highest absolute sample allowed.

    Returns
    -------
    limited : ndarray of shape (..., n_samples)
        In the dtype of `y`.

    Examples
    --------
    >>> from skkws.augment import limit_peak
    >>> limit_peak([[0.5, -2.0], [0.5, 0.1]])
    array([[ 0.25, -1.  ],
           [ 0.5 ,  0.1 ]])
    """
    if not 0 < peak < np.inf:
        raise ValueError(f"peak must be a finite number above 0, got {peak!r}.")
    y = as_signals(y, "y", dtype=None)
    peaks = np.abs(y).max(axis=-1, keepdims=True)
    return y * (peak / np.maximum(peaks, peak)).astype(y.dtype)


@dataclass(frozen=True, eq=False)
class Gain(Transform):
    """Amplify, as :func:`apply_gain` does.

    Parameters
    ----------
    gain_db : float or (low, high), default=(-10.0, 6.0)
        Gain, in dB.
    probability : float, default=1.0
        How likely a row is varied.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws.augment import Gain
    >>> Gain(-20.0)(np.ones((1, 2)), np.random.default_rng(0))
    array([[0.1, 0.1]])
    """

    gain_db: float | tuple = (-10.0, 6.0)

    def _check(self):
        self._check_range("gain_db")

    def _vary(self, y, rng):
        return apply_gain(y, draw(rng, self.gain_db))


@dataclass(frozen=True, eq=False)
class Clipping(Transform):
    """Cut off peaks, as :func:`clip_peaks` does.

    Parameters
    ----------
    fraction : float or (low, high), default=(0.2, 0.9)
        Part of the row's highest absolute sample at which it is cut off.
    probability : float, default=1.0
        How likely a row is varied.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws.augment import Clipping
    >>> Clipping(0.5)(np.array([[0.2, 1.0]]), np.random.default_rng(0))
    array([[0.2, 0.5]])
    """

    fraction: float | tuple = (0.2, 0.9)

    def _check(self):
        self._check_range("fraction", least=0, most=1)

    def _vary(self, y, rng):
        return clip_peaks(y, draw(rng, self.fraction))


@dataclass(frozen=True, eq=False)
class PeakLimit(Transform):
    """Scale rows down that exceed a peak, as :func:`limit_peak` does; the last of a list of transforms.

    Parameters
    ----------
    peak : float or (low, high), default=1.0
        The highest absolute sample allowed.
    probability : float, default=1.0
        How likely a row is varied.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws.augment import PeakLimit
    >>> PeakLimit()(np.array([[0.5, -2.0]]), np.random.default_rng(0))
    array([[ 0.25, -1.  ]])
    """

    peak: float | tuple = 1.0

    def _check(self):
        self._check_range("peak", above=0)

    def _vary(self, y, rng):
        return limit_peak(y, draw(rng, self.peak))
