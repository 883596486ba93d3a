"""Models as files that are safe to load from a stranger."""

import hashlib
import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from sklearn.pipeline import Pipeline

from skkws._runtime.files import whole_file
from skkws.classifiers import KeywordHeadClassifier, KeywordNetClassifier
from skkws.embedding import SpeechEmbeddingTransformer, read_weights

_FORMAT = 1
# Beyond what skops trusts by itself (NumPy, scikit-learn): our estimators, which hold parameters and arrays alone.
_TRUSTED = (
    "skkws.audio._loader.AudioLoader",
    "skkws.augment._augmenter.AudioAugmenter",
    "skkws.augment._classifier.AugmentedClassifier",
    "skkws.classifiers._head.KeywordHeadClassifier",
    "skkws.classifiers._net_classifier.KeywordNetClassifier",
    "skkws.classifiers._prototype.PrototypeClassifier",
    "skkws.classifiers._rescoring.RescoringClassifier",
    "skkws.embedding._transformer.SpeechEmbeddingTransformer",
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
    "skkws.spotting._pipeline.mean_and_maximum",
)
_PACKAGES = ("skkws", "scikit-learn", "librosa", "llvmlite", "numpy", "scipy", "soxr")


def package_versions():
    """Versions of Python, skkws and those of the packages that results depend on that are installed, a dict of str."""
    versions = {"python": platform.python_version()}
    for name in _PACKAGES:
        with suppress(PackageNotFoundError):
            versions[name] = version(name)
    return versions


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
    content = _read(path)
    if "model" not in content:
        raise ValueError(f"{path} holds a head alone; load it with load_head.")
    return content["model"]


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


def save_backbone(model, path):
    """Save the embedding that a classifier was trained with, for :class:`SpeechEmbeddingTransformer`.

    Parameters
    ----------
    model : KeywordNetClassifier
        Fitted, with ``network="embedding+head"``; or a pipeline that ends in it.
    path : str or Path
        An ``.npz`` file; written whole or not at all.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import numpy as np
    >>> from skkws import KeywordNetClassifier, SpeechEmbeddingTransformer, save_backbone
    >>> frames = np.random.RandomState(0).normal(size=(8, 98 * 32)).astype(np.float32)
    >>> net = KeywordNetClassifier("embedding+head", epochs=1).fit(frames, ["yes", "no"] * 4)
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "backbone.npz"
    >>> save_backbone(net, path)
    >>> SpeechEmbeddingTransformer(weights=path).fit(np.zeros((1, 16000))).output_shape_
    (13, 96)
    """
    path = Path(path)
    if path.suffix != ".npz":
        raise ValueError(f"A backbone is kept in an .npz file, got {path}; choose another name.")
    arrays = _last(model).backbone_
    with whole_file(path) as draft:
        np.savez(draft, **arrays)


def save_head(model, path):
    """Save a head without its embedding, but with the name of the embedding that it needs.

    Parameters
    ----------
    model : Pipeline or KeywordNetClassifier
        Fitted: a pipeline of a :class:`SpeechEmbeddingTransformer` and a :class:`KeywordHeadClassifier`, or a
        :class:`KeywordNetClassifier` with ``network="embedding+head"``.
    path : str or Path
        Where to; written whole or not at all.

    Raises
    ------
    ValueError
        If it is neither.

    Examples
    --------
    See :func:`load_head`.
    """
    import skops.io

    classifier = _last(model)
    embeddings = [step for _, step in getattr(model, "steps", []) if isinstance(step, SpeechEmbeddingTransformer)]
    if isinstance(classifier, KeywordNetClassifier):
        head, backbone = classifier.head_, classifier.backbone_
    elif isinstance(classifier, KeywordHeadClassifier) and embeddings:
        head, backbone = classifier, read_weights(embeddings[-1].weights)
    else:
        raise ValueError(
            "save_head takes a pipeline of a SpeechEmbeddingTransformer and a KeywordHeadClassifier, or a "
            f'KeywordNetClassifier with network="embedding+head", got {model!r}.'
        )
    content = {"format": _FORMAT, "versions": package_versions(), "labels": np.asarray(head.classes_).tolist()}
    with whole_file(path) as draft:
        skops.io.dump(content | {"head": head, "backbone": _digest(backbone)}, draft)


def load_head(path, embedding=None):
    """Load what :func:`save_head` wrote, for an embedding.

    Parameters
    ----------
    path : str or Path
        The file.
    embedding : SpeechEmbeddingTransformer or None, default=None
        What makes the rows. None means ``SpeechEmbeddingTransformer()``.

    Returns
    -------
    head : KeywordHeadClassifier
        The fitted head.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no head, or one that was trained on another embedding.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from skkws import KeywordHeadClassifier, SpeechEmbeddingTransformer, load_head, save_head
    >>> clips = np.random.RandomState(0).uniform(-0.1, 0.1, (8, 16000))
    >>> pipeline = make_pipeline(SpeechEmbeddingTransformer(), KeywordHeadClassifier(epochs=1))
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "head.skops"
    >>> save_head(pipeline.fit(clips, ["yes", "no"] * 4), path)
    >>> load_head(path).classes_
    array(['no', 'yes'], dtype='<U3')
    """
    content = _read(path)
    if "head" not in content:
        raise ValueError(f"{path} holds a whole model and no head alone; load it with load_model.")
    weights = "google" if embedding is None else embedding.weights
    here = _digest(read_weights(weights))
    if here != content["backbone"]:
        raise ValueError(
            f"{path} holds a head that was trained on the embedding {content['backbone']}, and weights={weights!r} is "
            f"{here}; pass SpeechEmbeddingTransformer(weights=...) with the file that save_backbone wrote of it."
        )
    return content["head"]


def _last(model):
    """Return the estimator itself, or the last one of a pipeline."""
    return model[-1] if isinstance(model, Pipeline) else model


def _digest(arrays):
    """Name weights by what they are."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(arrays[name], dtype="<f4").tobytes())
    return digest.hexdigest()[:16]


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
