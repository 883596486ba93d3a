"""Speech out of noise: a U-Net that learns a mask on the spectrogram from mixtures."""

from functools import cached_property
from numbers import Integral, Real

import numpy as np
from scipy.signal import ShortTimeFFT
from sklearn.base import _fit_context
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from skkws._engine.frame_net import FrameNet
from skkws._engine.keras_networks import require_keras
from skkws._engine.training import Run, Schedule, train
from skkws._engine.waveform_rows import WaveformTransformer
from skkws.augment import BackgroundNoise, ColoredNoise
from skkws.features import mel_filterbank, periodic_window
from skkws.metrics import signal_to_noise_ratio
from skkws.networks import unet

# Window and hop, in seconds: those of log-mel.
_WINDOW, _HOP = 0.025, 0.01
# Compression of magnitudes in the loss, by Wilson et al. (2018): quiet parts of speech count too.
_COMPRESSION = 0.3
# Added to magnitudes, whose mean over a clip is 1, before they are compressed or go through a logarithm.
_OFFSET = 1e-3
# Share of the mixtures with coloured noise, where there are recordings of noise too.
_COLORED = 0.2
# Rows whose spectra lie in memory at once.
_BLOCK = 128


class UNetDenoiser(WaveformTransformer):
    """Waveform rows with less noise, by a network that has learnt from mixtures of speech and noise.

    `fit` takes clean speech, mixes it with noise, anew in each epoch, and teaches a small U-Net [1]_
    (:func:`skkws.networks.unet`) to say how much of each mel band of each frame is speech. `transform` weighs the bins
    of the short-time Fourier transform by it and goes back to a waveform, so that any front end can follow. Louder or
    quieter rows come out just as much louder or quieter.

    Parameters
    ----------
    sample_rate : int, default=16000
        Samples per second of the rows.
    noise : path, array-like, list of paths and arrays, or None, default=None
        Recordings of noise, as :class:`skkws.augment.BackgroundNoise` takes them; one mixture in five has coloured
        noise instead. None means coloured noise alone.
    snr_db : float or (low, high), default=(-5.0, 15.0)
        Signal-to-noise ratio of the mixtures in dB, as in :func:`skkws.augment.mix_at_snr`.
    n_mels : int, default=64
        Mel bands of the mask, from 0 Hz to half the sample rate.
    floor : float, default=0.1
        The least that a bin is weighed by, 0.1 being -20 dB: a little noise hides what the mask does to the speech.
    channels : tuple of int, default=(8, 16, 32)
        Channels of each stage of the U-Net, from the top to the bottom.
    epochs : int, default=10
        Passes over the rows.
    batch_size : int, default=32
        Rows of an update.
    learning_rate : float, default=0.002
        Rate of Adam at the beginning; it falls to 0 by a cosine.
    random_state : int, RandomState or None, default=None
        Seeds the weights, the mixtures and the order of the rows.
    verbose : int, default=0
        0 is silent, 1 draws a progress bar, 2 writes a line per epoch, both to the standard error stream.

    Attributes
    ----------
    weights_ : list of ndarray
        Weights of the network, in the order of ``skkws.networks.unet(...).get_weights()``.
    history_ : dict of str to list of float
        ``"loss"``, that of each epoch: mean squared error of compressed magnitudes [2]_.
    output_shape_ : tuple of (int,)
        Samples of a row, as many as before.
    n_features_in_ : int
        Samples of a clip.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the input columns, where `X` has names.

    Notes
    -----
    In a pipeline it is trained with the rest on the training clips. Trained once on other speech it goes in as it is:
    ``make_pipeline(FrozenEstimator(denoiser), ...)`` with :class:`sklearn.frozen.FrozenEstimator`.

    What is good for the ear need not be good for a spotter: one that has heard noise in training may do better on the
    mixture itself. Compare both on recordings of your own.

    See Also
    --------
    skkws.networks.unet : The network.
    skkws.AudioAugmenter : The other way to a spotter that stands noise.

    References
    ----------
    .. [1] Ronneberger, Fischer, Brox (2015), "U-Net: Convolutional Networks for Biomedical Image Segmentation",
       arXiv:1505.04597.
    .. [2] Wilson et al. (2018), "Exploring Tradeoffs in Models for Low-Latency Speech Enhancement", IWAENC,
       arXiv:1811.07030.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws import UNetDenoiser
    >>> pitch = np.random.RandomState(0).uniform(200, 2000, (16, 1))
    >>> tones = 0.3 * np.sin(2 * np.pi * pitch * np.arange(4000) / 16000)
    >>> denoiser = UNetDenoiser(epochs=5, random_state=0).fit(tones)
    >>> denoiser.transform(tones).shape
    (16, 4000)
    """

    learns_from_data = True
    _parameter_constraints = {
        "sample_rate": [Interval(Integral, 1000, None, closed="left")],
        "noise": "no_validation",
        "snr_db": [Real, "array-like"],
        "n_mels": [Interval(Integral, 1, None, closed="left")],
        "floor": [Interval(Real, 0, 1, closed="both")],
        "channels": ["array-like"],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        sample_rate=16000,
        *,
        noise=None,
        snr_db=(-5.0, 15.0),
        n_mels=64,
        floor=0.1,
        channels=(8, 16, 32),
        epochs=10,
        batch_size=32,
        learning_rate=2e-3,
        random_state=None,
        verbose=0,
    ):
        self.sample_rate = sample_rate
        self.noise = noise
        self.snr_db = snr_db
        self.n_mels = n_mels
        self.floor = floor
        self.channels = channels
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Train the network on mixtures of these rows with noise.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_samples)
            Clean speech, a clip a row, in [-1, 1].
        y : None
            Ignored.

        Returns
        -------
        self : UNetDenoiser
            The fitted transformer.

        Raises
        ------
        ValueError
            If `noise` or `snr_db` cannot be used, or the loss does not stay finite.
        """
        require_keras(type(self).__name__)
        X = self._validate(X, reset=True)
        self.output_shape_ = self._shape_for(X.shape[1])
        mix, spectra = self._mixing(), self._spectra()
        network = self._network(spectra)
        random_state = check_random_state(self.random_state)
        weights = network.initial_weights(random_state)
        rng = np.random.default_rng(random_state.randint(2**31 - 1))

        def batches():
            order = rng.permutation(len(X))
            for some in np.array_split(order, -(-len(X) // self.batch_size)):
                clean, mixtures = (spectra.bands(spectra.of(rows)) for rows in (X[some], mix(X[some], rng)))
                level = _level(mixtures)
                yield _log(mixtures / level), np.stack([clean / level, mixtures / level], axis=1)

        run = Run(network.training(weights), batches)
        self.weights_ = train(run, Schedule(self.epochs, self.learning_rate), verbose=self.verbose)
        self.history_ = run.history
        return self

    def score(self, X, y=None):
        """Tell by how much the signal-to-noise ratio of mixtures grows, for searches over parameters.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_samples)
            Clean speech that was not trained on; it is mixed with the noise of `fit`, as there, with a seed of its own
            that is always the same.
        y : None
            Ignored.

        Returns
        -------
        gain : float
            Mean of the gains in dB over the clips that are not silent.
        """
        check_is_fitted(self)
        X = self._validate(X, reset=False)
        X = X[X.any(axis=1)]
        if not len(X):
            raise ValueError("All rows are digital silence, of which no signal-to-noise ratio is defined; pass speech.")
        mixtures = self._mixing()(X, np.random.default_rng(0))
        before, after = (signal_to_noise_ratio(X, rows) for rows in (mixtures, self._frames(mixtures)))
        return float(np.mean(after - before))

    def _frames(self, X):
        spectra = self._spectra()
        network = self._network(spectra)
        out = np.empty_like(X)
        for start in range(0, len(X), _BLOCK):
            noisy = spectra.of(X[start : start + _BLOCK])
            bands = spectra.bands(noisy)
            frames = _log(bands / _level(bands))
            mask = network.outputs(self.weights_, len(frames), frames.__getitem__)
            out[start : start + _BLOCK] = spectra.rows(noisy * spectra.on_bins(np.maximum(mask, self.floor)))
        return out

    def _mixing(self):
        """Return the function that mixes rows with noise, drawn by a generator."""
        colored, share = ColoredNoise(snr_db=self.snr_db, sample_rate=self.sample_rate), 1.0
        recorded = None
        if self.noise is not None:
            recorded = BackgroundNoise(self.noise, snr_db=self.snr_db, sample_rate=self.sample_rate)
            share = _COLORED

        def mix(rows, rng):
            mixtures, with_color = np.empty_like(rows), rng.random(len(rows)) < share
            for some, add in ((with_color, colored), (~with_color, recorded)):
                if some.any():
                    mixtures[some] = add(rows[some], rng)
            return mixtures

        return mix

    def _spectra(self):
        return _Spectra(self.sample_rate, self.n_mels, self.n_features_in_)

    def _network(self, spectra):
        settings = (("channels", tuple(self.channels)),)
        return FrameNet(unet, settings, spectra.shape, loss=_compressed_error, target_shape=(2, *spectra.shape))


class _Spectra:
    """Short-time Fourier transforms of rows of a certain length, and their mel bands."""

    def __init__(self, sample_rate, n_mels, n_samples):
        win_length, hop_length = round(_WINDOW * sample_rate), round(_HOP * sample_rate)
        n_fft = 1 << (win_length - 1).bit_length()
        self._fourier = ShortTimeFFT(periodic_window("hann", win_length), hop_length, sample_rate, mfft=n_fft)
        self._n_samples, self._padded = n_samples, max(n_samples, win_length)
        self._bands = mel_filterbank(
            sample_rate=sample_rate, n_fft=n_fft, n_mels=n_mels, fmin=0.0, fmax=sample_rate / 2
        )
        self.shape = self._fourier.p_num(self._padded), n_mels

    def of(self, rows):
        """Spectra (n_rows, frames, bins) of rows."""
        missing = self._padded - rows.shape[1]
        return self._fourier.stft(np.pad(rows, ((0, 0), (0, missing)))).swapaxes(1, 2)

    def rows(self, spectra):
        """Rows with these spectra."""
        return self._fourier.istft(spectra.swapaxes(1, 2), k1=self._padded)[:, : self._n_samples]

    def bands(self, spectra):
        """Magnitudes of mel bands (n_rows, frames, n_mels)."""
        return np.abs(spectra).astype(np.float32) @ self._bands

    def on_bins(self, mask):
        """Spread a mask on the bands (n_rows, frames, n_mels) over the bins."""
        return mask @ self._bins

    @cached_property
    def _bins(self):
        """Weights (n_mels, bins) by which a bin takes the mean of its bands; one without any, that of its neighbour."""
        weights = self._bands.sum(axis=1)
        inside = np.flatnonzero(weights)
        nearest = inside[np.abs(np.subtract.outer(np.arange(len(weights)), inside)).argmin(axis=1)]
        return (self._bands[nearest] / weights[nearest, None]).T


def _level(bands):
    """Mean of the magnitudes of each clip; 1 for digital silence."""
    level = bands.mean(axis=(1, 2), keepdims=True)
    return np.where(level > 0, level, 1.0).astype(np.float32)


def _log(bands):
    return np.log(bands + np.float32(_OFFSET))


def _compressed_error(target, mask):
    from keras import ops

    clean, mixture = target[:, 0], target[:, 1]
    speech = ops.power(mask * mixture + _OFFSET, _COMPRESSION)
    return ops.mean((speech - ops.power(clean + _OFFSET, _COMPRESSION)) ** 2, axis=(1, 2))
