"""What the `fit` of an estimator takes beside rows and labels."""

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import _check_sample_weight, has_fit_parameter


def fit_keyword(estimator, parameter):
    """Return the keyword by which `fit` of an estimator, or the last step of a pipeline, takes a parameter, if any."""
    if isinstance(estimator, Pipeline):
        name, last = estimator.steps[-1]
        keyword = fit_keyword(last, parameter)
        return keyword and f"{name}__{keyword}"
    return parameter if has_fit_parameter(estimator, parameter) else None


def weights_for(estimator, sample_weight, X, rows):
    """Weights of some of the rows as keywords of the estimator's `fit`; nothing where there are no weights."""
    if sample_weight is None:
        return {}
    name = fit_keyword(estimator, "sample_weight")
    if name is None:
        raise ValueError(f"{_last_name(estimator)} takes no sample_weight in fit; fit without it.")
    return {name: _check_sample_weight(sample_weight, X)[rows]}


def _last_name(estimator):
    return _last_name(estimator[-1]) if isinstance(estimator, Pipeline) else type(estimator).__name__
