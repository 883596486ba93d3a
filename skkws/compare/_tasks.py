"""One fit of a comparison, and what comes out of it."""

import pickle
import warnings
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from skkws.compare._cost import multiply_adds
from skkws.compare._result import FailedFit

# Clips that are predicted once before any are timed, as what loads or compiles then is no cost per clip.
WARM_UP = 2


@dataclass
class Task:
    """One fit: all examples where `n_examples` is 0."""

    name: str
    n_examples: int
    repeat: int
    train: np.ndarray
    test: np.ndarray
    where: str
    """Fold and draw, in words."""


@dataclass
class Outcome:
    """What came out of a fit: predictions (n_conditions, n_test), probabilities without noise, and costs."""

    predicted: np.ndarray
    probabilities: np.ndarray | None
    fit_seconds: float
    predict_seconds: float
    n_bytes: int
    multiply_adds: int


def try_task(task, classifier, rows, codes, n_conditions):
    """Fit and predict; return the outcome or what failed, and the warnings that were given meanwhile."""
    with warnings.catch_warnings(record=True) as given:
        warnings.simplefilter("always", UserWarning)
        try:
            outcome = fit_and_predict(classifier, rows, codes, task.train, task.test, n_conditions)
        except Exception as error:  # whatever models and data may raise: the others are compared all the same
            outcome = FailedFit(task.name, task.n_examples, task.where, f"{type(error).__name__}: {error}")
    return outcome, sorted({str(warning.message) for warning in given if issubclass(warning.category, UserWarning)})


def fit_and_predict(classifier, rows, codes, train, test, n_conditions):
    """Fit on rows without noise, and predict under the first conditions."""
    start = perf_counter()
    classifier.fit(rows[0][train], codes[train])
    fit_seconds = perf_counter() - start
    tested = rows[0][test]
    classifier.predict(tested[:WARM_UP])
    start = perf_counter()
    predicted = [classifier.predict(tested)]
    predict_seconds = perf_counter() - start
    predicted += [classifier.predict(noisy[test]) for noisy in rows[1:n_conditions]]
    probabilities = (
        classifier.predict_proba(tested).astype(np.float32) if hasattr(classifier, "predict_proba") else None
    )
    return Outcome(
        np.array(predicted, dtype=np.int32),
        probabilities,
        fit_seconds,
        predict_seconds,
        len(pickle.dumps(classifier)),
        multiply_adds(classifier),
    )
