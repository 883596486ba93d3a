"""A classifier that compares rows with one prototype a word, and with words that it should let pass."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.utils._param_validation import Interval
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from skkws._engine.rows import validate_rows

# Cosines to log-probabilities: softmax(20 * cosine).
_SHARPNESS = 20.0


class PrototypeClassifier(ClassifierMixin, BaseEstimator):
    """Recognise words by the cosine to their mean, where the spread within words counts little.

    Made for speech that is not that of the people to be heard, such as synthesized speech, and for few examples: it
    has so little freedom that it cannot learn the voices by heart. Rows are whitened by the covariance within words
    (within-class covariance normalisation), so that differences between voices, rooms and engines count little; a word
    is the mean of its rows, and the score of a row is the cosine to it.

    With `keywords` it knows words to let pass as well: every other label is one of them and is predicted as
    `other_label`. A row is a keyword only if its cosine stands out from those to the nearest of the other words, its
    cohort: by more than `threshold` of their standard deviations above their mean. In noise or from an unknown
    microphone all cosines fall together, and such a threshold still holds where one on the cosine itself would not.

    Parameters
    ----------
    keywords : list of labels or None, default=None
        Labels to tell apart, of those in `y`; all others are words to let pass. None takes every label as a keyword.
    other_label : str or int, default="_unknown_"
        What is predicted for rows that are no keyword; of the type that the labels have.
    threshold : float, default=0.5
        How far the cosine to a keyword has to stand out, in standard deviations of the cohort's cosines. Higher lets
        more pass: fewer false alarms and more misses.
    cohort : float, default=0.17
        Share of the other words, the nearest to a row, that are its cohort; one word at least.
    shrinkage : float, default=0.6
        How far the covariance within words is shrunk to a multiple of the identity, from 0 to 1.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels that are predicted: the keywords, and `other_label` where there are other words.
    words_ : ndarray of shape (n_words,)
        All labels seen in `fit`.
    prototypes_ : ndarray of shape (n_words, n_features)
        Their means, whitened and of length 1.
    mean_ : ndarray of shape (n_features,)
        The mean of the words' means.
    whitening_ : ndarray of shape (n_features, n_features)
        What whitened rows are multiplied by.
    n_features_in_ : int
        Columns of a row.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where `X` has names.

    See Also
    --------
    make_keyword_pipeline : A pipeline from sound to keywords with this classifier.
    KeywordHeadClassifier : The one to take with many recordings of people.

    Notes
    -----
    The parts come from the recognition of speakers: the normalisation within classes from Hatch, Kajarekar and Stolcke
    (2006), "Within-class covariance normalization for SVM-based speaker recognition", the cosine from Dehak et al.
    (2011), "Front-end factor analysis for speaker verification", and the cohort of the nearest from Matejka et al.
    (2017), "Analysis of score normalization in multilingual speaker recognition". Probabilities are those of a softmax
    over 20 times the scores; they rank rows well but are not calibrated.

    With a total weight of ``r`` for the synthesized rows of a word and of 1 for each recording, the mean is that of
    maximum a posteriori adaptation with relevance factor ``r`` (Reynolds, Quatieri and Dunn 2000).

    Examples
    --------
    >>> from skkws import PrototypeClassifier
    >>> X = [[2.0, 0.1], [2.1, -0.1], [0.1, 2.0], [-0.1, 2.1], [-2.0, -2.0], [-2.1, -1.9]]
    >>> y = ["yes", "yes", "no", "no", "maybe", "maybe"]
    >>> classifier = PrototypeClassifier(keywords=["yes", "no"]).fit(X, y)
    >>> classifier.predict([[3.0, 0.0], [-3.0, -3.0]])
    array(['yes', '_unknown_'], dtype='<U9')
    """

    _parameter_constraints = {
        "keywords": ["array-like", None],
        "other_label": [str, Integral],
        "threshold": [Interval(Real, None, None, closed="neither")],
        "cohort": [Interval(Real, 0, 1, closed="right")],
        "shrinkage": [Interval(Real, 0, 1, closed="both")],
    }

    def __init__(self, keywords=None, *, other_label="_unknown_", threshold=0.5, cohort=0.17, shrinkage=0.6):
        self.keywords = keywords
        self.other_label = other_label
        self.threshold = threshold
        self.cohort = cohort
        self.shrinkage = shrinkage

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Find the prototypes.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Rows, best with columns of equal scale.
        y : array-like of shape (n_rows,)
            The word of each.
        sample_weight : array-like of shape (n_rows,), default=None
            Weight of each row in the mean of its word and in the spread around it; every word counts the same in all.

        Returns
        -------
        self : PrototypeClassifier

        Raises
        ------
        ValueError
            If rows are not finite, there are fewer than two words, or a keyword has no rows or no weight.
        """
        X, y = validate_rows(self, X, y, dtype=[np.float64, np.float32])
        check_classification_targets(y)
        weight = _check_sample_weight(sample_weight, X, dtype=X.dtype, ensure_non_negative=True)
        heard = weight > 0
        self.words_, word_of = np.unique(y[heard], return_inverse=True)
        if len(self.words_) < 2:
            raise ValueError(
                f"PrototypeClassifier needs rows of two classes at least, got one class: {self.words_.tolist()}. "
                "Add rows of another word."
            )
        self._is_keyword = self._find_keywords()
        labels = self.words_[self._is_keyword].tolist()
        self.classes_ = self.words_ if self._is_keyword.all() else np.unique([*labels, self.other_label])

        X, weight = X[heard], weight[heard]
        share = weight / np.bincount(word_of, weights=weight)[word_of]
        means = np.zeros((len(self.words_), X.shape[1]), dtype=X.dtype)
        np.add.at(means, word_of, X * share[:, None])
        within = (X - means[word_of]) * np.sqrt(share / len(self.words_))[:, None]
        self.whitening_ = _whitening(within.T @ within, self.shrinkage)
        self.mean_ = means.mean(axis=0)
        self.prototypes_ = _unit((means - self.mean_) @ self.whitening_)
        return self

    def decision_function(self, X):
        """Score each class: the cosine to a keyword, and what it has to exceed for `other_label`.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        scores : ndarray of shape (n_rows, n_classes) or (n_rows,)
            In the order of `classes_`; for two classes the second's less the first's.
        """
        scores = self._scores(X)
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    def predict_proba(self, X):
        """Give the probability of each class, not calibrated.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        probabilities : ndarray of shape (n_rows, n_classes)
            In the order of `classes_`.
        """
        scores = _SHARPNESS * self._scores(X)
        exponentials = np.exp(scores - scores.max(axis=1, keepdims=True))
        return exponentials / exponentials.sum(axis=1, keepdims=True)

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
        scores = self._scores(X)
        return self.classes_[scores.argmax(axis=1)]

    def _scores(self, X):
        check_is_fitted(self)
        X = validate_rows(self, X, reset=False, dtype=[np.float64, np.float32])
        cosines = _unit((X - self.mean_) @ self.whitening_) @ self.prototypes_.T
        if self._is_keyword.all():
            return cosines
        n_cohort = max(1, round(self.cohort * (~self._is_keyword).sum()))
        cohort = np.sort(cosines[:, ~self._is_keyword], axis=1)[:, -n_cohort:]
        scores = np.empty((len(X), len(self.classes_)), dtype=cosines.dtype)
        is_other = self.classes_ == self.other_label
        scores[:, is_other] = (cohort.mean(axis=1) + self.threshold * cohort.std(axis=1))[:, None]
        scores[:, ~is_other] = cosines[:, self._is_keyword]
        return scores

    def _find_keywords(self):
        """Tell which of the words are keywords."""
        if self.keywords is None:
            return np.ones(len(self.words_), dtype=bool)
        keywords = np.asarray(self.keywords)
        missing = [word for word in keywords.tolist() if word not in self.words_.tolist()]
        if not len(keywords) or missing:
            raise ValueError(
                f"keywords must be labels in y, with a weight above 0, got {keywords.tolist()} of which "
                f"{missing or 'none'} have no rows. Add rows of them, or name others."
            )
        if self.other_label in keywords:
            raise ValueError(f"keywords must not hold other_label, {self.other_label!r}. Name one of them otherwise.")
        if isinstance(self.other_label, str) != isinstance(self.words_.tolist()[0], str):
            raise ValueError(
                f"other_label must be of the type of the labels, got {self.other_label!r} beside "
                f"{self.words_.tolist()[0]!r}. Pass a label that is not in y, such as other_label=-1 for integers."
            )
        return np.isin(self.words_, keywords)


def _whitening(covariance, shrinkage):
    """Return what rows are multiplied by to have this covariance, shrunk, removed."""
    identity = np.eye(len(covariance), dtype=covariance.dtype)
    variance = np.trace(covariance) / len(covariance)
    if not variance > 0:
        return identity  # one row a word: nothing is known of the spread
    covariance = (1 - shrinkage) * covariance + shrinkage * variance * identity
    values, vectors = np.linalg.eigh(covariance)
    # Directions without spread, where nothing is shrunk, would be divided by zero.
    return vectors / np.sqrt(np.maximum(values, 1e-6 * variance))


def _unit(rows):
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.maximum(lengths, np.finfo(rows.dtype).tiny)
