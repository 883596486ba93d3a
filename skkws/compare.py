"""Deep against classical on one set of recordings: the main job."""

import pickle
from dataclasses import dataclass
from importlib import resources
from time import perf_counter

import numpy as np
from joblib import Parallel, delayed
from scipy import stats
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import LeaveOneGroupOut, StratifiedGroupKFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils import check_consistent_length

from skkws._progress import progress
from skkws.classifiers import KeywordHeadClassifier
from skkws.embedding import SpeechEmbeddingTransformer
from skkws.features import MFCCTransformer
from skkws.metrics import accuracy_interval

# Few speakers are left out one by one, many in folds.
_MOST_SINGLE_SPEAKERS = 10
_MANY_SPEAKERS_FOLDS = 5


def _embedding_head(random_state):
    return make_pipeline(SpeechEmbeddingTransformer(), KeywordHeadClassifier(random_state=random_state))


def _embedding_logreg(random_state):
    # The penalty is strong because one recording per word has to be enough; chosen on digits and commands.
    classifier = LogisticRegression(C=0.01, max_iter=1000, random_state=random_state)
    return make_pipeline(SpeechEmbeddingTransformer(pooling="mean_max"), StandardScaler(), classifier)


def _mfcc_xgboost(random_state):
    try:
        from xgboost import XGBClassifier
    except ImportError as error:
        raise ImportError('mfcc+xgboost needs XGBoost; install it with pip install "skkws[xgboost]".') from error
    return make_pipeline(MFCCTransformer(), XGBClassifier(random_state=random_state))


def _mfcc_svm(random_state):
    return make_pipeline(MFCCTransformer(), StandardScaler(), SVC(C=10.0, random_state=random_state))


def _mfcc_logreg(random_state):
    classifier = LogisticRegression(C=0.1, max_iter=1000, random_state=random_state)
    return make_pipeline(MFCCTransformer(), StandardScaler(), classifier)


_MODELS = {
    "embedding+head": _embedding_head,
    "embedding+logreg": _embedding_logreg,
    "mfcc+xgboost": _mfcc_xgboost,
    "mfcc+svm": _mfcc_svm,
    "mfcc+logreg": _mfcc_logreg,
}
MODEL_NAMES = tuple(_MODELS)


def make_model(name, random_state=None):
    """Pipeline of this name from waveform rows to labels; its first step makes the features.

    Parameters
    ----------
    name : str
        One of `MODEL_NAMES`: ``"embedding+head"``, ``"embedding+logreg"``, ``"mfcc+xgboost"``, ``"mfcc+svm"``,
        ``"mfcc+logreg"``.
    random_state : int, RandomState instance or None, default=None
        Seeds the classifier.

    Returns
    -------
    model : Pipeline
        Not yet fitted.

    Raises
    ------
    ValueError
        If there is no such model.
    ImportError
        If it needs a package that is not installed.

    Examples
    --------
    >>> from skkws.compare import make_model
    >>> [name for name, _ in make_model("mfcc+logreg").steps]
    ['mfcctransformer', 'standardscaler', 'logisticregression']
    """
    if name not in _MODELS:
        raise ValueError(f"There is no model {name!r}; choose from {', '.join(MODEL_NAMES)}.")
    return _MODELS[name](random_state)


@dataclass
class ModelScores:
    """What one model did over all folds.

    Attributes
    ----------
    name : str
        The model.
    accuracy : float
        Share of clips recognised, each by a model that never heard its speaker.
    interval : tuple of (float, float)
        95 % confidence interval of the accuracy, clustered by speaker.
    fold_accuracies : list of float
        Accuracy in each fold.
    macro_f1 : float
        Mean F1 score of the labels.
    fit_seconds : float
        Mean time of a fit, the features of its training clips included.
    predict_seconds : float
        Mean time to predict one clip, its features included, measured in large batches.
    n_bytes : int
        Size of the fitted pipeline, pretrained weights included.
    predictions : ndarray of shape (n_clips,)
        Label predicted for each clip.
    """

    name: str
    accuracy: float
    interval: tuple
    fold_accuracies: list
    macro_f1: float
    fit_seconds: float
    predict_seconds: float
    n_bytes: int
    predictions: np.ndarray


@dataclass
class FewShotScores:
    """What one model did with a few examples per label.

    Attributes
    ----------
    name : str
        The model.
    n_examples : int
        Training examples per label.
    accuracy : float
        Mean accuracy over folds and draws.
    interval : tuple of (float, float)
        95 % confidence interval of that mean, by Student's t over the means of the folds.
    accuracies : list of float
        Accuracy of each fold and draw.
    """

    name: str
    n_examples: int
    accuracy: float
    interval: tuple
    accuracies: list


