"""Any Keras network as functions of its weights.

The model itself is but a plan. Weights, optimizer and dropout come from outside as arrays, so that what is compiled
once per process serves every fit and every fold with the same settings, from several threads, and keeps nothing.
"""

from abc import ABC, abstractmethod
from functools import lru_cache

import numpy as np

from skkws._engine.keras_networks import as_written, check_process, quiet_at_first, require_keras
from skkws._engine.weights import check_precision, check_weights

# Rows that are computed at once.
_BLOCK = 256


class Plan(ABC):
    """A network and what it is trained for: a frozen dataclass, as equal plans share what is compiled.

    A subclass has the fields `input_shape`, `dtype`, `l1` and `l2`, builds the model (`_build`) and says how far its
    outputs are from a target (`losses`) of a certain shape (`target`).
    """

    def __post_init__(self):
        check_precision(self.dtype)

    @abstractmethod
    def _build(self):
        """Build the ``keras.Model`` in single precision."""

    @abstractmethod
    def losses(self, target, outputs):
        """Loss of each row, a tensor."""

    @abstractmethod
    def target(self):
        """Shape and dtype of the target of a row, as a ``tf.TensorSpec``."""

    def model(self):
        """Build the ``keras.Model``; its weights are to be set."""
        from skkws._engine.layers import in_precision

        model = self._drawn(0)
        with as_written():
            return in_precision(model, self.dtype)

    def initial_weights(self, random_state):
        """Draw weights as the layers are told to: the same in each precision."""
        drawn = _drawn_weights(self, random_state.randint(2**31 - 1))
        return [np.array(weight, dtype=self.dtype) for weight in drawn]

    def _drawn(self, seed):
        """Build the model with weights of this seed."""
        require_keras("This network")
        from skkws._engine.layers import seeded

        with seeded(seed), as_written():
            return self._build()

    def weight_shapes(self):
        """Shapes of the weights, in the order of ``model.get_weights()``."""
        return [tuple(weight.shape) for weight in compiled(self).model.weights]

    def outputs(self, weights, n_rows, rows):
        """Return what comes out for rows, in inference; ``rows(part)`` gives those of a slice, in the input's shape."""
        graph = compiled(self)
        flat, state = graph.split(weights)
        parts = [slice(start, min(start + _BLOCK, n_rows)) for start in range(0, n_rows, _BLOCK)]
        return np.concatenate([graph.predict(flat, state, rows(part)).numpy() for part in parts])


@lru_cache(maxsize=4)
def _drawn_weights(plan, seed):
    """Draw weights. Building a network takes long, and in a search all fits with a seed begin with the same weights."""
    return plan._drawn(seed).get_weights()


def compiled(plan):
    """Return the :class:`Graph` of a plan, the same for equal plans."""
    check_process()
    return _graph(plan)


@lru_cache(maxsize=16)
def _graph(plan):
    return Graph(plan)


class Graph:
    """What TensorFlow compiles of a network: functions of the trained weights, in one array, and of all the rest."""

    def __init__(self, plan):
        require_keras("This network")
        import tensorflow as tf

        from skkws._engine.layers import measuring, running_norms
        from skkws._engine.layers import row_weights as weighing

        self.model = model = plan.model()
        self._dtype = plan.dtype
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
        kind = tf.as_dtype(plan.dtype)

        def unpack(flat):
            return [tf.reshape(part, shape) for part, shape in zip(tf.split(flat, sizes), shapes, strict=True)]

        def step(flat, state, batch, target, row_weights):
            with tf.GradientTape() as tape:
                tape.watch(flat)
                weights = unpack(flat)
                with weighing(row_weights):
                    outputs, state, own = model.stateless_call(weights, state, batch, training=True, return_losses=True)
                each = plan.losses(target, outputs)
                total = tf.reduce_sum(each * row_weights) / tf.reduce_sum(row_weights)
                for i in kernels if plan.l1 or plan.l2 else ():
                    total += plan.l1 * tf.reduce_sum(tf.abs(weights[i])) + plan.l2 * tf.reduce_sum(weights[i] ** 2)
                for penalty in own:
                    total += tf.cast(penalty, kind)
            return tape.gradient(total, flat), state, each, outputs

        def statistics(flat, state, batch, row_weights):
            with measuring(model), weighing(row_weights):
                return model.stateless_call(unpack(flat), state, batch, training=True)[1]

        norms = running_norms(model)
        self._norms = [(rest[id(norm.moving_mean)], rest[id(norm.moving_variance)]) for norm in norms]

        def function(compute, input_signature):
            return quiet_at_first(tf.function(compute, input_signature=input_signature))

        spec = tf.TensorSpec
        state = [spec(v.shape, tf.as_dtype(v.dtype)) for v in model.non_trainable_variables]
        flat, batch = spec((sum(sizes),), kind), spec((None, *plan.input_shape), kind)
        target = plan.target()
        target = spec((None, *target.shape), target.dtype)
        self.step = function(step, input_signature=(flat, state, batch, target, spec((None,), kind)))
        self.statistics = function(statistics, input_signature=(flat, state, batch, spec((None,), kind)))
        self.losses = function(plan.losses, input_signature=(target, spec(model.output.shape, kind)))
        self.predict = function(
            lambda flat, state, batch: model.stateless_call(unpack(flat), state, batch, training=False)[0],
            input_signature=(flat, state, batch),
        )

    def parts(self):
        """Name the trained weights, and tell which one each number in the flat array belongs to."""
        names = [variable.path for variable in self.model.trainable_variables]
        return np.repeat(np.arange(len(names)), np.diff(self._edges)), names

    def split(self, weights):
        """Part weights into an array of the trained ones and a list of the rest."""
        weights = check_weights(weights, [tuple(variable.shape) for variable in self.model.weights], self._dtype)
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

    def settle(self, weights, batches):
        """Give batch norms the statistics of all rows under the final weights.

        Running statistics, which follow the weights of many steps, lag behind where these were few, see Wu and Johnson
        (2021), "Rethinking 'Batch' in BatchNorm", arXiv:2105.07576.

        Parameters
        ----------
        weights : list of ndarray
            Of the network.
        batches : iterable of (ndarray, ndarray)
            Rows and their weights.

        Returns
        -------
        weights : list of ndarray
            The same but for these statistics.
        """
        if not self._norms:
            return weights
        flat, state = self.split(weights)
        total, sums = 0.0, [[0.0, 0.0] for _ in self._norms]
        for batch, row_weights in batches:
            found, share = self.statistics(flat, state, batch, row_weights), float(row_weights.sum())
            total += share
            for moments, (mean, variance) in zip(sums, self._norms, strict=True):
                center = found[mean].numpy().astype(np.float64)
                moments[0] += share * center
                moments[1] += share * (found[variance].numpy() + center**2)
        for (first, second), (mean, variance) in zip(sums, self._norms, strict=True):
            center = first / total
            state[mean] = center.astype(self._dtype)
            state[variance] = np.maximum(second / total - center**2, 0).astype(self._dtype)
        return self.join(flat, state)

    def seed_dropout(self, state, random_state):
        """Begin the dropout anew."""
        state = list(state)
        for i in self._seeds:
            state[i] = np.array([random_state.randint(2**31 - 1), 0], dtype=state[i].dtype)
        return state
