"""Keras' optimizers at their defaults, on one flat array of parameters."""

import numpy as np

_MEAN_DECAY, _SQUARE_DECAY, _RMS_DECAY, _EPSILON, _WEIGHT_DECAY = 0.9, 0.999, 0.9, 1e-7, 0.004


class Optimizer:
    """Moves parameters against their gradient, in place.

    Parameters
    ----------
    name : {"adam", "adamw", "nadam", "rmsprop", "sgd"}
        Which one.
    parameters : ndarray of shape (n_parameters,)
        What is moved.
    state : dict or None, default=None
        Where an earlier optimizer stopped.
    """

    def __init__(self, name, parameters, state=None):
        self._parameters, self._update = parameters, getattr(self, f"_{name}")
        fresh = {"step": 0, "mean": np.zeros_like(parameters), "square": np.zeros_like(parameters), "schedule": 1.0}
        self._state = fresh if state is None else {name: np.copy(value)[()] for name, value in state.items()}

    @property
    def state(self):
        """What a later optimizer needs to go on from here."""
        return dict(self._state)

    def step(self, gradient, learning_rate):
        """Make one step."""
        self._state["step"] += 1
        self._update(gradient, learning_rate)

    def _moments(self, gradient):
        mean, square = self._state["mean"], self._state["square"]
        mean += (gradient - mean) * (1 - _MEAN_DECAY)
        square += (gradient * gradient - square) * (1 - _SQUARE_DECAY)
        return mean, square

    def _adam(self, gradient, learning_rate):
        mean, square = self._moments(gradient)
        step = self._state["step"]
        rate = learning_rate * (1 - _SQUARE_DECAY**step) ** 0.5 / (1 - _MEAN_DECAY**step)
        change = np.sqrt(square)
        change += _EPSILON
        np.divide(mean, change, out=change)
        change *= rate
        self._parameters -= change

    def _adamw(self, gradient, learning_rate):
        self._parameters *= 1 - _WEIGHT_DECAY * learning_rate
        self._adam(gradient, learning_rate)

    def _nadam(self, gradient, learning_rate):
        mean, square = self._moments(gradient)
        step = self._state["step"]
        now, then = (_MEAN_DECAY * (1 - 0.5 * 0.96**t) for t in (step, step + 1))
        self._state["schedule"] *= now
        schedule = self._state["schedule"]
        ahead = then / (1 - schedule * then) * mean + (1 - now) / (1 - schedule) * gradient
        self._parameters -= learning_rate * ahead / (np.sqrt(square / (1 - _SQUARE_DECAY**step)) + _EPSILON)

    def _rmsprop(self, gradient, learning_rate):
        square = self._state["square"]
        square += (gradient * gradient - square) * (1 - _RMS_DECAY)
        self._parameters -= learning_rate * gradient / np.sqrt(square + _EPSILON)

    def _sgd(self, gradient, learning_rate):
        self._parameters -= learning_rate * gradient
