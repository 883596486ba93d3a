"""A classifier whose answer a second one looks at again."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context, clone
from sklearn.utils import get_tags
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from skkws._engine.rows import validate_rows
from skkws._runtime.fit_params import fit_last, weights_for

_CLASSIFIER = HasMethods(["fit", "predict_proba"])


class RescoringClassifier(ClassifierMixin, BaseEstimator):
    """Let a second classifier, trained on some of the rows, choose among the classes that it knows.

    Made for a few recordings of people beside much synthesized speech: the first classifier learns from all rows, the
    second from the recordings alone, and the product of both probabilities names the keyword. How likely it is that
    it is one of these keywords at all, and not some other word, is left to the first.

    Parameters
    ----------
    estimator : classifier
        The first, with `predict_proba`.
    rescorer : classifier
        The second, with `predict_proba`. With fewer than two classes to choose from it is left out.

    Attributes
    ----------
    estimator_ : classifier
        The fitted clone of `estimator`.
    rescorer_ : classifier or None
        The fitted clone of `rescorer`, if there was something for it to learn.
    classes_ : ndarray of shape (n_classes,)
        The labels that are predicted: those of `estimator_`.
    n_features_in_ : int
        Columns of a row.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where `X` has names. The classifiers get arrays without names.

    See Also
    --------
    train_keyword_spotter : Trains one on typed words and recordings.

    Notes
    -----
    The product of probabilities is the rule for classifiers that see different sides of a row (Kittler, Hatef, Duin
    and Matas 1998, "On combining classifiers"). It is scaled so that the most probable of the second's classes is as
    probable as the most probable of them was to the first, which leaves every decision against the other classes as
    it was.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skkws import PrototypeClassifier, RescoringClassifier
    >>> X = [[2.0, 0.1], [2.1, -0.1], [0.1, 2.0], [-0.1, 2.1], [-2.0, -2.0], [-2.1, -1.9], [0.9, 1.2], [-0.9, 1.2]]
    >>> y = ["yes", "yes", "no", "no", "maybe", "maybe", "yes", "no"]
    >>> recorded = [False, False, False, False, False, False, True, True]
    >>> classifier = RescoringClassifier(PrototypeClassifier(keywords=["yes", "no"]), LogisticRegression(C=100.0))
    >>> classifier = classifier.fit(X, y, rescored=recorded)
    >>> classifier.estimator_.predict([[0.7, 1.3]])
    array(['no'], dtype='<U9')
    >>> classifier.predict([[0.7, 1.3], [-3.0, -3.0]])
    array(['yes', '_unknown_'], dtype='<U9')
    """

    _parameter_constraints = {"estimator": [_CLASSIFIER], "rescorer": [_CLASSIFIER]}

    def __init__(self, estimator, rescorer):
        self.estimator = estimator
        self.rescorer = rescorer

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, sample_weight=None, rescored=None):
        """Fit the first classifier on all rows and the second on some.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Rows, for both.
        y : array-like of shape (n_rows,)
            Labels.
        sample_weight : array-like of shape (n_rows,) or None, default=None
            Weights of the rows, for both.
        rescored : array-like of bool of shape (n_rows,) or None, default=None
            Rows that the second learns from, of those with a label in `classes_`. None means all of these.

        Returns
        -------
        self : RescoringClassifier

        Raises
        ------
        ValueError
            If `rescored` does not hold one bool for each row.
        """
        X, y = validate_rows(self, X, y, dtype="numeric")
        check_classification_targets(y)
        rescored = np.ones(len(y), dtype=bool) if rescored is None else np.asarray(rescored)
        if rescored.shape != y.shape or rescored.dtype != bool:
            raise ValueError(
                f"rescored must hold one bool for each of the {len(y)} rows, got an array of {rescored.dtype} of shape "
                f"{rescored.shape}. Pass one such as is_recording == True."
            )
        first, second = clone(self.estimator), clone(self.rescorer)
        self.estimator_ = fit_last(first, X, y, **weights_for(first, sample_weight, X, slice(None)))
        self.classes_ = self.estimator_.classes_
        rows = np.flatnonzero(rescored & np.isin(y, self.classes_))
        chosen_from = len(np.unique(y[rows]))
        weights = weights_for(second, sample_weight, X, rows)
        self.rescorer_ = fit_last(second, X[rows], y[rows], **weights) if chosen_from > 1 else None
        return self

    def predict_proba(self, X):
        """Give the probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        probabilities : ndarray of shape (n_rows, n_classes)
            In the order of `classes_`.
        """
        check_is_fitted(self)
        X = validate_rows(self, X, reset=False, dtype="numeric")
        probabilities = self.estimator_.predict_proba(X)
        if self.rescorer_ is None:
            return probabilities
        known = np.searchsorted(self.classes_, self.rescorer_.classes_)
        first = probabilities[:, known]
        product = first * self.rescorer_.predict_proba(X)
        best = product.max(axis=1, keepdims=True)
        # Where the two exclude each other's classes, the first is right.
        scaled = first.max(axis=1, keepdims=True) * product / np.where(best > 0, best, 1)
        probabilities[:, known] = np.where(best > 0, scaled, first)
        return probabilities / probabilities.sum(axis=1, keepdims=True)

    def predict(self, X):
        """Name the class of each row.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        labels : ndarray of shape (n_rows,)
        """
        best = self.predict_proba(X).argmax(axis=1)
        return self.classes_[best]

    def __sklearn_tags__(self):
        tags = get_tags(self.estimator)
        tags.requires_fit = True
        tags.input_tags.sparse = tags.input_tags.allow_nan = tags.array_api_support = False
        return tags
