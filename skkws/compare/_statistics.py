"""Which models differ, what they confuse, and what their probabilities are worth."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

# Resampled sets of speakers, drawn from a fixed seed.
_N_RESAMPLED = 10_000
# With fewer speakers than these a bootstrap is too sure of itself, and Student's t takes its place.
_FEW_SPEAKERS = 20


@dataclass
class Difference:
    """How much more accurate one model is than another, on the same clips.

    Attributes
    ----------
    first, second : str
        The models.
    difference : float
        Accuracy of the first minus that of the second.
    interval : tuple of (float, float)
        95 % confidence interval of the difference, for this pair alone.
    p_value : float
        Probability of a difference as great where there is none, adjusted for the number of pairs (Holm).
    """

    first: str
    second: str
    difference: float
    interval: tuple
    p_value: float

    @property
    def significant(self):
        """Whether `p_value` is below 0.05."""
        return self.p_value < 0.05


@dataclass
class Reliability:
    """Probabilities of what was predicted, against the share that was right.

    Attributes
    ----------
    confidence, accuracy : ndarray of shape (n_bins,)
        Mean probability of the predicted label, and share of right predictions, of the clips in each bin that holds
        any.
    n_clips : ndarray of shape (n_bins,)
        Clips in it.
    expected_error : float
        Expected calibration error [1]_: the mean distance of the two, weighed by clips.

    References
    ----------
    .. [1] Naeini, Cooper, Hauskrecht (2015), "Obtaining Well Calibrated Probabilities Using Bayesian Binning", AAAI.
    """

    confidence: np.ndarray
    accuracy: np.ndarray
    n_clips: np.ndarray
    expected_error: float


def paired_differences(right: Mapping[str, ArrayLike], groups: ArrayLike) -> list[Difference]:
    """Compare classifiers pairwise on the same clips, whose speakers are what varies independently.

    The speakers are drawn anew with replacement, 10,000 times (a paired bootstrap over clusters [1]_); with fewer than
    20 of them Student's t over the speakers' mean differences takes its place. This tells of other speakers for the
    models as they were trained; that another training set would give other models is no part of it. The p-values are
    adjusted for the number of pairs by Holm's method [2]_.

    Parameters
    ----------
    right : dict of str to ndarray of shape (n_clips,) or (n_repeats, n_clips)
        Whether each classifier was right.
    groups : array-like of shape (n_clips,)
        Speaker of each clip.

    Returns
    -------
    differences : list of Difference
        One for each pair, in the order of `right`.

    References
    ----------
    .. [1] Field, Welsh (2007), "Bootstrapping clustered data", Journal of the Royal Statistical Society B 69(3).
    .. [2] Holm (1979), "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of
       Statistics 6(2).

    Examples
    --------
    >>> import numpy as np
    >>> from skkws.compare import paired_differences
    >>> speakers = np.repeat(np.arange(30), 10)
    >>> rng = np.random.default_rng(0)
    >>> right = {"good": rng.random(300) < 0.9, "poor": rng.random(300) < 0.5}
    >>> (pair,) = paired_differences(right, speakers)
    >>> round(pair.difference, 2), pair.significant
    (0.4, True)
    """
    index = np.unique(groups, return_inverse=True)[1]
    n_clips = np.bincount(index)
    of_speaker = {name: np.bincount(index, np.atleast_2d(each).mean(axis=0)) for name, each in right.items()}
    pairs, found = list(combinations(right, 2)), []
    if len(n_clips) >= _FEW_SPEAKERS:
        drawn = np.random.default_rng(0).multinomial(
            len(n_clips), np.full(len(n_clips), 1 / len(n_clips)), size=_N_RESAMPLED
        )
        sizes = drawn @ n_clips
    for first, second in pairs:
        ahead = of_speaker[first] - of_speaker[second]
        difference = ahead.sum() / n_clips.sum()
        if len(n_clips) >= _FEW_SPEAKERS:
            resampled = drawn @ ahead / sizes
            interval = np.quantile(resampled, [0.025, 0.975])
            tail = min((resampled <= 0).sum(), (resampled >= 0).sum())
            p_value = min(1.0, 2 * (tail + 1) / (_N_RESAMPLED + 1))
        else:
            interval, p_value = _by_t(ahead, n_clips, difference)
        found.append([first, second, float(difference), tuple(map(float, interval)), float(p_value)])
    adjusted = _holm([p_value for *_, p_value in found])
    return [Difference(*pair[:-1], p_value) for pair, p_value in zip(found, adjusted, strict=True)]


def _by_t(ahead, n_clips, difference):
    """Interval and p-value of a ratio of means over few speakers, by linearisation and Student's t."""
    n = len(n_clips)
    if n < 2:
        return (-1.0, 1.0), 1.0
    residuals = ahead - difference * n_clips
    error = np.sqrt(n / (n - 1) * (residuals**2).sum()) / n_clips.sum()
    reach = stats.t.ppf(0.975, n - 1) * error
    if error == 0:
        return (difference, difference), float(difference == 0)
    return (difference - reach, difference + reach), 2 * stats.t.sf(abs(difference) / error, n - 1)


def _holm(p_values):
    order = np.argsort(p_values)
    stepped = np.asarray(p_values)[order] * (len(p_values) - np.arange(len(p_values)))
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(stepped)) if len(p_values) else stepped
    return adjusted.tolist()


def ranks(names, differences):
    """Rank each model by the number of models that are significantly better.

    Parameters
    ----------
    names : list of str
        The models.
    differences : list of Difference
        Of all pairs.

    Returns
    -------
    ranks : dict of str to int
        1 plus the number of better ones.
    """
    better = dict.fromkeys(names, 1)
    for pair in differences:
        if pair.significant:
            better[pair.second if pair.difference > 0 else pair.first] += 1
    return better


def confusion_pairs(target, predictions, labels):
    """Pairs of labels that are confused, the most frequent one first.

    Parameters
    ----------
    target : ndarray of shape (n_clips,)
        True labels.
    predictions : ndarray of shape (n_repeats, n_clips)
        Predicted labels.
    labels : list
        All labels.

    Returns
    -------
    pairs : list of (label, label, float)
        True label, predicted label, and the share of the true label's clips.
    """
    pairs = []
    for true in labels:
        got = predictions[:, target == true].ravel()
        for wrong in labels:
            share = float(np.mean(got == wrong)) if wrong != true and len(got) else 0.0
            if share:
                pairs.append((true, wrong, share))
    return sorted(pairs, key=lambda pair: -pair[2])


def reliability(probabilities, right, n_bins=10):
    """Compare the probabilities of the predicted labels with the share that is right.

    Parameters
    ----------
    probabilities : ndarray of shape (n_repeats, n_clips, n_labels)
        Probabilities.
    right : ndarray of shape (n_repeats, n_clips)
        Whether the prediction was right.
    n_bins : int, default=10
        Bins of equal width.

    Returns
    -------
    reliability : Reliability
    """
    confidence, right = probabilities.max(axis=-1).ravel(), right.ravel()
    bins = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    _, index, n_clips = np.unique(bins, return_inverse=True, return_counts=True)
    mean, share = (np.bincount(index, values) / n_clips for values in (confidence, right))
    error = float(np.sum(n_clips * np.abs(mean - share)) / n_clips.sum())
    return Reliability(mean, share, n_clips, error)
