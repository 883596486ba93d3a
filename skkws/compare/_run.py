"""Deep against classical on one set of recordings: the main job."""

from time import perf_counter

import numpy as np
from joblib import delayed
from sklearn.utils import check_consistent_length

from skkws._runtime.fingerprint import fingerprint
from skkws._runtime.parallel import in_order
from skkws._runtime.progress import progress
from skkws.augment import AudioAugmenter, BackgroundNoise, ColoredNoise, PeakLimit
from skkws.compare._finished import Finished
from skkws.compare._models import MODEL_NAMES, reseeded, resolve_models, split_features
from skkws.compare._result import Comparison
from skkws.compare._scores import Scoring
from skkws.compare._splits import draw_examples, split
from skkws.compare._tasks import WARM_UP, Task, fit_and_predict


def compare_classifiers(
    X,
    y,
    groups,
    *,
    models=MODEL_NAMES,
    folds=None,
    n_repeats=1,
    n_examples=(1, 2, 5, 10, 20, 50),
    n_draws=2,
    noise=None,
    snr_db=(20, 10, 5, 0),
    checkpoint_dir=None,
    random_state=0,
    n_jobs=None,
    verbose=0,
):
    """Cross-validate classifiers on the same clips, no speaker on both sides of a split: all examples, few, and noise.

    The first steps of a pipeline that learn nothing from the data, such as all features of skkws, are computed once
    for all folds and for all models that share them.

    Parameters
    ----------
    X : array-like of shape (n_clips, n_samples)
        Waveform rows at 16 kHz.
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
    checkpoint_dir : str, path-like or None, default=None
        Folder that keeps what is finished, so that a comparison that was interrupted, or killed, goes on there, and
        one with a further model computes that one alone. None keeps nothing.
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
    OSError
        If `checkpoint_dir` is no writable folder, or full.
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
        parts, validation = split(codes, labels, groups, folds, random_state + repeat)
        splits += [(repeat, train, test) for train, test in parts]
    X = np.ascontiguousarray(X, dtype=np.float32)
    conditions = _Conditions(X, noise, snr_db, random_state)
    candidates = {
        name: _Candidate(name, model, X.shape[1]) for name, model in resolve_models(models, random_state).items()
    }
    finished = Finished(checkpoint_dir, X, codes, conditions)
    draws = draw_examples(codes, [part for repeat, *part in splits if not repeat], n_examples, n_draws, random_state)
    tasks = [Task(name, 0, *part) for name in candidates for part in splits]
    tasks += [
        Task(name, k, 0, chosen, test) for name in candidates for k, drawn in draws.items() for chosen, test in drawn
    ]
    _compute_features(candidates.values(), conditions, verbose)

    def fit(task):
        candidate = candidates[task.name]
        tested = 1 if task.n_examples else len(conditions)
        rest = reseeded(candidate.rest, task.repeat)
        return delayed(fit_and_predict)(rest, candidate.rows, codes, task.train, task.test, tested)

    keys = [finished.key(candidates[task.name].model, task) for task in tasks]
    known = [finished.read(key) for key in keys]
    missing = [i for i, outcome in enumerate(known) if outcome is None]
    outcomes = in_order((fit(tasks[i]) for i in missing), n_jobs)
    with progress("Fitting models", len(tasks), verbose=verbose) as advance:
        if len(missing) < len(tasks):
            advance("finished before", len(tasks) - len(missing))
        for i, outcome in zip(missing, outcomes, strict=True):
            finished.write(keys[i], outcome)
            known[i] = outcome
            advance(f"{tasks[i].name}, {tasks[i].n_examples} per label" if tasks[i].n_examples else tasks[i].name)
    by_row = {}
    for task, outcome in zip(tasks, known, strict=True):
        by_row.setdefault((task.name, task.n_examples), []).append((task, outcome))
    scoring = Scoring(labels, codes, groups, n_repeats)
    return Comparison(
        labels=labels.tolist(),
        target=y,
        speakers=groups,
        validation=validation + (f", repeated {n_repeats} times" if n_repeats > 1 else ""),
        models=[scoring.model(candidate, by_row[name, 0]) for name, candidate in candidates.items()],
        few_shot=[scoring.few_shot(name, k, by_row[name, k], n_draws) for name in candidates for k in draws],
        noise=[
            scoring.noise(name, snr, i, by_row[name, 0]) for name in candidates for i, snr in enumerate(snr_db, start=1)
        ],
        noise_name=conditions.noise_name if len(snr_db) else "",
    )


class _Conditions:
    """The clips as they are, and in noise."""

    def __init__(self, X, noise, snr_db, random_state):
        self._X, self._random_state = X, random_state
        self.noise_name = "pink noise" if noise is None else "recorded noise"
        mix = ColoredNoise if noise is None else BackgroundNoise
        how = {"colors": ("pink",)} if noise is None else {"noise": noise}
        self._transforms = [None, *([mix(snr_db=float(snr), **how), PeakLimit()] for snr in snr_db)]

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


class _Candidate:
    """A model, in two parts."""

    def __init__(self, name, model, n_samples):
        self.name, self.model = name, model
        self.features, self.rest = split_features(model, n_samples)
        self.rows, self.seconds = None, 0.0

    @property
    def feature_key(self):
        """What tells its features from others'."""
        return None if self.features is None else fingerprint(self.features)


def _compute_features(candidates, conditions, verbose):
    """Compute the rows (n_conditions, n_clips, n_features) of all candidates, once for those that share them."""
    shared = {}
    for candidate in candidates:
        shared.setdefault(candidate.feature_key, []).append(candidate)
    with progress("Computing features", len(conditions) * len(shared), verbose=verbose) as advance:
        for i in range(len(conditions)):
            X = conditions.rows(i)
            for first, *others in shared.values():
                rows = _timed_rows(first, X) if first.features is not None else X
                if first.rows is None:
                    first.rows = np.empty((len(conditions), *rows.shape), rows.dtype)
                first.rows[i] = rows
                for candidate in others:
                    candidate.rows, candidate.seconds = first.rows, first.seconds
                advance(conditions.noise_name if i else "")


def _timed_rows(candidate, X):
    """Compute features, and time those of the clips without noise, which come first."""
    if candidate.rows is not None:
        return candidate.features.transform(X)
    candidate.features.transform(X[:WARM_UP])
    start = perf_counter()
    rows = candidate.features.transform(X)
    candidate.seconds = (perf_counter() - start) / len(X)
    return rows
