"""Models as files that are safe to load from a stranger."""

import platform
from importlib.metadata import version
from pathlib import Path

import numpy as np

from skkws._files import whole_file

_FORMAT = 1
# Beyond what skops trusts by itself (NumPy, scikit-learn): our estimators, which hold parameters and arrays alone.
_TRUSTED = (
    "skkws.audio.AudioLoader",
    "skkws.augment._augmenter.AudioAugmenter",
    "skkws.augment._classifier.AugmentedClassifier",
    "skkws.classifiers._head.KeywordHeadClassifier",
    "skkws.classifiers._net_classifier.KeywordNetClassifier",
    "skkws.classifiers._prototype.PrototypeClassifier",
    "skkws.classifiers._rescoring.RescoringClassifier",
    "skkws.embedding.SpeechEmbeddingTransformer",
    "skkws.features._logmel.LogMelTransformer",
    "skkws.features._mfcc.MFCCTransformer",
    "skkws.features._scaling.BandScaler",
    "skkws.features._spectrogram.LogSpectrogramTransformer",
    "skkws.features._stacking.FrameStacker",
    "skkws.preparation._level.LoudnessNormalizer",
    "skkws.preparation._level.PeakNormalizer",
    "skkws.preparation._rate.Resample",
    "skkws.preparation._rate.TelephoneBand",
    "skkws.preparation._silence.TrimSilence",
    "skkws.preparation._speech.VoiceActivityFilter",
    "skkws.spotter.mean_and_maximum",
)
_PACKAGES = ("skkws", "scikit-learn", "librosa", "llvmlite", "numpy", "scipy", "soxr")


def package_versions():
    """Versions of Python, skkws and the packages that results depend on, as a dict of str."""
    return {"python": platform.python_version()} | {name: version(name) for name in _PACKAGES}


def save_model(model, path):
    """Save a fitted pipeline as one file.

    The file is written by `skops <https://skops.readthedocs.io>`_: unlike a pickle it runs no code when it is loaded.

    Parameters
    ----------
    model : estimator
        A fitted classifier, most often a pipeline from files to labels.
    path : str or Path
        Where to; written whole or not at all.

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
    import skops.io

    content = {
        "format": _FORMAT,
        "versions": package_versions(),
        "labels": np.asarray(model.classes_).tolist(),
        "model": model,
    }
    with whole_file(path) as draft:
        skops.io.dump(content, draft)


def load_model(path):
    """Load what :func:`save_model` wrote; nothing in the file is run.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    model : estimator
        The fitted model.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no model of skkws, is damaged, or holds types that are not trusted.
    """
    return _read(path)["model"]


def describe_model(path):
    """Labels a saved model knows and versions it was made with.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    description : dict
        ``"labels"`` and ``"versions"``.
    """
    content = _read(path)
    return {"labels": content["labels"], "versions": content["versions"]}


def _read(path):
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    try:
        content = Path(path).read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(f"There is no model file {path}; check the path.") from None
    try:
        content = skops.io.loads(content, trusted=list(_TRUSTED))
    except UntrustedTypesFoundException as error:
        raise ValueError(
            f"{path} holds types that skkws does not trust and was not loaded: {error}. Load it with skops itself, "
            "and only if you know who made it."
        ) from error
    except Exception as error:  # a damaged file fails anywhere in the readers of ZIP, JSON and NumPy
        reason = str(error) or type(error).__name__
        raise ValueError(f"{path} is no model that skkws saved, or it is damaged: {reason}. Train it again.") from error
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise ValueError(f"{path} is no model that this version of skkws saved; train it again.")
    return content
