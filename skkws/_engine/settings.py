"""Settings of functions: refused by the rules of the estimators around them."""

from collections.abc import Callable
from functools import lru_cache, wraps
from inspect import signature

from sklearn.utils._param_validation import InvalidParameterError, validate_parameter_constraints


def check_parameters(estimator) -> None:
    """Check the parameters of an estimator as `_validate_params` does, and at next to no cost those seen before.

    Parameters
    ----------
    estimator : estimator
        With `_parameter_constraints`.

    Raises
    ------
    InvalidParameterError
        If a parameter breaks its constraints.
    """
    kind = type(estimator)
    parameters = {name: getattr(estimator, name) for name in kind._parameter_constraints}
    try:
        _check_parameters(kind, **parameters)
    except InvalidParameterError:
        raise
    except TypeError:  # a value that cannot be hashed
        validate_parameter_constraints(kind._parameter_constraints, parameters, kind.__name__)


@lru_cache(maxsize=1024, typed=True)
def _check_parameters(kind, /, **parameters):
    validate_parameter_constraints(kind._parameter_constraints, parameters, kind.__name__)


def check_settings(constraints: dict) -> Callable:
    """Have a function refuse keyword arguments that break constraints of scikit-learn.

    Unlike scikit-learn's own decorator it costs next to nothing where the settings of a call have been seen before, and
    no configuration turns it off: what follows may be machine code.

    Parameters
    ----------
    constraints : dict
        As `_parameter_constraints` of an estimator, for the keyword-only parameters of the function.

    Returns
    -------
    decorator : callable
    """

    def decorate(function):
        @lru_cache(maxsize=256, typed=True)
        def check(**settings):
            validate_parameter_constraints(constraints, settings, function.__name__)

        @wraps(function)
        def checked(*args, **settings):
            try:
                check(**settings)
            except InvalidParameterError:
                raise
            except TypeError:  # a value that cannot be hashed
                validate_parameter_constraints(constraints, settings, function.__name__)
            return function(*args, **settings)

        names = {p.name for p in signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY}
        assert names == set(constraints), f"{function.__name__} has {names}, and constraints of {set(constraints)}"
        return checked

    return decorate
