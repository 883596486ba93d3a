"""The paper's keyword head as a classifier."""

import sys
from dataclasses import asdict
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state, compute_sample_weight
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import _check_partial_fit_first_call, check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from skkws._progress import progress
from skkws.classifiers._copies import Copies, first_copies
from skkws.classifiers._head_kernels import ACTIVATIONS
from skkws.classifiers._head_network import Clips, HeadNetwork, HeadTraining
from skkws.networks._speech_embedding import N_DIMS

# Rows whose statistics are added up at once: few enough that their copies in double precision are small.
_ROWS_SCALED = 256
_OPTIMIZERS = {"adam", "adamw", "nadam", "rmsprop", "sgd"}


class KeywordHeadClassifier(ClassifierMixin, BaseEstimator):
    """The paper's head on embedding vectors: two convolutions over time and a softmax.

    The network is :func:`skkws.networks.keyword_head` [1]_, trained on cross-entropy. It is trained and evaluated by
    machine code made for the processor at hand, which needs no TensorFlow: a fit on few recordings takes a fraction of
    a second. A fit uses one core. Batch norm works on batches in `fit` and on its running statistics in `predict`.

    Parameters
    ----------
    n_vectors : int or None, default=None
        Vectors in a row, frame-major. None: rows are vectors of 96 dimensions if their length is a multiple of 96,
        and otherwise one vector. Set it for other features, such as 98 for the log-mel frames of a one-second clip.
    epochs : int, default=60
        Passes over the training rows.
    batch_size : int, default=64
        Rows per update of the weights.
    learning_rate : float, default=3e-3
        Learning rate at the beginning.
    schedule : {"cosine", "constant"}, default="cosine"
        Whether the learning rate falls to zero over the epochs along half a cosine, or stays.
    optimizer : {"adam", "adamw", "nadam", "rmsprop", "sgd"}, default="adam"
        Optimizer, at Keras' defaults but for the learning rate.
    filters : int, default=96
        Filters of both convolutions.
    kernel_size : int, default=3
        Their width, in vectors.
    activation : {"elu", "leaky_relu", "relu", "selu", "silu", "tanh"}, default="elu"
        Activation behind each convolution, as Keras defines it.
    dropout : float, default=0.5
        Share of the channels behind each convolution that an update leaves out, the same ones for all its rows.
    l1, l2 : float, default=0.0
        Penalties on the absolute and squared weights of convolutions and dense layer.
    standardize : bool, default=True
        Whether each dimension of the vectors is first brought to mean 0 and variance 1 over the training rows.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, as in scikit-learn.
    early_stopping : bool, default=False
        Whether to hold out rows for validation, to stop when their loss has not fallen for `patience` epochs, and to
        keep the weights of the best epoch. The rows are drawn at random within each class, whoever speaks.
    validation_fraction : float, default=0.1
        Share of the rows held out for early stopping.
    patience : int, default=5
        Epochs without improvement before stopping early.
    warm_start : bool, default=False
        Whether `fit` goes on from the weights of the previous `fit`, on the same classes.
    random_state : int, RandomState instance or None, default=None
        Seeds the initial weights, the order of the rows, the dropout and the validation rows.
    verbose : int, default=0
        0 is silent, 1 draws a progress bar, 2 writes a line per epoch, both to the standard error stream.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels.
    history_ : dict of str to list of float
        ``"loss"`` and ``"accuracy"`` of each epoch over its batches, ``"val_loss"`` and ``"val_accuracy"`` with early
        stopping.
    model_ : keras.Model
        The trained network as a Keras model, from standardised vectors (n_clips, n_vectors, n_dims) to probabilities.
        Made anew at each access.
    n_features_in_ : int
        Columns of a row.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where `X` has names.
    n_iter_ : int
        Epochs trained.
    scaler_ : StandardScaler or None
        The scaler of the dimensions.
    weights_ : list of ndarray
        Weights of the network, in the order of ``model_.get_weights()``.

    See Also
    --------
    SpeechEmbeddingTransformer : Makes the rows.
    extract_features : Makes them from files, in memory or on disk.

    Notes
    -----
    The network is computed in the precision of `X`, float32 or float64, as scikit-learn's own networks are.
    Whatever is random is drawn from `random_state`; no global seed is set.

    Rows are taken and standardised a batch at a time, in `fit` and in `predict`: a float array on disk, such as
    ``np.load("features.npy", mmap_mode="r")``, is never in memory as a whole, and is fitted to the last bit like the
    same array in memory.

    References
    ----------
    .. [1] Lin, Kilgour, Roblek, Sharifi (2020), "Training Keyword Spotters with Limited and Synthesized Speech
       Data", arXiv:2002.01322.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws import KeywordHeadClassifier
    >>> rng = np.random.RandomState(0)
    >>> y = np.repeat(["yes", "no"], 20)
    >>> X = rng.normal(size=(40, 13 * 96)) + (y == "yes")[:, None]
    >>> head = KeywordHeadClassifier(random_state=0).fit(X, y)
    >>> head.predict(X[[0, 39]])
    array(['yes', 'no'], dtype='<U3')
    """

    _parameter_constraints = {
        "n_vectors": [Interval(Integral, 1, None, closed="left"), None],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "schedule": [StrOptions({"cosine", "constant"})],
        "optimizer": [StrOptions(_OPTIMIZERS)],
        "filters": [Interval(Integral, 1, None, closed="left")],
        "kernel_size": [Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "l1": [Interval(Real, 0, None, closed="left")],
        "l2": [Interval(Real, 0, None, closed="left")],
        "standardize": ["boolean"],
        "class_weight": [StrOptions({"balanced"}), dict, None],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "patience": [Interval(Integral, 1, None, closed="left")],
        "warm_start": ["boolean"],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        *,
        n_vectors=None,
        epochs=60,
        batch_size=64,
        learning_rate=3e-3,
        schedule="cosine",
        optimizer="adam",
        filters=96,
        kernel_size=3,
        activation="elu",
        dropout=0.5,
        l1=0.0,
        l2=0.0,
        standardize=True,
        class_weight=None,
        early_stopping=False,
        validation_fraction=0.1,
        patience=5,
        warm_start=False,
        random_state=None,
        verbose=0,
    ):
        self.n_vectors = n_vectors
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.optimizer = optimizer
        self.filters = filters
        self.kernel_size = kernel_size
        self.activation = activation
        self.dropout = dropout
        self.l1 = l1
        self.l2 = l2
        self.standardize = standardize
        self.class_weight = class_weight
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, copy_of=None):
        """Train the head.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_features)
            Rows of a :class:`SpeechEmbeddingTransformer`, or others.
        y : array-like of shape (n_clips,)
            Labels of any type, of two classes or more.
        sample_weight : array-like of shape (n_clips,) or None, default=None
            Weights of the rows; rows of weight 0 are left out.
        copy_of : array-like of shape (n_clips,) or None, default=None
            The clip that each row is a copy of, a value of any type: rows of equal value are variations of one clip.
            An epoch then takes one row of each clip, drawn anew, so that copies make rows more various and not
            epochs longer, and early stopping holds out clips with all their copies. :class:`AugmentedClassifier`
            passes it on. None means that each row is a clip of its own.

        Returns
        -------
        self : KeywordHeadClassifier
            The fitted classifier.

        Raises
        ------
        ValueError
            If there is but one class, a row cannot be parted into `n_vectors`, copies of a clip differ in their
            labels, or the loss does not stay finite.
        """
        again = self.warm_start and hasattr(self, "weights_")
        data = X, rows, y, sample_weight = self._check_rows(X, y, sample_weight, reset=not again)
        classes = np.unique(y)
        if len(classes) < 2:
            raise ValueError(
                f"KeywordHeadClassifier needs rows of at least two classes, got {len(classes)} class: "
                f"{classes.tolist()}; add recordings of another word, or of none."
            )
        if again and not np.array_equal(classes, self.classes_):
            raise ValueError(
                f"warm_start=True needs the classes of the previous fit, {self.classes_.tolist()}, got "
                f"{classes.tolist()}; use a new classifier for others."
            )
        if not again:
            self.classes_ = classes
            self._start(X, rows, sample_weight)
        clip_of = np.arange(len(rows)) if copy_of is None else first_copies(copy_of, X, rows, y)
        self._train(*data, clip_of, epochs=self.epochs, schedule=self.schedule, hold_out=self.early_stopping)
        if not self.warm_start:
            self._optimizer_state = None
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Train for one epoch over these rows, at the constant learning rate, going on from earlier calls.

        The dimensions are standardised by the rows of the first call, which therefore should be typical.

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
        self : KeywordHeadClassifier
            The classifier.
        """
        if self.class_weight == "balanced":
            raise ValueError(
                'class_weight="balanced" needs all rows at once and does not go with partial_fit; pass sample_weight, '
                "or class_weight as a dict."
            )
        first = not hasattr(self, "weights_")
        data = X, rows, y, sample_weight = self._check_rows(X, y, sample_weight, reset=first)
        _check_partial_fit_first_call(self, classes)
        unknown = np.setdiff1d(y, self.classes_)
        if len(unknown):
            raise ValueError(
                f"y holds {unknown.tolist()}, which are not among the classes {self.classes_.tolist()}; name all "
                "classes in the first call."
            )
        if first:
            self._start(X, rows, sample_weight)
        self._train(*data, np.arange(len(rows)), epochs=1, schedule="constant", hold_out=False)
        return self

    def predict_proba(self, X):
        """Probabilities of the classes.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_features)
            Rows as in `fit`.

        Returns
        -------
        probabilities : ndarray of shape (n_clips, n_classes)
            In the order of `classes_`; each row sums to 1.
        """
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=(np.float64, np.float32))
        network = self._network()
        if [weight.shape for weight in self.weights_] != network.weight_shapes():
            raise ValueError(
                "The trained weights do not fit the network: its parameters were changed after fit, or another version "
                "of skkws trained it. Fit again."
            )
        return network.probabilities(self.weights_, self._clips(X), np.arange(len(X)))

    def predict(self, X):
        """Most probable label of each row.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_features)
            Rows as in `fit`.

        Returns
        -------
        labels : ndarray of shape (n_clips,)
            Labels out of `classes_`.
        """
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]

    @property
    def model_(self):
        """The trained network as a ``keras.Model``."""
        from skkws.networks import keyword_head

        check_is_fitted(self)
        model = keyword_head(**asdict(self._network()))
        model.set_weights(self.weights_)
        return model

    def _check_rows(self, X, y, sample_weight, reset):
        """Return valid X, the indices of its rows that weigh something, and their labels and weights."""
        X, y = validate_data(self, X, y, reset=reset, dtype=(np.float64, np.float32))
        check_classification_targets(y)
        if self.n_vectors is not None and X.shape[1] % self.n_vectors:
            raise ValueError(
                f"n_vectors={self.n_vectors} does not part rows of {X.shape[1]} columns evenly; set it to the first "
                "number of the transformer's output_shape_."
            )
        sample_weight = _check_sample_weight(sample_weight, X, dtype=X.dtype, ensure_non_negative=True)
        rows = np.flatnonzero(sample_weight > 0)
        return X, rows, y[rows], sample_weight[rows]

    def _start(self, X, rows, sample_weight):
        """Fix shape, scale and initial weights."""
        n_vectors = self.n_vectors or (X.shape[1] // N_DIMS if X.shape[1] % N_DIMS == 0 else 1)
        self._shape = (n_vectors, X.shape[1] // n_vectors)
        self._dtype = X.dtype.name
        self.scaler_ = None
        if self.standardize:
            self.scaler_ = StandardScaler()
            for i in range(0, len(rows), _ROWS_SCALED):
                some = slice(i, i + _ROWS_SCALED)
                dimensions = X[rows[some]].reshape(-1, self._shape[1])
                self.scaler_.partial_fit(dimensions, sample_weight=np.repeat(sample_weight[some], n_vectors))
        self._random_state = check_random_state(self.random_state)
        self.weights_ = self._network().initial_weights(self._random_state)
        self._optimizer_state = None
        self.history_, self.n_iter_ = {}, 0

    def _network(self):
        names = ("filters", "kernel_size", "activation", "dropout", "l1", "l2")
        settings = {name: getattr(self, name) for name in names}
        return HeadNetwork(*self._shape, len(self.classes_), **settings, dtype=self._dtype)

    def _clips(self, X):
        if self.scaler_ is None:
            return Clips(X)
        mean, scale = (
            np.tile(v, self._shape[0]).astype(self._dtype) for v in (self.scaler_.mean_, self.scaler_.scale_)
        )
        return Clips(X, mean, scale)

    def _train(self, X, rows, y, sample_weight, clip_of, *, epochs, schedule, hold_out):
        weight = sample_weight * compute_sample_weight(self.class_weight, y).astype(sample_weight.dtype)
        data, held_out = (rows, np.searchsorted(self.classes_, y), weight.astype(self._dtype)), None
        if hold_out:
            kept = self._hold_out(clip_of, data[1])
            held_out = [array[~kept] for array in data]
            data, clip_of = [array[kept] for array in data], clip_of[kept]
        clips = Copies(clip_of)
        # The fewest batches of at most `batch_size` rows, all of nearly the same size.
        edges = np.linspace(0, len(clips), -(-len(clips) // self.batch_size) + 1).astype(int)
        size = np.diff(edges).max()
        seed = self._random_state.randint(2**31 - 1)
        dropout, choice = np.random.RandomState(seed), np.random.default_rng(seed)
        start = self.weights_, self.optimizer, self._optimizer_state
        training = HeadTraining(self._network(), *start, self._clips(X), data, size, dropout)
        best_loss, best_weights, waited = np.inf, None, 0
        with progress("Training", epochs, verbose=self.verbose == 1) as advance:
            for epoch in range(epochs):
                rate = self.learning_rate
                if schedule == "cosine":
                    rate *= 0.5 * (1.0 + np.cos(np.pi * epoch / epochs))
                order = clips.draw(self._random_state.permutation(len(clips)), choice)
                scores = dict(zip(("loss", "accuracy"), training.train_epoch(order, edges, rate), strict=True))
                if held_out:
                    scores |= zip(("val_loss", "val_accuracy"), training.evaluate(*held_out), strict=True)
                self._record(scores, advance)
                if held_out:
                    waited += 1
                    if scores["val_loss"] < best_loss:
                        best_loss, best_weights, waited = scores["val_loss"], training.weights, 0
                    if waited == self.patience:
                        break
        self.weights_ = best_weights or training.weights
        self._optimizer_state = training.optimizer_state

    def _record(self, scores, advance):
        """Keep and show the scores of an epoch."""
        self.n_iter_ += 1
        for name, value in scores.items():
            self.history_.setdefault(name, []).append(value)
        text = "  ".join(f"{name} {value:.4f}" for name, value in scores.items())
        advance(text)
        if self.verbose > 1:
            print(f"epoch {self.n_iter_}: {text}", file=sys.stderr)
        if not np.isfinite(scores["loss"]):
            raise ValueError(
                f"The loss became {scores['loss']} in epoch {self.n_iter_}; lower learning_rate={self.learning_rate}, "
                "or bring X into the range of a few units (standardize=True)."
            )

    def _hold_out(self, clip_of, labels):
        """Return which rows to train on; the others, all copies of some clips, are for validation."""
        clips, first = np.unique(clip_of, return_index=True)
        counts = np.bincount(labels[first], minlength=len(self.classes_))
        n_held_out = int(np.ceil(self.validation_fraction * len(clips)))
        if counts.min() < 2 or n_held_out < len(counts) or len(clips) - n_held_out < len(counts):
            raise ValueError(
                f"early_stopping=True holds out {n_held_out} of {len(clips)} clips, and each of {len(counts)} classes "
                "needs a clip on both sides; add clips, change validation_fraction, or set early_stopping=False."
            )
        seed = self._random_state.randint(2**31 - 1)
        trained, _ = train_test_split(clips, test_size=n_held_out, stratify=labels[first], random_state=seed)
        return np.isin(clip_of, trained)
