"""A ``.npy`` file that is written some rows at a time."""

import io
import math
import os
from pathlib import Path

import numpy as np

from skkws._runtime.files import check_room


def usable_npy_path(path):
    """Return the path of the file to write, after finding out before the work whether it can be written."""
    path = Path(path).expanduser()
    if path.suffix != ".npy":
        raise ValueError(f"out must be a file that ends in .npy, got {str(path)!r}. Rename it.")
    if path.is_dir():
        raise IsADirectoryError(f"out must be a file, and {path} is a folder. Name a file in it.")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"out is to be written to the folder {path.parent}, and there is none. Make it.")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise PermissionError(
            f"out is to be written to {path.parent}, which is not writable. Change its permissions, or name another "
            "folder."
        )
    return path


class NpyWriter:
    """Writes rows to a draft of a ``.npy`` file one batch after the other.

    Not through a memory map: on a full disk that would end the process, and not with an error.
    """

    def __init__(self, draft, path, n_rows):
        self._draft, self._path, self._n_rows = draft, path, n_rows

    def __enter__(self):
        self._file = self._draft.open("wb", buffering=0)
        return self

    def __exit__(self, *_):
        self._file.close()

    def write(self, rows):
        """Write rows, in front of the first ones the header."""
        if not self._file.tell():
            shape = self._n_rows, *rows.shape[1:]
            check_room(self._path, math.prod(shape) * rows.dtype.itemsize)
            _write(self._file, _header(shape, rows.dtype))
        _write(self._file, _bytes_of(rows))


def write_npy(path, array):
    """Write an array as `numpy.save` does, whose error on a full disk does not say so."""
    with Path(path).open("wb", buffering=0) as file:
        _write(file, _header(array.shape, array.dtype))
        _write(file, _bytes_of(array))


def _header(shape, dtype):
    header = io.BytesIO()
    contents = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, contents)
    return header.getbuffer()


def _bytes_of(array):
    return np.ascontiguousarray(array).view(np.uint8).reshape(-1).data


def _write(file, content):
    while len(content):
        content = content[file.write(content) :]
