"""What is compared: models by name, and pipelines of the user."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skkws._runtime.optional import is_installed, require
from skkws._runtime.stateless import first_steps_without_data, noise_rows
from skkws.classifiers import KeywordHeadClassifier
from skkws.embedding import SpeechEmbeddingTransformer
from skkws.features import MFCCTransformer

if TYPE_CHECKING:
    from sklearn.base import ClassifierMixin


def _embedding_head(random_state):
    return make_pipeline(SpeechEmbeddingTransformer(), KeywordHeadClassifier(random_state=random_state))


def _embedding_logreg(random_state):
    # The penalty is strong because one recording per word has to be enough; chosen on digits and commands.
    classifier = LogisticRegression(C=0.01, max_iter=1000, random_state=random_state)
    return make_pipeline(SpeechEmbeddingTransformer(pooling="mean_max"), StandardScaler(), classifier)


def _mfcc_xgboost(random_state):
    from xgboost import XGBClassifier

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
# Packages that not every installation has.
_NEEDS = {"mfcc+xgboost": ("librosa", "xgboost"), "mfcc+svm": ("librosa",), "mfcc+logreg": ("librosa",)}
MODEL_NAMES = tuple(_MODELS)


def make_model(name: str, random_state: int | np.random.RandomState | None = None) -> Pipeline:
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
    for package in _NEEDS.get(name, ()):
        require(package, name)
    return _MODELS[name](random_state)


def _require_packages(names):
    """Say at once which of the models lack a package, and which ones would not."""
    for package in dict.fromkeys(package for name in names for package in _NEEDS.get(name, ())):
        try:
            require(package, *(name for name in names if package in _NEEDS.get(name, ())))
        except ImportError as error:
            others = [name for name in MODEL_NAMES if all(map(is_installed, _NEEDS.get(name, ())))]
            raise ImportError(f"{error} Without it there are {', '.join(others)}.", name=package) from None


def resolve_models(
    models: Sequence[str] | Mapping[str, ClassifierMixin], random_state: int | None = None
) -> dict[str, ClassifierMixin]:
    """Unfitted classifiers of waveform rows by their names.

    Parameters
    ----------
    models : sequence of str, or mapping of str to classifier
        Names for :func:`make_model`, or ``"module:object"``: an object of a module that can be imported, also from the
        working directory, which is a classifier, or a function that returns one. Or classifiers under names.
    random_state : int or None, default=None
        Seeds those that have a `random_state` of None.

    Returns
    -------
    models : dict of str to classifier

    Raises
    ------
    ImportError
        If a module or a package that it needs cannot be imported.
    ValueError
        If there is no such model, or what is there is no classifier.

    Examples
    --------
    >>> from skkws.compare import resolve_models
    >>> list(resolve_models(["mfcc+logreg", "sklearn.dummy:DummyClassifier"]))
    ['mfcc+logreg', 'sklearn.dummy:DummyClassifier']
    """
    if isinstance(models, str):
        raise ValueError(f"models must be a sequence of names or a mapping, got {models!r}. Pass [{models!r}].")
    if isinstance(models, Mapping):
        found = models.items()
    else:
        _require_packages(models)
        found = ((name, _named(name, random_state)) for name in models)
    resolved = {}
    for name, model in found:
        if isinstance(model, type) or not hasattr(model, "get_params") or not is_classifier(model):
            raise ValueError(
                f"{name} must be a classifier, such as a Pipeline that ends in one, got "
                f"{model if isinstance(model, type) else type(model).__name__}."
            )
        resolved[str(name)] = _seeded(model, random_state)
    if not resolved:
        raise ValueError(f"models names no model; choose from {', '.join(MODEL_NAMES)}, or pass pipelines of your own.")
    return resolved


def _named(name, random_state):
    module_name, colon, attribute = str(name).partition(":")
    if not colon:
        return make_model(name, random_state)
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        module = import_module(module_name)
    except ImportError as error:
        raise ImportError(f"{name}: module {module_name!r} cannot be imported: {error}. Check its name.") from error
    finally:
        sys.path.remove(here)
    if not hasattr(module, attribute):
        raise ValueError(f"{name}: module {module_name!r} has no {attribute!r}. Check its name.")
    model = getattr(module, attribute)
    if not callable(model):
        return model
    try:
        return model()
    except TypeError as error:
        raise ValueError(
            f"{name} cannot be called without arguments: {error}. Name a classifier, or a function that returns one."
        ) from error


def _seeded(model, random_state):
    unset = [name for name, value in model.get_params().items() if _is_seed(name) and value is None]
    return clone(model).set_params(**dict.fromkeys(unset, random_state))


def reseeded(model, repeat):
    """Clone a model with other seeds for each repeat; repeat 0 has its own."""
    seeds = {name: value for name, value in model.get_params().items() if _is_seed(name)}
    return clone(model).set_params(
        **{name: value + repeat for name, value in seeds.items() if isinstance(value, Integral)}
    )


def _is_seed(name):
    return name.rpartition("__")[2] == "random_state"


def split_features(model, n_samples):
    """Split a model into the features, whose steps learn nothing from the data, and what is fitted in each fold.

    Parameters
    ----------
    model : classifier
        Of waveform rows.
    n_samples : int
        Their length.

    Returns
    -------
    features : Pipeline or None
        The first steps, fitted, of which the last one gives a dense 2-D array; None if the first one already learns.
    rest : classifier
        What is left, not fitted.
    """
    steps, n_steps = [], 0
    transformers = model.steps[:-1] if isinstance(model, Pipeline) else []
    for step, (rows, _) in first_steps_without_data(transformers, noise_rows(n_samples)):
        steps.append(step)
        if isinstance(rows, np.ndarray) and rows.ndim == 2 and rows.dtype.kind in "biuf":
            n_steps = len(steps)
    return (Pipeline(steps[:n_steps]), model[n_steps:]) if n_steps else (None, model)
