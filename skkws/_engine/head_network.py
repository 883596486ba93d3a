"""The keyword head without Keras: its weights, its probabilities and its training.

The same network as :func:`skkws.networks.keyword_head`, with weights in the order of that model's ``get_weights()``.
What takes time is machine code; a fit uses one core, so that the fits of a cross-validation can run side by side.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skkws._engine.head_kernels import BlockShape, compile_block
from skkws._engine.llvm import aligned_zeros
from skkws._engine.optimizers import Optimizer
from skkws._engine.weights import check_precision, check_weights
from skkws._runtime.threads import available_threads, run_threads

# What Keras' batch norm adds to a variance, and how fast its running statistics follow in `keyword_head`.
_EPSILON, _MOMENTUM = 1e-3, 0.9
# Share of Glorot's range that the dense kernel begins in. Chosen on digits: one recording per word gained 3 points
# over the whole range, all recordings stayed level.
_FIRST_GUESS = 0.3
# Clips that are predicted at once.
_BLOCK = 64


@dataclass(frozen=True)
class HeadNetwork:
    """Shape and settings of a head."""

    n_vectors: int
    n_dims: int
    n_classes: int
    filters: int
    kernel_size: int
    activation: str
    dropout: float
    l1: float
    l2: float
    dtype: str

    def __post_init__(self):
        check_precision(self.dtype)

    @cached_property
    def blocks(self):
        """Shapes of both blocks."""
        rest = self.filters, self.kernel_size
        first = BlockShape(self.n_vectors, self.n_dims, *rest, 2, self.activation, self.dtype)
        return first, BlockShape(first.pooled, self.filters, *rest, first.pooled, self.activation, self.dtype)

    def weight_shapes(self):
        """Shapes of the weights: kernel, scale, shift, running mean and variance of each block, then dense ones."""
        vector = (self.filters,)
        blocks = [[(s.kernel_size, s.inputs, s.filters), *[vector] * 4] for s in self.blocks]
        return [*blocks[0], *blocks[1], (self.filters, self.n_classes), (self.n_classes,)]

    def initial_weights(self, random_state):
        """Glorot-uniform kernels, and batch norm that changes nothing.

        The dense kernel begins smaller: first guesses then differ little from even odds, and a handful of recordings
        does not have to undo them.
        """
        weights = []
        for i, shape in enumerate(self.weight_shapes()):
            if len(shape) > 1:
                limit = np.sqrt(6 / ((shape[-2] + shape[-1]) * (np.prod(shape[:-2]))))
                weights.append(random_state.uniform(-limit, limit, shape).astype(self.dtype))
            else:
                weights.append(np.full(shape, i in (1, 4, 6, 9), self.dtype))
        weights[-2] *= weights[-2].dtype.type(_FIRST_GUESS)
        return weights

    def probabilities(self, weights, clips, rows):
        """Class probabilities (n_rows, n_classes) of these rows of the clips, in inference."""
        weights = self.checked(weights)
        out = np.empty((len(rows), self.n_classes), self.dtype)

        def fill(blocks):
            passes = Passes(self, clips, min(len(rows), _BLOCK))
            for block in blocks:
                out[block] = passes.infer(weights, rows[block])

        blocks = [slice(i, i + _BLOCK) for i in range(0, len(rows), _BLOCK)]
        run_threads(fill, blocks, available_threads())
        return out

    def training(self, weights, clips, data, **settings):
        """Begin a training; see :class:`HeadTraining`."""
        return HeadTraining(self, self.checked(weights), clips, data, **settings)

    def checked(self, weights):
        """Return weights, C-contiguous, if they are those of such a head; see :func:`check_weights`."""
        weights = check_weights(weights, self.weight_shapes(), self.dtype)
        for i in (4, 9):
            if weights[i].min() < 0:
                raise ValueError(
                    f"Weight {i} of the network is a variance and holds {weights[i].min()}: it was changed after fit, "
                    "or the file is damaged. Fit again."
                )
        return weights


@dataclass(frozen=True)
class Clips:
    """Rows of an array, in memory or in a file, which are standardised when they are taken.

    Parameters
    ----------
    X : ndarray of shape (n_clips, n_vectors * n_dims)
        The rows.
    mean, scale : ndarray of shape (n_vectors * n_dims,) or None
        What is subtracted from a row, and what it is then divided by. None leaves rows as they are.
    """

    X: np.ndarray
    mean: np.ndarray | None = None
    scale: np.ndarray | None = None

    def take(self, rows, out):
        """Write these rows to `out`."""
        if self.mean is None:
            out[...] = self.X[rows]
        else:
            np.subtract(self.X[rows], self.mean, out=out, casting="same_kind")
            out /= self.scale


class Passes:
    """Passes of batches of at most `size` of these clips through the network, forward and backward."""

    def __init__(self, network, clips, size):
        self._network, self._clips = network, clips
        first, second = network.blocks
        bottom, middle = (
            aligned_zeros(size * s.padded * s.inputs, network.dtype).reshape(size, s.padded, s.inputs)
            for s in network.blocks
        )
        self._first, self._second = _Block(first, bottom, size), _Block(second, middle, size)
        # Where a row of the clips lies, with zeros on both sides.
        begin = first.before * first.inputs
        self._bottom = bottom.reshape(size, -1)[:, begin : begin + first.positions * first.inputs]
        self._middle, self._distance = middle.reshape(-1)[second.before * second.inputs :], middle[0].size
        self._top = np.empty((size, 1, network.filters), network.dtype)
        self._ones = np.ones(network.filters, network.dtype)

    def infer(self, weights, rows):
        """Probabilities of these rows by the running statistics of batch norm."""
        *blocks, dense, bias = weights
        first, second, n = self._first, self._second, len(rows)
        self._clips.take(rows, self._bottom[:n])
        first.convolve(n, blocks[0])
        first.scale_by(*blocks[1:5])
        first.activate(self._ones, self._middle, self._distance)
        second.convolve(n, blocks[5])
        second.scale_by(*blocks[6:10])
        second.activate(self._ones, self._top, self._network.filters)
        return _softmax(self._top[:n, 0] @ dense + bias)

    def learn(self, weights, gradient, rows, labels, row_weights, masks):
        """Move the running statistics, write the gradient of the weighted mean loss, and return the probabilities.

        `gradient` has the arrays of `weights`; those of the running statistics are not touched.
        """
        *blocks, dense, bias = weights
        *d_blocks, d_dense, d_bias = gradient
        first, second, n = self._first, self._second, len(rows)
        share = row_weights / row_weights.sum()
        self._clips.take(rows, self._bottom[:n])
        first.convolve(n, blocks[0])
        first.normalise(share, *blocks[1:5])
        first.activate(masks[0], self._middle, self._distance)
        second.convolve(n, blocks[5])
        second.normalise(share, *blocks[6:10])
        second.activate(masks[1], self._top, self._network.filters)
        top = self._top[:n, 0]
        probabilities = _softmax(top @ dense + bias)
        d_logits = probabilities.copy()
        d_logits[np.arange(n), labels] -= 1
        d_logits *= share[:, None]
        np.matmul(top.T, d_logits, out=d_dense)
        d_logits.sum(axis=0, out=d_bias)
        d_middle = second.backward(d_logits @ dense.T, masks[1], *d_blocks[5:8], kernel=blocks[5])
        first.backward(d_middle, masks[0], *d_blocks[:3])
        return probabilities


class _Block:
    """A block at work: the arrays between its functions, for at most `size` clips of `x`."""

    def __init__(self, shape, x, size):
        self._shape, self._x, self._kernels = shape, x, compile_block(shape)
        self._starts = np.arange(size, dtype=np.int64) * x[0].size

        def array(*dimensions):
            return aligned_zeros(int(np.prod(dimensions)), shape.dtype).reshape(dimensions)

        self._z, self._h, self._d_a = (array(size, shape.positions, shape.filters) for _ in range(3))
        self._d_z = array(size, shape.padded, shape.filters)
        self._d_x = array(size, shape.positions, shape.inputs)
        self._mean, self._variance = array(shape.filters), array(shape.filters)

    def convolve(self, n, kernel):
        self._n = n
        self._kernels.convolve(self._x, self._starts, kernel, self._z, n)

    def scale_by(self, gamma, beta, mean, variance):
        self._rate = 1 / np.sqrt(variance + variance.dtype.type(_EPSILON))
        self._scale = gamma * self._rate
        self._shift = beta - mean * self._scale

    def normalise(self, share, gamma, beta, running_mean, running_variance):
        self._share = share / share.dtype.type(self._shape.positions)
        self._kernels.measure(self._z, self._share, self._mean, self._variance, len(share))
        self.scale_by(gamma, beta, self._mean, self._variance)
        running_mean += (self._mean - running_mean) * (1 - _MOMENTUM)
        running_variance += (self._variance - running_variance) * (1 - _MOMENTUM)

    def activate(self, mask, pooled, distance):
        """Activate and pool; clips of the result begin at these distances in `pooled`."""
        arrays = (self._z, self._scale, self._shift, mask, self._h, pooled)
        self._kernels.activate(*arrays, self._n, distance)

    def backward(self, d_pooled, mask, d_kernel, d_gamma, d_beta, kernel=None):
        """Write the gradients of the parameters; return that of the input if the kernel is given."""
        n, kernels = self._n, self._kernels
        norm = (self._mean, self._rate, self._scale)
        arrays = (self._z, self._h, d_pooled, mask, *norm, self._shift, self._d_a, d_gamma, d_beta)
        kernels.unpool(*arrays, n)
        kernels.unscale(self._z, self._d_a, self._share, *norm, d_gamma, d_beta, self._d_z, n)
        kernels.correlate(self._x, self._starts, self._d_z, d_kernel, n)
        if kernel is None:
            return None
        turned = np.ascontiguousarray(kernel[::-1].transpose(0, 2, 1))
        starts = np.arange(n) * self._d_z[0].size
        kernels.spread(self._d_z, starts, turned, self._d_x, n)
        return self._d_x


class HeadTraining:
    """Training of a network on rows of clips.

    Parameters
    ----------
    network : HeadNetwork
        What to train.
    weights : list of ndarray
        Where to begin.
    clips : Clips
        Of these rows.
    data : skkws._engine.copies.LabelledRows
        The rows to train on.
    optimizer : str
        Name of an optimizer.
    optimizer_state : dict or None
        Where an earlier training stopped.
    batch_size : int
        Most rows of a batch.
    random_state : RandomState
        Draws the dropout.
    """

    def __init__(self, network, weights, clips, data, *, optimizer, optimizer_state, batch_size, random_state):
        self._network, self._clips, self._data, self._random_state = network, clips, data, random_state
        self._passes = Passes(network, clips, batch_size)
        # What is trained lies in one array, so that a step of the optimizer is a few operations.
        trained = [i not in (3, 4, 8, 9) for i in range(len(weights))]
        self._parameters, self._weights = _gather(weights, trained)
        self._gradient, self._gradients = _gather([np.zeros_like(w) for w in weights], trained)
        self._penalised = [(w, g) for w, g in zip(self._weights, self._gradients, strict=True) if w.ndim > 1]
        self._optimizer = Optimizer(optimizer, self._parameters, optimizer_state)

    @property
    def weights(self):
        """Copies of the weights."""
        return [weight.copy() for weight in self._weights]

    @property
    def optimizer_state(self):
        """What another training needs to go on from here."""
        return self._optimizer.state

    def train_epoch(self, batches, learning_rate):
        """Make a step for each batch of positions in the data; weighted mean loss and accuracy."""
        totals = np.zeros(2)
        for some in batches:
            data = self._data[some]
            masks = self._mask(), self._mask()
            with np.errstate(over="ignore", invalid="ignore"):  # a loss that is not finite says so by itself
                probabilities = self._passes.learn(
                    self._weights, self._gradients, data.rows, data.labels, data.weights, masks
                )
            totals += _scores(probabilities, data.labels, data.weights)
            self._penalise()
            self._optimizer.step(self._gradient, learning_rate)
        return _means(totals, self._data.weights[np.concatenate(batches)])

    def settled(self, weights, batches):
        """Return the weights as they are: a fit makes steps enough for the running statistics to follow."""
        return weights

    def evaluate(self, data):
        """Weighted mean loss and accuracy on other rows of the clips."""
        probabilities = self._network.probabilities(self._weights, self._clips, data.rows)
        return _means(_scores(probabilities, data.labels, data.weights), data.weights)

    def _mask(self):
        """One mask for the whole batch: an update then does not depend on how rows are weighted or repeated."""
        rate = self._network.dropout
        kept = self._random_state.random_sample(self._network.filters) >= rate
        return (kept / (1 - rate)).astype(self._network.dtype)

    def _penalise(self):
        if self._network.l1 or self._network.l2:
            for weight, gradient in self._penalised:
                np.add(gradient, self._network.l1 * np.sign(weight) + 2 * self._network.l2 * weight, out=gradient)


def _gather(arrays, chosen):
    """Copy the chosen arrays into one; return it, and views of it in place of them with copies of the others."""
    flat = np.concatenate([array.ravel() for array, use in zip(arrays, chosen, strict=True) if use])
    views, at = [], 0
    for array, use in zip(arrays, chosen, strict=True):
        views.append(flat[at : at + array.size].reshape(array.shape) if use else array.copy())
        at += array.size * use
    return flat, views


def _softmax(logits):
    logits -= logits.max(axis=1, keepdims=True)
    np.exp(logits, out=logits)
    logits /= logits.sum(axis=1, keepdims=True)
    return logits


def _scores(probabilities, labels, row_weights):
    """Weighted sums of the cross-entropy and of the right answers."""
    least = np.finfo(probabilities.dtype).tiny
    losses = -np.log(np.maximum(probabilities[np.arange(len(labels)), labels], least))
    return np.array([losses @ row_weights, (probabilities.argmax(axis=1) == labels) @ row_weights])


def _means(totals, row_weights):
    loss, accuracy = totals / row_weights.sum()
    return {"loss": float(loss), "accuracy": float(accuracy)}
