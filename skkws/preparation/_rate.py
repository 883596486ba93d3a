"""Sample rates of rows, and the band that a telephone leaves."""

from numbers import Integral, Real

import numpy as np
import scipy.signal
from numpy.typing import ArrayLike, NDArray
from sklearn.utils._param_validation import Interval

from skkws._engine.settings import check_settings
from skkws._engine.waveform_rows import WaveformTransformer
from skkws.audio import as_signals, resample


class Resample(WaveformTransformer):
    """Waveform rows at another sample rate, by soxr at high quality.

    The one transformer here that changes the length of a row: ``n_samples`` become
    ``n_samples * target_rate / source_rate``, rounded to the nearest integer, half up. What lies above half the lower
    rate is filtered out. The computation is :func:`skkws.audio.resample`.

    Parameters
    ----------
    source_rate : int, default=16000
        Samples per second of the rows.
    target_rate : int, default=8000
        Samples per second wanted.

    Attributes
    ----------
    output_shape_ : tuple of (int,)
        Samples of an output row.
    n_features_in_ : int
        Samples of a clip.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the input columns, where `X` has names.

    See Also
    --------
    AudioLoader : Resamples recordings as it reads them.
    TelephoneBand : The band of 8 kHz speech at any rate.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws import Resample
    >>> resample = Resample(16000, 8000).fit(np.zeros((3, 16000)))
    >>> resample.transform(np.zeros((3, 16000))).shape, resample.output_shape_
    ((3, 8000), (8000,))
    """

    _parameter_constraints = {
        "source_rate": [Interval(Integral, 1, None, closed="left")],
        "target_rate": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, source_rate=16000, target_rate=8000):
        self.source_rate = source_rate
        self.target_rate = target_rate

    def _shape_for(self, n_features):
        n_samples = (2 * n_features * self.target_rate + self.source_rate) // (2 * self.source_rate)
        if n_samples == 0:
            raise ValueError(
                f"rows of n_features={n_features} samples at source_rate={self.source_rate} Hz are less than one "
                f"sample at target_rate={self.target_rate} Hz. Pass longer rows, a clip each, or raise target_rate."
            )
        return (n_samples,)

    def _frames(self, X):
        return resample(X, orig_sr=self.source_rate, target_sr=self.target_rate)


_BAND_CONSTRAINTS = {
    "sample_rate": [Interval(Integral, 1, None, closed="left")],
    "fmin": [Interval(Real, 0, None, closed="neither")],
    "fmax": [Interval(Real, 0, None, closed="neither")],
    "order": [Interval(Integral, 1, 20, closed="both")],
}


@check_settings(_BAND_CONSTRAINTS)
def telephone_band(
    y: ArrayLike, *, sample_rate: int = 16000, fmin: float = 300.0, fmax: float = 3400.0, order: int = 4
) -> NDArray[np.float32]:
    """Leave of signals what a telephone passes on, in the same place.

    A Butterworth band-pass, run forwards and backwards: without delay, and 6 dB down at its edges.

    Parameters
    ----------
    y : array-like of shape (..., n_samples)
        Signals in [-1, 1].
    sample_rate : int, default=16000
        Samples per second.
    fmin, fmax : float, default=300.0, 3400.0
        Lower and upper edge of the band, in Hz. The defaults are the telephone's [1]_.
    order : int, default=4
        Order of the filter, 20 at most, once forwards and once backwards: at 4, each edge falls by 48 dB per octave.

    Returns
    -------
    filtered : ndarray of shape (..., n_samples), dtype float32
        The signals, as long as before and at the same rate.

    Raises
    ------
    ValueError
        If `fmin` is not less than `fmax`, or `fmax` not less than half the sample rate.

    References
    ----------
    .. [1] ITU-T G.712, "Transmission performance characteristics of pulse code modulation channels".

    Examples
    --------
    >>> import numpy as np
    >>> from skkws.preparation import telephone_band
    >>> t = np.arange(16000) / 16000
    >>> hum, voice = np.sin(2 * np.pi * 50 * t), np.sin(2 * np.pi * 1000 * t)
    >>> bool(np.abs(telephone_band(hum + voice) - voice)[2000:-2000].max() < 1e-3)
    True
    """
    _check_band(sample_rate, fmin, fmax)
    y = as_signals(y)
    sections = scipy.signal.butter(order, [fmin, fmax], "bandpass", fs=sample_rate, output="sos")
    return scipy.signal.sosfiltfilt(sections, y, padlen=0).astype(np.float32)


def _check_band(sample_rate, fmin, fmax):
    if not fmin < fmax:
        raise ValueError(f"fmin must be less than fmax, got fmin={fmin} and fmax={fmax} Hz.")
    if not fmax < sample_rate / 2:
        raise ValueError(
            f"fmax must be less than half the sample rate, got fmax={fmax} Hz at sample_rate={sample_rate}; lower it "
            f"below {sample_rate / 2:g} Hz."
        )


class TelephoneBand(WaveformTransformer):
    """Waveform rows as a telephone passes them on: the band from 300 to 3400 Hz.

    Makes training on wideband recordings match spotting on a narrow line. The rate stays; ``Resample(16000, 8000)``
    lowers it. The computation is :func:`skkws.preparation.telephone_band`.

    Parameters
    ----------
    sample_rate : int, default=16000
        Samples per second of the rows.
    fmin, fmax : float, default=300.0, 3400.0
        Lower and upper edge of the band, in Hz; the upper less than half the sample rate.
    order : int, default=4
        Order of the Butterworth filter, which runs once forwards and once backwards.

    Attributes
    ----------
    output_shape_ : tuple of (int,)
        Samples of a row, as many as before.
    n_features_in_ : int
        Samples of a clip.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the input columns, where `X` has names.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws import TelephoneBand
    >>> clips = np.random.RandomState(0).uniform(-0.1, 0.1, (2, 16000))
    >>> TelephoneBand().fit_transform(clips).shape
    (2, 16000)
    """

    _parameter_constraints = _BAND_CONSTRAINTS

    def __init__(self, sample_rate=16000, *, fmin=300.0, fmax=3400.0, order=4):
        self.sample_rate = sample_rate
        self.fmin = fmin
        self.fmax = fmax
        self.order = order

    def _shape_for(self, n_features):
        _check_band(self.sample_rate, self.fmin, self.fmax)
        return super()._shape_for(n_features)

    def _frames(self, X):
        return telephone_band(X, **self.get_params(deep=False))
