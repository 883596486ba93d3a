"""Training a Keras classifier without Keras' cost per step: an epoch is one call into a compiled loop.

Compiled loops are kept and lent out again: building one takes longer than a fit on few recordings, and cross-validation
fits the same network many times. A loop is in one pair of hands at a time, so threads do not meet in it.
"""

from collections import OrderedDict
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

import numpy as np

# Networks whose compiled loops and predictors are kept; one of 50,000 weights holds a few megabytes.
_KEPT = 16

_lock = Lock()
_idle_loops = OrderedDict()
_predictors = OrderedDict()


@dataclass(frozen=True)
class Network:
    """A recipe for a ``keras.Model`` from rows to class probabilities; equal recipes share what is compiled."""

    function: Callable
    settings: tuple

    def build(self, seed=0):
        """Return the model with fresh initial weights."""
        return self.function(seed=seed, **dict(self.settings))


class TrainingLoop:
    """A network, its optimizer and the compiled loop over one epoch.

    Parameters
    ----------
    network : Network
        What to train.
    optimizer : str
        Name of a Keras optimizer.
    weighted : bool
        Whether rows carry weights; batch norm then weighs its statistics by them too, so that a row of weight two
        counts as two rows.
    """

    def __init__(self, network, optimizer, weighted):
        import keras

        self.model, norms = network.build(), []
        if weighted:
            self.model, norms = _weigh_batch_norm(self.model)
        self._optimizer = keras.optimizers.get(optimizer)
        self._optimizer.build(self.model.trainable_variables)
        self._fresh_optimizer_state = self.optimizer_state
        self._compile(norms)

    def start(self, weights, seed, optimizer_state=None):
        """Begin at these weights, with a fresh optimizer or where an earlier one stopped; `seed` is for dropout."""
        self.model.set_weights(weights)
        for variable in self.model.variables:
            if not any(variable is weight for weight in self.model.weights):
                variable.assign([seed, 0])  # the state of a random generator
        for variable, value in zip(
            self._optimizer.variables, optimizer_state or self._fresh_optimizer_state, strict=True
        ):
            variable.assign(value)

    @property
    def weights(self):
        """Copies of the weights of the model, trainable or not."""
        return self.model.get_weights()

    @property
    def optimizer_state(self):
        """Copies of the optimizer's variables."""
        return [v.numpy() for v in self._optimizer.variables]

    def train_epoch(self, data, order, edges, learning_rate):
        """Train once over ``(X, y, sample_weight)`` in this order, in batches between the edges; loss and accuracy."""
        self._optimizer.learning_rate = learning_rate
        return tuple(float(value) for value in self._train_epoch(*data, order, edges))

    def evaluate(self, data):
        """Loss and accuracy on ``(X, y, sample_weight)``, with batch norm and dropout in inference."""
        return tuple(float(value) for value in self._evaluate(*data))

    def _compile(self, norms):
        import keras
        import tensorflow as tf

        model, optimizer = self.model, self._optimizer
        cross_entropy = keras.losses.SparseCategoricalCrossentropy(reduction=None, dtype=model.inputs[0].dtype)
        rows = _rows_spec(model)
        integers, reals = tf.TensorSpec((None,), tf.int32), tf.TensorSpec((None,), rows.dtype)

        def summed_scores(y, probabilities, weight):
            right = tf.cast(tf.equal(tf.argmax(probabilities, axis=1, output_type=tf.int32), y), weight.dtype)
            return tf.reduce_sum(cross_entropy(y, probabilities) * weight), tf.reduce_sum(right * weight)

        @tf.function(input_signature=[rows, integers, reals, integers, integers])
        def train_epoch(X, y, sample_weight, order, edges):
            loss = right = tf.zeros((), X.dtype)
            for step in tf.range(tf.size(edges) - 1):
                batch = order[edges[step] : edges[step + 1]]
                weight = tf.gather(sample_weight, batch)
                for norm in norms:
                    norm.row_weight = weight
                with tf.GradientTape() as tape:
                    probabilities = model(tf.gather(X, batch), training=True)
                    batch_loss, batch_right = summed_scores(tf.gather(y, batch), probabilities, weight)
                    target = batch_loss / tf.reduce_sum(weight)
                    if model.losses:
                        target += tf.add_n(model.losses)
                optimizer.apply(tape.gradient(target, model.trainable_variables), model.trainable_variables)
                loss, right = loss + batch_loss, right + batch_right
            total = tf.reduce_sum(sample_weight)
            return loss / total, right / total

        @tf.function(input_signature=[rows, integers, reals])
        def evaluate(X, y, sample_weight):
            loss, right = summed_scores(y, model(X, training=False), sample_weight)
            total = tf.reduce_sum(sample_weight)
            return loss / total, right / total

        self._train_epoch, self._evaluate = train_epoch, evaluate


