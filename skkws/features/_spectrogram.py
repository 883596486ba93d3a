"""Log-spectrograms: the bins of a short-time Fourier transform as they are."""

from numbers import Integral, Real

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils._param_validation import Interval

from skkws._engine.limits import LONGEST
from skkws._engine.rows import FrameTransformer
from skkws._engine.settings import check_settings
from skkws.features._framing import (
    LEAST_OFFSET,
    check_fft,
    count_frames,
    fft_magnitudes,
    log_of_frames,
    periodic_window,
)

_CONSTRAINTS = {
    "sample_rate": [Interval(Integral, 1, None, closed="left")],
    "win_length": [Interval(Integral, 2, LONGEST, closed="both")],
    "hop_length": [Interval(Integral, 1, LONGEST, closed="both")],
    "n_fft": [Interval(Integral, 2, LONGEST, closed="both"), None],
    "fmax": [Interval(Real, 0, None, closed="neither"), None],
    "power": [Interval(Real, 0, 2, closed="right")],
    "log_offset": [Interval(Real, LEAST_OFFSET, 1e9, closed="both")],
    "window": [str, tuple],
    "center": ["boolean"],
}


@check_settings(_CONSTRAINTS)
def log_spectrogram(
    y: ArrayLike,
    *,
    sample_rate: int = 16000,
    win_length: int = 320,
    hop_length: int = 160,
    n_fft: int | None = None,
    fmax: float | None = None,
    power: float = 1.0,
    log_offset: float = 1e-3,
    window: str | tuple = "hann",
    center: bool = False,
) -> NDArray[np.float32]:
    """Logarithmic spectra of one or many signals.

    The defaults are 20 ms periodic Hann windows every 10 ms, and the natural logarithm of (magnitude + 0.001) at
    every 50 Hz: the spectrograms that Deep Speech 2 [1]_ made the input of speech recognisers.

    Parameters
    ----------
    y : array-like of shape (..., n_samples)
        Signals in [-1, 1]. A signal shorter than one window is padded with zeros at its end.
    sample_rate : int, default=16000
        Samples per second.
    win_length, hop_length : int, default=320, 160
        Length of a window and distance between two, in samples.
    n_fft : int or None, default=None
        Length of the FFT, in samples; not less than `win_length`. None means `win_length`.
    fmax : float or None, default=None
        Top frequency in Hz: bins above it are left out. None means half the sample rate.
    power : float, default=1.0
        Exponent of the magnitude, 2 at most: 1 for magnitudes, 2 for power spectra.
    log_offset : float, default=1e-3
        Added to the magnitudes, or their powers, before the logarithm.
    window : str or tuple, default="hann"
        A window of :func:`scipy.signal.get_window`, in its periodic form.
    center : bool, default=False
        Whether window ``t`` is centred on sample ``t * hop_length`` (the signal is padded with ``win_length // 2``
        zeros on both sides) or begins there.

    Returns
    -------
    spectra : ndarray of shape (..., frames, bins), dtype float32
        Natural logarithms; ``frames = 1 + (n_samples - win_length) // hop_length`` without centring. Bin ``k`` is at
        ``k * sample_rate / n_fft`` Hz.

    Raises
    ------
    ValueError
        If the parameters contradict each other, such as `fmax` above half the sample rate.

    References
    ----------
    .. [1] Amodei et al. (2016), "Deep Speech 2: End-to-End Speech Recognition in English and Mandarin",
       arXiv:1512.02595.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws.features import log_spectrogram
    >>> y = np.sin(2 * np.pi * 450 * np.arange(16000) / 16000)
    >>> spectra = log_spectrogram(y, fmax=4000)
    >>> spectra.shape, int(spectra[0].argmax()) * 50
    ((99, 81), 450)
    """
    n_fft, n_bins = _bins(sample_rate, win_length, n_fft, fmax)
    taper = periodic_window(window, win_length)

    def compute(samples, starts, out):
        out[:] = fft_magnitudes(samples, starts, taper, n_fft, n_bins, power)

    frames = {"win_length": win_length, "hop_length": hop_length, "center": center}
    return log_of_frames(y, compute, n_bins, **frames, log_offset=log_offset)


def _bins(sample_rate, win_length, n_fft, fmax):
    """Length of the FFT and number of its bins up to `fmax`; refuse parameters that are wrong together."""
    n_fft = win_length if n_fft is None else n_fft
    fmax = sample_rate / 2 if fmax is None else fmax
    check_fft(sample_rate, win_length, n_fft, fmax)
    return n_fft, 1 + int(fmax * n_fft / sample_rate)


class LogSpectrogramTransformer(FrameTransformer):
    """Waveform rows to rows of logarithmic spectra.

    The plainest picture of a sound, whose bands are the evenly spaced bins of the Fourier transform. The computation
    is :func:`skkws.features.log_spectrogram`; every parameter may be searched over.

    Parameters
    ----------
    sample_rate : int, default=16000
        Samples per second of the rows.
    win_length, hop_length : int, default=320, 160
        Length of a window and distance between two, in samples.
    n_fft : int or None, default=None
        Length of the FFT, in samples; not less than `win_length`. None means `win_length`.
    fmax : float or None, default=None
        Top frequency in Hz: bins above it are left out. None means half the sample rate.
    power : float, default=1.0
        Exponent of the magnitude, 2 at most: 1 for magnitudes, 2 for power spectra.
    log_offset : float, default=1e-3
        Added to the magnitudes, or their powers, before the natural logarithm.
    window : str or tuple, default="hann"
        A window of :func:`scipy.signal.get_window`, in its periodic form.
    center : bool, default=False
        Whether windows are centred on their hop (zeros on both sides of the clip) or begin there.

    Attributes
    ----------
    output_shape_ : tuple of (int, int)
        Frames and bins of a row. Rows are flattened frame-major: ``row.reshape(output_shape_)``.
    n_features_in_ : int
        Samples of a clip.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the input columns, where `X` has names.

    See Also
    --------
    log_spectrogram : The same as a function, for signals of any shape.
    LogMelTransformer : Fewer bands, spaced as the ear hears them.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws import LogSpectrogramTransformer
    >>> clips = np.random.RandomState(0).uniform(-0.1, 0.1, (2, 16000))
    >>> spectrogram = LogSpectrogramTransformer(fmax=4000).fit(clips)
    >>> spectrogram.transform(clips).shape, spectrogram.output_shape_
    ((2, 8019), (99, 81))
    """

    _parameter_constraints = _CONSTRAINTS
    _axis_names = ("spectrogram_t", "_f")

    def __init__(
        self,
        sample_rate=16000,
        *,
        win_length=320,
        hop_length=160,
        n_fft=None,
        fmax=None,
        power=1.0,
        log_offset=1e-3,
        window="hann",
        center=False,
    ):
        self.sample_rate = sample_rate
        self.win_length = win_length
        self.hop_length = hop_length
        self.n_fft = n_fft
        self.fmax = fmax
        self.power = power
        self.log_offset = log_offset
        self.window = window
        self.center = center

    def _shape_for(self, n_features):
        n_bins = _bins(self.sample_rate, self.win_length, self.n_fft, self.fmax)[1]
        return count_frames(n_features, self.win_length, self.hop_length, self.center), n_bins

    def _frames(self, X):
        return log_spectrogram(X, **self.get_params(deep=False))
