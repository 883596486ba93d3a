"""Machine code for the few loops that decide the speed, made by LLVM for the processor at hand.

LLVM comes with llvmlite, which librosa's numba brings along. A module is built once per process, in some tenths of a
second; calls into it release the interpreter lock.
"""

import ctypes
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir

FLOAT, INT, VOID = ir.FloatType(), ir.IntType(64), ir.VoidType()
POINTER = FLOAT.as_pointer()


@dataclass(frozen=True)
class Registers:
    """Vector registers of a processor: floats in one, and how a tile of sums is laid out over them."""

    lanes: int
    vectors: int
    """Vectors of neighbouring channels in a tile."""
    positions: int
    """Positions in a tile; with weights and inputs, ``positions * vectors`` sums must leave registers free."""


AVX512 = Registers(lanes=16, vectors=3, positions=8)
AVX2 = Registers(lanes=8, vectors=3, positions=4)
SSE = Registers(lanes=4, vectors=3, positions=4)
NEON = Registers(lanes=4, vectors=6, positions=4)


@cache
def host_registers():
    """Return the vector registers of this processor."""
    if llvm.get_process_triple().startswith(("aarch64", "arm64")):
        return NEON
    features = llvm.get_host_cpu_features()
    return AVX512 if features.get("avx512f") else AVX2 if features.get("avx2") else SSE


class Builder(ir.IRBuilder):
    """An instruction builder for loops over float arrays; indices and counts are in floats."""

    @classmethod
    def begin(cls, module, name, arguments, result=VOID):
        """Begin a function and return its builder and its arguments."""
        function = ir.Function(module, ir.FunctionType(result, arguments), name)
        return cls(function.append_basic_block("entry")), function.args

    @contextmanager
    def loop(self, stop, step=1):
        """Loop from 0 up to `stop`, not entered where that is 0; yields the index."""
        before, body, after = self.block, self.append_basic_block("loop"), self.append_basic_block("done")
        self.cbranch(self.icmp_signed("<", INT(0), _int(stop)), body, after)
        self.position_at_end(body)
        index = self.phi(INT)
        index.add_incoming(INT(0), before)
        yield index
        following = self.add(index, INT(step))
        index.add_incoming(following, self.block)
        self.cbranch(self.icmp_signed("<", following, _int(stop)), body, after)
        self.position_at_end(after)

    @contextmanager
    def sum_loop(self, stop, sums):
        """Loop from 0 up to `stop`, entered at least once, over a list of sums; yields the index.

        The body replaces what is in the list, which afterwards holds the final sums.
        """
        before, body, after = self.block, self.append_basic_block("sum"), self.append_basic_block("summed")
        self.branch(body)
        self.position_at_end(body)
        index = self.phi(INT)
        index.add_incoming(INT(0), before)
        carried = [self.phi(value.type) for value in sums]
        for phi, value in zip(carried, sums, strict=True):
            phi.add_incoming(value, before)
        sums[:] = carried
        yield index
        following = self.add(index, INT(1))
        index.add_incoming(following, self.block)
        for phi, value in zip(carried, sums, strict=True):
            phi.add_incoming(value, self.block)
        self.cbranch(self.icmp_signed("<", following, _int(stop)), body, after)
        self.position_at_end(after)

    def at(self, pointer, index):
        """Pointer `index` floats further on."""
        return self.gep(pointer, [_int(index)])

    def load_vector(self, pointer, index, width):
        """Load `width` floats from this index on."""
        value = self.load(self.bitcast(self.at(pointer, index), _vector(width).as_pointer()))
        value.align = 4
        return value

    def store_vector(self, value, pointer, index):
        """Store a vector of floats from this index on."""
        self.store(value, self.bitcast(self.at(pointer, index), value.type.as_pointer())).align = 4

    def splat(self, value, width):
        """Vector of `width` times the same float."""
        undefined = ir.Constant(_vector(width), ir.Undefined)
        return self.shuffle(self.insert_element(undefined, value, ir.IntType(32)(0)), undefined, [0] * width)

    def maximum(self, value, bound):
        """Larger of a vector and another vector, or a number."""
        bound = bound if isinstance(bound, ir.Value) else constant(bound, value.type.count)
        return self.select(self.fcmp_ordered(">", bound, value), bound, value)

    def shuffle(self, a, b, indices):
        """Vector of these elements of two vectors, counted through both."""
        mask = ir.Constant(ir.VectorType(ir.IntType(32), len(indices)), indices)
        return self.shuffle_vector(a, b, mask)

    def square_root(self, value):
        """Square roots of a vector."""
        return self._intrinsic("sqrt", value)

    def multiply_add(self, a, b, c):
        """Multiply two vectors and add a third, with one rounding where the processor can."""
        return self._intrinsic("fmuladd", a, b, c)

    def copy(self, target, source, count, width=4):
        """Copy `count` floats, a multiple of `width`."""
        with self.loop(count, width) as i:
            self.store_vector(self.load_vector(source, i, width), target, i)

    def zero(self, target, count, width=1):
        """Set `count` floats, a multiple of `width`, to zero."""
        with self.loop(count, width) as i:
            self.store_vector(constant(0.0, width), target, i)

    def _intrinsic(self, name, *vectors):
        """Call a function of LLVM that takes and gives vectors of one type."""
        name = f"llvm.{name}.v{vectors[0].type.count}f32"
        function = self.module.globals.get(name)
        if function is None:
            function = ir.Function(self.module, ir.FunctionType(vectors[0].type, [v.type for v in vectors]), name)
        return self.call(function, vectors)


def constant(value, width):
    """Vector constant of `width` times the same number."""
    return ir.Constant(_vector(width), [value] * width)


def split(n, lanes):
    """Widths of the vectors that hold `n` floats: whole registers, then powers of two for the rest."""
    widths = [lanes] * (n // lanes)
    rest = n % lanes
    return widths + [1 << bit for bit in reversed(range(rest.bit_length())) if rest >> bit & 1]


def compile_function(module, name, signature):
    """Compile a module for this processor and return one of its functions, to be called from Python.

    `signature` is what ``ctypes.CFUNCTYPE`` takes: the type of the result and those of the arguments.
    """
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=3
    )
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(str(module)), target)
    engine.finalize_object()
    function = ctypes.CFUNCTYPE(*signature)(engine.get_function_address(name))
    function.engine = engine  # owns the machine code
    return function


def aligned_zeros(n):
    """``np.zeros(n, float32)`` that begins at a cache line."""
    floats = np.zeros(n + 16, dtype=np.float32)
    start = -floats.ctypes.data % 64 // 4
    return floats[start : start + n]


def _int(value):
    return INT(value) if isinstance(value, int) else value


def _vector(width):
    return ir.VectorType(FLOAT, width)
