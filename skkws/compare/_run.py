"""Deep against classical on one set of recordings: the main job."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from joblib import delayed
from numpy.typing import ArrayLike
from sklearn.utils import check_consistent_length

from skkws._runtime.parallel import in_order
from skkws._runtime.progress import progress
from skkws.audio import as_clip_list, is_source
from skkws.compare._features import Candidate, Conditions, compute_features, time_features
from skkws.compare._models import MODEL_NAMES, reseeded, resolve_models
from skkws.compare._outcomes import OutcomeStore
from skkws.compare._result import Comparison, FailedFit
from skkws.compare._scores import Scoring
from skkws.compare._splits import learning_curve_splits, speaker_folds
from skkws.compare._tasks import Task, try_task
from skkws.extraction import extract

if TYPE_CHECKING:
    from sklearn.base import ClassifierMixin


def compare_classifiers(
    X: ArrayLike | Sequence[str | os.PathLike],
    y: ArrayLike,
    groups: ArrayLike,
    *,
    models: Sequence[str] | Mapping[str, ClassifierMixin] = MODEL_NAMES,
    folds: int | None = None,
    n_repeats: int = 1,
    n_examples: Sequence[int] = (1, 2, 5, 10, 20, 50),
    n_draws: int = 2,
    noise: str | os.PathLike | ArrayLike | None = None,
    snr_db: Sequence[float] = (20, 10, 5, 0),
    cache_dir: str | os.PathLike | None = None,
    checkpoint_dir: str | os.PathLike | None = None,
    random_state: int = 0,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> Comparison:
    """Cross-validate classifiers on the same clips, no speaker on both sides of a split: all examples, few, and noise.

    The first steps of a pipeline that learn nothing from the data, such as all features of skkws, are computed once
    for all folds and for all models that share them, and with `cache_dir` once for all comparisons.

    Parameters
    ----------
    X : list of str or path-like, or array-like of shape (n_clips, n_samples)
        Recordings, which ``AudioLoader()`` turns into rows of one second; or waveform rows at 16 kHz.
    y : array-like of shape (n_clips,)
        Labels.
    groups : array-like of shape (n_clips,)
        Speaker of each clip.
    models : sequence of str, or mapping of str to classifier, default=MODEL_NAMES
        Names for :func:`make_model` or ``"module:object"``, see :func:`resolve_models`; or pipelines of your own, from
        waveform rows to labels, under the names they shall have.
    folds : int or None, default=None
        Folds; None leaves out one speaker at a time up to 10 speakers and makes 5 folds of more.
    n_repeats : int, default=1
        Times that the folds are drawn anew, with other seeds for the models. Where speakers are left out one by one
        only the seeds are others.
    n_examples : sequence of int, default=(1, 2, 5, 10, 20, 50)
        Examples per label of the learning curves; numbers that a training part does not hold are left out.
    n_draws : int, default=2
        Times that the examples are drawn anew in each fold.
    noise : path, array-like, list of paths and arrays, or None, default=None
        Recorded noise to test in, as for :class:`~skkws.augment.BackgroundNoise`. None means pink noise.
    snr_db : sequence of float, default=(20, 10, 5, 0)
        Signal-to-noise ratios to test at, in dB; ``()`` for none. Trained are the models on the clips as they are.
    cache_dir : str, path-like or None, default=None
        Folder that keeps features, as for :class:`CachedTransformer`: a further comparison of the same clips finds
        them there. None keeps nothing.
    checkpoint_dir : str, path-like or None, default=None
        Folder that keeps the outcome of each fit, so that a comparison that was interrupted, or killed, goes on there,
        and one with a further model computes that one alone. None keeps nothing.
    random_state : int, default=0
        Seeds the folds, the draws, the noise and the models.
    n_jobs : int or None, default=None
        Processes that fit models, or the workers of a cluster, see :func:`skkws.cluster.on_dask`. Most fits use all
        cores already, so more than one pays where models are many and clips few, and makes the times reported longer.
    verbose : int, default=0
        Above 0 shows progress bars.

    Returns
    -------
    comparison : Comparison
        Scores of each model, and how they compare.

    Raises
    ------
    ImportError
        If a package that a model needs is not installed.
    AudioError, FileNotFoundError
        If a recording cannot be used; the message names it.
    OSError
        If `cache_dir` or `checkpoint_dir` is no writable folder.
    RuntimeError
        If each model failed. One that fails among others is left out, with a warning, and in the `failures` of the
        result.
    ValueError
        If there are too few labels, speakers or clips for a fair split, `X`, `y` and `groups` differ in length, a
        model is none, or `n_draws` or `n_repeats` is less than 1.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws.compare import compare_classifiers
    >>> rng = np.random.RandomState(0)
    >>> y = np.tile(["high", "low"], 20)
    >>> pitch = np.where(y == "high", 1000, 300)[:, None]
    >>> X = 0.1 * np.sin(2 * np.pi * pitch * np.arange(8000) / 16000) + rng.normal(0, 0.01, (40, 8000))
    >>> result = compare_classifiers(X, y, np.repeat(list("abcd"), 10), models=["mfcc+logreg"], n_examples=[1])
    >>> result.models[0].accuracy
    1.0
    """
    for name, number in (("n_draws", n_draws), ("n_repeats", n_repeats)):
        if number < 1:
            raise ValueError(f"{name} must be 1 or more, got {number}; pass n_examples=() for no learning curves.")
    y, groups = np.asarray(y), np.asarray(groups)
    check_consistent_length(X, y, groups)
    # Every model gets numbers from 0 on for labels, because XGBoost takes no others.
    labels, codes = np.unique(y, return_inverse=True)
    splits, validation = [], ""
    for repeat in range(n_repeats):
        parts, validation = speaker_folds(y, groups, folds, random_state + repeat)
        again = f"repeat {repeat + 1}, " if n_repeats > 1 else ""
        splits += [(repeat, *part, f"{again}fold {i} of {len(parts)}") for i, part in enumerate(parts, start=1)]
    resolved = resolve_models(models, random_state)
    X = _waveforms(X, verbose)
    conditions = Conditions(X, noise, snr_db, random_state)
    candidates = {name: Candidate(name, model, X.shape[1]) for name, model in resolved.items()}
    store = OutcomeStore(checkpoint_dir, X, codes, conditions)
    first_splits = [part for repeat, *part, _ in splits if not repeat]
    draws = learning_curve_splits(codes, first_splits, n_examples, n_draws, random_state)
    places = [f"fold {i + 1}, draw {draw + 1}" for i in range(len(first_splits)) for draw in range(n_draws)]
    tasks = [Task(name, 0, *part) for name in candidates for part in splits]
    tasks += [
        Task(name, k, 0, chosen, test, place)
        for name in candidates
        for k, drawn in draws.items()
        for (chosen, test), place in zip(drawn, places, strict=True)
    ]
    keys = [store.key(candidates[task.name].model, task) for task in tasks]
    outcomes = [store.read(key, task) for key, task in zip(keys, tasks, strict=True)]
    missing = [i for i, outcome in enumerate(outcomes) if outcome is None]
    unfinished = dict.fromkeys(tasks[i].name for i in missing)
    time_features(candidates.values(), X)
    compute_features([candidates[name] for name in unfinished], conditions, cache_dir, verbose)

    def fit(task):
        candidate = candidates[task.name]
        tested = 1 if task.n_examples else len(conditions)
        return delayed(try_task)(task, reseeded(candidate.rest, task.repeat), candidate.rows, codes, tested)

    fitted = in_order((fit(tasks[i]) for i in missing), n_jobs)
    failures, warned = [], {}
    with progress("Fitting models", len(tasks), verbose=verbose) as advance:
        if len(missing) < len(tasks):
            advance("from checkpoints", len(tasks) - len(missing))
        for i, (outcome, messages) in zip(missing, fitted, strict=True):
            for message in messages:
                warned.setdefault((tasks[i].name, message), []).append(i)
            if isinstance(outcome, FailedFit):
                failures.append(outcome)
            else:
                store.write(keys[i], outcome)
                outcomes[i] = outcome
            advance(f"{tasks[i].name}, {tasks[i].n_examples} per label" if tasks[i].n_examples else tasks[i].name)
    _warn(tasks, warned, failures)
    by_row = {}
    for task, outcome in zip(tasks, outcomes, strict=True):
        by_row.setdefault((task.name, task.n_examples), []).append((task, outcome))
    failed = {(failure.name, failure.n_examples) for failure in failures}
    whole = [name for name in candidates if (name, 0) not in failed]
    if not whole:
        raise RuntimeError(f"no model could be compared; the first one failed: {failures[0].name}: {failures[0].error}")
    scoring = Scoring(labels, codes, groups, n_repeats)
    return Comparison(
        labels=labels.tolist(),
        target=y,
        speakers=groups,
        validation=validation + (f", repeated {n_repeats} times" if n_repeats > 1 else ""),
        models=[scoring.model(candidates[name], by_row[name, 0]) for name in whole],
        few_shot=[
            scoring.few_shot(name, k, by_row[name, k], n_draws)
            for name in whole
            for k in draws
            if (name, k) not in failed
        ],
        noise=[scoring.noise(name, snr, i, by_row[name, 0]) for name in whole for i, snr in enumerate(snr_db, start=1)],
        noise_name=conditions.noise_name if len(snr_db) else "",
        failures=failures,
    )


def _warn(tasks, warned, failures):
    """Pass on what was warned of in fits, and that some failed, once for each model."""
    n_fits = Counter(task.name for task in tasks)
    for (name, message), where in warned.items():
        warnings.warn(f"{name}, in {len(where)} of {n_fits[name]} fits: {message}", UserWarning, stacklevel=3)
    first = {}
    for failure in failures:
        first.setdefault(failure.name, failure)
    for name, n_failed in Counter(failure.name for failure in failures).items():
        examples = f"{first[name].n_examples} per label, " if first[name].n_examples else ""
        warnings.warn(
            f"{name} failed in {n_failed} of {n_fits[name]} fits, which are left out: first in "
            f"{examples}{first[name].where}: {first[name].error}",
            UserWarning,
            stacklevel=3,
        )


def _waveforms(X, verbose):
    """Rows of samples, whether `X` holds these or names of files."""
    clips = as_clip_list(X)
    if clips is not None and is_source(clips[0]):
        return extract(clips, "passthrough", verbose=verbose, description="Loading audio").features
    return np.ascontiguousarray(X, dtype=np.float32)
