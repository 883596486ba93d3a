"""WavCeption: Inception modules on raw waveforms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skkws._engine.keras_networks import network

if TYPE_CHECKING:
    import keras

# What batch norm adds in front of an activation before training: most ReLUs begin linear. Without residual connections
# gradients else explode from layer to layer (Yang et al. 2019, "A Mean Field Theory of Batch Normalization",
# arXiv:1902.08129). From 0, a rounding error grew ten million times within four epochs, and on digits the loss was 1.9
# after eleven epochs instead of 0.4.
_FIRST_SHIFT = 2.0


@network
def wavception(
    input_shape: tuple[int, ...],
    n_classes: int,
    *,
    width: int = 4,
    depths: tuple[int, ...] = (1, 1, 2, 2, 3, 3, 4, 4, 4),
    stride: int = 4,
    dropout: float = 0.0,
) -> keras.Model:
    """WavCeption V1: nine pairs of Inception modules over time, max-pooled by 2 between; a dense layer of 128.

    Each module normalises its input and sends it through eight branches side by side: a 1x1 convolution; a 1x1
    convolution and one of 3, of 5, of 7 samples, twice as wide; the maximum of 3 and of 5 samples and a 1x1
    convolution; the mean of 3 and of 5 samples and a 1x1 convolution. Every convolution is normalised and activated.

    Parameters
    ----------
    input_shape : tuple of (int, int)
        Samples and channels of a clip; a waveform has one channel.
    n_classes : int
        Classes of the softmax.
    width : int, default=4
        Filters of a branch of the first modules. The original has 16, and ``stride=1``: a batch of 64 clips of one
        second then takes more than 20 GB in training. Cost grows with the square of the width.
    depths : tuple of int, default=(1, 1, 2, 2, 3, 3, 4, 4, 4)
        Width of the two modules of each pair, in units of `width`.
    stride : int, default=4
        Samples that are averaged into one in front of the first module: 4 takes a quarter of the time and memory that 1
        takes and, of 16 kHz, leaves the band below 2 kHz.
    dropout : float, default=0.0
        Share of the outputs of the dense layer that an update leaves out, the same ones for all its rows.

    Returns
    -------
    model : keras.Model
        From (batch, samples, channels) to probabilities (batch, n_classes).

    Examples
    --------
    >>> from skkws.networks import wavception
    >>> wavception((16000, 1), 12).output_shape
    (None, 12)
    """
    from keras import Input, Model, initializers, layers, ops

    from skkws._engine.layers import BatchNorm, classes, drop

    def convolve(x, filters, size=1):
        return layers.Conv1D(filters, size, padding="same", use_bias=False)(x)

    def activate(x):
        return layers.ReLU()(BatchNorm(beta_initializer=initializers.Constant(_FIRST_SHIFT))(x))

    def inception(x, depth):
        # Convolutions of the same input are one with all their filters, and what is side by side is normalised at once:
        # both are done channel by channel.
        x = BatchNorm()(x)
        n = width * depth
        first, *narrow = ops.split(activate(convolve(x, 4 * n)), 4, axis=-1)
        branches = [convolve(part, 2 * n, size) for part, size in zip(narrow, (3, 5, 7), strict=True)]
        for pool in (layers.MaxPooling1D, layers.AveragePooling1D):
            branches += [convolve(pool(size, strides=1, padding="same")(x), n) for size in (3, 5)]
        return layers.Concatenate()([first, activate(layers.Concatenate()(branches))])

    x = waveform = Input(input_shape)
    if stride > 1:
        x = layers.AveragePooling1D(stride, padding="same")(x)
    for i, depth in enumerate(depths):
        if i:
            x = layers.MaxPooling1D(2, padding="same")(x)
        x = inception(inception(x, depth), depth)
    x = activate(layers.Dense(128, use_bias=False)(layers.Flatten()(x)))
    return Model(waveform, classes(drop(x, dropout), n_classes), name="wavception")
