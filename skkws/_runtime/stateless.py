"""Transformers whose `fit` learns nothing from the data."""

import numpy as np
from sklearn.base import clone

from skkws._runtime.fingerprint import fingerprint


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


def fitted_without_data(transformer, noises):
    """Fit a transformer to noise, if that makes it what any data would make it.

    Parameters
    ----------
    transformer : transformer
        Not fitted.
    noises : (data, data)
        Of the form that the transformer takes, and different in all else, see :func:`noise_rows`.

    Returns
    -------
    fitted : transformer or None
        A clone that is fitted. None if the two make something different of it, as it learns from the data.

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
    first, second = (clone(transformer).fit(noise) for noise in noises)
    return first if fingerprint(first) == fingerprint(second) else None
