"""What classifiers that are trained networks share: rows, classes, epochs, validation."""

import sys
from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.model_selection import StratifiedGroupKFold, train_test_split
from sklearn.utils import check_consistent_length, check_random_state, column_or_1d, compute_sample_weight
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import _check_partial_fit_first_call, check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from skkws._engine.callbacks import Companions
from skkws._engine.copies import Copies, first_copies
from skkws._engine.frame_rows import band_scaler
from skkws._engine.head_network import Clips
from skkws._runtime.progress import progress

_OPTIMIZERS = {"adam", "adamw", "nadam", "rmsprop", "sgd"}


@dataclass
class Run:
    """A training under way: all that it would need to go on elsewhere."""

    training: object
    random_state: np.random.RandomState
    choice: np.random.Generator
    history: dict
    epoch: int = 0
    best_loss: float = np.inf
    best_weights: list | None = None
    waited: int = 0
    stopped: bool = False

    def judge(self, scores, patience):
        """Count the epoch, keep the best weights, and see whether it is time to stop."""
        self.epoch += 1
        if "val_loss" not in scores:
            return
        self.waited += 1
        if scores["val_loss"] < self.best_loss:
            self.best_loss, self.best_weights, self.waited = scores["val_loss"], self.training.weights, 0
        self.stopped = self.waited == patience

    def state(self):
        """Return all of it as arrays, and numbers that JSON can hold."""
        arrays, numbers = self.training.state()
        names = ("history", "epoch", "best_loss", "waited", "stopped")
        numbers |= {name: getattr(self, name) for name in names}
        drawn = self.random_state.get_state(legacy=False)
        drawn["state"] = {name: np.asarray(value).tolist() for name, value in drawn["state"].items()}
        numbers |= {"random_state": drawn, "choice": self.choice.bit_generator.state}
        return arrays | {f"best_{i}": weight for i, weight in enumerate(self.best_weights or [])}, numbers

    def restore(self, arrays, numbers):
        """Go on from such a state."""
        self.training.restore(arrays, numbers)
        self.history.update(numbers["history"])
        self.random_state.set_state(numbers["random_state"])
        self.choice.bit_generator.state = numbers["choice"]
        for name in ("epoch", "best_loss", "waited", "stopped"):
            setattr(self, name, numbers[name])
        n_best = sum(name.startswith("best_") for name in arrays)
        self.best_weights = [arrays[f"best_{i}"] for i in range(n_best)] or None


