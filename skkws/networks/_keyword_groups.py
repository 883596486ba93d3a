"""The network by which an embedding is trained: one embedding, and a head for each group of words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from skkws._engine.keras_networks import network
from skkws._engine.spec import BLOCKS, N_DIMS, NORM_EPSILON
from skkws.networks._embedding_head import padded_with_silence
from skkws.networks._speech_embedding import activate, convolve_blocks

if TYPE_CHECKING:
    import keras


@network
def keyword_groups(
    input_shape: tuple[int, ...], n_classes: int, *, n_groups: int = 1, dropout: float = 0.0
) -> keras.Model:
    """Join the layers of :func:`speech_embedding`, each convolution with batch norm, and one head per group of classes.

    The way in which Lin, Kilgour, Roblek and Sharifi (2020), arXiv:2002.01322, trained theirs: on 125 groups of 40
    words. Each head tells the words of its group apart, and the embedding has to serve all of them.

    Parameters
    ----------
    input_shape : tuple of (int, int)
        Log-mel frames and their 32 bands.
    n_classes : int
        Words of all groups together. Groups are neighbouring classes, as many in each as in the others but for one.
    n_groups : int, default=1
        Groups.
    dropout : float, default=0.0
        Share of the channels behind each convolution of a head that an update leaves out. A head sees but a few clips
        of its words in a batch: with 0.5, as :func:`keyword_head` has it, an embedding that was trained as long told
        digits apart with 0.57 instead of 0.88.

    Returns
    -------
    model : keras.Model
        From (batch, frames, 32) to (batch, n_classes): the probabilities that each head gives, divided by their number,
        so that a row sums to 1. Cross-entropy on them is that of the head that knows the word, and a constant.

    Raises
    ------
    ValueError
        If there are not 32 bands, or fewer than two classes for a group.

    Examples
    --------
    >>> from skkws.networks import keyword_groups
    >>> keyword_groups((98, 32), 80, n_groups=2).output_shape
    (None, 80)
    """
    from keras import Input, Model, layers

    from skkws._engine.layers import BatchNorm
    from skkws.networks._keyword_head import head_layers

    if not 1 <= n_groups <= n_classes // 2:
        raise ValueError(
            f"n_groups must leave two words or more for each group, got n_groups={n_groups} and {n_classes} words; "
            "take fewer groups."
        )

    def conv(filters, kernel_size, name, padding="valid"):
        return layers.Conv2D(
            filters, kernel_size, padding=padding, use_bias=False, kernel_initializer="he_normal", name=name
        )

    def convolve(x, filters, kernel_size, name):
        x = conv(filters, kernel_size, name, "valid" if kernel_size[0] > 1 else "same")(x)
        return activate(BatchNorm(epsilon=NORM_EPSILON, name=f"{name}_norm")(x))

    frames = Input(input_shape, name="logmel")
    padded, n_vectors = padded_with_silence(frames)
    x = layers.ZeroPadding2D((0, 1))(layers.Reshape((*padded.shape[1:], 1))(padded))
    x = layers.ReLU()(conv(BLOCKS[0][0], (3, 3), "stem")(x))
    x = activate(BatchNorm(epsilon=NORM_EPSILON, name="stem_norm")(x))
    x = conv(N_DIMS, (3, 1), "vectors")(convolve_blocks(x, convolve, padding="valid"))
    vectors = BatchNorm(center=False, scale=False)(layers.Reshape((n_vectors, N_DIMS))(x))
    sizes = [len(part) for part in np.array_split(np.arange(n_classes), n_groups)]
    heads = [head_layers(vectors, size, dropout=dropout) for size in sizes]
    together = layers.Concatenate()(heads) if n_groups > 1 else heads[0]
    return Model(frames, layers.Rescaling(1 / n_groups)(together), name="keyword_groups")


def embedding_weights(model: keras.Model) -> dict[str, NDArray[np.floating]]:
    """Fold batch norm into the convolutions of a trained :func:`keyword_groups`.

    Parameters
    ----------
    model : keras.Model
        The trained network.

    Returns
    -------
    arrays : dict of str to ndarray
        ``{"layer/variable": array}`` as :func:`speech_embedding` names and shapes them.
    """
    arrays = {}
    for layer in model.layers:
        if layer.name in ("stem", "vectors"):
            arrays[f"{layer.name}/kernel"] = layer.kernel.numpy()
        elif layer.name == "stem_norm":
            names = ("gamma", "beta", "moving_mean", "moving_variance")
            arrays |= {f"stem_norm/{name}": getattr(layer, name).numpy() for name in names}
        elif layer.name.startswith("block") and not layer.name.endswith("_norm"):
            norm = model.get_layer(f"{layer.name}_norm")
            rate = norm.gamma.numpy() / np.sqrt(norm.moving_variance.numpy() + NORM_EPSILON)
            arrays[f"{layer.name}/kernel"] = layer.kernel.numpy() * rate
            arrays[f"{layer.name}/bias"] = norm.beta.numpy() - norm.moving_mean.numpy() * rate
    return arrays
