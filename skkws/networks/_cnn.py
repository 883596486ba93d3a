"""The textbook convolutional networks, over time and bands and over time alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skkws._engine.keras_networks import network

if TYPE_CHECKING:
    import keras


@network
def cnn(
    input_shape: tuple[int, ...], n_classes: int, *, filters: tuple[int, ...] = (16, 32, 64), dropout: float = 0.2
) -> keras.Model:
    """3x3 convolutions on the frames as an image, each with batch norm, ReLU and max-pooling by 2; their mean; softmax.

    Parameters
    ----------
    input_shape : tuple of (int, int)
        Frames and bands of a clip.
    n_classes : int
        Classes of the softmax.
    filters : tuple of int, default=(16, 32, 64)
        Filters of each convolution.
    dropout : float, default=0.2
        Share of the last outputs that an update leaves out, the same ones for all its rows.

    Returns
    -------
    model : keras.Model
        From (batch, frames, bands) to probabilities (batch, n_classes).

    Examples
    --------
    >>> from skkws.networks import cnn
    >>> cnn((98, 32), 12).output_shape
    (None, 12)
    """
    from keras import Input, Model, layers

    from skkws._engine.layers import BatchNorm, as_image, classes, drop

    frames = Input(input_shape)
    x = as_image(frames)
    for n in filters:
        x = layers.ReLU()(BatchNorm()(layers.Conv2D(n, 3, padding="same", use_bias=False)(x)))
        x = layers.MaxPooling2D(2, padding="same")(x)
    x = drop(layers.GlobalAveragePooling2D()(x), dropout)
    return Model(frames, classes(x, n_classes), name="cnn")


@network
def cnn1d(
    input_shape: tuple[int, ...],
    n_classes: int,
    *,
    filters: tuple[int, ...] = (64, 64, 128),
    kernel_size: int = 5,
    dropout: float = 0.2,
) -> keras.Model:
    """Convolutions over time, all bands at once, each with batch norm, ReLU and max-pooling by 2; maximum; softmax.

    Parameters
    ----------
    input_shape : tuple of (int, int)
        Frames and bands of a clip.
    n_classes : int
        Classes of the softmax.
    filters : tuple of int, default=(64, 64, 128)
        Filters of each convolution.
    kernel_size : int, default=5
        Their width, in frames.
    dropout : float, default=0.2
        Share of the last outputs that an update leaves out, the same ones for all its rows.

    Returns
    -------
    model : keras.Model
        From (batch, frames, bands) to probabilities (batch, n_classes).

    Examples
    --------
    >>> from skkws.networks import cnn1d
    >>> cnn1d((98, 32), 12).output_shape
    (None, 12)
    """
    from keras import Input, Model, layers

    from skkws._engine.layers import BatchNorm, classes, drop

    x = frames = Input(input_shape)
    for n in filters:
        x = layers.ReLU()(BatchNorm()(layers.Conv1D(n, kernel_size, padding="same", use_bias=False)(x)))
        x = layers.MaxPooling1D(2, padding="same")(x)
    x = drop(layers.GlobalMaxPooling1D()(x), dropout)
    return Model(frames, classes(x, n_classes), name="cnn1d")
