"""A classifier that is trained on augmented copies."""

from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context, clone, is_classifier
from sklearn.ensemble._base import _set_random_states
from sklearn.utils import get_tags
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from skkws._engine.rows import validate_rows
from skkws._runtime.fit_params import fit_last, takes, weights_for
from skkws.augment._augmenter import AudioAugmenter


def _estimator_has(method):
    def check(self):
        return hasattr(getattr(self, "estimator_", None) or self.estimator, method)

    return check


class AugmentedClassifier(ClassifierMixin, BaseEstimator):
    """Train a classifier on augmented copies of its training rows, and predict rows as they are.

    A transformer must return as many rows as it gets, so a step of a `Pipeline` cannot add copies. A classifier that
    makes them within its own `fit` can, and because cross-validation hands `fit` the training rows alone, no copy of
    a test row is ever trained on, whatever the splitter.

    Parameters
    ----------
    estimator : classifier
        What is trained on the copies, most often a pipeline from waveform rows such as
        ``make_pipeline(SpeechEmbeddingTransformer(), KeywordHeadClassifier())``.
    augmenter : AudioAugmenter or None, default=None
        What makes the copies: anything with `fit_resample` that also sets `sample_indices_`. None means
        ``AudioAugmenter()``; pass one to search over ``augmenter__n_copies`` or ``augmenter__transforms``.
    random_state : int, RandomState instance or None, default=None
        Seeds the augmenter and every part of the estimator that has a `random_state`. None leaves theirs as they are.

    Attributes
    ----------
    estimator_ : classifier
        The fitted clone of `estimator`: all that prediction needs, and what to save.
    augmenter_ : AudioAugmenter
        The clone of `augmenter` that made the copies.
    classes_ : ndarray of shape (n_classes,)
        The labels.
    n_features_in_ : int
        Columns of a row.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where `X` has names. The estimator gets arrays without names.

    See Also
    --------
    AudioAugmenter : Makes the copies; also a sampler for the pipelines of imbalanced-learn.

    Notes
    -----
    Files must be loaded before: ``make_pipeline(AudioLoader(), AugmentedClassifier(...))``. A classifier whose `fit`
    takes `copy_of`, as that of :class:`KeywordHeadClassifier`, is told which rows are copies of one clip. Others see
    copies as rows like any, and one that splits its training rows (early stopping, a nested search) splits copies of
    a clip apart; leave that to the outside.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from skkws import AudioAugmenter, AugmentedClassifier, SpeechEmbeddingTransformer
    >>> t = np.arange(16000) / 16000
    >>> clips = 0.1 * np.sin(2 * np.pi * np.array([[300], [310], [1000], [1010]]) * t)
    >>> spotter = AugmentedClassifier(
    ...     make_pipeline(SpeechEmbeddingTransformer(pooling="mean"), LogisticRegression()),
    ...     AudioAugmenter(n_copies=2, random_state=0),
    ... )
    >>> spotter.fit(clips, ["low", "low", "high", "high"]).predict(clips[1:3])
    array(['low', 'high'], dtype='<U4')
    """

    _parameter_constraints = {
        "estimator": [HasMethods(["fit", "predict"])],
        "augmenter": [HasMethods(["fit_resample"]), None],
        "random_state": ["random_state"],
    }

    def __init__(self, estimator, augmenter=None, *, random_state=None):
        self.estimator = estimator
        self.augmenter = augmenter
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, sample_weight=None):
        """Make the copies and fit a clone of the estimator on them.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_features)
            One clip a row.
        y : array-like of shape (n_clips,)
            Labels.
        sample_weight : array-like of shape (n_clips,) or None, default=None
            Weights of the rows, for the last step if the estimator is a pipeline. Every copy has the weight of its
            row, so that weights of 1 are the same as none.

        Returns
        -------
        self : AugmentedClassifier
        """
        estimator = clone(self.estimator)
        if not is_classifier(estimator):
            raise ValueError(f"estimator must be a classifier, or a pipeline that ends in one, got {estimator!r}.")
        augmenter = AudioAugmenter() if self.augmenter is None else clone(self.augmenter)
        if self.random_state is not None:
            for part in (augmenter, estimator):
                _set_random_states(part, self.random_state)
        X, y = validate_rows(self, X, y, dtype="numeric")
        check_classification_targets(y)
        X_out, y_out = augmenter.fit_resample(X, y)
        fit_params = weights_for(estimator, sample_weight, X, augmenter.sample_indices_)
        if takes(estimator, "copy_of"):
            fit_params["copy_of"] = augmenter.sample_indices_
        self.estimator_ = fit_last(estimator, X_out, y_out, **fit_params)
        self.augmenter_ = augmenter
        return self

    def predict(self, X):
        """Labels of rows, unvaried.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_features)
            One clip a row.

        Returns
        -------
        y : ndarray of shape (n_clips,)
        """
        return self._fitted().predict(self._validate(X))

    @available_if(_estimator_has("predict_proba"))
    def predict_proba(self, X):
        """Probabilities of the classes for rows, unvaried; where the estimator has them.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_features)
            One clip a row.

        Returns
        -------
        probabilities : ndarray of shape (n_clips, n_classes)
            In the order of `classes_`.
        """
        return self._fitted().predict_proba(self._validate(X))

    @available_if(_estimator_has("predict_log_proba"))
    def predict_log_proba(self, X):
        """Logarithms of the probabilities for rows, unvaried; where the estimator has them.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_features)
            One clip a row.

        Returns
        -------
        log_probabilities : ndarray of shape (n_clips, n_classes)
        """
        return self._fitted().predict_log_proba(self._validate(X))

    @available_if(_estimator_has("decision_function"))
    def decision_function(self, X):
        """Scores of the classes for rows, unvaried; where the estimator has them.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_features)
            One clip a row.

        Returns
        -------
        scores : ndarray of shape (n_clips,) or (n_clips, n_classes)
        """
        return self._fitted().decision_function(self._validate(X))

    @property
    def classes_(self):
        """The labels."""
        return self.estimator_.classes_

    def __sklearn_is_fitted__(self):
        return hasattr(self, "estimator_")

    def __sklearn_tags__(self):
        tags = get_tags(self.estimator)
        tags.requires_fit = True
        tags.input_tags.sparse = tags.input_tags.allow_nan = tags.array_api_support = False
        return tags

    def _fitted(self):
        check_is_fitted(self)
        return self.estimator_

    def _validate(self, X):
        return validate_rows(self, X, reset=False, dtype="numeric")