class NetworkClassifier(ClassifierMixin, BaseEstimator):
    """A classifier that is a network on rows.

    A subclass says what the shape of a row is, `_row_shape`, and which network it is, `_network`: an object with
    `initial_weights`, `weight_shapes`, `probabilities` and `training`.
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
        data = X, rows, y, sample_weight = self._check_rows(X, y, sample_weight, reset=not again)
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
        kept = self._hold_out(clip_of, y, groups) if self.early_stopping else None
        how = {"epochs": self.epochs, "schedule": self.schedule, "kept": kept, "groups": groups}
        self._train(*data, clip_of, **how)
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
        data = X, rows, y, sample_weight = self._check_rows(X, y, sample_weight, reset=first)
        _check_partial_fit_first_call(self, classes)
        unknown = np.setdiff1d(y, self.classes_)
        if len(unknown):
            raise ValueError(
                f"y holds {unknown.tolist()}, which are not among the classes {self.classes_.tolist()}; name all "
                "classes in the first call."
            )
        if first:
            self._start(X, rows, y, sample_weight)
        self._train(*data, np.arange(len(rows)), epochs=1, schedule="constant")
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

    def _check_rows(self, X, y, sample_weight, reset):
        """Return valid X, the indices of its rows that weigh something, and their labels and weights."""
        X, y = validate_data(self, X, y, reset=reset, dtype=(np.float64, np.float32))
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

    def _train(self, X, rows, y, sample_weight, clip_of, *, epochs, schedule, kept=None, groups=None):
        """Train for some epochs on these rows, or on those that are kept, and validate on the others."""
        data = self._data(rows, y, sample_weight)
        how = {"epochs": epochs, "schedule": schedule, "kept": kept}
        self.weights_ = self._learn(self._network(), self.weights_, self._clips(X), data, clip_of, **how)

    def _data(self, rows, y, sample_weight):
        """Rows, the index of the class of each, and its weight."""
        weight = sample_weight * compute_sample_weight(self.class_weight, y)
        return rows, np.searchsorted(self.classes_, y), weight.astype(self._dtype)

    def _learn(self, network, weights, clips, data, clip_of, *, epochs, schedule, kept=None, learning_rate=None):
        """Train a network that begins with these weights; return the weights that it ends with."""
        learning_rate = learning_rate or self.learning_rate
        learnt, held_out = data, None
        if kept is not None:
            held_out = [array[~kept] for array in data]
            learnt, clip_of = [array[kept] for array in data], clip_of[kept]
        copies = Copies(clip_of)
        # The fewest batches of at most `batch_size` rows, all of nearly the same size.
        edges = np.linspace(0, len(copies), -(-len(copies) // self.batch_size) + 1).astype(int)
        seed = self._random_state.randint(2**31 - 1)
        start = weights, self.optimizer, self._optimizer_state
        training = network.training(*start, clips, learnt, np.diff(edges).max(), np.random.RandomState(seed))
        run = Run(training, self._random_state, np.random.default_rng(seed), self.history_)
        with (
            self._accompanied(run, network, epochs, clips, data, clip_of) as companion,
            progress("Training", epochs, verbose=self.verbose == 1) as bar,
        ):
            bar(steps=run.epoch)
            while run.epoch < epochs and not run.stopped:
                rate = learning_rate
                if schedule == "cosine":
                    rate *= 0.5 * (1.0 + np.cos(np.pi * run.epoch / epochs))
                order = copies.draw(run.random_state.permutation(len(copies)), run.choice)
                trained = training.train_epoch(order, edges, companion.rate(rate))
                scores = dict(zip(("loss", "accuracy"), trained, strict=True))
                if held_out:
                    scores |= zip(("val_loss", "val_accuracy"), training.evaluate(*held_out), strict=True)
                self._record(scores, learning_rate, bar)
                run.judge(scores, self.patience)
                companion.end_epoch(scores)
        self._optimizer_state = training.optimizer_state
        return run.best_weights or training.weights

    def _accompanied(self, run, network, epochs, *data):
        """Who else looks at each epoch."""
        return Companions([])

    def _record(self, scores, learning_rate, advance):
        """Keep and show the scores of an epoch."""
        for name, value in scores.items():
            self.history_.setdefault(name, []).append(value)
        self.n_iter_ = len(self.history_["loss"])
        text = "  ".join(f"{name} {value:.4f}" for name, value in scores.items())
        advance(text)
        if self.verbose > 1:
            print(f"epoch {self.n_iter_}: {text}", file=sys.stderr)
        if not np.isfinite(scores["loss"]):
            raise ValueError(
                f"The loss became {scores['loss']} in epoch {self.n_iter_}; lower the learning rate, {learning_rate}, "
                "or bring X into the range of a few units (standardize=True)."
            )

    def _hold_out(self, clip_of, y, groups):
        """Return which rows to train on; the others, all copies of some clips, are for validation."""
        clips, first = np.unique(clip_of, return_index=True)
        labels = np.searchsorted(self.classes_, y)[first]
        n_classes, n_held_out = len(self.classes_), int(np.ceil(self.validation_fraction * len(clips)))
        seed = self._random_state.randint(2**31 - 1)
        fits = np.bincount(labels, minlength=n_classes).min() > 1
        if groups is None:
            fits = fits and n_classes <= n_held_out <= len(clips) - n_classes
            how = {"test_size": n_held_out, "stratify": labels, "random_state": seed}
            trained = train_test_split(np.arange(len(clips)), **how)[0] if fits else []
        else:
            n_parts = min(max(2, round(1 / self.validation_fraction)), len(np.unique(groups[first])))
            fits = fits and n_parts > 1
            parts = StratifiedGroupKFold(max(2, n_parts), shuffle=True, random_state=seed)
            trained = next(parts.split(clips, labels, groups[first]))[0] if fits else []
        held_out = np.setdiff1d(np.arange(len(clips)), trained)
        if any(len(np.unique(labels[side])) < n_classes for side in (trained, held_out)):
            raise ValueError(
                f"early_stopping=True holds out {n_held_out} of {len(clips)} clips, and each of {n_classes} classes "
                "needs a clip on both sides, and with groups a speaker; add clips, change validation_fraction, or set "
                "early_stopping=False."
            )
        return np.isin(clip_of, clips[trained])
