"""Machine code for the few loops that decide the speed, made by LLVM for the processor at hand.

LLVM comes with llvmlite. To write a module, and to compile it, takes some tenths of a second; the machine code is then
kept on disk for all later processes of this user. Calls into it release the interpreter lock.
"""

import ctypes
import hashlib
import json
import os
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, groupby
from pathlib import Path

import llvmlite
import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir

from skkws._runtime.user_cache import read_cached, write_cached

FLOAT, DOUBLE, INT, VOID = ir.FloatType(), ir.DoubleType(), ir.IntType(64), ir.VoidType()
POINTER, INTS = FLOAT.as_pointer(), INT.as_pointer()


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

# What SKKWS_SIMD may name: the processor that code is then made for, as LLVM calls it, and its registers.
_HELD_TO = {"avx2": ("x86-64-v3", AVX2), "sse": ("x86-64-v2", SSE)}


def _held_to():
    """Return processor and registers that the environment variable SKKWS_SIMD holds code to; None is this one's."""
    name = os.environ.get("SKKWS_SIMD", "native")
    if name == "native":
        return None
    if name not in _HELD_TO or not llvm.get_process_triple().startswith("x86_64"):
        raise ValueError(
            f"SKKWS_SIMD={name!r} is not known here: it holds machine code to older processors, and is "
            f"{' or '.join(_HELD_TO)} on x86-64 or native anywhere. Unset it."
        )
    return _HELD_TO[name]


@cache
def host_registers():
    """Return the vector registers of this processor, or of the one that SKKWS_SIMD names."""
    if held_to := _held_to():
        return held_to[1]
    if llvm.get_process_triple().startswith(("aarch64", "arm64")):
        return NEON
    features = llvm.get_host_cpu_features()
    return AVX512 if features.get("avx512f") else AVX2 if features.get("avx2") else SSE


def host_target():
    """Return name and features of this processor as LLVM knows them, or of the one that SKKWS_SIMD names."""
    if held_to := _held_to():
        return held_to[0], ""
    return llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()


