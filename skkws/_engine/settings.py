"""Settings of functions, and parameters of estimators: refused by the rules of scikit-learn.

Unlike its own checks these cost next to nothing where the same settings have been seen before, and no configuration
turns them off: what follows may be machine code.
"""

from collections.abc import Callable
from functools import lru_cache, wraps
from inspect import signature

from sklearn.utils._param_validation import InvalidParameterError, validate_parameter_constraints


def check_parameters(estimator) -> None:
    """Check the parameters of an estimator.

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
    _checker(kind)({name: getattr(estimator, name) for name in kind._parameter_constraints})


@lru_cache
def _checker(kind):
    return _remembering(kind._parameter_constraints, kind.__name__)


def check_settings(constraints: dict) -> Callable:
    """Have a function refuse keyword arguments that break constraints.

    Parameters
    ----------
    constraints : dict
        As `_parameter_constraints` of an estimator, for the keyword-only parameters of the function.

    Returns
    -------
    decorator : callable
    """

    def decorate(function):
        check = _remembering(constraints, function.__name__)

        @wraps(function)
        def checked(*args, **settings):
            check(settings)
            return function(*args, **settings)

        names = {p.name for p in signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY}
        assert names == set(constraints), f"{function.__name__} has {names}, and constraints of {set(constraints)}"
        return checked

    return decorate


def _remembering(constraints, owner):
    """Return a check of settings that remembers those that passed it."""

    @lru_cache(maxsize=256, typed=True)
    def check_new(**settings):
        validate_parameter_constraints(constraints, settings, owner)

    def check(settings):
        try:
            check_new(**settings)
        except InvalidParameterError:
            raise
        except TypeError:  # a value that cannot be hashed
            validate_parameter_constraints(constraints, settings, owner)

    return check
