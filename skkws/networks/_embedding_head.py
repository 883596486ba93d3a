"""Embedding and head as one network, to be trained on from published weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skkws._engine.keras_networks import network
from skkws._engine.spec import FRAMES_PER_VECTOR, N_BANDS, N_DIMS, PADDING_FRAMES, SILENCE, count_vectors
from skkws.networks._speech_embedding import speech_embedding

if TYPE_CHECKING:
    import keras


@network
def embedding_head(input_shape: tuple[int, ...], n_classes: int, *, dropout: float = 0.5) -> keras.Model:
    """Join the layers of :func:`speech_embedding`, standardised vectors, and :func:`keyword_head` behind them.

    Unlike :func:`keyword_net` it takes the published weights of the embedding: its convolutions are unpadded in time,
    batch norm is folded into them, and that of the stem keeps its statistics in training.

    Parameters
    ----------
    input_shape : tuple of (int, int)
        Log-mel frames and their 32 bands.
    n_classes : int
        Classes of the softmax.
    dropout : float, default=0.5
        Share of the channels behind each convolution of the head that an update leaves out.

    Returns
    -------
    model : keras.Model
        From (batch, frames, 32) to probabilities (batch, n_classes).

    Raises
    ------
    ValueError
        If there are not 32 bands.

    Examples
    --------
    >>> from skkws.networks import embedding_head
    >>> embedding_head((98, 32), 12).count_params()
    385620
    """
    from keras import Input, Model, layers

    from skkws.networks._keyword_head import head_layers

    embedding = speech_embedding()
    embedding.get_layer("stem_norm").trainable = False
    frames = Input(input_shape, name="logmel")
    padded, n_vectors = padded_with_silence(frames)
    vectors = layers.Reshape((n_vectors, N_DIMS))(embedding(padded))
    norm = layers.BatchNormalization(center=False, scale=False, epsilon=0.0, trainable=False, name="standardize")
    return Model(frames, head_layers(norm(vectors), n_classes, dropout=dropout), name="embedding_head")


def padded_with_silence(frames):
    """Put silence around log-mel frames; return them and the number of vectors that the embedding makes of them."""
    from keras import ops

    n_frames, n_bands = frames.shape[1:]
    if n_bands != N_BANDS:
        raise ValueError(
            f"The speech embedding takes frames of {N_BANDS} bands, got {n_bands}; compute them with LogMelTransformer "
            "at its defaults."
        )
    missing = max(PADDING_FRAMES, FRAMES_PER_VECTOR - n_frames)
    around = [[0, 0], [missing // 2, missing - missing // 2], [0, 0]]
    n_vectors = count_vectors(n_frames + missing)
    return ops.pad(frames, around, constant_values=float(SILENCE)), n_vectors
