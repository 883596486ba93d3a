"""Log-mel energies, by default those of Google's speech embedding."""

import warnings
from functools import lru_cache
from numbers import Integral, Real

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from sklearn.utils._param_validation import Interval

from skkws._engine.limits import LONGEST
from skkws._engine.rows import FrameTransformer
from skkws._engine.settings import check_settings
from skkws.features._framing import (
    LEAST_OFFSET,
    MOST_BANDS,
    check_fft,
    count_frames,
    fft_magnitudes,
    log_of_frames,
    periodic_window,
)

_FILTERBANK_CONSTRAINTS = {
    "sample_rate": [Interval(Integral, 1, None, closed="left")],
    "n_fft": [Interval(Integral, 2, LONGEST, closed="both")],
    "n_mels": [Interval(Integral, 1, MOST_BANDS, closed="both")],
    "fmin": [Interval(Real, 0, None, closed="left")],
    "fmax": [Interval(Real, 0, None, closed="neither")],
}
_CONSTRAINTS = {
    **_FILTERBANK_CONSTRAINTS,
    "win_length": [Interval(Integral, 1, LONGEST, closed="both")],
    "hop_length": [Interval(Integral, 1, LONGEST, closed="both")],
    "power": [Interval(Real, 0, 2, closed="right")],
    "log_offset": [Interval(Real, LEAST_OFFSET, 1e9, closed="both")],
    "window": [str, tuple],
    "center": ["boolean"],
}


@check_settings(_FILTERBANK_CONSTRAINTS)
def mel_filterbank(
    *, sample_rate: int = 16000, n_fft: int = 512, n_mels: int = 32, fmin: float = 60.0, fmax: float = 3800.0
) -> NDArray[np.float32]:
    """Triangular mel filters on the bins of a real FFT.

    The triangles are straight on the HTK mel scale, ``mel(f) = 1127 ln(1 + f / 700)``, reach 1 at their centres
    (no area normalisation) and leave out the zero-frequency bin: the filters of HTK, Kaldi and TensorFlow's
    ``linear_to_mel_weight_matrix``. (librosa draws its triangles straight in Hz.)

    Parameters
    ----------
    sample_rate : int, default=16000
        Samples per second.
    n_fft : int, default=512
        Length of the FFT, in samples.
    n_mels : int, default=32
        Number of bands.
    fmin, fmax : float, default=60.0, 3800.0
        Lower edge of the first and upper edge of the last band, in Hz.

    Returns
    -------
    weights : ndarray of shape (1 + n_fft // 2, n_mels), dtype float32
        Weight of each FFT bin in each band.

    Raises
    ------
    ValueError
        If the parameters contradict each other, such as `fmax` above half the sample rate.

    Examples
    --------
    >>> from skkws.features import mel_filterbank
    >>> mel_filterbank().shape
    (257, 32)
    """
    _check_settings(sample_rate, n_fft, n_fft, n_mels, fmin, fmax)
    return _mel_filterbank(sample_rate, n_fft, n_mels, fmin, fmax).copy()


