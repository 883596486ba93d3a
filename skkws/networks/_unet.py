"""A U-Net: from a spectrogram to a mask on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skkws._engine.keras_networks import network

if TYPE_CHECKING:
    import keras


@network
def unet(input_shape: tuple[int, ...], *, channels: tuple[int, ...] = (8, 16, 32)) -> keras.Model:
    """Go down and up in stages of convolutions, with bridges between those of the same size, and end in a mask.

    The plan is that of Ronneberger et al. [1]_, used for masks on spectrograms by Jansson et al. [2]_, in a small size:
    two 3 x 3 convolutions with batch norm and ReLU at each stage, max-pooling by 2 on the way down, nearest-neighbour
    upsampling on the way up, and a sigmoid.

    Parameters
    ----------
    input_shape : tuple of (int, int)
        Frames and bands of a clip.
    channels : tuple of int, default=(8, 16, 32)
        Channels of each stage, from the top to the bottom.

    Returns
    -------
    model : keras.Model
        From (batch, frames, bands) to factors between 0 and 1 of the same shape.

    References
    ----------
    .. [1] Ronneberger, Fischer, Brox (2015), "U-Net: Convolutional Networks for Biomedical Image Segmentation",
       arXiv:1505.04597.
    .. [2] Jansson et al. (2017), "Singing Voice Separation with Deep U-Net Convolutional Networks", ISMIR.

    Examples
    --------
    >>> from skkws.networks import unet
    >>> model = unet((98, 64))
    >>> model.output_shape, model.count_params()
    ((None, 98, 64), 30097)
    """
    from keras import Input, Model, layers

    from skkws._engine.layers import BatchNorm, as_image

    def convolve(x, width):
        for _ in range(2):
            x = layers.Conv2D(width, 3, padding="same", use_bias=False)(x)
            x = layers.ReLU()(BatchNorm()(x))
        return x

    frames = Input(input_shape)
    step = 2 ** (len(channels) - 1)
    x = as_image(frames, least=[-(-size // step) * step for size in input_shape])
    bridges = []
    for width in channels[:-1]:
        x = convolve(x, width)
        bridges.append(x)
        x = layers.MaxPooling2D(2)(x)
    x = convolve(x, channels[-1])
    for width, bridge in zip(channels[-2::-1], bridges[::-1], strict=True):
        x = convolve(layers.Concatenate()([layers.UpSampling2D(2)(x), bridge]), width)
    mask = layers.Conv2D(1, 1, activation="sigmoid")(x)
    mask = layers.Cropping2D([(0, large - size) for large, size in zip(x.shape[1:3], input_shape, strict=True)])(mask)
    return Model(frames, layers.Reshape(input_shape)(mask), name="unet")
