"""Multiplications of the networks in a model."""

from sklearn.pipeline import Pipeline

from skkws._engine.cost import of_embedding, of_head, of_model
from skkws.classifiers import KeywordHeadClassifier, KeywordNetClassifier
from skkws.embedding import SpeechEmbeddingTransformer


def multiply_adds(fitted):
    """Count the multiplications of the networks in a fitted model, for one clip.

    Parameters
    ----------
    fitted : estimator or None
        A pipeline is the sum of its steps.

    Returns
    -------
    n : int
        0 where there is no network.
    """
    if isinstance(fitted, Pipeline):
        return sum(multiply_adds(step) for _, step in fitted.steps)
    if isinstance(fitted, SpeechEmbeddingTransformer):
        return of_embedding(fitted._n_padded_frames(fitted.n_features_in_))
    if isinstance(fitted, KeywordHeadClassifier):
        return of_head(fitted._network())
    if isinstance(fitted, KeywordNetClassifier):
        return of_model(fitted.to_keras())
    return 0
