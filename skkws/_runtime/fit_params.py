"""What the `fit` of an estimator takes beside rows and labels."""

from sklearn import config_context
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import _check_sample_weight, has_fit_parameter


def takes(estimator, parameter):
    """Tell whether `fit` of an estimator, or of the last step of a pipeline, takes a parameter."""
    if isinstance(estimator, Pipeline):
        return takes(estimator[-1], parameter)
    return has_fit_parameter(estimator, parameter)


def weights_for(estimator, sample_weight, X, rows):
    """Weights of some of the rows as parameters of the estimator's `fit`; nothing where there are no weights."""
    if sample_weight is None:
        return {}
    if not takes(estimator, "sample_weight"):
        raise ValueError(f"{_last_name(estimator)} takes no sample_weight in fit; fit without it.")
    return {"sample_weight": _check_sample_weight(sample_weight, X)[rows]}


def fit_last(estimator, X, y, **parameters):
    """Fit an estimator, of a pipeline with these parameters for its last step.

    With scikit-learn's metadata routing on, too: the parameters are not of the user, who would have to request them.
    """
    step, prefix = estimator, ""
    while isinstance(step, Pipeline):
        name, step = step.steps[-1]
        prefix += f"{name}__"
    with config_context(enable_metadata_routing=False):
        return estimator.fit(X, y, **{prefix + name: value for name, value in parameters.items()})


def _last_name(estimator):
    return _last_name(estimator[-1]) if isinstance(estimator, Pipeline) else type(estimator).__name__