class Builder(ir.IRBuilder):
    """An instruction builder for loops over arrays of one floating-point type, counted in elements."""

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

    def sum_products(self, x, y, offsets, widths, reductions, sums):
        """Add products of scalars from `x` and vectors from `y` to a tile of sums, which stays in the registers.

        Parameters
        ----------
        x, y : pointers
            What is multiplied.
        offsets : list of int
            Where the positions of the tile lie in `x`.
        widths : tuple of int
            Widths of the neighbouring vectors of `y`.
        reductions : list of (count, function)
            Loops to sum over, the outermost first: the function takes `x`, `y` and the index, and moves the pointers.
        sums : list of vectors
            One for every position and vector, vectors running faster; replaced.
        """
        if reductions:
            (count, move), *inner = reductions
            with self.sum_loop(count, sums) as i:
                self.sum_products(*move(x, y, i), offsets, widths, inner, sums)
            return
        factors = [self.load_vector(y, start, width) for start, width in starts_of(widths)]
        for p, offset in enumerate(offsets):
            scalar = self.load(self.at(x, offset))
            scalars = {width: self.splat(scalar, width) for width in set(widths)}
            for k, factor in enumerate(factors, start=p * len(factors)):
                sums[k] = self.multiply_add(scalars[factor.type.count], factor, sums[k])

    def tiles(self, n, lanes, vectors):
        """Loop over `n` neighbouring channels in tiles of some vectors; yields the first channel and the widths."""
        widths = [lanes] * (n // lanes)
        rest = n % lanes
        widths += [1 << bit for bit in reversed(range(rest.bit_length())) if rest >> bit & 1]
        tiles = [tuple(widths[i : i + vectors]) for i in range(0, len(widths), vectors)]
        first = 0
        for tile, same in groupby(tiles):
            count, width = len(list(same)), sum(tile)
            with self.loop(count) as i:
                yield self.add(self.mul(i, INT(width)), INT(first)), tile
            first += count * width

    def at(self, pointer, *indices):
        """Pointer that many elements further on; an index may be an ``(index, stride)``."""
        for index in indices:
            step = self.mul(_int(index[0]), INT(index[1])) if isinstance(index, tuple) else _int(index)
            pointer = self.gep(pointer, [step])
        return pointer

    def load_vector(self, pointer, index, width):
        """Load `width` elements from this index on."""
        type_ = ir.VectorType(pointer.type.pointee, width)
        value = self.load(self.bitcast(self.at(pointer, index), type_.as_pointer()))
        value.align = 4
        return value

    def store_vector(self, value, pointer, index):
        """Store a vector from this index on."""
        self.store(value, self.bitcast(self.at(pointer, index), value.type.as_pointer())).align = 4

    def splat(self, value, width):
        """Vector of `width` times the same number."""
        undefined = ir.Constant(ir.VectorType(value.type, width), ir.Undefined)
        return self.shuffle(self.insert_element(undefined, value, ir.IntType(32)(0)), undefined, [0] * width)

    def maximum(self, value, bound):
        """Larger of a vector and another vector, or a number."""
        bound = bound if isinstance(bound, ir.Value) else constant(bound, value.type)
        return self.select(self.fcmp_ordered(">", bound, value), bound, value)

    def shuffle(self, a, b, indices):
        """Vector of these elements of two vectors, counted through both."""
        mask = ir.Constant(ir.VectorType(ir.IntType(32), len(indices)), indices)
        return self.shuffle_vector(a, b, mask)

    def square_root(self, value):
        """Square roots of a vector."""
        return self._intrinsic("sqrt", value)

    def round(self, value):
        """Nearest whole numbers of a vector."""
        return self._intrinsic("rint", value)

    def multiply_add(self, a, b, c):
        """Multiply two vectors and add a third, with one rounding where the processor can."""
        return self._intrinsic("fmuladd", a, b, c)

    def copy(self, target, source, count, width=4):
        """Copy `count` elements, a multiple of `width`."""
        with self.loop(count, width) as i:
            self.store_vector(self.load_vector(source, i, width), target, i)

    def zero(self, target, count, width=1):
        """Set `count` elements, a multiple of `width`, to zero."""
        with self.loop(count, width) as i:
            self.store_vector(constant(0.0, ir.VectorType(target.type.pointee, width)), target, i)

    def _intrinsic(self, name, *vectors):
        """Call a function of LLVM that takes and gives vectors of one type."""
        type_ = vectors[0].type
        name = f"llvm.{name}.v{type_.count}{'f32' if type_.element == FLOAT else 'f64'}"
        function = self.module.globals.get(name)
        if function is None:
            function = ir.Function(self.module, ir.FunctionType(type_, [type_] * len(vectors)), name)
        return self.call(function, vectors)


def constant(number, type_):
    """Vector constant of this type with the same number everywhere."""
    return ir.Constant(type_, [number] * type_.count)


def starts_of(widths):
    """``(start, width)`` of neighbouring vectors."""
    return list(zip(accumulate((0, *widths[:-1])), widths, strict=True))


def compile_functions(names, write, *settings):
    """Return functions of a module as machine code for this processor, to be called from Python.

    The machine code is kept on disk; only where it is not there yet is the module written.

    Parameters
    ----------
    names : sequence of str
        The functions.
    write : callable
        ``write(*settings)`` writes the module, an ``llvmlite.ir.Module``. It is a function of a module of this
        package, and what it writes depends on nothing but its settings.
    *settings : object
        Equal settings have an equal `repr`, and others another one.

    Returns
    -------
    functions : list of MachineFunction
        In the order of the names.
    """
    target, sources = host_target(), _source_digest()
    key = repr((sources, llvmlite.__version__, llvm.llvm_version_info, llvm.get_process_triple(), target, _OPT))
    key += repr((write.__module__, write.__qualname__, settings, tuple(names)))
    kept = read_cached(_KIND, key) if sources else None
    if kept is None:
        module = write(*settings)
        types = [module.globals[name].function_type for name in names]
        signatures = [[str(type_) for type_ in (t.return_type, *t.args)] for t in types]
        engine, code = _link(target, str(module))
        if sources:
            write_cached(_KIND, key, json.dumps(signatures).encode() + b"\n" + code)
    else:
        head, _, code = kept.partition(b"\n")
        signatures = json.loads(head)
        engine, _ = _link(target, "", code)
    return [MachineFunction(name, engine, types) for name, types in zip(names, signatures, strict=True)]


class MachineFunction:
    """A function as machine code: takes integers, and an array for every pointer.

    Machine code believes what it is told. Every array is hence checked before its address is handed over; that it is
    large enough is for those to see to who know what the numbers mean.

    Parameters
    ----------
    name : str
        Name of the function.
    engine : llvmlite.binding.ExecutionEngine
        Owner of the machine code.
    types : sequence of str
        Types of the result and of the arguments, as LLVM writes them.
    """

    def __init__(self, name, engine, types):
        self._name, self._engine = name, engine
        prototype = ctypes.CFUNCTYPE(*(_CTYPES.get(type_, ctypes.c_void_p) for type_ in types))
        self._function = prototype(engine.get_function_address(name))
        self._dtypes = [_DTYPES.get(type_) for type_ in types[1:]]

    def __call__(self, *arguments):
        """Call the function with integers and arrays; raises TypeError for an array that it would misread."""
        pairs = zip(arguments, self._dtypes, strict=True)
        return self._function(*(a if dtype is None else self._address(a, dtype) for a, dtype in pairs))

    def _address(self, array, dtype):
        if not (isinstance(array, np.ndarray) and array.dtype == dtype and array.flags.c_contiguous):
            got = f"{array.dtype}, {array.strides}" if isinstance(array, np.ndarray) else type(array).__name__
            raise TypeError(f"{self._name} takes C-contiguous arrays of {dtype}, got {got}.")
        return array.ctypes.data


_KIND = "machine-code"
_OPT = 3
_CTYPES = {"void": None, "i64": ctypes.c_int64}
_DTYPES = {"float*": np.dtype(np.float32), "double*": np.dtype(np.float64), "i64*": np.dtype(np.int64)}


def _link(target, assembly, code=None):
    """Engine that holds the machine code of a module, which is compiled if need be, and this code."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    cpu, features = target
    machine = llvm.Target.from_default_triple().create_target_machine(cpu=cpu, features=features, opt=_OPT)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(assembly), machine)
    compiled = []
    engine.set_object_cache(lambda _, made: compiled.append(made), lambda _: code)
    engine.finalize_object()
    return engine, code or compiled[0]


@cache
def _source_digest():
    """Digest of the code that writes machine code, this package; None where there are no files to tell it from."""
    files = sorted(path for path in Path(__file__).parent.glob("*.py*") if path.is_file())
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest() if files else None


def aligned_zeros(n, dtype=np.float32):
    """``np.zeros(n, dtype)`` that begins at a cache line."""
    size = np.dtype(dtype).itemsize
    zeros = np.zeros(n + 64 // size, dtype)
    start = -zeros.ctypes.data % 64 // size
    return zeros[start : start + n]


def _int(value):
    return INT(value) if isinstance(value, int) else value
