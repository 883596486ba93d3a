"""The light-weight CNN of a well-known notebook of Kaggle's speech recognition challenge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skkws._engine.keras_networks import network

if TYPE_CHECKING:
    import keras

# Rows and columns that are left with one pixel behind the last pooling.
_LEAST = 26


@network
def light_cnn(input_shape: tuple[int, ...], n_classes: int, *, dropout: float = 0.2) -> keras.Model:
    """Two 2x2 convolutions of 8 filters, two 3x3 of 16 and one of 32, each group pooled by 2; two dense layers of 128.

    "Light-Weight CNN LB 0.74" of the TensorFlow Speech Recognition Challenge [1]_, made for log-spectrograms of
    99 frames of 81 bins: one second at 8 kHz in windows of 20 ms, 10 ms apart. 314,368 weights for 12 classes there.
    ``make_pipeline(Resample(), LogSpectrogramTransformer(8000, win_length=160, hop_length=80))`` makes them of 16 kHz.

    Parameters
    ----------
    input_shape : tuple of (int, int)
        Frames and bands of a clip. Fewer than 26 are filled up with zeros.
    n_classes : int
        Classes of the softmax.
    dropout : float, default=0.2
        Share of the channels behind each pooling that an update leaves out, the same ones for all its rows.

    Returns
    -------
    model : keras.Model
        From (batch, frames, bands) to probabilities (batch, n_classes).

    References
    ----------
    .. [1] https://www.kaggle.com/code/alphasis/light-weight-cnn-lb-0-74

    Examples
    --------
    >>> from skkws.networks import light_cnn
    >>> light_cnn((99, 81), 12).count_params()
    314368
    """
    from keras import Input, Model, layers

    from skkws._engine.layers import BatchNorm, as_image, classes, drop

    frames = Input(input_shape)
    x = BatchNorm()(as_image(frames, least=(_LEAST, _LEAST)))
    for filters, size, n in ((8, 2, 2), (16, 3, 2), (32, 3, 1)):
        for _ in range(n):
            x = layers.Conv2D(filters, size, activation="relu")(x)
        x = drop(layers.MaxPooling2D(2)(x), dropout)
    x = layers.Flatten()(x)
    for _ in range(2):
        x = BatchNorm()(layers.Dense(128, activation="relu")(x))
    return Model(frames, classes(x, n_classes), name="light_cnn")
