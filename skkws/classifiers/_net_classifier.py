"""Every network of the field as a classifier."""

import inspect
import warnings
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from sklearn.preprocessing import StandardScaler
from sklearn.utils import compute_sample_weight
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from skkws._engine.callbacks import Checkpoint, GradualUnfreezing, KerasCallbacks
from skkws._engine.cost import of_model
from skkws._engine.frame_rows import (
    EMBEDDING_VECTORS,
    LOG_MEL_FRAMES,
    RowKind,
    band_scaler,
    checked_input_shape,
)
from skkws._engine.head_network import HeadNetwork
from skkws._engine.keras_networks import require_keras
from skkws._engine.net import Net
from skkws._engine.spec import N_BANDS
from skkws._engine.training import Schedule
from skkws._runtime.files import FoldersStay
from skkws.classifiers._base import NetworkClassifier
from skkws.classifiers._embedding_head import EmbeddingHead, backbone, head, scale, with_scale
from skkws.classifiers._fine_tuning import FineTuning, Tuned
from skkws.classifiers._head import KeywordHeadClassifier
from skkws.embedding import EmbeddingWeights

if TYPE_CHECKING:
    import keras

_SPECTROGRAM = "make_pipeline(Resample(), LogSpectrogramTransformer(8000, win_length=160, hop_length=80))"
# What rows each network was made for.
_ROWS = {
    "cnn": LOG_MEL_FRAMES,
    "cnn1d": LOG_MEL_FRAMES,
    "crnn": LOG_MEL_FRAMES,
    "ds_cnn": LOG_MEL_FRAMES,
    "embedding+head": RowKind("logmel", N_BANDS, "LogMelTransformer()", accepted=("logmel",)),
    "flat_head": EMBEDDING_VECTORS,
    "gru": LOG_MEL_FRAMES,
    "head": EMBEDDING_VECTORS,
    "keyword_net": LOG_MEL_FRAMES,
    "light_cnn": RowKind("spectrogram", 81, _SPECTROGRAM),
    "lstm": LOG_MEL_FRAMES,
    "rnn": LOG_MEL_FRAMES,
    "mlp": RowKind("logmel", None, "LogMelTransformer()"),
    "tc_resnet": LOG_MEL_FRAMES,
    "wavception": RowKind("sample", 1, "AudioLoader()", accepted=("sample",)),
}
_ON_EMBEDDING = "embedding+head"
_OF_HEAD = ("batch_size", "class_weight", "epochs", "l1", "l2", "learning_rate", "optimizer", "random_state")
_LOSSES = {"categorical_crossentropy", "categorical_focal_crossentropy", "mean_squared_error"}
# What does not change what comes out, or is no part of it.
_IRRELEVANT_PARAMS = ("callbacks", "checkpoint_dir", "verbose")


