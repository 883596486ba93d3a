"""A ``.npy`` file that is written some rows at a time."""

import io
import os
from pathlib import Path

import numpy as np


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
            header = io.BytesIO()
            shape, descr = (self._n_rows, rows.shape[1]), np.lib.format.dtype_to_descr(rows.dtype)
            contents = {"descr": descr, "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(header, contents)
            self._write(header.getbuffer())
        self._write(np.ascontiguousarray(rows).data.cast("B"))

    def _write(self, content):
        try:
            while len(content):
                content = content[self._file.write(content) :]
        except OSError as error:
            raise OSError(
                f"features cannot be written to {self._path}: {error}. Make room there, or name another out."
            ) from error
