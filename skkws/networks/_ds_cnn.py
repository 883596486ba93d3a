"""DS-CNN: depthwise separable convolutions for microcontrollers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skkws._engine.keras_networks import network

if TYPE_CHECKING:
    import keras


@network
def ds_cnn(
    input_shape: tuple[int, ...], n_classes: int, *, filters: int = 64, n_blocks: int = 4, dropout: float = 0.2
) -> keras.Model:
    """DS-CNN-S: a 10x4 convolution with stride 2, depthwise separable 3x3 convolutions, their mean, and a softmax.

    Of Zhang, Suda, Lai and Chandra (2017), "Hello Edge: Keyword Spotting on Microcontrollers",
    arXiv:1711.07128, made for 49 frames of 10 MFCCs. 24,908 weights for 12 classes, as in the reference model of the
    MLPerf Tiny benchmark.

    Parameters
    ----------
    input_shape : tuple of (int, int)
        Frames and bands of a clip.
    n_classes : int
        Classes of the softmax.
    filters : int, default=64
        Filters of every convolution; 172 is the medium and 276 the large model.
    n_blocks : int, default=4
        Depthwise separable convolutions; 5 in the larger models.
    dropout : float, default=0.2
        Share of the last outputs that an update leaves out, the same ones for all its rows.

    Returns
    -------
    model : keras.Model
        From (batch, frames, bands) to probabilities (batch, n_classes).

    Examples
    --------
    >>> from skkws.networks import ds_cnn
    >>> ds_cnn((49, 10), 12).count_params()
    24908
    """
    from keras import Input, Model, layers

    from skkws._engine.layers import BatchNorm, as_image, classes, drop

    def normalise(x):
        return layers.ReLU()(BatchNorm()(x))

    frames = Input(input_shape)
    x = normalise(layers.Conv2D(filters, (10, 4), strides=2, padding="same")(as_image(frames)))
    for _ in range(n_blocks):
        x = normalise(layers.DepthwiseConv2D(3, padding="same")(x))
        x = normalise(layers.Conv2D(filters, 1)(x))
    x = drop(layers.GlobalAveragePooling2D()(x), dropout)
    return Model(frames, classes(x, n_classes), name="ds_cnn")
