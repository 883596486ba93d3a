"""Levels of recordings: peak, and loudness by ITU-R BS.1770."""

from numbers import Integral, Real

import numpy as np
import scipy.signal
from numpy.typing import ArrayLike, NDArray
from sklearn.utils._param_validation import Interval

from skkws._engine.settings import check_settings
from skkws._engine.waveform_rows import WaveformTransformer
from skkws.audio import as_signals

# ITU-R BS.1770-5, annex 1: blocks of 400 ms that overlap by 75 %, an absolute gate and one relative to what passes it.
_BLOCK, _HOP = 0.4, 0.1
_ABSOLUTE_GATE, _RELATIVE_GATE = -70.0, -10.0
_OFFSET = -0.691

# Levels in decibels; between these bounds a gain stays within single precision.
_LEVEL = [Interval(Real, -200, 200, closed="both")]
_PEAK_CONSTRAINTS = {"peak_db": _LEVEL}
_RATE_CONSTRAINTS = {"sample_rate": [Interval(Integral, 1, None, closed="left")]}
_LOUDNESS_CONSTRAINTS = {**_RATE_CONSTRAINTS, "target": _LEVEL}


@check_settings(_PEAK_CONSTRAINTS)
def normalize_peak(y: ArrayLike, *, peak_db: float = -1.0) -> NDArray[np.float32]:
    """Scale each signal so that its largest sample has a given level.

    Parameters
    ----------
    y : array-like of shape (..., n_samples)
        Signals.
    peak_db : float, default=-1.0
        Level of the largest absolute sample, in decibels relative to full scale.

    Returns
    -------
    scaled : ndarray of shape (..., n_samples), dtype float32
        The signals; one of zeros stays so.

    Examples
    --------
    >>> from skkws.preparation import normalize_peak
    >>> normalize_peak([[0.1, -0.2], [0.0, 0.0]], peak_db=0.0)
    array([[ 0.5, -1. ],
           [ 0. ,  0. ]], dtype=float32)
    """
    y = as_signals(y)
    peak = np.abs(y).max(axis=-1, keepdims=True).astype(np.float64)
    gain = 10.0 ** (peak_db / 20.0) / np.where(peak > 0.0, peak, 1.0)
    return (y * gain).astype(np.float32)


@check_settings(_RATE_CONSTRAINTS)
def loudness(y: ArrayLike, *, sample_rate: int = 16000) -> NDArray[np.float64]:
    """Measure the integrated loudness of mono signals, by ITU-R BS.1770.

    The mean power after a filter that follows the ear, over blocks of 400 ms of which silent ones (below -70 LUFS)
    and comparatively quiet ones (10 below the mean of the others) do not count. A pause hence does not make a word
    less loud.

    Parameters
    ----------
    y : array-like of shape (..., n_samples)
        Signals in [-1, 1]. One shorter than a block is measured as a block of its own length.
    sample_rate : int, default=16000
        Samples per second.

    Returns
    -------
    loudness : ndarray of shape (...), dtype float64
        In LUFS; minus infinity for silence. A sine of 997 Hz at full scale has -3.01.

    Raises
    ------
    ValueError
        If the sample rate leaves no room for the filter, whose shelf stands at 1682 Hz.

    References
    ----------
    .. [1] Recommendation ITU-R BS.1770, "Algorithms to measure audio programme loudness and true-peak audio level".
       Its filter is tabulated for 48 kHz; the analogue prototype that it comes from, for any rate, is that of
       libebur128.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws.preparation import loudness
    >>> tone = np.sin(2 * np.pi * 997 * np.arange(16000) / 16000)
    >>> loudness(tone).round(1), loudness(0.1 * tone).round(1)
    (np.float64(-3.0), np.float64(-23.0))
    """
    _check_rate(sample_rate)
    y = as_signals(y)
    power = scipy.signal.sosfilt(_k_weighting(sample_rate), y.astype(np.float64), axis=-1) ** 2
    length = min(round(_BLOCK * sample_rate), y.shape[-1])
    hop = max(1, round(_HOP * sample_rate))
    blocks = np.lib.stride_tricks.sliding_window_view(power, length, axis=-1)[..., ::hop, :].mean(axis=-1)
    audible = blocks > _power(_ABSOLUTE_GATE)
    # A block at the mean passes its own gate, rounding aside.
    counted = audible & (blocks > _power(_level(_mean(blocks, audible)) + _RELATIVE_GATE)[..., None])
    return _level(_mean(blocks, counted))


def _power(level):
    return 10.0 ** ((level - _OFFSET) / 10.0)


def _level(power):
    with np.errstate(divide="ignore"):
        return _OFFSET + 10.0 * np.log10(power)


def _mean(blocks, counted):
    return np.sum(blocks, axis=-1, where=counted) / np.maximum(1, counted.sum(axis=-1))


