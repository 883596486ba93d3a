"""Any Keras network as functions of its weights: its probabilities and its training.

The model itself is but a plan. Weights, optimizer and dropout come from outside as arrays, so that what is compiled
once per process serves every fit and every fold with the same settings, from several threads, and keeps nothing.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

from skkws.classifiers._optimizers import Optimizer

# Rows that are predicted at once.
_BLOCK = 256


@dataclass(frozen=True)
class Net:
    """A network and its settings.

    Parameters
    ----------
    build : callable
        ``build(input_shape, n_classes, **settings)`` returns a ``keras.Model`` that ends in probabilities.
    settings : tuple of (str, object)
        What else it is called with.
    input_shape : tuple of (int, int)
        Shape of a row.
    n_classes : int
        Classes.
    loss : str
        Name of a loss of Keras.
    label_smoothing, l1, l2 : float
        What is added to the loss.
    dtype : str
        Precision.
    """

    build: object
    settings: tuple
    input_shape: tuple
    n_classes: int
    loss: str
    label_smoothing: float
    l1: float
    l2: float
    dtype: str

    def weight_shapes(self):
        """Shapes of the weights, in the order of ``model.get_weights()``."""
        return [tuple(weight.shape) for weight in _compiled(self).model.weights]

    def initial_weights(self, random_state):
        """Draw weights as the layers are told to."""
        return [np.asarray(w, dtype=self.dtype) for w in self.model(random_state.randint(2**31 - 1)).get_weights()]

    def probabilities(self, weights, clips, rows):
        """Class probabilities (n_rows, n_classes) of these rows of the clips, in inference."""
        graph = _compiled(self)
        flat, state = graph.split(weights)
        out = np.empty((len(rows), self.n_classes), self.dtype)
        for start in range(0, len(rows), _BLOCK):
            some = rows[start : start + _BLOCK]
            out[start : start + len(some)] = graph.predict(flat, state, self.take(clips, some))
        return out

    def training(self, *arguments):
        """Begin a training."""
        return NetTraining(self, *arguments)

    def take(self, clips, rows):
        """Rows in the shape of the input."""
        batch = np.empty((len(rows), int(np.prod(self.input_shape))), self.dtype)
        clips.take(rows, batch)
        return batch.reshape(len(rows), *self.input_shape)

    def model(self, seed=None):
        """Build the ``keras.Model``."""
        from skkws.networks._layers import in_precision, seeded

        with seeded(seed):
            model = self.build(self.input_shape, self.n_classes, **dict(self.settings))
            shape = getattr(model, "output_shape", None)
            if shape != (None, self.n_classes):
                raise ValueError(
                    f"network={self.build!r} must return a keras.Model whose output has the shape (None, "
                    f"{self.n_classes}), the probabilities of the classes, got {model!r} with the output {shape}. End "
                    'it in Dense(n_classes, activation="softmax").'
                )
            return in_precision(model, self.dtype)


class NetTraining:
    """The training of a network on some rows, epoch by epoch: the counterpart of :class:`HeadTraining`."""

    def __init__(self, net, weights, optimizer, optimizer_state, clips, data, size, random_state):
        self._net, self._clips, self._graph, self._name = net, clips, _compiled(net), optimizer
        self._rows, self._labels, self._row_weights = data
        self._flat, self._state = self._graph.split(weights)
        self._state = self._graph.seed_dropout(self._state, random_state)
        self._optimizer = Optimizer(optimizer, self._flat, optimizer_state)

    @property
    def weights(self):
        """Copies of the weights."""
        return self._graph.join(self._flat, self._state)

    @property
    def optimizer_state(self):
        """What another training needs to go on from here."""
        return self._optimizer.state

    def state(self):
        """Return the training as arrays, and numbers that JSON can hold."""
        optimizer = self._optimizer.state
        numbers = {"optimizer": {name: float(v) for name, v in optimizer.items() if np.ndim(v) == 0}}
        arrays = {f"optimizer_{name}": v for name, v in optimizer.items() if np.ndim(v)}
        arrays |= {f"rest_{i}": np.asarray(value) for i, value in enumerate(self._state)}
        return arrays | {"flat": self._flat}, numbers

    def restore(self, arrays, numbers):
        """Go on from such a state."""
        self._flat[:] = arrays["flat"]
        self._state = [arrays[f"rest_{i}"] for i in range(len(self._state))]
        prefix = "optimizer_"
        moments = {name.removeprefix(prefix): v for name, v in arrays.items() if name.startswith(prefix)}
        self._optimizer = Optimizer(self._name, self._flat, moments | numbers["optimizer"])

    def parts(self):
        """Layer and variable of each number in the array that the optimizer moves: the index of a name, and names."""
        return self._graph.parts()

    def train_epoch(self, order, edges, learning_rate):
        """Train on rows in this order, in batches between the edges; weighted mean loss and accuracy."""
        totals = np.zeros(2)
        for start, stop in pairwise(edges):
            some = order[start:stop]
            labels, row_weights = self._labels[some], self._row_weights[some]
            batch = self._net.take(self._clips, self._rows[some])
            gradient, self._state, losses, right = self._graph.step(self._flat, self._state, batch, labels, row_weights)
            totals += losses.numpy() @ row_weights, right.numpy() @ row_weights
            self._optimizer.step(gradient.numpy(), learning_rate)
        return tuple(float(total) for total in totals / self._row_weights[order].sum())

    def evaluate(self, rows, labels, row_weights):
        """Weighted mean loss and accuracy on other rows of the clips."""
        probabilities = self._net.probabilities(self.weights, self._clips, rows)
        losses = self._graph.losses(labels, probabilities).numpy()
        right = probabilities.argmax(axis=1) == labels
        return tuple(float(values @ row_weights / row_weights.sum()) for values in (losses, right))


@lru_cache(maxsize=16)
def _compiled(net):
    return _Graph(net)


class _Graph:
    """What TensorFlow compiles of a network: functions of the trained weights, in one array, and of all the rest."""

    def __init__(self, net):
        import keras
        import tensorflow as tf

        from skkws.networks._layers import row_weights as weighing

        self.model = model = net.model(seed=0)
        trained = model.trainable_variables
        shapes = [tuple(variable.shape) for variable in trained]
        sizes = [int(np.prod(shape)) for shape in shapes]
        kernels = [i for i, variable in enumerate(trained) if variable.path.endswith("kernel")]
        position = {id(variable): i for i, variable in enumerate(trained)}
        rest = {id(variable): i for i, variable in enumerate(model.non_trainable_variables)}
        self._where = [(id(w) in position, (position if id(w) in position else rest)[id(w)]) for w in model.weights]
        self._shapes, self._edges = shapes, np.cumsum([0, *sizes])
        self._fresh = [variable.numpy() for variable in model.non_trainable_variables]
        self._seeds = [i for i, v in enumerate(model.non_trainable_variables) if "seed" in v.name]
        kind = tf.as_dtype(net.dtype)
        loss = keras.losses.get(net.loss)

        def unpack(flat):
            return [tf.reshape(part, shape) for part, shape in zip(tf.split(flat, sizes), shapes, strict=True)]

        def losses(labels, probabilities):
            target = tf.one_hot(labels, net.n_classes, dtype=kind)
            target = target * (1 - net.label_smoothing) + net.label_smoothing / net.n_classes
            return loss(target, probabilities)

        def step(flat, state, batch, labels, row_weights):
            with tf.GradientTape() as tape:
                tape.watch(flat)
                weights = unpack(flat)
                with weighing(row_weights):
                    probabilities, state, own = model.stateless_call(
                        weights, state, batch, training=True, return_losses=True
                    )
                each = losses(labels, probabilities)
                total = tf.reduce_sum(each * row_weights) / tf.reduce_sum(row_weights)
                for i in kernels if net.l1 or net.l2 else ():
                    total += net.l1 * tf.reduce_sum(tf.abs(weights[i])) + net.l2 * tf.reduce_sum(weights[i] ** 2)
                for penalty in own:
                    total += tf.cast(penalty, kind)
            right = tf.cast(tf.argmax(probabilities, axis=1, output_type=labels.dtype) == labels, kind)
            return tape.gradient(total, flat), state, each, right

        spec = tf.TensorSpec
        state = [spec(v.shape, tf.as_dtype(v.dtype)) for v in model.non_trainable_variables]
        flat, batch = spec((sum(sizes),), kind), spec((None, *net.input_shape), kind)
        labels, each = spec((None,), tf.int64), spec((None,), kind)
        self.step = tf.function(step, input_signature=(flat, state, batch, labels, each))
        self.losses = tf.function(losses, input_signature=(labels, spec((None, net.n_classes), kind)))
        self.predict = tf.function(
            lambda flat, state, batch: model.stateless_call(unpack(flat), state, batch, training=False)[0],
            input_signature=(flat, state, batch),
        )

    def parts(self):
        """Name the trained weights, and tell which one each number in the flat array belongs to."""
        names = [variable.path for variable in self.model.trainable_variables]
        return np.repeat(np.arange(len(names)), np.diff(self._edges)), names

    def split(self, weights):
        """Part weights into an array of the trained ones and a list of the rest."""
        flat = np.empty(self._edges[-1], weights[0].dtype)
        state = list(self._fresh)
        for weight, (trained, i) in zip(weights, self._where, strict=True):
            if trained:
                flat[self._edges[i] : self._edges[i + 1]] = weight.ravel()
            else:
                state[i] = weight
        return flat, state

    def join(self, flat, state):
        """Undo `split`, with copies."""
        return [
            flat[self._edges[i] : self._edges[i + 1]].reshape(self._shapes[i]).copy() if trained else np.array(state[i])
            for trained, i in self._where
        ]

    def seed_dropout(self, state, random_state):
        """Begin the dropout anew."""
        state = list(state)
        for i in self._seeds:
            state[i] = np.array([random_state.randint(2**31 - 1), 0], dtype=state[i].dtype)
        return state
