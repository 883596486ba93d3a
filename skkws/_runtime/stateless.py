"""Transformers whose `fit` learns nothing from the data.

A transformer declares it by the attribute ``learns_from_data``: False where `fit` learns nothing from the values, True
where it does. A class or a property may have it, and it counts for the `fit` of the class that has it: a subclass with
another `fit` declares anew. Of transformers that declare nothing, fits to noise find it out.
"""

from copy import copy

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skkws._runtime.fingerprint import fingerprint

# What the code of others may raise where it gets noise, and no labels.
_UNFIT = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
# What scikit-learn itself keeps of a fit.
_COLUMNS = {"n_features_in_", "feature_names_in_", "_sklearn_output_config"}


def noise_rows(n_features, dtype=np.float32):
    """Two sets of rows, different in all their values and in number.

    Parameters
    ----------
    n_features : int
        Length of a row.
    dtype : dtype, default=float32
        A floating one.

    Returns
    -------
    first, second : ndarray of shape (2, n_features) and (3, n_features)
    """
    rows = np.random.default_rng(0).uniform(-0.1, 0.1, (5, n_features)).astype(dtype)
    return rows[:2], rows[2:]


def learns_from_data(transformer):
    """Whether `fit` learns from the data, as far as a transformer declares it.

    Parameters
    ----------
    transformer : transformer or "passthrough"
        A `Pipeline` declares what its steps do.

    Returns
    -------
    learns : bool or None
        None if it does not say.

    Examples
    --------
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skkws import AudioLoader, MFCCTransformer
    >>> from skkws._runtime.stateless import learns_from_data
    >>> learns_from_data(MFCCTransformer()), learns_from_data(AudioLoader(duration=None))
    (False, True)
    >>> learns_from_data(StandardScaler()) is None
    True
    """
    if isinstance(transformer, str | FrozenEstimator):  # "passthrough", and what is fitted for good
        return False
    if isinstance(transformer, Pipeline):
        declared = [learns_from_data(step) for _, step in transformer.steps]
        return True if True in declared else None if None in declared else False
    for kind in type(transformer).__mro__:
        if "learns_from_data" in vars(kind):
            return transformer.learns_from_data
        if "fit" in vars(kind):
            return None
    return None


def fitted_without_data(transformer, noises):
    """Fit a transformer to noise, if that makes it what any data would make it.

    One that declares nothing is fitted once where nothing of the noise is left in it, and otherwise twice.

    Parameters
    ----------
    transformer : transformer
        Not fitted.
    noises : (data, data)
        Of the form that the transformer takes, and different in all else, see :func:`noise_rows`.

    Returns
    -------
    fitted : transformer or None
        A clone that is fitted. None if it learns from the data, or if noise alone cannot tell.

    Examples
    --------
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skkws import MFCCTransformer
    >>> from skkws._runtime.stateless import fitted_without_data, noise_rows
    >>> fitted_without_data(MFCCTransformer(), noise_rows(16000)).n_features_in_
    16000
    >>> fitted_without_data(StandardScaler(), noise_rows(16000)) is None
    True
    """
    learns = learns_from_data(transformer)
    if learns:
        return None
    if isinstance(transformer, Pipeline):
        return _fitted_steps(transformer, noises)
    if isinstance(transformer, str | FrozenEstimator):
        return transformer
    fitted = _tried(transformer, noises) if learns is None else clone(transformer).fit(noises[0])
    return None if fitted is None else taken_for_fitted(fitted)


def is_fitted(transformer):
    """Tell whether a transformer was fitted, or needs no fit.

    Parameters
    ----------
    transformer : transformer
        Of a `Pipeline` scikit-learn itself looks at the last step alone, which may be one that needs no fit.

    Returns
    -------
    fitted : bool
    """
    if isinstance(transformer, Pipeline):
        return any(_has_learnt(step) for _, step in transformer.steps)
    try:
        check_is_fitted(transformer)
    except NotFittedError:
        return False
    return True


def _has_learnt(step):
    if isinstance(step, Pipeline | FrozenEstimator):
        return is_fitted(step)
    return not isinstance(step, str) and any(name.endswith("_") and not name.startswith("__") for name in vars(step))


def taken_for_fitted(fitted):
    """Return what was fitted, so that scikit-learn takes it for that: also where a fit leaves no attribute.

    Parameters
    ----------
    fitted : transformer
        Fitted. It is not changed.

    Returns
    -------
    fitted : transformer
        Itself, or a copy with an attribute more.

    Examples
    --------
    >>> from sklearn.base import BaseEstimator, TransformerMixin
    >>> from sklearn.pipeline import make_pipeline
    >>> from skkws._runtime.stateless import taken_for_fitted
    >>> class Doubled(TransformerMixin, BaseEstimator):
    ...     def fit(self, X, y=None):
    ...         return self
    ...
    ...     def transform(self, X):
    ...         return 2 * X
    >>> taken_for_fitted(make_pipeline(Doubled()).fit([[1]])).transform(3)
    6
    """
    if isinstance(fitted, Pipeline):
        *first, (name, last) = fitted.steps
        marked = taken_for_fitted(last)
        if marked is last:
            return fitted
        whole = copy(fitted)
        whole.steps = [*first, (name, marked)]
        return whole
    if isinstance(fitted, str) or is_fitted(fitted):
        return fitted
    marked = copy(fitted)
    vars(marked)["is_fitted_"] = True
    return marked


def _fitted_steps(pipeline, noises):
    *first, (name, last) = pipeline.steps
    steps, rows = [], noises
    for step, made in first_steps_without_data(first, noises):
        steps.append(step)
        rows = made
    fitted_last = fitted_without_data(last, rows) if len(steps) == len(first) else None
    if fitted_last is None:
        return None
    fitted = clone(pipeline)
    fitted.steps = [*steps, (name, fitted_last)]
    return fitted


def _tried(transformer, noises):
    """Find out by fits to noise."""
    try:
        fitted = clone(transformer).fit(noises[0])
        other = None if _keeps_nothing(fitted) else clone(transformer).fit(noises[1])
    except _UNFIT:
        return None  # it needs labels, say; what else is wrong with it, the fit to the data will tell
    return fitted if other is None or fingerprint(fitted) == fingerprint(other) else None


def first_steps_without_data(steps, noises):
    """Fit the first steps of a pipeline that learn nothing from the data.

    Parameters
    ----------
    steps : list of (str, transformer)
        Not fitted.
    noises : (data, data)
        What the first one takes, as in :func:`fitted_without_data`.

    Yields
    ------
    step : (str, transformer)
        The next one, fitted.
    noises : (data, data)
        What it makes of the noises.
    """
    for name, step in steps:
        fitted = fitted_without_data(step, noises)
        if fitted is None:
            return
        if not isinstance(fitted, str):
            try:
                noises = [fitted.transform(noise) for noise in noises]
            except _UNFIT:
                return
        yield (name, fitted), noises


def _keeps_nothing(fitted):
    """Whether a fit has left nothing but the number and the names of the columns, as far as this can be seen."""
    names = fitted.get_params(deep=False)
    # Estimators within may keep something, and some keep these in the place of a parameter.
    return vars(fitted).keys() <= names.keys() | _COLUMNS and names.keys() == fitted.get_params().keys()
