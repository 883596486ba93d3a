"""The paper's full model: embedding and head as one network, trained end to end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skkws._engine.keras_networks import network
from skkws._engine.spec import BLOCKS, N_DIMS, NORM_EPSILON
from skkws.networks._speech_embedding import activate, convolve_blocks

if TYPE_CHECKING:
    import keras


@network
def keyword_net(input_shape: tuple[int, ...], n_classes: int, *, dropout: float = 0.5) -> keras.Model:
    """Full keyword model of Lin, Kilgour, Roblek and Sharifi (2020), arXiv:2002.01322.

    The layers of :func:`speech_embedding`, each convolution with batch norm, and :func:`keyword_head` behind them. All
    convolutions are padded, so that a vector comes from every 8 frames of a clip, however short it is.

    Parameters
    ----------
    input_shape : tuple of (int, int)
        Frames and bands of a clip; the original has 32 bands.
    n_classes : int
        Classes of the softmax.
    dropout : float, default=0.5
        Share of the channels behind each convolution of the head that an update leaves out.

    Returns
    -------
    model : keras.Model
        From (batch, frames, bands) to probabilities (batch, n_classes). 389,316 weights for 32 bands and 12 classes,
        386,292 of them trained; the paper has 330 + 55 thousand.

    Examples
    --------
    >>> from skkws.networks import keyword_net
    >>> keyword_net((98, 32), 12).output_shape
    (None, 12)
    """
    from keras import Input, Model, layers

    from skkws._engine.layers import BatchNorm, as_image
    from skkws.networks._keyword_head import head_layers

    def conv(filters, kernel_size, name):
        return layers.Conv2D(
            filters, kernel_size, padding="same", use_bias=False, kernel_initializer="he_normal", name=name
        )

    def norm(name):
        return BatchNorm(epsilon=NORM_EPSILON, name=f"{name}_norm")

    def convolve(x, filters, kernel_size, name):
        return activate(norm(name)(conv(filters, kernel_size, name)(x)))

    frames = Input(input_shape, name="logmel")
    x = layers.ReLU()(conv(BLOCKS[0][0], (3, 3), "stem")(as_image(frames)))
    x = convolve_blocks(activate(norm("stem")(x)), convolve, padding="same")
    x = conv(N_DIMS, (3, 1), "vectors")(x)
    vectors = layers.Reshape((x.shape[1], x.shape[2] * N_DIMS))(x)
    return Model(frames, head_layers(vectors, n_classes, dropout=dropout), name="keyword_net")