def _k_weighting(sample_rate):
    """High shelf (the head) and high-pass (the ear's fall in the bass) as second-order sections."""
    k, q = np.tan(np.pi * 1681.974450955533 / sample_rate), 0.7071752369554196
    high = 10.0 ** (3.999843853973347 / 20.0)
    band = high**0.4996667741545416
    shelf = [high + band * k / q + k**2, 2 * (k**2 - high), high - band * k / q + k**2, *_poles(k, q)]
    k, q = np.tan(np.pi * 38.13547087602444 / sample_rate), 0.5003270373238773
    poles = np.divide(_poles(k, q), 1 + k / q + k**2)
    # The recommendation leaves the numerator of the second section at 1, -2, 1, a little above 0 dB.
    return np.array([np.divide(shelf, shelf[3]), [1.0, -2.0, 1.0, *poles]])


def _poles(k, q):
    return 1 + k / q + k**2, 2 * (k**2 - 1), 1 - k / q + k**2


def _check_rate(sample_rate):
    if sample_rate < 4000:
        raise ValueError(
            f"sample_rate must be at least 4000 Hz for a loudness by ITU-R BS.1770, got {sample_rate}; use "
            "PeakNormalizer, or a higher rate."
        )


@check_settings(_LOUDNESS_CONSTRAINTS)
def normalize_loudness(y: ArrayLike, *, sample_rate: int = 16000, target: float = -23.0) -> NDArray[np.float32]:
    """Scale each signal to a given loudness by ITU-R BS.1770.

    Parameters
    ----------
    y : array-like of shape (..., n_samples)
        Signals in [-1, 1].
    sample_rate : int, default=16000
        Samples per second.
    target : float, default=-23.0
        Loudness wanted, in LUFS. The default is that of EBU R 128.

    Returns
    -------
    scaled : ndarray of shape (..., n_samples), dtype float32
        The signals. Silence (nothing above -70 LUFS) stays as it is. Nothing is clipped: short peaks may exceed full
        scale.

    See Also
    --------
    loudness : What is measured.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws.preparation import loudness, normalize_loudness
    >>> tone = 0.01 * np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    >>> loudness(normalize_loudness(tone, target=-30.0)).round(3)
    np.float64(-30.0)
    """
    y = as_signals(y)
    level = loudness(y, sample_rate=sample_rate)
    gain = 10.0 ** (np.where(np.isfinite(level), target - level, 0.0) / 20.0)
    return (y * gain[..., None]).astype(np.float32)


class PeakNormalizer(WaveformTransformer):
    """Waveform rows scaled so that the largest sample of each has a given level.

    The computation is :func:`skkws.preparation.normalize_peak`.

    Parameters
    ----------
    peak_db : float, default=-1.0
        Level of the largest absolute sample, in decibels relative to full scale.

    Attributes
    ----------
    output_shape_ : tuple of (int,)
        Samples of a row, as many as before.
    n_features_in_ : int
        Samples of a clip.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the input columns, where `X` has names.

    See Also
    --------
    LoudnessNormalizer : By how loud a clip is heard; a click does not decide it.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws import PeakNormalizer
    >>> clips = np.random.RandomState(0).uniform(-0.1, 0.1, (2, 16000))
    >>> np.abs(PeakNormalizer(peak_db=-6.0).fit_transform(clips)).max(axis=1).round(3)
    array([0.501, 0.501], dtype=float32)
    """

    _parameter_constraints = _PEAK_CONSTRAINTS

    def __init__(self, peak_db=-1.0):
        self.peak_db = peak_db

    def _frames(self, X):
        return normalize_peak(X, peak_db=self.peak_db)


class LoudnessNormalizer(WaveformTransformer):
    """Waveform rows scaled to one loudness, by ITU-R BS.1770.

    The computation is :func:`skkws.preparation.normalize_loudness`.

    Parameters
    ----------
    sample_rate : int, default=16000
        Samples per second of the rows, 4000 at least.
    target : float, default=-23.0
        Loudness wanted, in LUFS. The default is that of EBU R 128.

    Attributes
    ----------
    output_shape_ : tuple of (int,)
        Samples of a row, as many as before.
    n_features_in_ : int
        Samples of a clip.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the input columns, where `X` has names.

    Notes
    -----
    Silence (nothing above -70 LUFS) stays as it is. Nothing is clipped: short peaks may exceed full scale.

    See Also
    --------
    PeakNormalizer : By the largest sample.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws import LoudnessNormalizer
    >>> from skkws.preparation import loudness
    >>> clips = np.random.RandomState(0).uniform(-0.1, 0.1, (2, 16000))
    >>> loudness(LoudnessNormalizer().fit_transform(clips)).round(2)
    array([-23., -23.])
    """

    _parameter_constraints = _LOUDNESS_CONSTRAINTS

    def __init__(self, sample_rate=16000, *, target=-23.0):
        self.sample_rate = sample_rate
        self.target = target

    def _shape_for(self, n_features):
        _check_rate(self.sample_rate)
        return super()._shape_for(n_features)

    def _frames(self, X):
        return normalize_loudness(X, **self.get_params(deep=False))
