"""What the networks are built of beyond Keras' own layers. Imports Keras: networks import it when they are built."""

import random
import threading
from contextlib import contextmanager
from contextvars import ContextVar

import keras
from keras import layers, ops

_row_weights = ContextVar("row_weights", default=None)
_seed_lock = threading.RLock()
# Those over space are subclasses of the first.
_DROPOUTS = layers.Dropout, layers.GaussianDropout, layers.AlphaDropout


@contextmanager
def row_weights(weights):
    """Let batch norm weigh the rows of a batch: a row of weight 2 then counts as two rows do."""
    token = _row_weights.set(weights)
    try:
        yield
    finally:
        _row_weights.reset(token)


@contextmanager
def seeded(seed):
    """Seed what is drawn for initial weights and dropout while a network is built, and leave no trace.

    Keras draws the seed of a layer that is given none from Python's `random`. None seeds nothing.
    """
    if seed is None:
        yield
        return
    with _seed_lock:
        state = random.getstate()
        random.seed(seed)
        try:
            yield
        finally:
            random.setstate(state)


@keras.saving.register_keras_serializable(package="skkws")
class BatchNorm(layers.BatchNormalization):
    """Batch norm whose statistics heed the weights of :func:`row_weights`, and follow within ten steps.

    Keras' own default follows within a hundred: a handful of recordings makes fewer.
    """

    def __init__(self, momentum=0.9, **kwargs):
        super().__init__(momentum=momentum, **kwargs)

    def call(self, inputs, training=None, mask=None):
        """Normalise by the weighted statistics of the batch in training, by the running ones otherwise."""
        weights = _row_weights.get()
        if weights is None or not (training and self.trainable):
            return super().call(inputs, training=training, mask=mask)
        axes = list(range(len(inputs.shape) - 1))
        share = ops.reshape(weights / ops.sum(weights), (-1, *[1] * len(axes)))
        positions = ops.mean(inputs, axis=axes[1:], keepdims=True) if axes[1:] else inputs
        mean = ops.sum(share * positions, axis=axes)
        squares = ops.square(inputs - mean)
        squares = ops.mean(squares, axis=axes[1:], keepdims=True) if axes[1:] else squares
        variance = ops.sum(share * squares, axis=axes)
        for running, now in ((self.moving_mean, mean), (self.moving_variance, variance)):
            running.assign(running * self.momentum + now * (1 - self.momentum))
        return ops.batch_normalization(
            inputs, mean, variance, -1, offset=self.beta, scale=self.gamma, epsilon=self.epsilon
        )


def _parts(model, kinds):
    """Layers of these kinds, wherever they are in a model, each once."""
    parts = {id(layer): layer for layer in model._flatten_layers(include_self=False)}
    return [layer for layer in parts.values() if isinstance(layer, kinds)]


def running_norms(model):
    """Return the batch norms of a model whose statistics follow in training."""
    return [norm for norm in _parts(model, layers.BatchNormalization) if norm.trainable]


@contextmanager
def measuring(model):
    """Let batch norms forget all but the batch, and dropout leave nothing out, while a function is traced."""
    changed = [(norm, "momentum", 0.0) for norm in running_norms(model)]
    changed += [(layer, "rate", 0.0) for layer in _parts(model, _DROPOUTS)]
    before = [getattr(layer, name) for layer, name, _ in changed]
    for layer, name, value in changed:
        setattr(layer, name, value)
    try:
        yield
    finally:
        for (layer, name, _), value in zip(changed, before, strict=True):
            setattr(layer, name, value)


def in_precision(model, dtype):
    """Return the model, or a copy of it, with weights and arithmetic in this precision."""
    if dtype == "float32":
        return model

    def converted(config):
        """Return the settings of a layer, and of the layers inside it, in this precision."""
        if isinstance(config, list):
            return [converted(value) for value in config]
        if not isinstance(config, dict):
            return config
        return {name: dtype if name == "dtype" else converted(value) for name, value in config.items()}

    def copy(layer):
        return type(layer).from_config(converted(layer.get_config()))

    inputs = keras.Input(model.input_shape[1:], dtype=dtype)
    return keras.models.clone_model(model, input_tensors=inputs, clone_function=copy)


def as_image(frames, *, least=(1, 1)):
    """Frames (n_frames, n_bands) as an image of one channel, with zeros behind where it would be too small."""
    n_frames, n_bands = frames.shape[1:]
    image = layers.Reshape((n_frames, n_bands, 1))(frames)
    missing = [max(0, size - n) for size, n in zip(least, (n_frames, n_bands), strict=True)]
    return layers.ZeroPadding2D([(0, n) for n in missing])(image) if any(missing) else image


def drop(x, rate, dtype=None):
    """Leave out a share of the channels, the same ones for all rows of a batch.

    An update then does not depend on how rows are weighted or repeated.
    """
    mask_shape = (*[1] * (len(x.shape) - 1), x.shape[-1])
    return layers.Dropout(rate, noise_shape=mask_shape, dtype=dtype)(x) if rate else x


def classes(x, n_classes):
    """Probabilities of the classes."""
    return layers.Dense(n_classes, activation="softmax", name="classes")(x)
