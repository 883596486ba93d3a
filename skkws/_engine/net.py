"""A Keras network as a classifier's: its probabilities and its training."""

from dataclasses import dataclass

import numpy as np

from skkws._engine.cost import activation_bytes
from skkws._engine.graph import Plan, compiled
from skkws._engine.optimizers import Optimizer
from skkws._runtime.memory import available_memory


@dataclass(frozen=True)
class Net(Plan):
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

    def _build(self):
        model = self.build(self.input_shape, self.n_classes, **dict(self.settings))
        shape = getattr(model, "output_shape", None)
        if shape != (None, self.n_classes):
            raise ValueError(
                f"network={self.build!r} must return a keras.Model whose output has the shape (None, "
                f"{self.n_classes}), the probabilities of the classes, got {model!r} with the output {shape}. End it "
                'in Dense(n_classes, activation="softmax").'
            )
        return model

    def losses(self, target, outputs):
        """Loss of each row, a tensor, for the indices of the classes and their probabilities."""
        import keras
        import tensorflow as tf

        target = tf.one_hot(target, self.n_classes, dtype=outputs.dtype)
        target = target * (1 - self.label_smoothing) + self.label_smoothing / self.n_classes
        return keras.losses.get(self.loss)(target, outputs)

    def target(self):
        """Index of a class."""
        import tensorflow as tf

        return tf.TensorSpec((), tf.int64)

    def probabilities(self, weights, clips, rows):
        """Class probabilities (n_rows, n_classes) of these rows of the clips, in inference."""
        return self.outputs(weights, len(rows), lambda part: self.take(clips, rows[part]))

    def training(self, weights, clips, data, **settings):
        """Begin a training; see :class:`NetTraining`."""
        return NetTraining(self, weights, clips, data, **settings)

    def take(self, clips, rows):
        """Rows in the shape of the input."""
        batch = np.empty((len(rows), int(np.prod(self.input_shape))), self.dtype)
        clips.take(rows, batch)
        return batch.reshape(len(rows), *self.input_shape)


class NetTraining:
    """The training of a network on labelled rows: the counterpart of :class:`HeadTraining`, with its parameters."""

    def __init__(self, net, weights, clips, data, *, optimizer, optimizer_state, batch_size, random_state):
        self._net, self._clips, self._graph, self._name = net, clips, compiled(net), optimizer
        self._data = data
        _check_memory(self._graph.model, net, batch_size)
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

    def settled(self, weights, batches):
        """Return the weights, with the statistics of these batches in batch norms; see :meth:`Graph.settle`."""
        some = (self._data[positions] for positions in batches)
        return self._graph.settle(weights, ((self._net.take(self._clips, data.rows), data.weights) for data in some))

    def parts(self):
        """Layer and variable of each number in the array that the optimizer moves: the index of a name, and names."""
        return self._graph.parts()

    def train_epoch(self, batches, learning_rate):
        """Make a step for each batch of positions in the data; weighted mean loss and accuracy."""
        totals = np.zeros(2)
        for some in batches:
            data = self._data[some]
            batch = self._net.take(self._clips, data.rows)
            gradient, self._state, losses, outputs = self._graph.step(
                self._flat, self._state, batch, data.labels, data.weights
            )
            totals += losses.numpy() @ data.weights, (outputs.numpy().argmax(axis=1) == data.labels) @ data.weights
            self._optimizer.step(gradient.numpy(), learning_rate)
        loss, accuracy = totals / self._data.weights[np.concatenate(batches)].sum()
        return {"loss": float(loss), "accuracy": float(accuracy)}

    def evaluate(self, data):
        """Weighted mean loss and accuracy on other rows of the clips."""
        probabilities = self._net.probabilities(self.weights, self._clips, data.rows)
        losses = self._graph.losses(data.labels, probabilities).numpy()
        right = probabilities.argmax(axis=1) == data.labels
        loss, accuracy = (float(values @ data.weights / data.weights.sum()) for values in (losses, right))
        return {"loss": loss, "accuracy": accuracy}


def _check_memory(model, net, batch_size):
    """Refuse a batch whose steps would not fit into the memory that is free.

    Activations are kept for the gradient: measured peaks of WavCeption's steps are those of all operations together.
    """
    free, row = available_memory(), activation_bytes(model)
    if free is not None and row * batch_size > free:
        raise MemoryError(
            f"A step on {batch_size} rows of shape {net.input_shape} takes about {row * batch_size / 1e9:.1f} GB in "
            f"{model.name}, and {free / 1e9:.1f} GB are free; set batch_size to {max(1, int(free / 2 / row))} or less, "
            "or make the network smaller by network_params."
        )
