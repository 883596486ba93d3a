"""The speech embedding network as machine code: the same arithmetic as the Keras model, near the processor's limit.

The network is pushed through in stretches of frames. Every 3x1 convolution keeps the last two rows of its input, and
nothing else is kept, so a clip in one stretch, a long signal in many and a live stream give the same vectors to the
last bit: each sum is added up in the same order wherever it stands. What makes it fast: the activations of a stretch
stay in the second-level cache, a tile of sums stays in the vector registers, and normalisation and activation are
applied before a tile is stored.
"""

from functools import cache, reduce

import numpy as np
from llvmlite import ir

from skkws._engine.llvm import (
    INT,
    POINTER,
    Builder,
    aligned_zeros,
    compile_functions,
    constant,
    host_registers,
    starts_of,
)
from skkws._engine.spec import BLOCKS, FRAMES_PER_HOP, FRAMES_PER_VECTOR, N_BANDS, N_DIMS, NORM_EPSILON

_STEM_FILTERS = BLOCKS[0][0]
# Frames of a stretch; the first one is longer by 68 frames, those without which there is no vector.
_STRETCH = 64
_FIRST_MOST = FRAMES_PER_VECTOR + _STRETCH - FRAMES_PER_HOP
# Two buffers take turns as input and output. The widest rows are the stem's, with a silent column on both sides; two
# rows are kept from the stretch before.
_BUFFER = (_FIRST_MOST + 2) * (N_BANDS + 2) * _STEM_FILTERS


class SpeechEmbeddingKernel:
    """The network at given weights, callable from several threads.

    Parameters
    ----------
    arrays : dict of str to ndarray
        ``{"layer/variable": array}`` as :func:`skkws.networks.speech_embedding` names and shapes them.
    registers : Registers or None, default=None
        Layout of the vector registers; None for this processor's.
    """

    def __init__(self, arrays, registers=None):
        registers = registers or host_registers()
        self._function, n_state = _compile(registers)
        self._n_state = n_state()
        packed = np.concatenate([_pack(*layer, registers.lanes * registers.vectors) for layer in _layers(arrays)])
        self._weights = aligned_zeros(len(packed))
        self._weights[:] = packed

    def stream(self):
        """Begin a signal."""
        return EmbeddingStream(self._function, self._weights, self._n_state)


