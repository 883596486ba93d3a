"""A multilayer perceptron."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skkws._engine.keras_networks import network

if TYPE_CHECKING:
    import keras


@network
def mlp(
    input_shape: tuple[int, ...], n_classes: int, *, units: tuple[int, ...] = (256, 128), dropout: float = 0.2
) -> keras.Model:
    """Dense layers with batch norm, ReLU and dropout on the flattened frames.

    Parameters
    ----------
    input_shape : tuple of (int, int)
        Frames and bands of a clip.
    n_classes : int
        Classes of the softmax.
    units : tuple of int, default=(256, 128)
        Width of each hidden layer.
    dropout : float, default=0.2
        Share of the outputs of a hidden layer that an update leaves out, the same ones for all its rows.

    Returns
    -------
    model : keras.Model
        From (batch, frames, bands) to probabilities (batch, n_classes).

    Examples
    --------
    >>> from skkws.networks import mlp
    >>> mlp((13, 96), 12).output_shape
    (None, 12)
    """
    from keras import Input, Model, layers

    from skkws._engine.layers import BatchNorm, classes, drop

    frames = Input(input_shape)
    x = layers.Flatten()(frames)
    for width in units:
        x = layers.ReLU()(BatchNorm()(layers.Dense(width, use_bias=False)(x)))
        x = drop(x, dropout)
    return Model(frames, classes(x, n_classes), name="mlp")
