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

    Not through a memory map, which on a full disk would end the process, nor by `numpy.save`, whose error does not say
    that the disk is full.
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
            header = io.BytesIO()
            contents = {"descr": np.lib.format.dtype_to_descr(rows.dtype), "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(header, contents)
            self._write(header.getbuffer())
        self._write(np.ascontiguousarray(rows).view(np.uint8).reshape(-1).data)

    def _write(self, content):
        while len(content):
            content = content[self._file.write(content) :]
