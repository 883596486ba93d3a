"""Networks that are trained to put out frames, not classes."""

from dataclasses import dataclass

import numpy as np

from skkws._engine.graph import Plan, compiled
from skkws._engine.optimizers import Optimizer
from skkws._runtime.progress import progress


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

    def train(self, weights, batches, *, epochs, learning_rate, verbose):
        """Train by Adam, at a rate that falls to 0 by a cosine.

        Parameters
        ----------
        weights : list of ndarray
            To begin with.
        batches : callable
            ``batches()`` yields the rows and targets of an epoch, anew for each.
        epochs, learning_rate, verbose
            As everywhere.

        Returns
        -------
        weights : list of ndarray
            The weights at the end.
        history : list of float
            Mean loss of each epoch.
        """
        graph, history = compiled(self), []
        flat, state = graph.split(weights)
        optimizer = Optimizer("adam", flat)
        with progress("Training", epochs, verbose=verbose) as advance:
            for epoch in range(epochs):
                rate = learning_rate * 0.5 * (1.0 + np.cos(np.pi * epoch / epochs))
                total = n_rows = 0
                for rows, target in batches():
                    each = np.ones(len(rows), self.dtype)
                    gradient, state, losses, _ = graph.step(flat, state, rows, target, each)
                    optimizer.step(gradient.numpy(), rate)
                    total, n_rows = total + float(losses.numpy().sum()), n_rows + len(rows)
                history.append(total / n_rows)
                advance(f"loss {history[-1]:.4f}")
                if not np.isfinite(history[-1]):
                    raise ValueError(
                        f"The loss became {history[-1]} in epoch {epoch + 1}; lower the learning rate, {learning_rate}."
                    )
        return graph.join(flat, state), history
