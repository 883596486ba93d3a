"""Mel energies as machine code: window, FFT, magnitude and mel bands of as many frames at once as a register has lanes.

The FFT is the real one of FFTPACK (Swarztrauber 1982) with radices 4 and 2, as in SciPy and NumPy, with the same
operations in the same order. That is no pedantry: beside a loud tone the quiet bands of a single-precision spectrum
hold little but its rounding errors, and another order of operations moves their logarithms by up to 0.003.
"""

from functools import lru_cache

import numpy as np
from llvmlite import ir

from skkws._engine.llvm import (
    FLOAT,
    INT,
    INTS,
    POINTER,
    Builder,
    aligned_zeros,
    compile_functions,
    constant,
    host_registers,
)

_HALF_SQRT = float(np.float32(np.sqrt(0.5)))


class MelKernel:
    """Mel energies of frames, callable from several threads.

    Parameters
    ----------
    taper : ndarray of shape (win_length,), dtype float32
        The window.
    weights : ndarray of shape (1 + n_fft // 2, n_mels), dtype float32
        Mel filters without the bins at both ends of the spectrum; `n_fft` is a power of two.
    power : {1, 2}
        Exponent of the magnitude.
    lanes : {4, 8, 16} or None, default=None
        Frames at once; None for what the registers of this processor hold.
    """

    def __init__(self, taper, weights, power, lanes=None):
        n_fft, self._n_mels = 2 * (len(weights) - 1), weights.shape[1]
        self._lanes = lanes or host_registers().lanes
        self._n_buffer = (2 * n_fft + self._n_mels) * self._lanes
        self._function = _compile(self._lanes, n_fft)
        edges, filters = _parts(weights)
        self._numbers = (len(taper), self._n_mels, int((edges[:, 0] + edges[:, 1]).max()), power)
        self._tables = (taper, _twiddles(n_fft), edges, filters)

    def __call__(self, samples, starts, out):
        """Write the mel energies of the frames that start at these samples.

        Parameters
        ----------
        samples : ndarray, C-contiguous, dtype float32
            Signals, one after the other.
        starts : ndarray of shape (n_frames,), dtype int64
            Index of the first sample of each frame.
        out : ndarray of shape (n_frames, n_mels), C-contiguous, dtype float32
            Where the energies go.

        Raises
        ------
        ValueError
            If a frame does not lie within the samples, or there is not one row for each.
        """
        if len(starts) == 0:
            return
        first, end = starts.min(), starts.max() + self._numbers[0]
        if first < 0 or end > samples.size or out.shape != (len(starts), self._n_mels):
            raise ValueError(
                f"{len(starts)} frames from sample {first} to {end} do not lie within {samples.size} samples, or "
                f"do not give energies of shape {out.shape}."
            )
        missing = -len(starts) % self._lanes
        if missing:  # frames fill whole registers: the last one again and again
            starts = np.pad(starts, (0, missing), mode="edge")
        energies = np.empty((len(starts), self._n_mels), np.float32) if missing else out
        arrays = (samples, starts, *self._tables, aligned_zeros(self._n_buffer), energies)
        self._function(len(starts) // self._lanes, *self._numbers, *arrays)
        if missing:
            out[:] = energies[: len(out)]


def _parts(weights):
    """First bin, number of bins and place of the first weight of every band, and their weights one after the other."""
    edges, filters = np.zeros((weights.shape[1], 3), np.int64), []
    for band, column in enumerate(weights[:-1].T):
        bins = np.flatnonzero(column)
        first, last = (bins[0], bins[-1]) if len(bins) else (1, 1)
        edges[band] = first, last + 1 - first, sum(map(len, filters))
        filters.append(column[first : last + 1])
    return edges, np.concatenate(filters)


def _passes(n_fft):
    """Radix, length of the transforms so far and their number behind it, of each pass over the samples."""
    length, left = 1, n_fft
    while left > 1:
        radix = 4 if left % 4 == 0 else 2
        left //= radix
        yield radix, length, left
        length *= radix


def _twiddles(n_fft):
    """Cosines and sines in turn, for each input of a pass but the first, pass after pass."""
    tables = [np.zeros(0)]
    for radix, length, left in _passes(n_fft):
        angles = 2 * np.pi / n_fft * left * np.outer(np.arange(1, radix), np.arange(1, (length + 1) // 2))
        tables.append(np.stack([np.cos(angles), np.sin(angles)], axis=-1).ravel())
    return np.concatenate(tables).astype(np.float32)


@lru_cache(maxsize=16)
def _compile(lanes, n_fft):
    """Return the compiled function that `MelKernel` calls."""
    return compile_functions(("mel_energies",), _write, lanes, n_fft)[0]


def _write(lanes, n_fft):
    module = ir.Module()
    arguments = [INT] * 5 + [POINTER, INTS, POINTER, POINTER, INTS, POINTER, POINTER, POINTER]
    b, (groups, win_length, n_mels, n_bins, power, *arrays) = Builder.begin(module, "mel_energies", arguments)
    samples, starts, taper, twiddles, edges, filters, buffers, out = arrays
    with b.loop(groups) as g:
        source, target, bands = (b.at(buffers, i * n_fft * lanes) for i in range(3))
        _read(b, lanes, samples, b.gep(starts, [b.mul(g, INT(lanes))]), taper, win_length, source)
        window_end = b.mul(win_length, INT(lanes))
        b.zero(b.at(source, window_end), b.sub(INT(n_fft * lanes), window_end), lanes)
        n_twiddles = 0
        for radix, length, left in _passes(n_fft):
            transform = _real_pass(module, lanes, radix, length, left)
            b.call(transform, [source, target, b.at(twiddles, n_twiddles)])
            n_twiddles += 2 * (radix - 1) * ((length - 1) // 2)
            source, target = target, source
        _measure(b, lanes, source, target, n_bins, power)
        _sum_bands(b, lanes, target, bands, n_mels, edges, filters)
        with b.loop(lanes) as lane, b.loop(n_mels) as m:
            frame = b.add(b.mul(g, INT(lanes)), lane)
            energy = b.load(b.at(bands, b.add(b.mul(m, INT(lanes)), lane)))
            b.store(energy, b.at(out, b.add(b.mul(frame, n_mels), m)))
    b.ret_void()
    return module


def _read(b, lanes, samples, starts, taper, win_length, target):
    """Put windowed frames side by side: row `n` of the target holds sample `n` of every frame."""
    frames = [b.gep(samples, [b.load(b.gep(starts, [INT(lane)]))]) for lane in range(lanes)]
    whole = b.sub(win_length, b.srem(win_length, INT(lanes)))
    with b.loop(whole, lanes) as n:
        weights = b.load_vector(taper, n, lanes)
        rows = _transpose(b, [b.fmul(b.load_vector(frame, n, lanes), weights) for frame in frames])
        for i, row in enumerate(rows):
            b.store_vector(row, target, b.mul(b.add(n, INT(i)), INT(lanes)))
    with b.loop(b.sub(win_length, whole)) as rest:
        n = b.add(whole, rest)
        weight = b.load(b.at(taper, n))
        for lane, frame in enumerate(frames):
            sample = b.fmul(b.load(b.at(frame, n)), weight)
            b.store(sample, b.at(target, b.add(b.mul(n, INT(lanes)), INT(lane))))


def _transpose(b, rows):
    """Transpose a square of vectors: swap the off-diagonal quarters, at every scale."""
    n = len(rows)
    size = 1
    while size < n:
        low = [j if not j & size else n + j - size for j in range(n)]
        high = [j + size if not j & size else n + j for j in range(n)]
        swapped = list(rows)
        for i in range(n):
            if not i & size:
                swapped[i] = b.shuffle(rows[i], rows[i + size], low)
                swapped[i + size] = b.shuffle(rows[i], rows[i + size], high)
        rows, size = swapped, 2 * size
    return rows


def _real_pass(module, lanes, radix, length, left):
    """Write the function ``(source, target, twiddles)`` that makes one of every `radix` half-complex transforms.

    A half-complex transform of n samples is ``r0, r1, i1, r2, i2, ...``: n numbers, real and imaginary part of a bin
    in turn. Before the pass there are ``radix * left`` transforms of `length` samples each, after it `left` of them.
    """
    name = f"real_pass_{radix}_{length}_{left}"
    b, (source, target, twiddles) = Builder.begin(module, name, [POINTER] * 3)
    sums = {2: _sums_of_two, 4: _sums_of_four}[radix]

    def place(row, columns):
        return b.add(b.mul(row, INT(length * lanes)), INT(columns * length * lanes))

    with b.loop(left) as k:
        inputs = [b.at(source, place(k, j * left)) for j in range(radix)]
        outputs = [b.at(target, place(b.mul(k, INT(radix)), j)) for j in range(radix)]

        def read(j, i):
            return b.load_vector(inputs[j], b.mul(i, INT(lanes)), lanes)

        def write(value, j, i):
            b.store_vector(value, outputs[j], b.mul(i, INT(lanes)))

        zero, end = INT(0), INT(length - 1)
        _write_ends(b, [read(j, zero) for j in range(radix)], write, zero, end)
        if length > 1:
            _write_middle(b, [read(j, end) for j in range(radix)], write, zero, end)
        with b.loop(max(0, (length - 1) // 2)) as pair:
            i = b.mul(b.add(pair, INT(1)), INT(2))
            real, imaginary, mirrored = b.sub(i, INT(1)), i, b.sub(INT(length), i)
            values = [(read(0, real), read(0, imaginary))]
            for j in range(1, radix):
                factors = b.add(b.mul(pair, INT(2)), INT((j - 1) * 2 * ((length - 1) // 2)))
                cosine, sine = (b.splat(b.load(b.at(twiddles, b.add(factors, INT(n)))), lanes) for n in (0, 1))
                re, im = read(j, real), read(j, imaginary)
                values.append(
                    (b.fadd(b.fmul(cosine, re), b.fmul(sine, im)), b.fsub(b.fmul(cosine, im), b.fmul(sine, re)))
                )
            sums(b, values, write, (real, imaginary), (b.sub(mirrored, INT(1)), mirrored))
    b.ret_void()
    return module.globals[name]


def _write_ends(b, x, write, zero, end):
    """Combine the bins at frequency zero."""
    if len(x) == 2:
        write(b.fadd(x[0], x[1]), 0, zero)
        write(b.fsub(x[0], x[1]), 1, end)
        return
    odd, even = b.fadd(x[3], x[1]), b.fadd(x[0], x[2])
    write(b.fsub(x[3], x[1]), 2, zero)
    write(b.fsub(x[0], x[2]), 1, end)
    write(b.fadd(even, odd), 0, zero)
    write(b.fsub(even, odd), 3, end)


def _write_middle(b, x, write, zero, end):
    """Combine the bins at half the sample rate of the shorter transforms."""
    if len(x) == 2:
        write(b.fneg(x[1]), 1, zero)
        write(x[0], 0, end)
        return
    imaginary = b.fmul(constant(-_HALF_SQRT, x[0].type), b.fadd(x[1], x[3]))
    real = b.fmul(constant(_HALF_SQRT, x[0].type), b.fsub(x[1], x[3]))
    write(b.fadd(x[0], real), 0, end)
    write(b.fsub(x[0], real), 2, end)
    write(b.fadd(imaginary, x[2]), 3, zero)
    write(b.fsub(imaginary, x[2]), 1, zero)


def _sums_of_two(b, values, write, direct, mirrored):
    (r0, i0), (r1, i1) = values
    write(b.fadd(r0, r1), 0, direct[0])
    write(b.fsub(r0, r1), 1, mirrored[0])
    write(b.fadd(i1, i0), 0, direct[1])
    write(b.fsub(i1, i0), 1, mirrored[1])


def _sums_of_four(b, values, write, direct, mirrored):
    (r0, i0), (r1, i1), (r2, i2), (r3, i3) = values
    r_odd, r_turned = b.fadd(r3, r1), b.fsub(r3, r1)
    i_odd, i_turned = b.fadd(i1, i3), b.fsub(i1, i3)
    r_even, r_other = b.fadd(r0, r2), b.fsub(r0, r2)
    i_even, i_other = b.fadd(i0, i2), b.fsub(i0, i2)
    write(b.fadd(r_even, r_odd), 0, direct[0])
    write(b.fsub(r_even, r_odd), 3, mirrored[0])
    write(b.fadd(i_odd, i_even), 0, direct[1])
    write(b.fsub(i_odd, i_even), 3, mirrored[1])
    write(b.fadd(r_other, i_turned), 2, direct[0])
    write(b.fsub(r_other, i_turned), 1, mirrored[0])
    write(b.fadd(r_turned, i_other), 2, direct[1])
    write(b.fsub(r_turned, i_other), 1, mirrored[1])


def _measure(b, lanes, spectrum, magnitudes, n_bins, power):
    """Squared magnitudes of the bins from 1 up to `n_bins`, or their roots."""

    def fill(measure):
        with b.loop(b.sub(n_bins, INT(1))) as i:
            at = b.mul(i, INT(2 * lanes))
            re, im = (b.load_vector(spectrum, b.add(at, INT(n * lanes)), lanes) for n in (1, 2))
            squares = b.fadd(b.fmul(re, re), b.fmul(im, im))
            b.store_vector(measure(squares), magnitudes, b.mul(b.add(i, INT(1)), INT(lanes)))

    with b.if_else(b.icmp_signed("==", power, INT(2))) as (squared, rooted):
        with squared:
            fill(lambda squares: squares)
        with rooted:
            fill(b.square_root)


def _sum_bands(b, lanes, magnitudes, bands, n_mels, edges, filters):
    """Weighted sums of the magnitudes."""
    with b.loop(n_mels) as m:
        first, count, offset = (b.load(b.gep(edges, [b.add(b.mul(m, INT(3)), INT(n))])) for n in range(3))
        sums = [constant(0.0, ir.VectorType(FLOAT, lanes))]
        with b.sum_loop(count, sums) as i:
            weight = b.splat(b.load(b.at(filters, b.add(offset, i))), lanes)
            magnitude = b.load_vector(magnitudes, b.mul(b.add(first, i), INT(lanes)), lanes)
            sums[0] = b.multiply_add(magnitude, weight, sums[0])
        b.store_vector(sums[0], bands, b.mul(m, INT(lanes)))
