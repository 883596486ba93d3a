"""What classifiers that are trained networks share: rows, classes, epochs, validation."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.model_selection import train_test_split
from sklearn.utils import check_consistent_length, check_random_state, column_or_1d, compute_sample_weight
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import _check_partial_fit_first_call, check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from skkws._engine.copies import LabelledRows, first_copies
from skkws._engine.frame_rows import band_scaler
from skkws._engine.head_network import Clips
from skkws._engine.rows import validate_rows
from skkws._engine.training import Schedule
from skkws.classifiers._trainer import Trainer

_OPTIMIZERS = {"adam", "adamw", "nadam", "rmsprop", "sgd"}


class NetworkClassifier(ClassifierMixin, BaseEstimator):
    """A classifier that is a network on rows.

    A subclass says what the shape of a row is, `_row_shape`, and which network it is, `_network`: a
    :class:`skkws._engine.training.Network`.
    """

    _parameter_constraints = {
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "schedule": [StrOptions({"cosine", "constant"})],
        "optimizer": [StrOptions(_OPTIMIZERS)],
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
    # With metadata routing on, speakers that a search gets for its folds are taken for early stopping too.
    __metadata_request__fit = {"groups": True}

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, copy_of=None, groups=None):
        """Train the network.

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
        groups : array-like of shape (n_clips,) or None, default=None
            The speaker of each row: what is held out for validation is then of other speakers. None holds out rows of
            each class at random.

        Returns
        -------
        self : estimator
            The fitted classifier.

        Raises
        ------
        ValueError
            If there is but one class, it is not clear what the frames of a row are, copies of a clip differ in their
            labels, or the loss does not stay finite.
        """
        again = self.warm_start and hasattr(self, "weights_")
        X, rows, y, sample_weight = self._check_rows(X, y, sample_weight, reset=not again)
        classes = np.unique(y)
        if len(classes) < 2:
            raise ValueError(
                f"{type(self).__name__} needs rows of at least two classes, got {len(classes)} class: "
                f"{classes.tolist()}; add recordings of another word, or of none."
            )
        if again and not np.array_equal(classes, self.classes_):
            raise ValueError(
                f"warm_start=True needs the classes of the previous fit, {self.classes_.tolist()}, got "
                f"{classes.tolist()}; use a new classifier for others."
            )
        if not again:
            self.classes_ = classes
            self._start(X, rows, y, sample_weight)
        clip_of = np.arange(len(rows)) if copy_of is None else first_copies(copy_of, X, rows, y)
        if groups is not None:
            check_consistent_length(X, groups)
            groups = column_or_1d(groups)[rows]
        data = self._labelled(rows, y, sample_weight, clip_of)
        kept = self._hold_out(data, groups) if self.early_stopping else None
        schedule = Schedule(self.epochs, self.learning_rate, self.schedule)
        self._train(X, data, sample_weight, schedule, kept, groups)
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
        self : estimator
            The classifier.
        """
        if self.class_weight == "balanced":
            raise ValueError(
                'class_weight="balanced" needs all rows at once and does not go with partial_fit; pass sample_weight, '
                "or class_weight as a dict."
            )
        first = not hasattr(self, "weights_")
        X, rows, y, sample_weight = self._check_rows(X, y, sample_weight, reset=first)
        _check_partial_fit_first_call(self, classes)
        unknown = np.setdiff1d(y, self.classes_)
        if len(unknown):
            raise ValueError(
                f"y holds {unknown.tolist()}, which are not among the classes {self.classes_.tolist()}; name all "
                "classes in the first call."
            )
        if first:
            self._start(X, rows, y, sample_weight)
        data = self._labelled(rows, y, sample_weight, np.arange(len(rows)))
        self._train(X, data, sample_weight, Schedule(1, self.learning_rate, "constant", ends=False))
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
        X = validate_rows(self, X, reset=False, dtype=(np.float64, np.float32))
        return self._network().probabilities(self.weights_, self._clips(X), np.arange(len(X)))

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

    def _check_rows(self, X, y, sample_weight, reset):
        """Return valid X, the indices of its rows that weigh something, and their labels and weights."""
        X, y = validate_rows(self, X, y, reset=reset, dtype=(np.float64, np.float32))
        check_classification_targets(y)
        sample_weight = _check_sample_weight(sample_weight, X, dtype=X.dtype, ensure_non_negative=True)
        rows = np.flatnonzero(sample_weight > 0)
        return X, rows, y[rows], sample_weight[rows]

    def _start(self, X, rows, y, sample_weight):
        """Fix shape, scale and initial weights."""
        self.input_shape_ = self._row_shape(X.shape[1])
        self._dtype = X.dtype.name
        self.scaler_ = self._scaler(X, rows, sample_weight) if self.standardize else None
        self._random_state = check_random_state(self.random_state)
        self.weights_ = self._network().initial_weights(self._random_state)
        self._optimizer_state = None
        self.history_, self.n_iter_ = {}, 0

    def _scaler(self, X, rows, sample_weight):
        """Fit a scaler of the bands of these rows."""
        return band_scaler(X, self.input_shape_, rows, sample_weight)

    def _clips(self, X):
        if self.scaler_ is None:
            return Clips(X)
        mean, scale = (
            np.tile(v, self.input_shape_[0]).astype(self._dtype) for v in (self.scaler_.mean_, self.scaler_.scale_)
        )
        return Clips(X, mean, scale)

    def _labelled(self, rows, y, sample_weight, clip_of):
        """Rows to train on, with the index of the class of each and its weight."""
        weight = sample_weight * compute_sample_weight(self.class_weight, y)
        return LabelledRows(rows, np.searchsorted(self.classes_, y), weight.astype(self._dtype), clip_of)

    def _train(self, X, data, sample_weight, schedule, kept=None, groups=None):
        """Train on these rows, or on those that are kept, and validate on the others."""
        trainer = self._trainer()
        self.weights_ = trainer.train(self._network(), self.weights_, self._clips(X), data, schedule, kept)
        self._take_from(trainer)

    def _trainer(self):
        return Trainer(
            optimizer=self.optimizer,
            batch_size=self.batch_size,
            patience=self.patience,
            verbose=self.verbose,
            random_state=self._random_state,
            history=self.history_,
            optimizer_state=self._optimizer_state,
            callbacks=self._callbacks,
        )

    def _take_from(self, trainer):
        self._optimizer_state = trainer.optimizer_state
        self.n_iter_ = len(self.history_["loss"])

    def _callbacks(self, run, network, schedule, clips, data):
        """Callbacks of a training."""
        return []

    def _hold_out(self, data, groups):
        """Return which rows to train on; the others, all copies of some clips, are for validation."""
        clips, first = np.unique(data.clip_of, return_index=True)
        labels = data.labels[first]
        n_classes, n_held_out = len(self.classes_), int(np.ceil(self.validation_fraction * len(clips)))
        seed = self._random_state.randint(2**31 - 1)
        counts = np.bincount(labels, minlength=n_classes)
        trained = []
        if groups is not None:
            trained = _trained_on(labels, groups[first], n_classes, n_held_out, np.random.RandomState(seed))
        elif counts.min() > 1 and n_classes <= n_held_out <= len(clips) - n_classes:
            every = np.arange(len(clips))
            trained, _ = train_test_split(every, test_size=n_held_out, stratify=labels, random_state=seed)
        n_trained = np.bincount(labels[trained], minlength=n_classes)
        if not ((n_trained > 0) & (n_trained < counts)).all():
            raise ValueError(
                f"early_stopping=True holds out {n_held_out} of {len(clips)} clips, and each of {n_classes} classes "
                "needs a clip on both sides, and with groups a speaker; add clips, change validation_fraction, or set "
                "early_stopping=False."
            )
        return np.isin(data.clip_of, clips[trained])


def _trained_on(labels, groups, n_classes, n_held_out, rng):
    """Hold out groups until each class is held out, and as many rows; return the other rows.

    Parameters
    ----------
    labels, groups : ndarray of shape (n_rows,)
        Class, from 0 up, and group of each row.
    n_classes : int
        How many classes there are.
    n_held_out : int
        How many rows to hold out; more where groups are large or classes many.
    rng : RandomState instance
        Draws the groups.

    Returns
    -------
    trained : ndarray of int
        No group is held out without which a class would be missing here; one that is said by one group alone is not
        held out.
    """
    names, group_of = np.unique(groups, return_inverse=True)
    counts = np.zeros((len(names), n_classes), dtype=int)  # of the rows of each group and class
    np.add.at(counts, (group_of, labels), 1)
    kept = np.ones(len(names), dtype=bool)
    left = counts.sum(axis=0)
    held_out = np.zeros_like(left)
    for group in rng.permutation(len(names)):
        wanted = held_out.sum() < n_held_out or counts[group, held_out == 0].any()
        if wanted and (left > counts[group]).all():
            kept[group] = False
            left, held_out = left - counts[group], held_out + counts[group]
    return np.flatnonzero(kept[group_of])
