"""Recurrent networks: a plain one, LSTM, GRU, and a GRU behind convolutions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skkws._engine.keras_networks import network

if TYPE_CHECKING:
    import keras


@network
def rnn(input_shape: tuple[int, ...], n_classes: int, *, units: int = 64, dropout: float = 0.2) -> keras.Model:
    """Bidirectional plain recurrent network over the frames, the maximum of its outputs over time, and a softmax.

    Parameters
    ----------
    input_shape : tuple of (int, int)
        Frames and bands of a clip.
    n_classes : int
        Classes of the softmax.
    units : int, default=64
        Units of each direction.
    dropout : float, default=0.2
        Share of the last outputs that an update leaves out, the same ones for all its rows.

    Returns
    -------
    model : keras.Model
        From (batch, frames, bands) to probabilities (batch, n_classes).

    Examples
    --------
    >>> from skkws.networks import rnn
    >>> rnn((98, 32), 12).output_shape
    (None, 12)
    """
    from keras import layers

    return _recurrent(layers.SimpleRNN, input_shape, n_classes, units, dropout, name="rnn")


@network
def lstm(input_shape: tuple[int, ...], n_classes: int, *, units: int = 64, dropout: float = 0.2) -> keras.Model:
    """Bidirectional LSTM over the frames, the maximum of its outputs over time, and a softmax.

    Parameters
    ----------
    input_shape : tuple of (int, int)
        Frames and bands of a clip.
    n_classes : int
        Classes of the softmax.
    units : int, default=64
        Units of each direction.
    dropout : float, default=0.2
        Share of the last outputs that an update leaves out, the same ones for all its rows.

    Returns
    -------
    model : keras.Model
        From (batch, frames, bands) to probabilities (batch, n_classes).

    Examples
    --------
    >>> from skkws.networks import lstm
    >>> lstm((98, 32), 12).output_shape
    (None, 12)
    """
    from keras import layers

    return _recurrent(layers.LSTM, input_shape, n_classes, units, dropout, name="lstm")


@network
def gru(input_shape: tuple[int, ...], n_classes: int, *, units: int = 64, dropout: float = 0.2) -> keras.Model:
    """Bidirectional GRU over the frames, the maximum of its outputs over time, and a softmax.

    Parameters
    ----------
    input_shape : tuple of (int, int)
        Frames and bands of a clip.
    n_classes : int
        Classes of the softmax.
    units : int, default=64
        Units of each direction.
    dropout : float, default=0.2
        Share of the last outputs that an update leaves out, the same ones for all its rows.

    Returns
    -------
    model : keras.Model
        From (batch, frames, bands) to probabilities (batch, n_classes).

    Examples
    --------
    >>> from skkws.networks import gru
    >>> gru((98, 32), 12).output_shape
    (None, 12)
    """
    from keras import layers

    return _recurrent(layers.GRU, input_shape, n_classes, units, dropout, name="gru")


@network
def crnn(
    input_shape: tuple[int, ...],
    n_classes: int,
    *,
    filters: tuple[int, ...] = (16, 32),
    units: int = 64,
    dropout: float = 0.2,
) -> keras.Model:
    """3x3 convolutions on the frames as an image, pooled by 2, then a bidirectional GRU, maximum and softmax.

    After Arik et al. (2017), "Convolutional recurrent neural networks for small-footprint keyword spotting".

    Parameters
    ----------
    input_shape : tuple of (int, int)
        Frames and bands of a clip.
    n_classes : int
        Classes of the softmax.
    filters : tuple of int, default=(16, 32)
        Filters of each convolution.
    units : int, default=64
        Units of each direction of the GRU.
    dropout : float, default=0.2
        Share of the last outputs that an update leaves out, the same ones for all its rows.

    Returns
    -------
    model : keras.Model
        From (batch, frames, bands) to probabilities (batch, n_classes).

    Examples
    --------
    >>> from skkws.networks import crnn
    >>> crnn((98, 32), 12).output_shape
    (None, 12)
    """
    from keras import Input, Model, layers

    from skkws._engine.layers import BatchNorm, as_image

    frames = Input(input_shape)
    x = as_image(frames)
    for n in filters:
        x = layers.ReLU()(BatchNorm()(layers.Conv2D(n, 3, padding="same", use_bias=False)(x)))
        x = layers.MaxPooling2D(2, padding="same")(x)
    x = layers.Reshape((x.shape[1], x.shape[2] * x.shape[3]))(x)
    return Model(frames, _over_time(layers.GRU, x, n_classes, units, dropout), name="crnn")


def _recurrent(layer, input_shape, n_classes, units, dropout, *, name):
    from keras import Input, Model

    frames = Input(input_shape)
    return Model(frames, _over_time(layer, frames, n_classes, units, dropout), name=name)


def _over_time(layer, x, n_classes, units, dropout):
    from keras import layers

    from skkws._engine.layers import classes, drop

    x = layers.Bidirectional(layer(units, return_sequences=True))(x)
    return classes(drop(layers.GlobalMaxPooling1D()(x), dropout), n_classes)
