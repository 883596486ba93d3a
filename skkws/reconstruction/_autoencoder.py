"""An autoencoder of spectrograms as a transformer: a short code for a clip, the way back, and what is strange to it."""

from functools import partial
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin, _fit_context
from sklearn.utils import check_array, check_random_state
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from skkws._engine.frame_net import FrameNet
from skkws._engine.frame_rows import LOG_MEL_FRAMES, band_scaler, checked_input_shape
from skkws._engine.keras_networks import require_keras
from skkws._engine.rows import validate_rows
from skkws._engine.training import Run, Schedule, train
from skkws.networks import autoencoder, decoder, encoder


class SpectrogramAutoencoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Spectrogram rows to a short code and back, learnt without labels.

    The network, :func:`skkws.networks.autoencoder`, learns to pass spectrograms through a code of `n_components`
    numbers, which therefore tell what the clips of the training have in common. It puts them back worse the less a
    clip has of it: the error is a measure of how strange a clip is.

    Parameters
    ----------
    n_components : int, default=16
        Length of the code.
    input_shape : (int, int) or None, default=None
        Frames and bands of a row, which names of the columns must not contradict. None takes what these names tell.
        Rows without names are frames of 32 bands, those of :class:`LogMelTransformer`; a row of a multiple of 96
        columns might as well be vectors of the speech embedding, and is refused: set it.
    channels : tuple of int, default=(16, 32, 64)
        Channels of each stage of the encoder, each of which halves frames and bands.
    epochs : int, default=30
        Passes over the rows.
    batch_size : int, default=32
        Rows of an update.
    learning_rate : float, default=0.002
        Rate of Adam at the beginning; it falls to 0 by a cosine.
    random_state : int, RandomState or None, default=None
        Seeds the weights and the order of the rows.
    verbose : int, default=0
        0 is silent, 1 draws a progress bar, 2 writes a line per epoch, both to the standard error stream.

    Attributes
    ----------
    weights_ : list of ndarray
        Weights of the network, in the order of ``skkws.networks.autoencoder(...).get_weights()``.
    scaler_ : StandardScaler
        Mean and deviation of the bands.
    history_ : dict of str to list of float
        ``"loss"``, the mean squared error of each epoch in units of the deviation of the bands.
    input_shape_ : tuple of (int, int)
        Frames and bands of a row.
    n_features_in_ : int
        Columns of a row.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the input columns, where `X` has names.

    See Also
    --------
    skkws.networks.autoencoder : The network.
    sklearn.decomposition.PCA : The linear way, which is faster and deserves to be compared with.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws import LogMelTransformer, SpectrogramAutoencoder
    >>> clips = np.random.RandomState(0).uniform(-0.1, 0.1, (8, 16000))
    >>> rows = LogMelTransformer().fit_transform(clips)
    >>> autoencoder = SpectrogramAutoencoder(4, epochs=2, random_state=0).fit(rows)
    >>> codes = autoencoder.transform(rows)
    >>> codes.shape, autoencoder.inverse_transform(codes).shape, autoencoder.score_samples(rows).shape
    ((8, 4), (8, 3136), (8,))
    """

    learns_from_data = True
    _parameter_constraints = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "input_shape": ["array-like", None],
        "channels": ["array-like"],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        n_components=16,
        *,
        input_shape=None,
        channels=(16, 32, 64),
        epochs=30,
        batch_size=32,
        learning_rate=2e-3,
        random_state=None,
        verbose=0,
    ):
        self.n_components = n_components
        self.input_shape = input_shape
        self.channels = channels
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Train the network to put the rows back.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_features)
            Rows of a :class:`LogMelTransformer` or another spectrogram.
        y : None
            Ignored.

        Returns
        -------
        self : SpectrogramAutoencoder
            The fitted transformer.

        Raises
        ------
        ValueError
            If it is not clear what the frames of a row are, or the loss does not stay finite.
        """
        require_keras(type(self).__name__)
        X = self._validate(X, reset=True)
        self.input_shape_ = LOG_MEL_FRAMES.shape(
            X.shape[1],
            getattr(self, "feature_names_in_", ()),
            checked_input_shape(self.input_shape, X.shape[1]),
            who=type(self).__name__,
            parameter="input_shape",
        )
        self.scaler_, self._dtype = band_scaler(X, self.input_shape_), X.dtype.name
        random_state, network = check_random_state(self.random_state), self._networks()[0]

        def batches():
            order = random_state.permutation(len(X))
            for some in np.array_split(order, -(-len(X) // self.batch_size)):
                frames = self._scaled(X, some)
                yield frames, frames

        run = Run(network.training(network.initial_weights(random_state)), batches)
        self.weights_ = train(run, Schedule(self.epochs, self.learning_rate), verbose=self.verbose)
        self.history_ = run.history
        return self

    def transform(self, X):
        """Compute the codes.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_features)
            Rows as in `fit`.

        Returns
        -------
        codes : ndarray of shape (n_clips, n_components)
            In the precision of the rows of `fit`.
        """
        X, (_, encoding, _) = self._fitted(X)
        weights = self.weights_[: len(encoding.weight_shapes())]
        return encoding.outputs(weights, len(X), partial(self._scaled, X))

    def inverse_transform(self, X):
        """Draw the spectrograms that codes stand for.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_components)
            Codes.

        Returns
        -------
        rows : ndarray of shape (n_clips, n_features)
            Rows like those of `fit`.
        """
        check_is_fitted(self)
        codes = check_array(X, dtype=self._dtype)
        if codes.shape[1] != self.n_components:
            raise ValueError(f"X has {codes.shape[1]} features, but a code has n_components={self.n_components}.")
        _, encoding, decoding = self._networks()
        weights = self.weights_[len(encoding.weight_shapes()) :]
        frames = decoding.outputs(weights, len(codes), lambda part: codes[part])
        return (frames * self.scaler_.scale_ + self.scaler_.mean_).astype(self._dtype).reshape(len(codes), -1)

    def score_samples(self, X):
        """Tell how well each row is put back: the higher, the more it is like the rows of `fit`.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_features)
            Rows as in `fit`.

        Returns
        -------
        scores : ndarray of shape (n_clips,)
            Mean squared error of the reconstruction in units of the deviation of the bands, with a minus sign, as
            scikit-learn's outlier detectors have it. A threshold is best taken from scores of rows that were not
            trained on.
        """
        X, (network, *_) = self._fitted(X)
        frames = self._scaled(X, slice(None))
        again = network.outputs(self.weights_, len(X), frames.__getitem__)
        return -((again - frames) ** 2).mean(axis=(1, 2))

    def score(self, X, y=None):
        """Mean of :meth:`score_samples`, for searches over parameters.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_features)
            Rows as in `fit`.
        y : None
            Ignored.

        Returns
        -------
        score : float
            At best 0.
        """
        return float(self.score_samples(X).mean())

    def _validate(self, X, reset):
        return validate_rows(self, X, reset=reset, dtype=(np.float64, np.float32))

    def _fitted(self, X):
        """Return valid rows, and the networks that they go through."""
        check_is_fitted(self)
        return self._validate(X, reset=False), self._networks()

    def _scaled(self, X, some):
        """Return some rows as standardised frames."""
        frames = X[some].reshape(-1, *self.input_shape_)
        return ((frames - self.scaler_.mean_) / self.scaler_.scale_).astype(self._dtype)

    def _networks(self):
        """Return the whole, the encoder and the decoder."""
        shape, code, channels = self.input_shape_, ("n_components", self.n_components), tuple(self.channels)
        width = "channels", channels
        return (
            FrameNet(autoencoder, (code, width), shape, self._dtype, _squared_error, shape),
            FrameNet(encoder, (code, width), shape, self._dtype),
            FrameNet(decoder, (("output_shape", shape), width), (self.n_components,), self._dtype),
        )

    @property
    def _n_features_out(self):
        return self.n_components

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _squared_error(target, outputs):
    from keras import ops

    return ops.mean((target - outputs) ** 2, axis=(1, 2))