class EmbeddingStream:
    """A signal on its way through the network: holds what later vectors need of earlier frames."""

    def __init__(self, function, weights, n_state):
        self._function, self._weights = function, weights
        self._state, self._buffers = aligned_zeros(n_state), aligned_zeros(2 * _BUFFER)
        self._begun = False

    def restart(self):
        """Forget the signal and be ready for another one."""
        self._begun = False

    def push(self, frames, out):
        """Write the vectors that end in these frames.

        Parameters
        ----------
        frames : ndarray of shape (n_frames, 32), C-contiguous, dtype float32
            The next frames: a multiple of 8, and of a new signal 68 more.
        out : ndarray of shape (n_vectors, 96), C-contiguous, dtype float32
            Where the vectors go, one for every 8 frames.

        Raises
        ------
        ValueError
            If these are not so many frames or vectors.
        """
        new = len(frames) - (0 if self._begun else FRAMES_PER_VECTOR - FRAMES_PER_HOP)
        if new < FRAMES_PER_HOP or (frames.shape[1:], out.shape) != ((N_BANDS,), (new // FRAMES_PER_HOP, N_DIMS)):
            raise ValueError(f"frames of shape {frames.shape} do not give vectors of shape {out.shape}.")
        at, n_vectors = 0, 0
        while at < len(frames):
            left = len(frames) - at
            n = min(left, _STRETCH) if self._begun else FRAMES_PER_VECTOR + (left - FRAMES_PER_VECTOR) % _STRETCH
            n_vectors += self._function(
                frames[at:], n, 2 * self._begun, self._state, self._weights, self._buffers, out[n_vectors:]
            )
            at += n
            self._begun = True


def _layers(arrays):
    """Yield ``(kernel, per-filter constants)`` of every convolution, kernels as (taps, inputs per tap, filters)."""
    gamma, beta, mean, variance = (
        arrays[f"stem_norm/{name}"].astype(np.float64) for name in ("gamma", "beta", "moving_mean", "moving_variance")
    )
    scale = gamma / np.sqrt(variance + NORM_EPSILON)
    yield arrays["stem/kernel"].reshape(3, 3, -1), (np.zeros(len(scale)), scale, beta - mean * scale)
    for b, (filters, pairs, _) in enumerate(BLOCKS, start=1):
        for p in range(1, pairs + 1):
            yield (
                arrays[f"block{b}_frequency{p}/kernel"].reshape(1, -1, filters),
                (arrays[f"block{b}_frequency{p}/bias"],),
            )
            yield arrays[f"block{b}_time{p}/kernel"].reshape(3, -1, filters), (arrays[f"block{b}_time{p}/bias"],)
    yield arrays["vectors/kernel"].reshape(3, -1, N_DIMS), (np.zeros(N_DIMS),)


def _pack(kernel, constants, tile):
    """One flat array in the order in which a convolution reads: the kernel tile by tile of filters, the constants."""
    tiles = [kernel[..., i : i + tile].ravel() for i in range(0, kernel.shape[-1], tile)]
    flat = np.concatenate([*tiles, *constants]).astype(np.float32)
    return np.pad(flat, (0, _whole_lines(len(flat)) - len(flat)))


def _whole_lines(n_floats):
    """Round up to whole cache lines, where the next layer's weights begin."""
    return -(-n_floats // 16) * 16


@cache
def _compile(registers):
    """Return the compiled network, and the function that tells how many floats its state has."""
    return compile_functions(("embed", "n_state"), _write, registers)


def _write(registers):
    module = ir.Module()
    program = _Program(module, registers)
    Builder.begin(module, "n_state", [], INT)[0].ret(INT(program.n_state))
    return module


class _Program:
    """Writes the function ``embed(frames, n_frames, kept, state, weights, buffers, out)`` -> vectors.

    `kept` is the rows that the state holds for each 3x1 convolution: 0 at the beginning of a signal, 2 later.
    """

    def __init__(self, module, registers):
        self.module, self.registers = module, registers
        arguments = [POINTER, INT, INT, POINTER, POINTER, POINTER, POINTER]
        self.b, (frames, n_frames, self.kept, self.state, self.weights, buffers, out) = Builder.begin(
            module, "embed", arguments, INT
        )
        self.n_state = self.n_weights = 0
        self.input, self.output = buffers, self.b.at(buffers, _BUFFER)
        self.rows, self.columns, self.channels = n_frames, N_BANDS, 1
        self.read(frames)
        self.keep_two_rows(N_BANDS + 2)
        self.convolve(3, 3, _STEM_FILTERS, "stem", row=N_BANDS + 2, padded=True)
        for filters, pairs, (pool_rows, pool_columns) in BLOCKS:
            for p in range(pairs):
                self.convolve(1, 3, filters, "bias")
                self.keep_two_rows(self.columns * self.channels)
                self.convolve(3, 1, filters, "bias", padded=p < pairs - 1)
            self.pool(pool_rows, pool_columns, padded=self.columns > pool_columns)
        self.keep_two_rows(self.channels)
        self.convolve(3, 1, N_DIMS, "linear")
        self.b.copy(out, self.input, self.b.mul(self.rows, INT(N_DIMS)))
        self.b.ret(self.rows)

    def read(self, frames):
        """Copy the frames to where kept rows fit in front, with a silent column on both sides."""
        b, row = self.b, N_BANDS + 2
        with b.loop(self.rows) as r:
            target = b.at(self.input, b.mul(b.add(r, INT(2)), INT(row)))
            b.zero(target, 1)
            b.copy(b.at(target, 1), b.at(frames, b.mul(r, INT(N_BANDS))), N_BANDS)
            b.zero(b.at(target, row - 1), 1)

    def keep_two_rows(self, row):
        """Put the rows kept from the stretch before in front of the new ones, and keep the last two of all."""
        b = self.b
        state = b.at(self.state, self.n_state)
        self.n_state += 2 * row
        b.copy(self.input, state, 2 * row)
        b.copy(state, b.at(self.input, b.mul(self.rows, INT(row))), 2 * row)
        self.source = b.at(self.input, b.mul(b.sub(INT(2), self.kept), INT(row)))
        self.rows = b.sub(b.add(self.rows, self.kept), INT(2))

    def convolve(self, height, width, filters, constants, *, row=None, padded=False):
        """Convolve: 3x1 over rows that were kept, 1x3 over padded columns, or both in the stem."""
        b, out_row = self.b, self.columns * filters
        if width == 3 and height == 1:
            self.source, row = self.input, (self.columns + 2) * self.channels
        row = row or self.columns * self.channels
        ahead = 0 if height > 1 else 2 * out_row  # room for the rows kept for the 3x1 convolution that follows
        if padded:
            ahead, out_row = ahead + filters, out_row + 2 * filters
        kernel = _convolution(
            self.module,
            self.registers,
            height,
            width * self.channels,
            self.channels,
            row,
            filters,
            self.columns,
            out_row,
            constants,
        )
        b.call(kernel, [self.source, b.at(self.weights, self.n_weights), b.at(self.output, ahead), self.rows])
        self.n_weights += _whole_lines((height * width * self.channels + (3 if constants == "stem" else 1)) * filters)
        self.channels = filters
        self.turn(out_row, padded)

    def pool(self, pool_rows, pool_columns, *, padded):
        """Max-pool; without padding for the 3x1 convolution that follows, with room for the rows kept for it."""
        b, row = self.b, self.columns * self.channels
        self.columns //= pool_columns
        out_row = self.columns * self.channels
        ahead = self.channels if padded else 2 * out_row
        out_row += 2 * self.channels * padded
        if pool_rows > 1:
            self.rows = b.sdiv(self.rows, INT(pool_rows))
        kernel = _max_pooling(self.module, self.registers, self.channels, row, pool_rows, pool_columns, out_row)
        b.call(kernel, [self.input, b.at(self.output, ahead), self.rows])
        self.turn(out_row, padded)

    def turn(self, row, padded):
        """Make the output the next input, with silent columns where it is padded."""
        self.input, self.output = self.output, self.input
        if padded:
            b, c = self.b, self.channels
            b.zero(self.input, c, 8)
            with b.loop(self.rows) as r:  # the last column of a row and the first of the next
                b.zero(b.at(self.input, b.add(b.mul(r, INT(row)), INT(row - c))), 2 * c, 8)


def _convolution(module, registers, taps, depth, step, row, filters, columns, out_row, constants):
    """Write the function ``(source, weights, target, rows)`` that convolves all columns of some rows.

    Parameters
    ----------
    taps, depth : int
        An output sums `depth` floats from each of `taps` neighbouring rows.
    step, row : int
        Floats from one column to the next and from one row to the next.
    filters, columns, out_row : int
        Filters, columns of the output, and floats from one of its rows to the next.
    constants : {"stem", "bias", "linear"}
        What follows: bias, ReLU, scale, shift and activation; bias and activation; bias alone.
    """
    name = f"convolution_{taps}_{depth}_{step}_{row}_{filters}_{columns}_{out_row}_{constants}"
    if name in module.globals:
        return module.globals[name]
    b, (source, weights, target, rows) = Builder.begin(module, name, [POINTER, POINTER, POINTER, INT])
    # A tile: some positions, side by side and then below one another, times some vectors of filters.
    across = min(columns, registers.positions)
    down = registers.positions // across
    positions = [divmod(p, across) for p in range(registers.positions)]
    for filter_, widths in b.tiles(filters, registers.lanes, registers.vectors):
        width = sum(widths)
        kernel = b.at(weights, (filter_, taps * depth))
        per_filter = b.at(weights, filter_, taps * depth * filters)
        reductions = [
            (taps, lambda x, y, i, n=depth * width: (b.at(x, (i, row)), b.at(y, (i, n)))),
            (depth, lambda x, y, i, n=width: (b.at(x, i), b.at(y, (i, n)))),
        ]
        with b.loop(rows, down) as r, b.loop(columns, across) as c:
            inputs = b.at(source, (r, row), (c, step))
            outputs = b.at(target, (r, out_row), (c, filters), filter_)
            sums = [b.load_vector(per_filter, start, v) for start, v in starts_of(widths)] * len(positions)
            b.sum_products(inputs, kernel, [i * row + j * step for i, j in positions], widths, reductions, sums)
            for p, (i, j) in enumerate(positions):
                for k, (start, v) in enumerate(starts_of(widths), start=p * len(widths)):
                    y = sums[k]
                    if constants == "stem":
                        scale, shift = (b.load_vector(per_filter, start + n * filters, v) for n in (1, 2))
                        y = b.multiply_add(b.maximum(y, 0.0), scale, shift)
                    if constants != "linear":
                        y = _activate(b, y)
                    b.store_vector(y, outputs, i * out_row + j * filters + start)
    b.ret_void()
    return module.globals[name]


def _activate(b, y):
    """``max(y, 0.2 y, -0.4)``."""
    return b.maximum(b.maximum(y, b.fmul(y, constant(0.2, y.type))), -0.4)


def _max_pooling(module, registers, channels, row, pool_rows, pool_columns, out_row):
    """Write the function ``(source, target, rows)`` that max-pools into `rows` rows."""
    b, (source, target, rows) = Builder.begin(
        module, f"max_pooling_{channels}_{row}_{pool_rows}", [POINTER, POINTER, INT]
    )
    for channel, widths in b.tiles(channels, registers.lanes, registers.vectors):
        with b.loop(rows) as r, b.loop(row // channels // pool_columns) as c:
            inputs = b.at(source, (r, row * pool_rows), (c, pool_columns * channels), channel)
            outputs = b.at(target, (r, out_row), (c, channels), channel)
            for start, width in starts_of(widths):
                places = [i * row + j * channels + start for i in range(pool_rows) for j in range(pool_columns)]
                values = [b.load_vector(inputs, place, width) for place in places]
                b.store_vector(reduce(b.maximum, values), outputs, start)
    b.ret_void()
    return b.function
