"""Whether one set of weights is surely better than another, on rows that neither was trained on."""

from dataclasses import dataclass

import numpy as np

# A true loss as high as before passes for lower in one of 44 cases.
_STANDARD_ERRORS = 2
_LEAST = 1e-9


@dataclass(frozen=True)
class Improvement:
    """What a change brings on some rows.

    Parameters
    ----------
    n_rows : int
        Rows that were looked at.
    gain : float
        By how much their mean log loss falls.
    error : float
        Standard error of `gain`.
    before, after : float
        Share of them that is named rightly.
    """

    n_rows: int
    gain: float
    error: float
    before: float
    after: float

    @classmethod
    def measure(cls, before, after, labels, weight):
        """Compare probabilities of shape (n_rows, n_classes) of rows of these classes and weights."""
        each = np.arange(len(labels))
        gains = np.log(np.maximum(after[each, labels], _LEAST)) - np.log(np.maximum(before[each, labels], _LEAST))
        gain = np.average(gains, weights=weight)
        error = np.sqrt(np.average((gains - gain) ** 2, weights=weight) / len(gains))
        shares = (np.average(p.argmax(axis=1) == labels, weights=weight) for p in (before, after))
        return cls(len(gains), float(gain), float(error), *map(float, shares))

    @property
    def is_sure(self):
        """Whether the loss falls by more than two standard errors and more rows are named rightly."""
        return self.gain > _STANDARD_ERRORS * self.error and self.after > self.before

    def __str__(self):
        """Say it in words."""
        return (
            f"on {self.n_rows} clips that were held out it lowers the loss by {self.gain:.4f}, with a standard error "
            f"of {self.error:.4f}, and {self.after:.3f} of them are named rightly, {self.before:.3f} without it"
        )
