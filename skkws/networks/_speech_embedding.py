"""The fully convolutional speech embedding network of Lin, Kilgour, Roblek and Sharifi (2020)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skkws._engine.keras_networks import network
from skkws._engine.spec import BLOCKS, N_BANDS, N_DIMS, NORM_EPSILON

if TYPE_CHECKING:
    import keras


@network
def speech_embedding(*, seed: int = 0) -> keras.Model:
    """Speech embedding network in its inference form: batch norm is folded into every convolution but the first.

    The stem is a 3x3 convolution, **ReLU**, batch norm and the activation ``A(x) = max(x, 0.2 x, -0.4)``; five blocks
    of 1x3 and 3x1 convolutions follow, each with A, and max-pooling; a last 3x1 convolution gives the vectors.
    Convolutions are unpadded in time, so a whole clip is one pass: 76 frames give one vector and every further 8
    frames another.

    Parameters
    ----------
    seed : int, default=0
        Seeds the initial weights.

    Returns
    -------
    model : keras.Model
        From log-mel frames (batch, frames, 32), any number of frames from 76 on, to vectors
        (batch, ``(frames - 76) // 8 + 1``, 96). 328,200 weights.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws.networks import speech_embedding
    >>> tuple(speech_embedding()(np.zeros((1, 198, 32), "float32")).shape)
    (1, 16, 96)
    """
    from keras import Input, Model, initializers, layers

    rng_seeds = iter(range(1000 * seed, 1000 * (seed + 1)))

    def conv(filters, kernel_size, name, *, padding="valid", use_bias=True):
        start = initializers.HeNormal(seed=next(rng_seeds))
        return layers.Conv2D(
            filters, kernel_size, padding=padding, use_bias=use_bias, kernel_initializer=start, name=name
        )

    def convolve(x, filters, kernel_size, name):
        return activate(conv(filters, kernel_size, name, padding="valid" if kernel_size[0] > 1 else "same")(x))

    frames = Input((None, N_BANDS), name="logmel")
    x = layers.Reshape((-1, N_BANDS, 1))(frames)
    x = layers.ZeroPadding2D((0, 1))(x)
    x = conv(BLOCKS[0][0], (3, 3), "stem", use_bias=False)(x)
    x = layers.ReLU()(x)
    x = activate(layers.BatchNormalization(epsilon=NORM_EPSILON, name="stem_norm")(x))
    x = convolve_blocks(x, convolve, padding="valid")
    x = conv(N_DIMS, (3, 1), "vectors", use_bias=False)(x)
    return Model(frames, layers.Reshape((-1, N_DIMS))(x), name="speech_embedding")


def activate(x):
    """Apply the activation ``A(x) = max(x, 0.2 x, -0.4)``."""
    from keras import layers, ops

    return ops.maximum(layers.LeakyReLU(negative_slope=0.2)(x), -0.4)


def convolve_blocks(x, convolve, *, padding):
    """Lead an image through the five blocks, with ``convolve(x, filters, kernel_size, name)`` for each convolution."""
    from keras import layers

    for b, (filters, pairs, pool) in enumerate(BLOCKS, start=1):
        for p in range(1, pairs + 1):
            x = convolve(x, filters, (1, 3), f"block{b}_frequency{p}")
            x = convolve(x, filters, (3, 1), f"block{b}_time{p}")
        x = layers.MaxPooling2D(pool, padding=padding)(x)
    return x