@dataclass
class Comparison:
    """Result of :func:`compare_models`.

    Attributes
    ----------
    labels : list of str
        The labels.
    target : ndarray of shape (n_clips,)
        True label of each clip.
    n_speakers : int
        Speakers there are.
    validation : str
        How the clips were split, in words.
    models : list of ModelScores
        One for each model.
    few_shot : list of FewShotScores
        One for each model and number of examples.
    """

    labels: list
    target: np.ndarray
    n_speakers: int
    validation: str
    models: list
    few_shot: list


def compare_models(
    X,
    y,
    groups,
    *,
    models=MODEL_NAMES,
    folds=None,
    n_examples=(1, 5, 20),
    n_draws=2,
    random_state=0,
    n_jobs=None,
    verbose=0,
):
    """Cross-validate models on the same clips, no speaker on both sides of a split, and with few examples.

    Features learn nothing from the data, so they are computed once for all folds and all models that share them.

    Parameters
    ----------
    X : array-like of shape (n_clips, n_samples)
        Waveform rows at 16 kHz.
    y : array-like of shape (n_clips,)
        Labels.
    groups : array-like of shape (n_clips,)
        Speaker of each clip.
    models : sequence of str, default=MODEL_NAMES
        Names for :func:`make_model`.
    folds : int or None, default=None
        Folds; None leaves out one speaker at a time up to 10 speakers and makes 5 folds of more.
    n_examples : sequence of int, default=(1, 5, 20)
        Examples per label of the few-shot table; numbers that a training part does not hold are left out.
    n_draws : int, default=2
        Times that the examples are drawn anew in each fold.
    random_state : int, default=0
        Seeds the folds, the draws and the classifiers.
    n_jobs : int or None, default=None
        Processes that fit models. Each fit already uses all cores, so more than one pays where models are many and
        clips few, and makes the times reported longer.
    verbose : int, default=0
        Above 0 shows progress bars.

    Returns
    -------
    comparison : Comparison
        Scores of each model.

    Raises
    ------
    ValueError
        If there are too few labels, speakers or clips for a fair split, `X`, `y` and `groups` differ in length, or
        `n_draws` is less than 1.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws.compare import compare_models
    >>> rng = np.random.RandomState(0)
    >>> y = np.tile(["high", "low"], 20)
    >>> pitch = np.where(y == "high", 1000, 300)[:, None]
    >>> X = 0.1 * np.sin(2 * np.pi * pitch * np.arange(8000) / 16000) + rng.normal(0, 0.01, (40, 8000))
    >>> result = compare_models(X, y, np.repeat(list("abcd"), 10), models=["mfcc+logreg"], n_examples=[1])
    >>> result.models[0].accuracy
    1.0
    """
    if n_draws < 1:
        raise ValueError(f"n_draws must be 1 or more, got {n_draws}; pass n_examples=() for no few-shot table.")
    y, groups = np.asarray(y), np.asarray(groups)
    check_consistent_length(X, y, groups)
    # Every model gets numbers from 0 on for labels, because XGBoost takes no others.
    labels, codes = np.unique(y, return_inverse=True)
    splits, validation = _split(codes, labels, groups, folds, random_state)
    pipelines = {name: make_model(name, random_state) for name in models}
    draws = _draw_examples(codes, splits, n_examples, n_draws, random_state)
    tasks = [(name, 0, train, test) for name in pipelines for train, test in splits]
    tasks += [(name, k, chosen, test) for name in pipelines for k, drawn in draws.items() for chosen, test in drawn]
    features = _compute_features(X, pipelines, verbose)
    outcomes = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(_fit_and_predict)(clone(pipelines[name][1:]), features[name][0], codes, train, test)
        for name, _, train, test in tasks
    )
    by_row = {}
    with progress("Fitting models", len(tasks), verbose=verbose) as advance:
        for (name, k, _, test), outcome in zip(tasks, outcomes, strict=True):
            by_row.setdefault((name, k), []).append((test, outcome))
            advance(f"{name}, {k} per label" if k else name)
    return Comparison(
        labels=labels.tolist(),
        target=y,
        n_speakers=len(np.unique(groups)),
        validation=validation,
        models=[
            _model_scores(name, by_row[name, 0], codes, labels, groups, features[name][1], pipelines[name][0])
            for name in pipelines
        ],
        few_shot=[_few_shot_scores(name, k, by_row[name, k], codes, n_draws) for name in pipelines for k in draws],
    )


def _compute_features(X, pipelines, verbose):
    """``{name: (rows, seconds per clip)}``, computed once for every distinct transformer."""
    transformers = {repr(pipeline[0]): pipeline[0] for pipeline in pipelines.values()}
    computed = {}
    with progress("Computing features", len(transformers), verbose=verbose) as advance:
        for key, transformer in transformers.items():
            transformer.fit(X[:1]).transform(X[:1])  # what loads at the first call is no cost per clip
            start = perf_counter()
            rows = transformer.transform(X)
            computed[key] = rows, (perf_counter() - start) / len(X)
            advance()
    return {name: computed[repr(pipeline[0])] for name, pipeline in pipelines.items()}


@dataclass
class _Outcome:
    predicted: np.ndarray
    fit_seconds: float
    predict_seconds: float
    n_bytes: int


