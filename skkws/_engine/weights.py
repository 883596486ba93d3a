"""Weights of a network, checked where they come in: from a file, or from an attribute that somebody set."""

import numpy as np
from numpy.typing import NDArray

_PRECISIONS = ("float32", "float64")


def check_precision(dtype: str) -> None:
    """Refuse a precision that no network computes in."""
    if dtype not in _PRECISIONS:
        raise ValueError(f"A network computes in {' or '.join(_PRECISIONS)}, got {dtype!r}. Fit again.")


def check_weights(weights: list[NDArray], shapes: list[tuple[int, ...]], dtype: str) -> list[NDArray]:
    """Return weights, C-contiguous, if they are what a network of this precision computes with.

    Parameters
    ----------
    weights : list of ndarray
        The weights.
    shapes : list of tuple of int
        Their shapes in the network.
    dtype : {"float32", "float64"}
        Its precision.

    Raises
    ------
    ValueError
        If there is another number of them, or one has another shape, type or byte order, or is not finite.
    """
    if [np.shape(weight) for weight in weights] != shapes:
        raise ValueError(
            "The trained weights do not fit the network: its parameters were changed after fit, or another version of "
            "skkws trained it. Fit again."
        )
    kind = np.dtype(dtype)
    for i, weight in enumerate(weights):
        if not isinstance(weight, np.ndarray) or weight.dtype != kind:
            raise ValueError(
                f"Weight {i} of the network must be an array of {dtype}, got {getattr(weight, 'dtype', type(weight))}: "
                "it was changed after fit, or the file is damaged. Fit again."
            )
    with np.errstate(over="ignore"):
        norms = [flat @ flat for flat in (weight.reshape(-1) for weight in weights)]  # quicker than to look at each
    if not np.isfinite(norms).all():
        raise ValueError(
            f"Weight {np.flatnonzero(~np.isfinite(norms))[0]} of the network holds NaN, infinity or numbers beyond all "
            "measure: it was changed after fit, or the file is damaged. Fit again."
        )
    return [np.asarray(weight, order="C") for weight in weights]
