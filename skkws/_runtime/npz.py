"""Arrays out of files that somebody else may have made: sizes are looked at before anything is unpacked."""

import math
import zipfile
from pathlib import Path

import numpy as np

from skkws._runtime.text import size_text


class TooLargeError(ValueError):
    """A file would take more room than is allowed."""


def check_size(n_bytes, max_bytes):
    """Refuse what would take more bytes than are allowed.

    Parameters
    ----------
    n_bytes : int
        As the file itself declares.
    max_bytes : int
        The most.

    Raises
    ------
    TooLargeError
        If it is more.
    """
    if n_bytes > max_bytes:
        raise TooLargeError(
            f"it would take {size_text(n_bytes)}, and max_bytes={max_bytes} allows {size_text(max_bytes)}"
        )


def declared_size(file):
    """Bytes that the members of a ZIP file unpack to, as far as it says; reading a member never gives more.

    Parameters
    ----------
    file : zipfile.ZipFile
        Open for reading.

    Returns
    -------
    n_bytes : int
    """
    return sum(info.file_size for info in file.infolist())


def check_npy(file, n_bytes):
    """Refuse an ``.npy`` file whose header announces another size than the file has: NumPy makes room for it first.

    Parameters
    ----------
    file : file object
        At the beginning of the file.
    n_bytes : int
        Size of the file.

    Raises
    ------
    ValueError
        If it does, or is no such file.
    """
    version = np.lib.format.read_magic(file)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read_header(file)
    announced = math.prod(shape) * dtype.itemsize
    if not dtype.hasobject and announced != n_bytes - file.tell():
        raise ValueError(f"an array of the shape {shape} and dtype {dtype} has another size than the file")


def read_npz(path, *, max_bytes):
    """Read the arrays of an ``.npz`` file.

    Parameters
    ----------
    path : str or Path
        The file.
    max_bytes : int
        Most bytes that the arrays may take.

    Returns
    -------
    arrays : dict of str to ndarray

    Raises
    ------
    OSError
        If the file cannot be opened.
    ValueError
        If it is no ``.npz`` file, is damaged, or larger than `max_bytes` allows. The message is to go behind the
        name of the file.
    """
    with Path(path).open("rb") as raw:
        try:
            with zipfile.ZipFile(raw) as file:
                check_size(declared_size(file), max_bytes)
                return {info.filename.removesuffix(".npy"): _read_member(file, info) for info in file.infolist()}
        except Exception as error:  # what is damaged fails anywhere in the readers of ZIP and NumPy
            raise ValueError(str(error) or type(error).__name__) from error


def _read_member(file, info):
    with file.open(info) as member:
        check_npy(member, info.file_size)
    with file.open(info) as member:
        array = np.lib.format.read_array(member, allow_pickle=False)
        member.read()  # to the check sum, which comes last
        return array