def _fit_and_predict(classifier, rows, codes, train, test):
    start = perf_counter()
    classifier.fit(rows[train], codes[train])
    fitted = perf_counter()
    predicted = classifier.predict(rows[test])
    done = perf_counter()
    return _Outcome(predicted, fitted - start, done - fitted, len(pickle.dumps(classifier)))


def _model_scores(name, outcomes, codes, labels, groups, seconds_per_clip, transformer):
    predicted = np.empty_like(codes)
    for test, outcome in outcomes:
        predicted[test] = outcome.predicted
    n_train = len(codes) - np.mean([len(test) for test, _ in outcomes])
    return ModelScores(
        name=name,
        accuracy=float(np.mean(predicted == codes)),
        interval=accuracy_interval(predicted == codes, groups),
        fold_accuracies=_accuracies(outcomes, codes),
        macro_f1=float(f1_score(codes, predicted, average="macro")),
        fit_seconds=float(np.mean([o.fit_seconds for _, o in outcomes]) + seconds_per_clip * n_train),
        predict_seconds=float(np.mean([o.predict_seconds / len(test) for test, o in outcomes]) + seconds_per_clip),
        n_bytes=outcomes[-1][1].n_bytes + _pretrained_bytes(transformer),
        predictions=labels[predicted],
    )


def _few_shot_scores(name, k, outcomes, codes, n_draws):
    accuracies = _accuracies(outcomes, codes)
    # Draws of one fold share their test clips, so the folds are what varies independently.
    by_fold = np.reshape(accuracies, (-1, n_draws)).mean(axis=1)
    mean = by_fold.mean()
    reach = stats.t.ppf(0.975, len(by_fold) - 1) * stats.sem(by_fold)
    interval = (max(0.0, float(mean - reach)), min(1.0, float(mean + reach)))
    return FewShotScores(name, k, float(mean), interval, accuracies)


def _accuracies(outcomes, codes):
    return [float(np.mean(outcome.predicted == codes[test])) for test, outcome in outcomes]


def _pretrained_bytes(transformer):
    if not isinstance(transformer, SpeechEmbeddingTransformer):
        return 0
    return len(resources.files("skkws").joinpath("weights/google_speech_embedding.npz").read_bytes())


def _draw_examples(codes, splits, n_examples, n_draws, random_state):
    """``{k: [(chosen, test), ...]}``: k examples of each label out of the training part of every fold and draw."""
    fewest = min(np.bincount(codes[train]).min() for train, _ in splits)
    rng = np.random.RandomState(random_state)
    drawn = {}
    for k in n_examples:
        if k > fewest:
            continue
        drawn[k] = []
        for train, test in splits:
            for _ in range(n_draws):
                of_label = [np.flatnonzero(codes[train] == label) for label in np.unique(codes)]
                chosen = np.concatenate([rng.choice(train[rows], k, replace=False) for rows in of_label])
                drawn[k].append((chosen, test))
    return drawn


def _split(codes, labels, groups, folds, random_state):
    """Train and test rows of each fold, and how they were split in words."""
    if len(labels) < 2:
        raise ValueError(
            f"A comparison needs at least two labels, got {labels.tolist()}; add recordings of another word."
        )
    n_speakers = len(np.unique(groups))
    if n_speakers == len(groups):
        folds = folds or _MANY_SPEAKERS_FOLDS
        splitter = StratifiedKFold(folds, shuffle=True, random_state=random_state)
        words = f"{folds}-fold cross-validation, every clip by a speaker of its own"
    elif folds is None and n_speakers <= _MOST_SINGLE_SPEAKERS:
        folds, splitter = n_speakers, LeaveOneGroupOut()
        words = f"leaving out one of {n_speakers} speakers at a time"
    else:
        folds = folds or _MANY_SPEAKERS_FOLDS
        splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=random_state)
        words = f"{folds}-fold cross-validation, no speaker in two folds"
    if n_speakers < max(2, folds):
        raise ValueError(
            f"{max(2, folds)} folds without a speaker in two need at least as many speakers, got {n_speakers}; record "
            "more people, lower the number of folds, or say how to tell speakers apart."
        )
    few = np.flatnonzero(np.bincount(codes) < folds) if n_speakers == len(groups) else ()
    if len(few):
        raise ValueError(f"Each label needs a clip for each of the {folds} folds; {labels[few].tolist()} have fewer.")
    splits = splitter.split(np.zeros(len(codes)), codes, None if n_speakers == len(groups) else groups)
    # Where speakers differ much in their number of clips, a fold may be left without any.
    splits = [(train, test) for train, test in splits if len(test)]
    for train, _ in splits:
        missing = np.setdiff1d(np.arange(len(labels)), codes[train])
        if len(missing):
            raise ValueError(
                f"With its speakers left out, nobody says {labels[missing].tolist()}; record these by more speakers or "
                "leave them out."
            )
    return splits, words