@lru_cache(maxsize=64)
def _mel_filterbank(sample_rate, n_fft, n_mels, fmin, fmax):
    def mel(f):
        return 1127.0 * np.log1p(f / 700.0)

    edges = np.linspace(mel(fmin), mel(fmax), n_mels + 2)
    bins = mel(np.fft.rfftfreq(n_fft, 1.0 / sample_rate))[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    weights = np.maximum(0.0, np.minimum(rising, falling))
    weights[0] = 0.0
    return weights.astype(np.float32)


@check_settings(_CONSTRAINTS)
def log_mel(
    y: ArrayLike,
    *,
    sample_rate: int = 16000,
    win_length: int = 400,
    hop_length: int = 160,
    n_fft: int = 512,
    n_mels: int = 32,
    fmin: float = 60.0,
    fmax: float = 3800.0,
    power: float = 1.0,
    log_offset: float = 1e-3,
    window: str | tuple = "hann",
    center: bool = False,
) -> NDArray[np.float32]:
    """Log-mel energies of one or many signals.

    The defaults are the front end inside Google's speech embedding [1]_: 25 ms periodic Hann windows every 10 ms,
    zero-padded at their end to 512 samples, magnitude spectra, 32 HTK mel bands from 60 to 3800 Hz, and the natural
    logarithm of (energy + 0.001).

    Parameters
    ----------
    y : array-like of shape (..., n_samples)
        Signals in [-1, 1]. A signal shorter than one window is padded with zeros at its end.
    sample_rate : int, default=16000
        Samples per second.
    win_length, hop_length : int, default=400, 160
        Length of a window and distance between two, in samples.
    n_fft : int, default=512
        Length of the FFT, in samples; not less than `win_length`.
    n_mels : int, default=32
        Number of mel bands.
    fmin, fmax : float, default=60.0, 3800.0
        Lower edge of the first and upper edge of the last band, in Hz.
    power : float, default=1.0
        Exponent of the magnitude, 2 at most: 1 for magnitudes, 2 for power spectra.
    log_offset : float, default=1e-3
        Added to the band energies before the logarithm.
    window : str or tuple, default="hann"
        A window of :func:`scipy.signal.get_window`, in its periodic form.
    center : bool, default=False
        Whether window ``t`` is centred on sample ``t * hop_length`` (the signal is padded with ``win_length // 2``
        zeros on both sides) or begins there.

    Returns
    -------
    energies : ndarray of shape (..., frames, n_mels), dtype float32
        Natural logarithms; ``frames = 1 + (n_samples - win_length) // hop_length`` without centring.

    Raises
    ------
    ValueError
        If the parameters contradict each other, such as `fmax` above half the sample rate.

    References
    ----------
    .. [1] Lin, Kilgour, Roblek, Sharifi (2020), "Training Keyword Spotters with Limited and Synthesized Speech
       Data", arXiv:2002.01322; module google/speech_embedding/1.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws.features import log_mel
    >>> y = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    >>> log_mel(y).shape
    (98, 32)
    """
    _check_settings(sample_rate, win_length, n_fft, n_mels, fmin, fmax)
    compute = _mel_energies(window, win_length, (sample_rate, n_fft, n_mels, fmin, fmax), power)
    frames = {"win_length": win_length, "hop_length": hop_length, "center": center}
    return log_of_frames(y, compute, n_mels, **frames, log_offset=log_offset)


@lru_cache(maxsize=64)
def _mel_energies(window, win_length, filterbank, power):
    """Return the function ``(samples, starts, out)`` that writes the mel energies of the frames that start there."""
    n_fft, taper, weights = filterbank[1], periodic_window(window, win_length), _mel_filterbank(*filterbank)
    if n_fft >= 4 and n_fft & (n_fft - 1) == 0 and power in (1, 2):
        from skkws._engine.logmel_kernel import MelKernel

        return MelKernel(taper, weights, int(power))
    # A bin belongs to two bands at most. The sparse product stays fast where other programs keep the cores busy; the
    # threads of a dense one then wait for each other, up to a hundred times as long.
    n_bins = np.flatnonzero(weights.any(axis=1)).max(initial=0) + 1
    bands = csr_array(weights[:n_bins].T)

    def compute(samples, starts, out):
        out[:] = (bands @ fft_magnitudes(samples, starts, taper, n_fft, n_bins, power).T).T

    return compute


def _check_settings(sample_rate, win_length, n_fft, n_mels, fmin, fmax, *, filterbank=_mel_filterbank):
    """Refuse parameters that are fine alone and wrong together."""
    check_fft(sample_rate, win_length, n_fft, fmax)
    if not fmin < fmax:
        raise ValueError(f"fmin must be less than fmax, got fmin={fmin} and fmax={fmax} Hz.")
    empty = np.count_nonzero(~filterbank(sample_rate, n_fft, n_mels, fmin, fmax).any(axis=0))
    if empty:
        warnings.warn(
            f"{empty} of n_mels={n_mels} bands hold no FFT bin at n_fft={n_fft} and stay constant; lower n_mels, raise "
            f"n_fft or widen fmin={fmin} to fmax={fmax} Hz.",
            UserWarning,
            stacklevel=4,
        )


class LogMelTransformer(FrameTransformer):
    """Waveform rows to log-mel rows.

    The defaults are the front end of Google's speech embedding, so that
    ``SpeechEmbeddingTransformer(input="logmel")`` can follow; every parameter may be searched over. The computation
    is :func:`skkws.features.log_mel`.

    Parameters
    ----------
    sample_rate : int, default=16000
        Samples per second of the rows.
    win_length, hop_length : int, default=400, 160
        Length of a window and distance between two, in samples.
    n_fft : int, default=512
        Length of the FFT, in samples; not less than `win_length`.
    n_mels : int, default=32
        Number of mel bands.
    fmin, fmax : float, default=60.0, 3800.0
        Lower edge of the first and upper edge of the last band, in Hz.
    power : float, default=1.0
        Exponent of the magnitude, 2 at most: 1 for magnitudes, 2 for power spectra.
    log_offset : float, default=1e-3
        Added to the band energies before the natural logarithm.
    window : str or tuple, default="hann"
        A window of :func:`scipy.signal.get_window`, in its periodic form.
    center : bool, default=False
        Whether windows are centred on their hop (zeros on both sides of the clip) or begin there.

    Attributes
    ----------
    output_shape_ : tuple of (int, int)
        Frames and bands of a row. Rows are flattened frame-major: ``row.reshape(output_shape_)``.
    n_features_in_ : int
        Samples of a clip.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the input columns, where `X` has names.

    See Also
    --------
    log_mel : The same as a function, for signals of any shape.
    SpeechEmbeddingTransformer : What the defaults are made for.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws import LogMelTransformer
    >>> clips = np.random.RandomState(0).uniform(-0.1, 0.1, (2, 16000))
    >>> logmel = LogMelTransformer().fit(clips)
    >>> logmel.transform(clips).shape, logmel.output_shape_
    ((2, 3136), (98, 32))
    """

    _parameter_constraints = _CONSTRAINTS
    _axis_names = ("logmel_t", "_b")

    def __init__(
        self,
        sample_rate=16000,
        *,
        win_length=400,
        hop_length=160,
        n_fft=512,
        n_mels=32,
        fmin=60.0,
        fmax=3800.0,
        power=1.0,
        log_offset=1e-3,
        window="hann",
        center=False,
    ):
        self.sample_rate = sample_rate
        self.win_length = win_length
        self.hop_length = hop_length
        self.n_fft = n_fft
        self.n_mels = n_mels
        self.fmin = fmin
        self.fmax = fmax
        self.power = power
        self.log_offset = log_offset
        self.window = window
        self.center = center

    def _shape_for(self, n_features):
        _check_settings(self.sample_rate, self.win_length, self.n_fft, self.n_mels, self.fmin, self.fmax)
        return count_frames(n_features, self.win_length, self.hop_length, self.center), self.n_mels

    def _frames(self, X):
        return log_mel(X, **self.get_params(deep=False))
