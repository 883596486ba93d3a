"""Machine code for one block of the keyword head: convolution, batch norm, activation, pooling, and their gradients.

Arrays are C-contiguous: clips, then positions over time, then channels. Clips of an input have zeros on both sides, so
that the convolution at a position is a sum over one stretch of neighbouring numbers.
"""

from functools import lru_cache
from math import factorial
from typing import NamedTuple

import numpy as np
from llvmlite import ir

from skkws._engine.llvm import DOUBLE, FLOAT, INT, INTS, Builder, compile_functions, constant, host_registers, starts_of

_SELU_SCALE, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


class BlockShape(NamedTuple):
    """What a block is compiled for; `pool` positions are pooled into one."""

    positions: int
    inputs: int
    filters: int
    kernel_size: int
    pool: int
    activation: str
    dtype: str

    @property
    def before(self):
        """Zero positions in front of a clip of the input; behind it are the others of ``kernel_size - 1``."""
        return (self.kernel_size - 1) // 2

    @property
    def padded(self):
        """Positions of a clip with its zeros."""
        return self.positions + self.kernel_size - 1

    @property
    def pooled(self):
        """Positions after pooling."""
        return -(-self.positions // self.pool)


class BlockKernels(NamedTuple):
    """Compiled functions of a block; `n` is a number of clips, `starts` are the indices where clips begin in `x`.

    ``convolve(x, starts, kernel, z, n)``
        The convolution `z`.
    ``measure(z, weights, mean, variance, n)``
        Statistics over all positions of clips that weigh `weights`, in sum ``1 / positions``.
    ``activate(z, scale, shift, mask, h, pooled, n, distance)``
        `h` is ``activation(z * scale + shift)``, `pooled` its maxima times the mask of the channels; clips of `pooled`
        are `distance` apart.
    ``unpool(z, h, d_pooled, mask, mean, rate, scale, shift, d_a, d_gamma, d_beta, n)``
        From the gradient of `pooled` to that of ``z * scale + shift`` and of the parameters of batch norm; `rate` is
        one over the standard deviation.
    ``unscale(z, d_a, weights, mean, rate, scale, d_gamma, d_beta, d_z, n)``
        To the gradient of `z`, with as many zero positions in front of a clip as its input has behind.
    ``correlate(x, starts, d_z, d_kernel, n)``
        To the gradient of the kernel.
    ``spread(d_z, starts, turned, d_x, n)``
        To the gradient of the input, by the kernel turned round (taps reversed, channels swapped).
    """

    convolve: object
    measure: object
    activate: object
    unpool: object
    unscale: object
    correlate: object
    spread: object


@lru_cache(maxsize=32)
def compile_block(shape):
    """Compile the functions of a block of this shape."""
    return BlockKernels(*compile_functions(BlockKernels._fields, _write, shape, host_registers()))


def _write(shape, registers):
    writer = _Writer(shape, registers)
    for name in BlockKernels._fields:
        getattr(writer, name)()
    return writer.module


class _Writer:
    """Writes the functions of a block, each in the method of its name."""

    def __init__(self, shape, registers):
        self.module, self.shape = ir.Module(), shape
        self.type = FLOAT if shape.dtype == "float32" else DOUBLE
        self.lanes = registers.lanes * 4 // np.dtype(shape.dtype).itemsize
        self.most_vectors, self.most_positions = registers.vectors, registers.positions
        self.clip = shape.positions * shape.filters
        self.padded_clip = shape.padded * shape.filters
        self.d_z_before = (shape.kernel_size - 1 - shape.before) * shape.filters

    def convolve(self):
        s = self.shape
        self._convolve("convolve", s.inputs, s.filters)

    def spread(self):
        s = self.shape
        self._convolve("spread", s.filters, s.inputs)

    def _convolve(self, name, inputs, outputs):
        array, s = self.type.as_pointer(), self.shape
        b, (x, starts, kernel, out, n) = Builder.begin(self.module, name, [array, INTS, array, array, INT])
        taps = (s.kernel_size * inputs, lambda x, y, i: (b.at(x, i), b.at(y, (i, outputs))))
        with b.loop(n) as clip:
            source, target = b.at(x, b.load(b.gep(starts, [clip]))), b.at(out, (clip, s.positions * outputs))
            self._products(b, source, kernel, target, s.positions, inputs, outputs, [taps])
        b.ret_void()

    def correlate(self):
        array, s = self.type.as_pointer(), self.shape
        b, (x, starts, d_z, d_kernel, n) = Builder.begin(self.module, "correlate", [array, INTS, array, array, INT])
        clips = (n, lambda x, y, i: (b.at(x, b.load(b.gep(starts, [i]))), b.at(y, (i, self.padded_clip))))
        positions = (s.positions, lambda x, y, i: (b.at(x, (i, s.inputs)), b.at(y, (i, s.filters))))
        d_z = b.at(d_z, self.d_z_before)
        self._products(b, x, d_z, d_kernel, s.kernel_size * s.inputs, 1, s.filters, [clips, positions])
        b.ret_void()

    def _products(self, b, x, y, out, rows, step, columns, reductions):
        """``out[r, c] = sum(x[r * step + ...] * y[c + ...])`` over the reductions."""
        n_tiles = -(-rows // self.most_positions)
        small, n_large = divmod(rows, n_tiles)  # tiles of nearly the same size
        for channel, widths in b.tiles(columns, self.lanes, self.most_vectors):
            for size, count, first in ((small + 1, n_large, 0), (small, n_tiles - n_large, n_large * (small + 1))):
                if not size:
                    continue
                with b.loop(count) as tile:
                    row = b.add(b.mul(tile, INT(size)), INT(first))
                    sums = [self._constant(0.0, width) for _ in range(size) for width in widths]
                    offsets = [step * i for i in range(size)]
                    b.sum_products(b.at(x, (row, step)), b.at(y, channel), offsets, widths, reductions, sums)
                    target = b.at(out, (row, columns), channel)
                    for i in range(size):
                        for k, (start, _) in enumerate(starts_of(widths), start=i * len(widths)):
                            b.store_vector(sums[k], target, i * columns + start)

    def measure(self):
        s = self.shape
        b, (z, weights, mean, variance, n) = self._begin("measure", 4)
        for channel, widths in self._channels(b):
            sums = [self._constant(0.0, width) for width in widths]
            with b.sum_loop(n, sums) as i, b.sum_loop(s.positions, sums) as t:
                weight = b.load(b.at(weights, i))
                for k, value in enumerate(self._load(b, widths, z, (i, self.clip), (t, s.filters), channel)):
                    sums[k] = b.multiply_add(b.splat(weight, widths[k]), value, sums[k])
            means = list(sums)
            self._store(b, widths, means, mean, channel)
            sums[:] = [self._constant(0.0, width) for width in widths]
            with b.sum_loop(n, sums) as i, b.sum_loop(s.positions, sums) as t:
                weight = b.load(b.at(weights, i))
                for k, value in enumerate(self._load(b, widths, z, (i, self.clip), (t, s.filters), channel)):
                    difference = b.fsub(value, means[k])
                    weighted = b.fmul(difference, b.splat(weight, widths[k]))
                    sums[k] = b.multiply_add(weighted, difference, sums[k])
            self._store(b, widths, sums, variance, channel)
        b.ret_void()

    def activate(self):
        s = self.shape
        b, (z, scale, shift, mask, h, pooled, n, distance) = self._begin("activate", 6, integers=2)
        activation, _ = _ACTIVATIONS[s.activation]
        for channel, widths in self._channels(b):
            scales, shifts, masks = (self._load(b, widths, array, channel) for array in (scale, shift, mask))
            with b.loop(n) as i:
                for group, first, count in self._groups(b):
                    maxima = [self._constant(-np.inf, width) for width in widths]
                    with b.sum_loop(count, maxima) as t:
                        place = ((i, self.clip), first, (t, s.filters), channel)
                        values = self._load(b, widths, z, *place)
                        values = map(b.multiply_add, values, scales, shifts)
                        values = [activation(b, a) for a in values]
                        self._store(b, widths, values, h, *place)
                        maxima[:] = map(b.maximum, maxima, values)
                    masked = list(map(b.fmul, maxima, masks))
                    self._store(b, widths, masked, b.at(pooled, b.mul(i, distance)), (group, s.filters), channel)
        b.ret_void()

    def unpool(self):
        s = self.shape
        b, arguments = self._begin("unpool", 11)
        z, h, d_pooled, mask, mean, rate, scale, shift, d_a, d_gamma, d_beta, n = arguments
        _, slope_of = _ACTIVATIONS[s.activation]
        for channel, widths in self._channels(b):
            k = len(widths)
            masks, means, rates, scales, shifts = (
                self._load(b, widths, array, channel) for array in (mask, mean, rate, scale, shift)
            )
            sums = [self._constant(0.0, width) for width in 2 * widths]
            with b.sum_loop(n, sums) as i:
                for group, first, count in self._groups(b, sums):
                    maxima = [self._constant(-np.inf, width) for width in widths]
                    with b.sum_loop(count, maxima) as t:
                        place = ((i, self.clip), first, (t, s.filters), channel)
                        maxima[:] = map(b.maximum, maxima, self._load(b, widths, h, *place))
                    gradients = self._load(b, widths, d_pooled, (i, s.pooled * s.filters), (group, s.filters), channel)
                    gradients = list(map(b.fmul, gradients, masks))
                    # The first of equal maxima takes the gradient.
                    free = [ir.Constant(ir.VectorType(ir.IntType(1), width), [1] * width) for width in widths]
                    carried = sums + free
                    with b.sum_loop(count, carried) as t:
                        place = ((i, self.clip), first, (t, s.filters), channel)
                        values, outputs = self._load(b, widths, z, *place), self._load(b, widths, h, *place)
                        d_arguments = []
                        for j in range(k):
                            hit = b.and_(carried[2 * k + j], b.fcmp_ordered("==", outputs[j], maxima[j]))
                            carried[2 * k + j] = b.and_(carried[2 * k + j], b.not_(hit))
                            slope = slope_of(b, b.multiply_add(values[j], scales[j], shifts[j]), outputs[j])
                            zero = self._constant(0.0, widths[j])
                            d_arguments.append(b.select(hit, b.fmul(gradients[j], slope), zero))
                            normed = b.fmul(b.fsub(values[j], means[j]), rates[j])
                            carried[j] = b.multiply_add(d_arguments[j], normed, carried[j])
                            carried[k + j] = b.fadd(d_arguments[j], carried[k + j])
                        self._store(b, widths, d_arguments, d_a, *place)
                    sums[:] = carried[: 2 * k]
            self._store(b, widths, sums[:k], d_gamma, channel)
            self._store(b, widths, sums[k:], d_beta, channel)
        b.ret_void()

    def unscale(self):
        s = self.shape
        b, (z, d_a, weights, mean, rate, scale, d_gamma, d_beta, d_z, n) = self._begin("unscale", 9)
        for channel, widths in self._channels(b):
            means, rates, scales, gammas, betas = (
                self._load(b, widths, array, channel) for array in (mean, rate, scale, d_gamma, d_beta)
            )
            with b.loop(n) as i:
                shares = [b.splat(b.load(b.at(weights, i)), width) for width in widths]
                with b.loop(s.positions) as t:
                    place = ((i, self.clip), (t, s.filters), channel)
                    values, gradients = self._load(b, widths, z, *place), self._load(b, widths, d_a, *place)
                    for k in range(len(widths)):
                        normed = b.fmul(b.fsub(values[k], means[k]), rates[k])
                        common = b.fmul(shares[k], b.multiply_add(normed, gammas[k], betas[k]))
                        gradients[k] = b.fmul(scales[k], b.fsub(gradients[k], common))
                    self._store(b, widths, gradients, d_z, self.d_z_before, (i, self.padded_clip), *place[1:])
        b.ret_void()

    def _begin(self, name, arrays, integers=1):
        return Builder.begin(self.module, name, [*[self.type.as_pointer()] * arrays, *[INT] * integers])

    def _channels(self, b):
        """Tiles of filters: two vectors each, so that some numbers of each fit into the registers."""
        return b.tiles(self.shape.filters, self.lanes, 2)

    def _groups(self, b, sums=None):
        """Loop over what is pooled; yields the number of a group, where it begins, and its positions."""
        s = self.shape
        whole, rest = divmod(s.positions, s.pool)
        if whole:
            with b.loop(whole) if sums is None else b.sum_loop(whole, sums) as group:
                yield group, b.mul(group, INT(s.pool * s.filters)), s.pool
        if rest:
            yield INT(whole), INT(whole * s.pool * s.filters), rest

    def _constant(self, number, width):
        return constant(number, ir.VectorType(self.type, width))

    @staticmethod
    def _load(b, widths, pointer, *place):
        pointer = b.at(pointer, *place)
        return [b.load_vector(pointer, start, width) for start, width in starts_of(widths)]

    @staticmethod
    def _store(b, widths, values, pointer, *place):
        pointer = b.at(pointer, *place)
        for (start, _), value in zip(starts_of(widths), values, strict=True):
            b.store_vector(value, pointer, start)


def _exp(b, x):
    """``exp(x)``: a power of two times a Taylor polynomial on half of ln 2 around zero."""
    single = x.type.element == FLOAT
    bits, mantissa, bias, bound, degree = (32, 23, 127, 87.0, 7) if single else (64, 52, 1023, 708.0, 13)

    def number(value):
        return constant(value, x.type)

    x = b.select(b.fcmp_ordered("<", x, number(-bound)), number(-bound), x)
    x = b.select(b.fcmp_ordered(">", x, number(bound)), number(bound), x)
    power = b.round(b.fmul(x, number(float(1 / np.log(2)))))
    # ln 2 in two parts, the first of few enough bits that its products are exact (Cephes; in double precision fdlibm).
    high = float(np.float32(0.693359375)) if single else 0.693147180369123816490
    low = -2.12194440e-4 if single else 1.90821492927058770002e-10
    rest = b.multiply_add(power, number(-low), b.multiply_add(power, number(-high), x))
    result = number(1 / factorial(degree))
    for n in reversed(range(degree)):
        result = b.multiply_add(result, rest, number(1 / factorial(n)))
    count = x.type.count
    exponent = b.fptosi(power, ir.VectorType(ir.IntType(32), count))
    if not single:
        exponent = b.sext(exponent, ir.VectorType(ir.IntType(64), count))
    integers = ir.VectorType(ir.IntType(bits), count)
    shifted = b.shl(b.add(exponent, ir.Constant(integers, [bias] * count)), ir.Constant(integers, [mantissa] * count))
    return b.fmul(result, b.bitcast(shifted, x.type))


def _elu(b, a):
    zero = constant(0.0, a.type)
    negative = b.select(b.fcmp_ordered("<", a, zero), a, zero)
    return b.maximum(a, b.fsub(_exp(b, negative), constant(1.0, a.type)))


def _elu_slope(b, a, h):
    zero = constant(0.0, a.type)
    return b.fadd(b.select(b.fcmp_ordered("<", h, zero), h, zero), constant(1.0, a.type))


def _relu(b, a):
    return b.maximum(a, 0.0)


def _relu_slope(b, a, h):
    return _choose(b, a, 1.0, 0.0)


def _leaky_relu(b, a):
    return b.maximum(a, b.fmul(constant(0.2, a.type), a))


def _leaky_relu_slope(b, a, h):
    return _choose(b, a, 1.0, 0.2)


def _selu(b, a):
    return b.fmul(_elu(b, a), _choose(b, a, _SELU_SCALE, _SELU_SCALE * _SELU_ALPHA))


def _selu_slope(b, a, h):
    negative = b.fadd(h, constant(_SELU_SCALE * _SELU_ALPHA, a.type))
    return b.select(b.fcmp_ordered(">", a, constant(0.0, a.type)), constant(_SELU_SCALE, a.type), negative)


def _silu(b, a):
    return b.fmul(a, _sigmoid(b, a))


def _silu_slope(b, a, h):
    sigmoid = _sigmoid(b, a)
    return b.fadd(sigmoid, b.fmul(h, b.fsub(constant(1.0, a.type), sigmoid)))


def _tanh(b, a):
    return b.fsub(b.fmul(constant(2.0, a.type), _sigmoid(b, b.fadd(a, a))), constant(1.0, a.type))


def _tanh_slope(b, a, h):
    return b.fsub(constant(1.0, a.type), b.fmul(h, h))


def _sigmoid(b, a):
    one = constant(1.0, a.type)
    return b.fdiv(one, b.fadd(one, _exp(b, b.fneg(a))))


def _choose(b, a, positive, other):
    zero = constant(0.0, a.type)
    return b.select(b.fcmp_ordered(">", a, zero), constant(positive, a.type), constant(other, a.type))


# From the argument to the value, and from argument and value to the slope.
_ACTIVATIONS = {
    "elu": (_elu, _elu_slope),
    "leaky_relu": (_leaky_relu, _leaky_relu_slope),
    "relu": (_relu, _relu_slope),
    "selu": (_selu, _selu_slope),
    "silu": (_silu, _silu_slope),
    "tanh": (_tanh, _tanh_slope),
}
ACTIVATIONS = frozenset(_ACTIVATIONS)
