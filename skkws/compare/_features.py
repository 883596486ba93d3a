"""Features of the clips of a comparison, as they are and in noise: computed once for all models that share them."""

from contextlib import contextmanager
from time import perf_counter

import numpy as np
from sklearn.frozen import FrozenEstimator

from skkws._runtime.fingerprint import fingerprint
from skkws._runtime.progress import progress
from skkws.augment import AudioAugmenter, BackgroundNoise, ColoredNoise, PeakLimit
from skkws.compare._models import split_features
from skkws.compare._tasks import WARM_UP
from skkws.extraction import CachedTransformer

# Clips whose features are timed.
_TIMED = 256


class Conditions:
    """The clips as they are, and in noise.

    Parameters
    ----------
    X : ndarray of shape (n_clips, n_samples)
        The clips.
    noise, snr_db, random_state
        As in `compare_classifiers`.
    """

    def __init__(self, X, noise, snr_db, random_state):
        self._X, self._random_state = X, random_state
        self.noise_name = "pink noise" if noise is None else "recorded noise"
        self._transforms = [None, *(self._noisy(noise, float(snr)) for snr in snr_db)]

    @staticmethod
    def _noisy(noise, snr_db):
        if noise is None:
            return [ColoredNoise(colors=("pink",), snr_db=snr_db), PeakLimit()]
        return [BackgroundNoise(noise=noise, snr_db=snr_db), PeakLimit()]

    def __len__(self):
        return len(self._transforms)

    def rows(self, i, n_clips=None):
        """Rows of the first clips under a condition, of which 0 is no noise."""
        X = self._X[:n_clips]
        if not i:
            return X
        augmenter = AudioAugmenter(
            self._transforms[i], n_copies=1, keep_original=False, random_state=self._random_state
        )
        return augmenter.fit_resample(X, np.zeros(len(X)))[0]


class Candidate:
    """A model that is compared, split into its features and what is fitted in each fold.

    Attributes
    ----------
    features : Pipeline or None
        The first steps, which learn nothing, fitted.
    rest : classifier
        What is fitted in each fold.
    rows : ndarray of shape (n_conditions, n_clips, n_features)
        What it is fitted to.
    seconds : float
        Time that the features of a clip take.
    """

    def __init__(self, name, model, n_samples):
        self.name, self.model = name, model
        self.features, self.rest = split_features(model, n_samples)
        self.rows, self.seconds = None, 0.0


def time_features(candidates, X):
    """Time the features of each candidate on some clips."""
    for first, *others in _shared(candidates):
        if first.features is None:
            continue
        with _named(first):
            first.features.transform(X[:WARM_UP])
            timed = X[:_TIMED]
            start = perf_counter()
            first.features.transform(timed)
            first.seconds = (perf_counter() - start) / len(timed)
        for candidate in others:
            candidate.seconds = first.seconds


def compute_features(candidates, conditions, cache_dir, verbose):
    """Compute the rows of each candidate, or find them in the cache."""
    shared = _shared(candidates)
    with progress("Computing features", len(conditions) * len(shared), verbose=verbose) as advance:
        for i in range(len(conditions) if shared else 0):
            X = conditions.rows(i)
            for first, *others in shared:
                with _named(first):
                    rows = X if first.features is None else _rows(first.features, X, cache_dir)
                if first.rows is None:
                    first.rows = np.empty((len(conditions), *rows.shape), rows.dtype)
                first.rows[i] = rows
                for candidate in others:
                    candidate.rows = first.rows
                advance(conditions.noise_name if i else "")


@contextmanager
def _named(candidate):
    """Say in an error whose features cannot be computed."""
    try:
        yield
    except Exception as error:
        raise RuntimeError(
            f"the features of {candidate.name} cannot be computed: {type(error).__name__}: {error}"
        ) from error


def _shared(candidates):
    """Group candidates that have the same features."""
    shared = {}
    for candidate in candidates:
        try:
            key = None if candidate.features is None else fingerprint(candidate.features)
        except ValueError:  # of a lambda, say, nobody can tell whether it is the same
            key = candidate.name
        shared.setdefault(key, []).append(candidate)
    return list(shared.values())


def _rows(features, X, cache_dir):
    if cache_dir is None:
        return np.asarray(features.transform(X))
    return np.asarray(CachedTransformer(FrozenEstimator(features), cache_dir).fit(X[:1]).transform(X))
