"""What every transform shares: a probability, ranges to draw from, and the way over the rows."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from numbers import Integral, Real

import numpy as np

from skkws.audio import as_signals


@dataclass(frozen=True, eq=False)
class Transform(ABC):
    """A random variation of rows, as an object without state: ``transform(rows, rng)``.

    A subclass is a frozen dataclass that holds ranges, checks them when it is made (`_check`), and varies one row
    (`_vary`). A range is a pair (low, high), from which a value is drawn uniformly for each row, or a single number,
    which is taken as it is.

    Parameters
    ----------
    probability : float, default=1.0
        How likely a row is varied; the others pass unchanged.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> import numpy as np
    >>> from skkws.augment import Transform
    >>> @dataclass(frozen=True, eq=False)
    ... class FlipSign(Transform):
    ...     def _vary(self, y, rng):
    ...         return -y
    >>> FlipSign(probability=1.0)(np.array([[1.0, 2.0]]), np.random.default_rng(0))
    array([[-1., -2.]])
    """

    probability: float = field(default=1.0, kw_only=True)

    def __post_init__(self):
        if not isinstance(self.probability, Real) or not 0 <= self.probability <= 1:
            raise ValueError(
                f"{type(self).__name__}: probability must be a number from 0 to 1, got {self.probability!r}."
            )
        self._check()

    def __call__(self, rows, rng):
        """Vary rows.

        Parameters
        ----------
        rows : array-like of shape (n_rows, n_columns)
            One clip a row, finite; integers become float32.
        rng : numpy.random.Generator
            The only source of randomness; the rows take from it one after another.

        Returns
        -------
        varied : ndarray of shape (n_rows, n_columns)
            New rows, in the dtype of `rows`.

        Raises
        ------
        ValueError
            If `rows` is no array of two dimensions or holds NaN or infinity.
        """
        varied = self._check_rows(rows)
        for row in varied:
            if rng.random() < self.probability:
                row[:] = self._vary(row, rng)
        return varied

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self  # nothing in it changes, so cloning an estimator copies no recordings

    def _check(self):  # noqa: B027 -- a transform may have nothing to check
        """Refuse parameters out of range."""

    @abstractmethod
    def _vary(self, y, rng):
        """Variation of a single row, in an array of the same length."""

    def _check_rows(self, rows):
        rows = np.array(rows)
        if rows.ndim != 2 or rows.dtype.kind not in "fiu":
            raise ValueError(
                f"{type(self).__name__}: expected rows as numbers of shape (n_rows, n_columns), got an array of shape "
                f"{rows.shape} and dtype {rows.dtype}. Pass a single row as row[None]."
            )
        return as_signals(rows, type(self).__name__, dtype=None)

    def _check_range(self, name, *, above=-np.inf, least=-np.inf, below=np.inf, most=np.inf):
        """Refuse the range of this name unless it is a number or (low, high) with all of it within the bounds."""
        value = getattr(self, name)
        pair = value if isinstance(value, tuple | list) else (value, value)
        numbers = len(pair) == 2 and all(isinstance(v, Real) and np.isfinite(v) for v in pair)
        if not numbers or not pair[0] <= pair[1]:
            raise ValueError(
                f"{type(self).__name__}: {name} must be a number or a range (low, high) of finite numbers with "
                f"low <= high, got {value!r}."
            )
        if not (above < pair[0] and least <= pair[0] and pair[1] < below and pair[1] <= most):
            bounds = {"above": above, "at least": least, "below": below, "at most": most}
            rules = " and ".join(f"{rule} {bound:g}" for rule, bound in bounds.items() if np.isfinite(bound))
            raise ValueError(f"{type(self).__name__}: {name} must be {rules}, got {value!r}.")

    def _check_count(self, name, least):
        value = getattr(self, name)
        if not isinstance(value, Integral) or value < least:
            raise ValueError(f"{type(self).__name__}: {name} must be an integer, at least {least}, got {value!r}.")


def draw(rng, value):
    """Draw from a range, or take the number that it is."""
    return rng.uniform(*value) if isinstance(value, tuple | list) else value


def as_generator(random_state):
    """Return the random generator for a `random_state`: an int, None, a RandomState or a Generator."""
    if isinstance(random_state, np.random.RandomState):
        return np.random.default_rng(random_state.randint(2**31 - 1))
    return np.random.default_rng(random_state)
