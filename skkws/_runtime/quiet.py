"""Silence for libraries written in C that talk on the caller's standard error stream."""

import ctypes
import os
import platform
import sys
import threading
from contextlib import contextmanager
from functools import lru_cache

_lock = threading.Lock()
_n_inside = 0


@contextmanager
def quiet_stderr():
    """Drop what C code prints on ``stderr`` meanwhile, in all threads.

    C's ``stderr`` is pointed elsewhere, and the file descriptor below it is left alone: what Python and processes
    started meanwhile print arrives. Where this variable cannot be set (neither glibc nor macOS), nothing happens.
    """
    global _n_inside  # noqa: PLW0603 - C has a single stderr
    stream, usual, nowhere = _c_stderr()
    if stream is None:
        yield
        return
    with _lock:
        _n_inside += 1
        stream.value = nowhere
    try:
        yield
    finally:
        with _lock:
            _n_inside -= 1
            if not _n_inside:
                stream.value = usual


@lru_cache(1)
def _c_stderr():
    """Return the variable ``stderr`` of C, its value, and a stream to nowhere; or None for each."""
    name = "__stderrp" if sys.platform == "darwin" else "stderr" if platform.libc_ver()[0] == "glibc" else None
    if name is None:
        return None, None, None
    c = ctypes.CDLL(None)
    c.fopen.restype = ctypes.c_void_p
    stream = ctypes.c_void_p.in_dll(c, name)
    return stream, stream.value, c.fopen(os.devnull.encode(), b"w")
