"""Whole models."""

from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from skkws.persistence._file import MAX_BYTES, read, write


def save_model(
    model: BaseEstimator,
    path: str | Path,
    *,
    trusted: list[str] | tuple[str, ...] = (),
    max_bytes: int = MAX_BYTES,
) -> None:
    """Save a fitted model as one file, which stands alone.

    The file is written by `skops <https://skops.readthedocs.io>`_: unlike a pickle it runs no code when it is loaded.
    It names our classes by their public names, and holds the weights of a :class:`SpeechEmbeddingTransformer` that
    came from a file of one's own. What :func:`load_model` could not load is refused here, before anything is written:
    the file is read back first.

    Trusted are the estimators and transforms of skkws, those of scikit-learn and XGBoost, and what they hold: arrays,
    numbers, texts, paths, scikit-learn's scorers and splitters; of functions those of :mod:`skkws.features`,
    :mod:`skkws.preparation`, :mod:`skkws.augment` and :mod:`skkws.networks`, universal functions of NumPy and SciPy,
    and those of :mod:`sklearn.metrics` and :mod:`sklearn.feature_selection`.

    Parameters
    ----------
    model : estimator
        Fitted: a classifier, most often a pipeline from files to labels, or a transformer.
    path : str or Path
        Where to; written whole or not at all.
    trusted : list of str, default=()
        Names of classes and functions beyond these that the model may hold, such as ``["my.module.Class"]``. Whoever
        loads it has to pass them too, and to have their code.
    max_bytes : int, default=2**30
        Most bytes of memory that loading it may take; whoever loads a larger model has to pass it too.

    Raises
    ------
    ValueError
        If the model holds something that is not trusted or cannot be kept, is larger than `max_bytes`, or the file
        ends like one of another format. What stood at `path` is still there then.
    NotFittedError
        If the model is not fitted.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from skkws.persistence import load_model, save_model
    >>> from sklearn.linear_model import LogisticRegression
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "model.skops"
    >>> save_model(LogisticRegression().fit([[0.0], [1.0]], ["no", "yes"]), path)
    >>> load_model(path).predict([[1.0]])
    array(['yes'], dtype='<U3')
    """
    check_is_fitted(model)
    labels = getattr(model, "classes_", None)
    write({"labels": None if labels is None else np.asarray(labels).tolist(), "model": model}, path, trusted, max_bytes)


def load_model(
    path: str | Path, *, trusted: list[str] | tuple[str, ...] = (), max_bytes: int = MAX_BYTES
) -> BaseEstimator:
    """Load what :func:`save_model` wrote; nothing in the file is run.

    Parameters
    ----------
    path : str or Path
        The file.
    trusted : list of str, default=()
        Names of classes and functions that the file may hold beyond those that are always trusted. Their code is run:
        pass names only of what you know.
    max_bytes : int, default=2**30
        Most bytes of memory that loading it may take: a small file can announce, or unpack to, a thousand times its
        size. Sizes are looked at before anything is unpacked.

    Returns
    -------
    model : estimator
        The fitted model.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no model of skkws, is damaged, would take more than `max_bytes`, or holds types that are not trusted,
        which are named.
    """
    content = read(path, trusted, max_bytes)
    if "model" not in content:
        raise ValueError(f"{path} holds a head alone; load it with load_head.")
    if not hasattr(content["model"], "fit"):
        raise ValueError(f"{path} holds no model but {type(content['model']).__name__}; train it again.")
    return content["model"]


def describe_model(path: str | Path, *, trusted: list[str] | tuple[str, ...] = (), max_bytes: int = MAX_BYTES) -> dict:
    """Labels a saved model knows and versions it was made with.

    Parameters
    ----------
    path : str or Path
        The file.
    trusted : list of str, default=()
        As in :func:`load_model`.
    max_bytes : int, default=2**30
        As in :func:`load_model`.

    Returns
    -------
    description : dict
        ``"labels"``, None for a model that gives none, and ``"versions"``.
    """
    content = read(path, trusted, max_bytes)
    return {"labels": content["labels"], "versions": content["versions"]}
