"""Parts of models: a head, and the embedding that it was trained with."""

from pathlib import Path

import numpy as np
from sklearn.pipeline import Pipeline

from skkws._runtime.files import whole_file
from skkws.classifiers import KeywordHeadClassifier, KeywordNetClassifier
from skkws.embedding import EmbeddingWeights, SpeechEmbeddingTransformer, read_weights
from skkws.persistence._file import MAX_BYTES, read, write


def save_backbone(model: KeywordNetClassifier | Pipeline, path: str | Path) -> None:
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


def save_head(model: Pipeline | KeywordNetClassifier, path: str | Path) -> None:
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
    digest = EmbeddingWeights(backbone).digest
    write({"labels": np.asarray(head.classes_).tolist(), "head": head, "backbone": digest}, path)


def load_head(
    path: str | Path, embedding: SpeechEmbeddingTransformer | None = None, *, max_bytes: int = MAX_BYTES
) -> KeywordHeadClassifier:
    """Load what :func:`save_head` wrote, for an embedding.

    Parameters
    ----------
    path : str or Path
        The file.
    embedding : SpeechEmbeddingTransformer or None, default=None
        What makes the rows. None means ``SpeechEmbeddingTransformer()``.
    max_bytes : int, default=2**30
        As in :func:`load_model`.

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
    content = read(path, max_bytes=max_bytes)
    if "head" not in content:
        raise ValueError(f"{path} holds a whole model and no head alone; load it with load_model.")
    if not isinstance(content["head"], KeywordHeadClassifier) or not isinstance(content.get("backbone"), str):
        raise ValueError(f"{path} holds no head of an embedding; train it again.")
    weights = "google" if embedding is None else embedding.weights
    here = EmbeddingWeights(read_weights(weights)).digest
    if here != content["backbone"]:
        raise ValueError(
            f"{path} holds a head that was trained on the embedding {content['backbone']}, and weights={weights!r} is "
            f"{here}; pass SpeechEmbeddingTransformer(weights=...) with the file that save_backbone wrote of it."
        )
    return content["head"]


def _last(model):
    """Return the estimator itself, or the last one of a pipeline."""
    return model[-1] if isinstance(model, Pipeline) else model
