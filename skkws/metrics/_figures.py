"""Figures to judge a spotter by, with their uncertainty, and what comes out of a denoiser."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats


def accuracy_interval(
    correct: ArrayLike, groups: ArrayLike | None = None, *, confidence: float = 0.95
) -> tuple[float, float]:
    """Confidence interval of an accuracy whose clips come in groups, such as the recordings of one speaker.

    Clips of one speaker succeed and fail together, so they count for fewer independent ones. The interval is that of
    Korn and Graubard [1]_: the exact (Clopper-Pearson) interval at the effective sample size that the spread between
    groups implies, with a correction for few groups.

    Parameters
    ----------
    correct : array-like of shape (n_clips,)
        Whether each clip was recognised.
    groups : array-like of shape (n_clips,) or None, default=None
        Group of each clip; None makes each clip its own.
    confidence : float, default=0.95
        Probability with which such intervals cover the true accuracy.

    Returns
    -------
    low, high : float
        The interval.

    Raises
    ------
    ValueError
        If there are no clips, or `groups` has another length.

    References
    ----------
    .. [1] Korn, Graubard (1998), "Confidence Intervals for Proportions with Small Expected Number of Positive Counts
       Estimated from Survey Data", Survey Methodology 24(2).

    Examples
    --------
    >>> from skkws.metrics import accuracy_interval
    >>> low, high = accuracy_interval([1] * 90 + [0] * 10)
    >>> round(low, 3), round(high, 3)
    (0.824, 0.951)
    """
    correct = np.asarray(correct, dtype=float)
    n = len(correct)
    if n == 0:
        raise ValueError("correct holds no clips; an accuracy needs at least one.")
    groups = np.arange(n) if groups is None else np.asarray(groups)
    if len(groups) != n:
        raise ValueError(f"groups must have one entry for each of the {n} clips, got {len(groups)}.")
    accuracy = correct.mean()
    index = np.unique(groups, return_inverse=True)[1]
    n_groups = index.max() + 1
    tail = (1 - confidence) / 2
    effective = float(n)
    if 1 < n_groups < n:
        residuals = np.bincount(index, correct - accuracy)
        variance = n_groups / (n_groups - 1) * np.sum(residuals**2) / n**2
        if variance > 0:
            correction = (stats.t.ppf(1 - tail, n - 1) / stats.t.ppf(1 - tail, n_groups - 1)) ** 2
            effective = min(n, correction * accuracy * (1 - accuracy) / variance)
    successes = effective * accuracy
    low = stats.beta.ppf(tail, successes, effective - successes + 1) if successes > 0 else 0.0
    high = stats.beta.ppf(1 - tail, successes + 1, effective - successes) if successes < effective else 1.0
    return float(low), float(high)


def signal_to_noise_ratio(reference: ArrayLike, estimate: ArrayLike) -> NDArray[np.floating] | np.floating:
    """Signal-to-noise ratio of signals, in dB: ``10 log10(sum(r**2) / sum((e - r)**2))``.

    Parameters
    ----------
    reference : array-like of shape (..., n_samples)
        The signals as they should be.
    estimate : array-like of shape (..., n_samples)
        The same with noise, or what a denoiser made of it. All that differs counts as noise, the level too.

    Returns
    -------
    snr_db : ndarray of shape (...)
        Infinite where there is no difference, and -infinite where the reference is digital silence.

    Raises
    ------
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> from skkws.metrics import signal_to_noise_ratio
    >>> float(signal_to_noise_ratio([3.0, 4.0], [3.0, 4.5]))
    20.0
    """
    reference, estimate = np.asarray(reference, dtype=float), np.asarray(estimate, dtype=float)
    if reference.shape != estimate.shape:
        raise ValueError(f"reference and estimate must have the same shape, got {reference.shape}, {estimate.shape}.")
    signal, noise = ((y**2).sum(axis=-1) for y in (reference, estimate - reference))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(noise == 0, np.inf, 10 * (np.log10(signal) - np.log10(noise)))[()]
