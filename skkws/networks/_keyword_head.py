"""The paper's keyword head: two convolutions over embedding vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skkws._engine.keras_networks import network

if TYPE_CHECKING:
    import keras


@network
def keyword_head(
    input_shape: tuple[int, ...],
    n_classes: int,
    *,
    filters: int = 96,
    kernel_size: int = 3,
    activation: str = "elu",
    dropout: float = 0.0,
    l1: float = 0.0,
    l2: float = 0.0,
    seed: int | None = None,
    dtype: str = "float32",
) -> keras.Model:
    """Head of Lin, Kilgour, Roblek and Sharifi (2020) on the vectors of a clip.

    Convolution over time, batch norm, activation, max-pooling by 2, the same again with the maximum over all time, and
    a dense softmax layer: 57,228 weights for 12 classes, 96 dimensions and 96 filters.

    Parameters
    ----------
    input_shape : tuple of (int, int)
        Shape of a clip: vectors over time and their dimensions. One vector is enough.
    n_classes : int
        Classes of the softmax.
    filters : int, default=96
        Filters of both convolutions.
    kernel_size : int, default=3
        Their width, in vectors.
    activation : str, default="elu"
        A Keras activation.
    dropout : float, default=0.0
        Share of the channels behind each convolution that an update leaves out, the same ones for all its rows.
    l1, l2 : float, default=0.0
        Penalties on the absolute and squared weights of convolutions and dense layer.
    seed : int or None, default=None
        Seeds the initial weights and the dropout. None leaves them to Keras.
    dtype : {"float32", "float64"}, default="float32"
        Precision of weights and arithmetic.

    Returns
    -------
    model : keras.Model
        From (batch, n_vectors, n_dims) to probabilities (batch, n_classes).

    Examples
    --------
    >>> from skkws.networks import keyword_head
    >>> keyword_head((16, 96), 12).count_params()
    57228
    """
    from keras import Input, Model

    from skkws._engine.layers import seeded

    with seeded(seed):
        vectors = Input(input_shape, dtype=dtype, name="vectors")
        settings = {"filters": filters, "kernel_size": kernel_size, "activation": activation, "dropout": dropout}
        x = head_layers(vectors, n_classes, **settings, l1=l1, l2=l2, dtype=dtype)
        return Model(vectors, x, name="keyword_head")


def head_layers(x, n_classes, *, dropout, filters=96, kernel_size=3, activation="elu", l1=0.0, l2=0.0, dtype="float32"):
    """Lead vectors through the layers of the head."""
    from keras import layers, regularizers

    from skkws._engine.layers import BatchNorm, drop

    penalty = {"kernel_regularizer": regularizers.L1L2(l1, l2) if l1 or l2 else None, "dtype": dtype}
    pools = (layers.MaxPooling1D(2, padding="same", dtype=dtype), layers.GlobalMaxPooling1D(dtype=dtype))
    for pool in pools:
        x = layers.Conv1D(filters, kernel_size, padding="same", use_bias=False, **penalty)(x)
        x = BatchNorm(dtype=dtype)(x)
        x = pool(layers.Activation(activation, dtype=dtype)(x))
        x = drop(x, dropout, dtype)
    return layers.Dense(n_classes, activation="softmax", **penalty)(x)


@network
def flat_head(input_shape: tuple[int, ...], n_classes: int, *, units: int = 64, dropout: float = 0.5) -> keras.Model:
    """Dense variant of the head: all vectors of a clip as one row, a hidden layer, and a softmax.

    Parameters
    ----------
    input_shape : tuple of (int, int)
        Shape of a clip: vectors over time and their dimensions.
    n_classes : int
        Classes of the softmax.
    units : int, default=64
        Width of the hidden layer.
    dropout : float, default=0.5
        Share of its outputs that an update leaves out, the same ones for all its rows.

    Returns
    -------
    model : keras.Model
        From (batch, n_vectors, n_dims) to probabilities (batch, n_classes).

    Examples
    --------
    >>> from skkws.networks import flat_head
    >>> flat_head((16, 96), 12).output_shape
    (None, 12)
    """
    from keras import Input, Model, layers

    from skkws._engine.layers import BatchNorm, classes, drop

    vectors = Input(input_shape, name="vectors")
    x = BatchNorm()(layers.Dense(units, use_bias=False)(layers.Flatten()(vectors)))
    x = drop(layers.Activation("elu")(x), dropout)
    return Model(vectors, classes(x, n_classes), name="flat_head")
