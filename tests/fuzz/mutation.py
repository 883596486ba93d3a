"""Damaged files by the hundred, each opened in a process that may die of it.

A test draws its inputs with `mutants`, from files that are whole, and has a `Child` try a function on each. The same
module is the program of the child: it takes a request a line, and answers each with a line.
"""

import gc
import importlib
import io
import json
import os
import selectors
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

# Values that readers of files stumble over, at the edges of the types of lengths, counts and indices.
_EDGES = [
    value.to_bytes(size, order)
    for size, values in {
        1: (0, 1, 0x7F, 0x80, 0xFF),
        2: (0, 1, 0x7FFF, 0x8000, 0xFFFF),
        4: (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x10000000),
        8: (0, 1, 2**63 - 1, 2**63, 2**64 - 1, 2**40),
    }.items()
    for value in values
    for order in ("little", "big")
]


def mutants(wholes, n, *, seed=0, damages=None):
    """Yield `n` damaged contents, of which each depends on the seed and its own index alone.

    Parameters
    ----------
    wholes : sequence of bytes
        Contents of files that are whole.
    n : int
        Number of inputs.
    seed : int, default=0
        Another seed gives other inputs.
    damages : sequence of callable, default=(flip, overwrite, cut, remove, repeat, insert, splice)
        Functions ``(content, wholes, rng) -> bytes``, of which one to three are applied.

    Yields
    ------
    content : bytes
    """
    damages = BYTES if damages is None else damages
    for i in range(n):
        rng = np.random.default_rng([seed, i])
        content = wholes[rng.integers(len(wholes))]
        for _ in range(rng.integers(1, 4)):
            content = damages[rng.integers(len(damages))](content, wholes, rng)
        yield content


def _place(content, rng):
    """Draw a place, half of the time near the beginning or the end, where files say what they hold."""
    n = len(content) + 1
    near = min(n, 256)
    return int(rng.choice([rng.integers(n), rng.integers(n), rng.integers(near), n - 1 - rng.integers(near)]))


def _length(rng):
    return int(2 ** rng.uniform(0, 11))


def flip(content, wholes, rng):
    """Change bits of some bytes."""
    damaged = bytearray(content)
    for _ in range(rng.integers(1, 9) if damaged else 0):
        damaged[min(_place(content, rng), len(damaged) - 1)] ^= 1 << int(rng.integers(8))
    return bytes(damaged)


def overwrite(content, wholes, rng):
    """Write a value at the edge of a type."""
    at, value = _place(content, rng), _EDGES[rng.integers(len(_EDGES))]
    return content[:at] + value + content[at + len(value) :]


def cut(content, wholes, rng):
    """Break off."""
    return content[: _place(content, rng)]


def remove(content, wholes, rng):
    """Leave out a piece."""
    at = _place(content, rng)
    return content[:at] + content[at + _length(rng) :]


def repeat(content, wholes, rng):
    """Write a piece some times over."""
    at, length = _place(content, rng), _length(rng)
    return content[:at] + content[at : at + length] * int(rng.integers(2, 9)) + content[at + length :]


def insert(content, wholes, rng):
    """Put random bytes in between."""
    at = _place(content, rng)
    return content[:at] + rng.bytes(_length(rng)) + content[at:]


def splice(content, wholes, rng):
    """Go on as another file does."""
    other = wholes[rng.integers(len(wholes))]
    return content[: _place(content, rng)] + other[_place(other, rng) :]


BYTES = (flip, overwrite, cut, remove, repeat, insert, splice)


def in_zip(damage, only=""):
    """Return a damage that does to one member of a ZIP file what `damage` does to a file; the check sums are right.

    Parameters
    ----------
    damage : callable
        ``(content, wholes, rng) -> bytes``; `wholes` are all the members.
    only : str, default=""
        How the name of the member ends.

    Returns
    -------
    damage : callable
        What is no ZIP file any more, by an earlier damage, stays as it is.
    """

    def damaged(content, wholes, rng):
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as file:
                members = {name: file.read(name) for name in file.namelist()}
        except Exception:  # whatever a damaged ZIP raises
            return content
        names = [name for name in members if name.endswith(only)]
        if not names:
            return content
        name = names[rng.integers(len(names))]
        members[name] = damage(members[name], list(members.values()), rng)
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as file:
            for name, member in members.items():
                file.writestr(name, member)
        return out.getvalue()

    return damaged


@dataclass
class Verdict:
    """What became of one input.

    Attributes
    ----------
    kind : {"fine", "error", "crash", "hang", "memory"}
        Whether the function returned, raised, or the process died, took too long or took too much memory.
    error : tuple of str
        Names of the exception's class and of its bases.
    message : str
        The exception's, or what a process that died has printed.
    seconds : float
        How long it took.
    n_bytes : int
        Memory that it took at most, beyond that before; 0 where the system does not tell.
    printed : str
        What came out on the standard output and error streams.
    """

    kind: str
    error: tuple = ()
    message: str = ""
    seconds: float = 0.0
    n_bytes: int = 0
    printed: str = field(default="", repr=False)