class KeywordNetClassifier(FoldersStay, NetworkClassifier):
    """Any network of the field, or one's own, trained from random weights on rows.

    The networks are those of :mod:`skkws.networks`. They are trained by TensorFlow on batches of rows, which may lie in
    a file; the weights are arrays, so that a fitted classifier clones, pickles and is saved like any other. What
    TensorFlow compiles is kept per process: the folds and the settings of a search that share a network share it.

    Parameters
    ----------
    network : str or callable, default="keyword_net"
        ``"keyword_net"``, ``"head"``, ``"flat_head"``, ``"light_cnn"``, ``"wavception"``, ``"mlp"``, ``"cnn"``,
        ``"cnn1d"``, ``"rnn"``, ``"lstm"``, ``"gru"``, ``"crnn"``, ``"ds_cnn"`` or ``"tc_resnet"``;
        ``"embedding+head"``, which begins with the published weights of the embedding; or a function that is called as
        ``network(input_shape, n_classes, **network_params)`` and returns a ``keras.Model`` from rows of this shape to
        probabilities of the classes.
    input_shape : tuple of (int, int) or None, default=None
        Frames and bands of a row: the transformer's `output_shape_`, which names of the columns must not contradict.
        None takes what these names tell (``pipeline.set_output(transform="pandas")``). Rows without names are what the
        network was made for: vectors of 96 dimensions for the heads; frames of 81 bins for ``"light_cnn"``, which
        ``make_pipeline(Resample(), LogSpectrogramTransformer(8000, win_length=160, hop_length=80))`` makes of 16 kHz;
        samples for ``"wavception"``; one frame for ``"mlp"``; and log-mel frames of 32 bands for all others and a
        function. A row of a multiple of 96 columns might then as well be vectors of the embedding, and is refused: set
        it. A row that is shorter than a frame is one frame.
    network_params : dict or None, default=None
        Further arguments of the network, such as ``{"filters": (8, 16)}``.
    loss : {"categorical_crossentropy", "categorical_focal_crossentropy", "mean_squared_error"}, \
default="categorical_crossentropy"
        Loss, as Keras defines it.
    label_smoothing : float, default=0.0
        Share of the probability that the loss wants spread over all classes.
    epochs : int, default=30
        Passes over the training rows.
    batch_size : int, default=64
        Rows per update of the weights.
    learning_rate : float, default=3e-3
        Learning rate at the beginning.
    schedule : {"cosine", "constant"}, default="cosine"
        Whether the learning rate falls to zero over the epochs along half a cosine, or stays.
    optimizer : {"adam", "adamw", "nadam", "rmsprop", "sgd"}, default="adam"
        Optimizer, at Keras' defaults but for the learning rate.
    dropout : float or None, default=None
        The network's `dropout`. None leaves it at the network's default.
    l1, l2 : float, default=0.0
        Penalties on the absolute and squared kernels.
    standardize : bool, default=True
        Whether each band is first brought to mean 0 and variance 1 over the training rows.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, as in scikit-learn.
    early_stopping : bool, default=False
        Whether to hold out rows for validation, to stop when their loss has not fallen for `patience` epochs, and to
        keep the weights of the best epoch. The rows are drawn at random within each class, whoever speaks.
    validation_fraction : float, default=0.1
        Share of the rows held out for early stopping.
    patience : int, default=5
        Epochs without improvement before stopping early.
    weights : {"google"}, path, EmbeddingWeights or None, default="google"
        Weights that the embedding of ``"embedding+head"`` begins with, as in :class:`SpeechEmbeddingTransformer`.
    train_embedding : {"frozen", "full", "gradual"}, default="frozen"
        Whether ``"embedding+head"`` trains the head alone, then the embedding too, or then one block of it after the
        other, the last one first. The head is trained as :class:`KeywordHeadClassifier` does, on vectors that are
        computed once. Whether the embedding is trained is decided on rows that are held out, as for early stopping:
        only if the loss on them falls by more than two standard errors and more of them are named rightly. Then all
        rows are trained on. See `fine_tuned_`. Weights are the mean of those before and after [1]_, which was better
        than either on digits and commands.
    embedding_epochs : int, default=10
        Passes over the training rows with the embedding.
    embedding_learning_rate : float, default=3e-4
        Learning rate of these at the beginning; it falls to zero.
    warm_start : bool, default=False
        Whether `fit` goes on from the weights of the previous `fit`, on the same classes.
    checkpoint_dir : str, path-like or None, default=None
        Folder in which the training is kept after each epoch. The same `fit` on the same rows, after it was killed,
        goes on there to the same result; a complete one removes its file. None keeps nothing.
    callbacks : list of keras.callbacks.Callback or None, default=None
        Copies of them are called at the beginning and the end of the training and of each epoch, not of each batch.
    random_state : int, RandomState instance or None, default=None
        Seeds the initial weights, the order of the rows, the dropout and the validation rows.
    verbose : int, default=0
        0 is silent, 1 draws a progress bar, 2 writes a line per epoch, both to the standard error stream.

    Attributes
    ----------
    backbone_ : dict of str to ndarray
        Of ``"embedding+head"``: the weights of the embedding. :func:`save_backbone` saves them.
    classes_ : ndarray of shape (n_classes,)
        The labels.
    head_ : KeywordHeadClassifier
        Of ``"embedding+head"``: the head alone, fitted. :func:`save_head` saves it.
    fine_tuned_ : bool
        Of ``"embedding+head"``: whether training the embedding too was worth it, and is part of `weights_`.
    history_ : dict of str to list of float
        ``"loss"`` and ``"accuracy"`` of each epoch over its batches, ``"val_loss"`` and ``"val_accuracy"`` with early
        stopping.
    input_shape_ : tuple of (int, int)
        Frames and bands of a row.
    n_features_in_ : int
        Columns of a row.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where `X` has names.
    n_iter_ : int
        Epochs trained.
    scaler_ : StandardScaler or None
        The scaler of the bands.
    weights_ : list of ndarray
        Weights of the network, in the order of ``to_keras().get_weights()``.

    See Also
    --------
    KeywordHeadClassifier : The head alone, trained many times faster.
    skkws.networks : The networks as functions.

    Notes
    -----
    The precision is that of `X`, float32 or float64. Our networks weigh the rows of a batch in batch norm too, so that
    a row of weight 2 counts as two rows. No global seed is set.

    At the end of `fit` batch norms get the statistics of the training rows under the final weights [2]_, since running
    ones lag behind after few steps; those in the files of ``ModelCheckpoint`` are the running ones. `partial_fit`
    leaves them running.

    References
    ----------
    .. [1] Wortsman et al. (2022), "Robust fine-tuning of zero-shot models", CVPR.
    .. [2] Wu and Johnson (2021), "Rethinking 'Batch' in BatchNorm", arXiv:2105.07576.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws import KeywordNetClassifier
    >>> rng = np.random.RandomState(0)
    >>> y = np.repeat(["yes", "no"], 20)
    >>> X = rng.normal(size=(40, 20 * 32)) + (y == "yes")[:, None]
    >>> net = KeywordNetClassifier("cnn", epochs=10, random_state=0).fit(X, y)
    >>> net.input_shape_, net.predict(X[[0, 39]])
    ((20, 32), array(['yes', 'no'], dtype='<U3'))
    """

    _parameter_constraints = {
        **NetworkClassifier._parameter_constraints,
        "network": [StrOptions(set(_ROWS)), callable],
        "input_shape": [tuple, list, None],
        "network_params": [dict, None],
        "loss": [StrOptions(_LOSSES)],
        "label_smoothing": [Interval(Real, 0, 1, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left"), None],
        "weights": [str, Path, EmbeddingWeights, None],
        "train_embedding": [StrOptions({"frozen", "full", "gradual"})],
        "embedding_epochs": [Interval(Integral, 1, None, closed="left")],
        "embedding_learning_rate": [Interval(Real, 0, None, closed="neither")],
        "checkpoint_dir": [str, Path, None],
        "callbacks": [list, tuple, None],
    }

    _folders = ("checkpoint_dir",)

    def __init__(
        self,
        network="keyword_net",
        *,
        input_shape=None,
        network_params=None,
        loss="categorical_crossentropy",
        label_smoothing=0.0,
        epochs=30,
        batch_size=64,
        learning_rate=3e-3,
        schedule="cosine",
        optimizer="adam",
        dropout=None,
        l1=0.0,
        l2=0.0,
        standardize=True,
        class_weight=None,
        early_stopping=False,
        validation_fraction=0.1,
        patience=5,
        weights="google",
        train_embedding="frozen",
        embedding_epochs=10,
        embedding_learning_rate=3e-4,
        warm_start=False,
        checkpoint_dir=None,
        callbacks=None,
        random_state=None,
        verbose=0,
    ):
        self.network = network
        self.input_shape = input_shape
        self.network_params = network_params
        self.loss = loss
        self.label_smoothing = label_smoothing
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.optimizer = optimizer
        self.dropout = dropout
        self.l1 = l1
        self.l2 = l2
        self.standardize = standardize
        self.class_weight = class_weight
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.weights = weights
        self.train_embedding = train_embedding
        self.embedding_epochs = embedding_epochs
        self.embedding_learning_rate = embedding_learning_rate
        self.warm_start = warm_start
        self.checkpoint_dir = checkpoint_dir
        self.callbacks = callbacks
        self.random_state = random_state
        self.verbose = verbose

    @property
    def backbone_(self):
        """The embedding of ``"embedding+head"`` as a dict of its weights, ``{"layer/variable": array}``."""
        self._check_has_embedding()
        return backbone(self.weights_)

    @property
    def head_(self):
        """The head of ``"embedding+head"`` alone, as a fitted :class:`KeywordHeadClassifier` on vectors."""
        self._check_has_embedding()
        network, scaler = self._network(), None
        if self.standardize:
            mean, variance = scale(self.weights_)
            scaler = StandardScaler()
            scaler.mean_, scaler.var_, scaler.scale_ = mean, variance, np.sqrt(variance)
            scaler.n_features_in_ = len(mean)
        settings = {name: getattr(self, name) for name in _OF_HEAD} | {"dropout": network.head.dropout}
        classifier = KeywordHeadClassifier(**settings)
        return classifier._adopt(network.head, head(self.weights_), scaler, self.classes_)

    def to_keras(self) -> "keras.Model":
        """Build the trained network as a Keras model.

        Returns
        -------
        model : keras.Model
            From rows of shape (n_clips, *input_shape_), standardised by `scaler_` where there is one, to probabilities
            of shape (n_clips, n_classes). A new one at each call, with copies of the weights.

        Raises
        ------
        NotFittedError
            If the classifier is not fitted.

        Examples
        --------
        >>> import numpy as np
        >>> from skkws import KeywordNetClassifier
        >>> X = np.random.RandomState(0).normal(size=(8, 20 * 32))
        >>> net = KeywordNetClassifier("cnn1d", epochs=1).fit(X, ["yes", "no"] * 4)
        >>> model = net.to_keras()
        >>> model.input_shape, model.output_shape
        ((None, 20, 32), (None, 2))
        """
        check_is_fitted(self)
        model = self._network().model()
        model.set_weights(self.weights_)
        return model

    def multiply_adds(self) -> int:
        """Count the multiplications of the network for one clip.

        Returns
        -------
        n : int
            What TensorFlow's profiler counts in the graph, and those of recurrent layers.

        Raises
        ------
        NotFittedError
            If the classifier is not fitted.
        """
        check_is_fitted(self)
        return of_model(self.to_keras())

    def _check_has_embedding(self):
        check_is_fitted(self)
        if self.network != _ON_EMBEDDING:
            raise AttributeError(
                f"backbone_ and head_ are parts of network={_ON_EMBEDDING!r}, got network={self.network!r}, which has "
                f"neither; fit a classifier with network={_ON_EMBEDDING!r}."
            )

    def _row_shape(self, n_features):
        kind = LOG_MEL_FRAMES if callable(self.network) else _ROWS[self.network]
        shape = kind.shape(
            n_features,
            getattr(self, "feature_names_in_", ()),
            checked_input_shape(self.input_shape, n_features),
            who=f"network={self.network!r}",
            parameter="input_shape",
        )
        if self.network == _ON_EMBEDDING and shape[1] != N_BANDS:
            raise ValueError(
                f"network={_ON_EMBEDDING!r} takes log-mel frames of {N_BANDS} bands, got {shape[1]}; compute them with "
                "LogMelTransformer at its defaults."
            )
        return shape

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Train for one epoch over these rows, at the constant learning rate, going on from earlier calls.

        The bands are standardised by the rows of the first call, which therefore should be typical. Of
        ``"embedding+head"`` the head alone is trained.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_features)
            Rows.
        y : array-like of shape (n_clips,)
            Labels among `classes`.
        classes : array-like of shape (n_classes,) or None, default=None
            All labels there will be; needed in the first call.
        sample_weight : array-like of shape (n_clips,) or None, default=None
            Weights of the rows; rows of weight 0 are left out.

        Returns
        -------
        self : KeywordNetClassifier
            The classifier.
        """
        if self.network == _ON_EMBEDDING and self.train_embedding != "frozen":
            raise ValueError(
                f"partial_fit trains the head alone, and train_embedding={self.train_embedding!r} asks for more; use "
                'fit, or train_embedding="frozen".'
            )
        return super().partial_fit(X, y, classes, sample_weight)

    def _start(self, X, rows, y, sample_weight):
        require_keras(type(self).__name__)
        super()._start(X, rows, y, sample_weight)
        if self.network == _ON_EMBEDDING:
            self._dtype = "float32"  # that of the published weights
        if isinstance(self.network, str):
            # The bias of the softmax, which comes last, begins at the odds of the classes and need not learn them.
            weight = sample_weight * compute_sample_weight(self.class_weight, y)
            counts = np.bincount(np.searchsorted(self.classes_, y), weight, len(self.classes_)) + 1
            self.weights_[-1] = np.log(counts / counts.sum()).astype(self._dtype)

    def _scaler(self, X, rows, sample_weight):
        # For the embedding it is not the frames that are standardised, but the vectors that it makes of them.
        return None if self.network == _ON_EMBEDDING else super()._scaler(X, rows, sample_weight)

    def _train(self, X, data, sample_weight, schedule, kept=None, groups=None):
        if self.network != _ON_EMBEDDING:
            super()._train(X, data, sample_weight, schedule, kept, groups)
            return
        network, trainer = self._network(), self._trainer()
        vectors = network.vectors(self.weights_, X, data.rows)
        if self.standardize and not self.n_iter_:
            scaler = band_scaler(vectors, network.vectors_shape, sample_weight=sample_weight)
            self.weights_ = with_scale(self.weights_, scaler)
        embedding_schedule = Schedule(self.embedding_epochs, self.embedding_learning_rate)
        tuning = FineTuning(network, self.weights_, X, data, vectors, trainer, schedule, embedding_schedule, kept)
        # Trained first, so that an embedding that is trained in vain leaves what a frozen one would have left.
        tuned = Tuned(tuning.frozen(), False)
        if self.train_embedding != "frozen":
            tuned = tuning.tuned(tuned.weights, lambda: self._held_out_for_embedding(data, groups))
        self.weights_, self.fine_tuned_ = tuned.weights, tuned.fine_tuned
        self._take_from(trainer)

    def _held_out_for_embedding(self, data, groups):
        """Return which rows to train the embedding on, or None where there are too few to tell whether it helps."""
        try:
            return self._hold_out(data, groups)
        except ValueError:
            warnings.warn(
                f"train_embedding={self.train_embedding!r} holds out rows of each class, to tell whether it helps, and "
                "there are too few: the embedding stays as it is. Add clips, or raise validation_fraction.",
                stacklevel=7,  # past fit and what scikit-learn wraps round it
            )
            return None

    def _network(self):
        build, settings = self.network, dict(self.network_params or {})
        if isinstance(build, str):
            from skkws import networks

            build = getattr(networks, {"head": "keyword_head", _ON_EMBEDDING: "embedding_head"}.get(build, build))
        if self.dropout is not None:
            settings["dropout"] = self.dropout
        accepted = inspect.signature(build).parameters
        unknown = [name for name in settings if name not in accepted]
        if unknown and not any(p.kind is p.VAR_KEYWORD for p in accepted.values()):
            raise ValueError(
                f"network={self.network!r} takes no {unknown[0]!r}, but {list(accepted)[2:]}; change network_params"
                f"{' or leave dropout at None' if unknown == ['dropout'] else ''}."
            )
        settings = tuple(sorted((name, _frozen(value)) for name, value in settings.items()))
        penalties = self.label_smoothing, self.l1, self.l2
        shape = self.input_shape_, len(self.classes_)
        if self.network != _ON_EMBEDDING:
            return Net(build, settings, *shape, self.loss, *penalties, self._dtype)
        whole = Net(build, settings, *shape, self.loss, *penalties, "float32")
        return EmbeddingHead.of(whole, self.weights)

    def _callbacks(self, run, network, schedule, clips, data):
        if isinstance(network, HeadNetwork):  # a matter of seconds
            return []
        callbacks = []
        if self.checkpoint_dir is not None:
            if not isinstance(self.random_state, Integral):
                raise ValueError(
                    f"checkpoint_dir needs an integer random_state, by which a fit is known again, got "
                    f"{self.random_state!r}. Pass one such as random_state=0."
                )
            parameters = {name: value for name, value in self.get_params().items() if name not in _IRRELEVANT_PARAMS}
            trained_on = parameters, clips, data, run.training.state()
            callbacks.append(Checkpoint(run, self.checkpoint_dir, trained_on))
        if self.callbacks:
            callbacks.append(KerasCallbacks(run, self.callbacks, network, self.optimizer, schedule.epochs))
        if self.network == _ON_EMBEDDING and self.train_embedding == "gradual":
            callbacks.append(GradualUnfreezing(run, schedule.epochs))
        return callbacks


def _frozen(value):
    """Make a hashable copy of lists."""
    return tuple(map(_frozen, value)) if isinstance(value, list | tuple) else value
