"""Networks that are trained to put out frames, not classes."""

from dataclasses import dataclass

import numpy as np

from skkws._engine.graph import Plan, compiled
from skkws._engine.optimizers import Optimizer


@dataclass(frozen=True)
class FrameNet(Plan):
    """A network and what it is trained for.

    Parameters
    ----------
    build : callable
        ``build(input_shape, **settings)`` returns a ``keras.Model``.
    settings : tuple of (str, object)
        What else it is called with.
    input_shape : tuple of int
        Shape of a row.
    dtype : str
        Precision.
    loss : callable or None
        ``loss(target, outputs)`` returns the loss of each row, a tensor. None: this one is not trained.
    target_shape : tuple of int
        Shape of the target of a row.
    """

    build: object
    settings: tuple
    input_shape: tuple
    dtype: str = "float32"
    loss: object = None
    target_shape: tuple = ()

    l1 = l2 = 0.0

    def _build(self):
        return self.build(self.input_shape, **dict(self.settings))

    def losses(self, target, outputs):
        """Loss of each row, a tensor."""
        return self.loss(target, outputs)

    def target(self):
        """Shape and precision of a target."""
        import tensorflow as tf

        return tf.TensorSpec(self.target_shape, self.dtype)

    def training(self, weights):
        """Begin a training by Adam; see :class:`FrameTraining`."""
        return FrameTraining(self, weights)


class FrameTraining:
    """The training of a network on frames.

    Parameters
    ----------
    net : FrameNet
        What to train.
    weights : list of ndarray
        Where to begin.
    """

    def __init__(self, net, weights):
        self._dtype, self._graph = net.dtype, compiled(net)
        self._flat, self._state = self._graph.split(weights)
        self._optimizer = Optimizer("adam", self._flat)

    @property
    def weights(self):
        """Copies of the weights."""
        return self._graph.join(self._flat, self._state)

    @property
    def optimizer_state(self):
        """What another training needs to go on from here."""
        return self._optimizer.state

    def settled(self, weights, batches):
        """Return the weights, with the statistics of these batches in batch norms; see :meth:`Graph.settle`."""
        return self._graph.settle(weights, ((rows, np.ones(len(rows), self._dtype)) for rows, _ in batches))

    def train_epoch(self, batches, learning_rate):
        """Make a step for each batch, a pair of rows and their targets; mean loss of the rows."""
        total = n_rows = 0
        for rows, target in batches:
            each = np.ones(len(rows), self._dtype)
            gradient, self._state, losses, _ = self._graph.step(self._flat, self._state, rows, target, each)
            self._optimizer.step(gradient.numpy(), learning_rate)
            total, n_rows = total + float(losses.numpy().sum()), n_rows + len(rows)
        return {"loss": total / n_rows}
