"""TC-ResNet: residual blocks of convolutions over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skkws._engine.keras_networks import network

if TYPE_CHECKING:
    import keras


@network
def tc_resnet(
    input_shape: tuple[int, ...], n_classes: int, *, filters: tuple[int, ...] = (16, 24, 32, 48), dropout: float = 0.5
) -> keras.Model:
    """TC-ResNet8: bands as channels, a convolution of 3 frames and residual blocks of 9 with stride 2; mean; softmax.

    Choi, Seo, Shin, Byun, Kersner, Kim, Kim and Ha (2019), "Temporal convolution for real-time keyword spotting on
    mobile devices", arXiv:1904.03814, made for 98 frames of 40 MFCCs. The paper counts 66 thousand weights.

    Parameters
    ----------
    input_shape : tuple of (int, int)
        Frames and bands of a clip.
    n_classes : int
        Classes of the softmax.
    filters : tuple of int, default=(16, 24, 32, 48)
        Filters of the first convolution and of each block.
    dropout : float, default=0.5
        Share of the last outputs that an update leaves out, the same ones for all its rows.

    Returns
    -------
    model : keras.Model
        From (batch, frames, bands) to probabilities (batch, n_classes).

    Examples
    --------
    >>> from skkws.networks import tc_resnet
    >>> tc_resnet((98, 40), 12).count_params()
    65772
    """
    from keras import Input, Model, layers

    from skkws._engine.layers import BatchNorm, classes, drop

    def convolve(x, n, size, stride=1):
        return BatchNorm()(layers.Conv1D(n, size, strides=stride, padding="same", use_bias=False)(x))

    frames = Input(input_shape)
    x = layers.Conv1D(filters[0], 3, padding="same", use_bias=False)(frames)
    for n in filters[1:]:
        around = layers.ReLU()(convolve(x, n, 1, stride=2))
        x = layers.ReLU()(convolve(x, n, 9, stride=2))
        x = layers.ReLU()(layers.Add()([around, convolve(x, n, 9)]))
    x = drop(layers.GlobalAveragePooling1D()(x), dropout)
    return Model(frames, classes(x, n_classes), name="tc_resnet")
