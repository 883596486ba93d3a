"""A convolutional autoencoder of spectrograms."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from skkws._engine.keras_networks import network

if TYPE_CHECKING:
    import keras


@network
def autoencoder(
    input_shape: tuple[int, ...], n_components: int = 16, *, channels: tuple[int, ...] = (16, 32, 64)
) -> keras.Model:
    """Strided convolutions down to a code, and convolutions back up to the frames.

    Each stage of the encoder is a 3 x 3 convolution of stride 2 with batch norm and ReLU, and the code is a dense layer
    on what the last one leaves; the decoder takes the same way back, with nearest-neighbour upsampling before its
    convolutions [1]_.

    Parameters
    ----------
    input_shape : tuple of (int, int)
        Frames and bands of a clip.
    n_components : int, default=16
        Length of the code.
    channels : tuple of int, default=(16, 32, 64)
        Channels of each stage of the encoder; the decoder's are the same in reverse.

    Returns
    -------
    model : keras.Model
        From (batch, frames, bands) to (batch, frames, bands). Its layer ``"code"`` is the code.

    References
    ----------
    .. [1] Odena, Dumoulin, Olah (2016), "Deconvolution and Checkerboard Artifacts", Distill,
       doi:10.23915/distill.00003.

    Examples
    --------
    >>> from skkws.networks import autoencoder
    >>> model = autoencoder((98, 32), 32)
    >>> model.output_shape, model.get_layer("code").output.shape, model.count_params()
    ((None, 98, 32), (None, 32), 265729)
    """
    from keras import Input, Model

    frames = Input(input_shape)
    return Model(frames, _decode(_encode(frames, n_components, channels), input_shape, channels), name="autoencoder")


@network
def encoder(
    input_shape: tuple[int, ...], n_components: int = 16, *, channels: tuple[int, ...] = (16, 32, 64)
) -> keras.Model:
    """First half of :func:`autoencoder`: from frames to the code. Its weights are the first ones of the whole."""
    from keras import Input, Model

    frames = Input(input_shape)
    return Model(frames, _encode(frames, n_components, channels), name="encoder")


@network
def decoder(
    input_shape: tuple[int, ...], output_shape: tuple[int, ...], *, channels: tuple[int, ...] = (16, 32, 64)
) -> keras.Model:
    """Second half of :func:`autoencoder`: from the code to frames. Its weights are the last ones of the whole."""
    from keras import Input, Model

    code = Input(input_shape)
    return Model(code, _decode(code, output_shape, channels), name="decoder")


def _small_shape(shape, n_stages):
    """Frames and bands that the encoder leaves."""
    return [-(-size // 2**n_stages) for size in shape]


def _encode(frames, n_components, channels):
    from keras import layers

    from skkws._engine.layers import BatchNorm, as_image

    shape = frames.shape[1:]
    least = [small * 2 ** len(channels) for small in _small_shape(shape, len(channels))]
    x = as_image(frames, least=least)
    for width in channels:
        x = layers.Conv2D(width, 3, strides=2, padding="same", use_bias=False)(x)
        x = layers.ReLU()(BatchNorm()(x))
    return layers.Dense(n_components, name="code")(layers.Flatten()(x))


def _decode(code, shape, channels):
    from keras import layers

    from skkws._engine.layers import BatchNorm

    small = *_small_shape(shape, len(channels)), channels[-1]
    x = layers.Reshape(small)(layers.Dense(prod(small), activation="relu")(code))
    for width in (*channels[-2::-1], channels[0]):
        x = layers.Conv2D(width, 3, padding="same", use_bias=False)(layers.UpSampling2D(2)(x))
        x = layers.ReLU()(BatchNorm()(x))
    x = layers.Conv2D(1, 3, padding="same")(x)
    x = layers.Cropping2D([(0, large - size) for large, size in zip(x.shape[1:3], shape, strict=True)])(x)
    return layers.Reshape(shape)(x)
