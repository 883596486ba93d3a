"""The paper's keyword head: two convolutions over embedding vectors."""


def keyword_head(
    n_vectors,
    n_dims,
    n_classes,
    *,
    filters=96,
    kernel_size=3,
    activation="elu",
    dropout=0.0,
    l1=0.0,
    l2=0.0,
    seed=0,
    dtype="float32",
):
    """Head of Lin, Kilgour, Roblek and Sharifi (2020) on the vectors of a clip.

    Convolution over time, batch norm, activation, max-pooling by 2, the same again with the maximum over all time, and
    a dense softmax layer: 57,228 weights for 12 classes, 96 dimensions and 96 filters.

    Parameters
    ----------
    n_vectors, n_dims : int
        Shape of a clip: vectors over time and their dimensions. One vector is enough.
    n_classes : int
        Classes of the softmax.
    filters : int, default=96
        Filters of both convolutions.
    kernel_size : int, default=3
        Their width, in vectors.
    activation : str, default="elu"
        A Keras activation.
    dropout : float, default=0.0
        Share of the channels behind each convolution that an update leaves out, the same ones for all its rows.
    l1, l2 : float, default=0.0
        Penalties on the absolute and squared weights of convolutions and dense layer.
    seed : int, default=0
        Seeds the initial weights and the dropout.
    dtype : {"float32", "float64"}, default="float32"
        Precision of weights and arithmetic.

    Returns
    -------
    model : keras.Model
        From (batch, n_vectors, n_dims) to probabilities (batch, n_classes).

    Examples
    --------
    >>> from skkws.networks import keyword_head
    >>> keyword_head(16, 96, 12).count_params()
    57228
    """
    from keras import Input, Model, initializers, layers, regularizers

    seeds = iter(range(8 * seed, 8 * (seed + 1)))

    def weights():
        return {
            "kernel_initializer": initializers.GlorotUniform(seed=next(seeds)),
            "kernel_regularizer": regularizers.L1L2(l1, l2) if l1 or l2 else None,
            "dtype": dtype,
        }

    pools = (layers.MaxPooling1D(2, padding="same", dtype=dtype), layers.GlobalMaxPooling1D(dtype=dtype))
    x = vectors = Input((n_vectors, n_dims), dtype=dtype, name="vectors")
    for pool in pools:
        x = layers.Conv1D(filters, kernel_size, padding="same", use_bias=False, **weights())(x)
        # Statistics that follow within ten steps: a handful of recordings makes few of them.
        x = layers.BatchNormalization(momentum=0.9, dtype=dtype)(x)
        x = pool(layers.Activation(activation, dtype=dtype)(x))
        if dropout:
            # One mask for the whole batch: an update then does not depend on how rows are weighted or repeated.
            mask_shape = (*[1] * (len(x.shape) - 1), filters)
            x = layers.Dropout(dropout, noise_shape=mask_shape, seed=next(seeds), dtype=dtype)(x)
    return Model(vectors, layers.Dense(n_classes, activation="softmax", **weights())(x), name="keyword_head")