@contextmanager
def training_loop(network, optimizer, *, weighted):
    """Lend a compiled loop for this network and optimizer, an idle one where there is one."""
    key = (network, optimizer, weighted)
    with _lock:
        idle = _idle_loops.get(key)
        loop = idle.pop() if idle else None
    loop = loop or TrainingLoop(*key)
    try:
        yield loop
    finally:
        with _lock:
            _idle_loops.setdefault(key, []).append(loop)
            _forget_oldest(_idle_loops, key)


def predict_probabilities(network, weights, X, batch_size=4096):
    """Class probabilities (n_rows, n_classes) of the network at these weights, in inference."""
    with _lock:
        if network not in _predictors:
            _predictors[network] = _compile_predictor(network)
        predict, shapes = _predictors[network]
        _forget_oldest(_predictors, network)
    if [weight.shape for weight in weights] != shapes:
        raise ValueError(
            "The trained weights do not fit the network: its parameters were changed after fit, or another version of "
            "skkws trained it. Fit again."
        )
    return np.concatenate([predict(weights, X[i : i + batch_size]).numpy() for i in range(0, len(X), batch_size)])


def batch_edges(n_rows, batch_size):
    """Edges of the fewest batches of at most `batch_size` rows, all of nearly the same size."""
    n_batches = -(-n_rows // batch_size)
    return np.linspace(0, n_rows, n_batches + 1).astype(np.int32)


def _compile_predictor(network):
    import keras
    import tensorflow as tf

    model = network.build()
    specs = [tf.TensorSpec(weight.shape, weight.dtype) for weight in model.weights]

    @tf.function(input_signature=[specs, _rows_spec(model)])
    def predict(weights, X):
        with keras.StatelessScope(state_mapping=list(zip(model.weights, weights, strict=True))):
            return model(X, training=False)

    return predict, [tuple(spec.shape) for spec in specs]


def _rows_spec(model):
    import tensorflow as tf

    return tf.TensorSpec(model.inputs[0].shape, model.inputs[0].dtype)


def _forget_oldest(kept, key):
    kept.move_to_end(key)
    while len(kept) > _KEPT:
        kept.popitem(last=False)


def _weigh_batch_norm(model):
    """Copy of the model whose batch norms weigh their statistics by `row_weight`, and these layers."""
    import keras
    from keras import ops

    class WeightedBatchNormalization(keras.layers.BatchNormalization):
        row_weight = None

        def call(self, inputs, training=None, mask=None):
            if not training:
                return super().call(inputs, training=False)
            axes = list(range(len(inputs.shape) - 1))
            weight = ops.reshape(self.row_weight, (-1, *[1] * len(axes)))
            weight = weight / ops.sum(weight * ops.ones_like(inputs[..., :1]))
            mean = ops.sum(inputs * weight, axes)
            variance = ops.sum(ops.square(inputs - mean) * weight, axes)
            for moving, batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
                moving.assign(moving * self.momentum + batch * (1 - self.momentum))
            return ops.batch_normalization(inputs, mean, variance, -1, self.beta, self.gamma, self.epsilon)

    norms = []

    def clone(layer):
        if type(layer) is not keras.layers.BatchNormalization:
            return layer.__class__.from_config(layer.get_config())
        norms.append(WeightedBatchNormalization.from_config(layer.get_config()))
        return norms[-1]

    return keras.models.clone_model(model, clone_function=clone), norms
