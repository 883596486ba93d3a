"""Numbers that are computed with: finite ones, of a size that occurs.

Larger ones come from damaged files and from mistakes. They overflow single precision somewhere along the way, and what
comes out is wrong without a word.
"""

import numpy as np
from numpy.typing import NDArray

# Integer PCM of 32 bits taken as the numbers it is reaches half of this.
LARGEST_SAMPLE = 2.0**32
# Values of features, which are logarithms, vectors of a network, coefficients or what a scaler made of them.
LARGEST_FEATURE = 1e12
# Samples of a window or a hop: a minute of them.
LONGEST = 2**20


def first_beyond(x: NDArray, largest: float) -> tuple[int, ...] | None:
    """Return the index of the first number that is not finite or larger than `largest`, or None."""
    if not x.size or (float(x.min()) >= -largest and float(x.max()) <= largest):  # false for NaN
        return None
    with np.errstate(invalid="ignore"):
        fits = (x >= -largest) & (x <= largest)
    return np.unravel_index(int(np.argmin(fits)), x.shape)


def check_features(x: NDArray, name: str) -> NDArray:
    """Return features if all are finite and of a size that occurs; `name` is what an error calls them."""
    first = first_beyond(x, LARGEST_FEATURE)
    if first is not None:
        raise ValueError(
            f"{name} holds {x[first]} at {', '.join(map(str, first))}; features must be finite and no larger than "
            f"{LARGEST_FEATURE:g}. Look for it in what they were computed from."
        )
    return x