class Child:
    """A process that calls functions on files; one that it dies of, or hangs in, is followed by another.

    Parameters
    ----------
    seconds : float, default=5.0
        Most that a call may take.
    n_bytes : int, default=2**30
        Most memory that a call may take.
    """

    def __init__(self, *, seconds=5.0, n_bytes=2**30):
        self._seconds, self._n_bytes, self._process = seconds, n_bytes, None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._end()

    def call(self, function, path, *, seconds=None):
        """Call a function of a module on a file.

        Parameters
        ----------
        function : callable
            Of the top of a module; it takes the path.
        path : Path
            The file.
        seconds : float, default=None
            Most that it may take; None takes that of the child.

        Returns
        -------
        verdict : Verdict
        """
        if self._process is None:
            self._begin()
        module = sys.modules[function.__module__]
        request = {"file": module.__file__, "module": module.__name__, "name": function.__name__, "path": str(path)}
        known = request["module"] in self._modules
        self._printed.seek(0, os.SEEK_END)
        began = self._printed.tell()
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()
        start = time.monotonic()
        if not known:  # importing is no part of the call
            self._answer(120)
            self._modules.add(request["module"])
            start = time.monotonic()
        answer = self._answer(self._seconds if seconds is None else seconds)
        taken = time.monotonic() - start
        self._printed.seek(began)
        printed = self._printed.read().decode(errors="replace")
        if answer is None:
            kind = "hang" if self._process.poll() is None and self._hung else "crash"
            self._end()
            return Verdict(kind, message=printed, seconds=taken, printed=printed)
        verdict = Verdict(**answer, seconds=taken, printed=printed)
        verdict.error = tuple(verdict.error)
        if "MemoryError" in verdict.error or verdict.n_bytes > self._n_bytes:
            verdict.kind = "memory"
        return verdict

    def _begin(self):
        self._printed, self._modules = tempfile.TemporaryFile(), set()  # noqa: SIM115 (it lives as long as the process)
        one_thread = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
        reading, writing = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-X", "faulthandler", __file__, str(writing), str(self._n_bytes)],
            stdin=subprocess.PIPE,
            stdout=self._printed,
            stderr=self._printed,
            pass_fds=[writing],
            env=os.environ | one_thread | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        os.close(writing)
        self._answers, self._unread = os.fdopen(reading, "rb", buffering=0), b""

    def _answer(self, seconds):
        """Read an answer; None where none comes."""
        self._hung, until = False, time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self._answers, selectors.EVENT_READ)
            while b"\n" not in self._unread:  # which may hold more than one answer
                if not selector.select(max(0.0, until - time.monotonic())):
                    self._hung = True
                    return None
                piece = self._answers.read(2**16)
                if not piece:
                    return None
                self._unread += piece
        line, _, self._unread = self._unread.partition(b"\n")
        return json.loads(line)

    def _end(self):
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process.stdin.close()
            self._answers.close()
            self._printed.close()
            self._process = None


def complaints(child, function, contents, folder, *, suffix, accepts):
    """Have a child try a function on each content as a file, and tell what went wrong.

    Parameters
    ----------
    child : Child
        It calls the function.
    function : callable
        As in `Child.call`.
    contents : iterable of bytes
        The inputs.
    folder : Path
        Where a file of each is written, and those that something is wrong with are left.
    suffix : str
        Of their names.
    accepts : callable
        ``accepts(verdict, path)`` tells whether an error is one that a user can do something with.

    Returns
    -------
    complaints : list of str
        A line for each input that ended in a crash, a hang, too much memory or an error that is not accepted.
    """
    lines = []
    for i, content in enumerate(contents):
        path = folder / f"input-{i}{suffix}"
        path.write_bytes(content)
        verdict = child.call(function, path)
        if verdict.kind == "fine" or (verdict.kind == "error" and accepts(verdict, path)):
            path.unlink()
        else:
            lines.append(f"{path}: {verdict}")
    return lines


def names_the_file(verdict, path):
    """Tell whether a verdict's error is a plain one of a file, and its message names that file."""
    return bool({"ValueError", "OSError"} & set(verdict.error)) and path.name in verdict.message


# What the child does


def _memory(key):
    """Figure of this process in bytes, 0 where the system does not tell."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{key}:")), 0)


def _forget_peak():
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return 0
    return _memory("VmHWM")


def _limit(n_bytes):
    """End calls that would take the machine's memory; little above what is complained of, so that this is seen."""
    import resource

    most = _memory("VmData") + 2 * n_bytes
    resource.setrlimit(resource.RLIMIT_DATA, (most, resource.RLIM_INFINITY))


def _serve(answers, n_bytes):
    functions = {}
    for line in sys.stdin.buffer:
        request = json.loads(line)
        key = request["module"], request["name"]
        if key[0] not in {module for module, _ in functions}:
            sys.path.insert(0, str(Path(request["file"]).parent))
            importlib.import_module(key[0])
            gc.freeze()  # what is imported is not looked through for garbage each time
            if sys.platform == "linux":
                _limit(n_bytes)
            answers.write(b"{}\n")
        function = functions[key] = getattr(sys.modules[key[0]], key[1])
        before, answer = _forget_peak(), {"kind": "fine"}
        try:
            function(Path(request["path"]))
        except Exception as error:
            bases = [base.__name__ for base in type(error).__mro__]
            answer = {"kind": "error", "error": bases, "message": str(error)[:2000]}
            del error
        answer["n_bytes"] = max(0, _memory("VmHWM") - before)
        gc.collect()
        sys.stdout.flush()
        sys.stderr.flush()
        answers.write(json.dumps(answer).encode() + b"\n")


if __name__ == "__main__":
    import warnings

    warnings.simplefilter("ignore")
    with os.fdopen(int(sys.argv[1]), "wb", buffering=0) as pipe:
        _serve(pipe, int(sys.argv[2]))
