"""The schema of a file: which objects it is to be made into, and how much room these take."""

import io
import json
from pathlib import PurePosixPath
from zipfile import ZipFile

from skkws._runtime.npz import check_npy, check_size, declared_size

# Bytes in memory for a byte of JSON, at its worst, and for an object; the objects also bound the time that it takes.
_PER_BYTE, _PER_NODE = 32, 4096


def nodes(state):
    """Yield every node of a schema: all that skops may make an object of."""
    left = [state]
    while left:
        state = left.pop()
        if isinstance(state, dict):
            if "__loader__" in state:
                yield state
            left.extend(state.values())
        elif isinstance(state, list):
            left.extend(state)


def read_schema(file, max_bytes):
    """Read the schema of a file that is not too large.

    Parameters
    ----------
    file : zipfile.ZipFile
        As skops writes it.
    max_bytes : int
        Most bytes of memory that loading the file may take.

    Returns
    -------
    schema : dict

    Raises
    ------
    TooLargeError
        If its members, each as often as an object is made of it, or the objects take more; nothing is unpacked then,
        and nothing is made of the schema.
    ValueError
        If an array announces another size than it has.
    """
    info = file.getinfo("schema.json")
    check_size(declared_size(file) + _PER_BYTE * info.file_size, max_bytes)
    schema = json.loads(file.read(info))
    sizes = {}
    for member in file.infolist():
        sizes[member.filename] = member.file_size
        suffix = PurePosixPath(member.filename).suffix
        if suffix == ".npy":
            with file.open(member) as array:
                check_npy(array, member.file_size)
        elif suffix == ".npz":  # of a sparse matrix
            with ZipFile(io.BytesIO(file.read(member))) as arrays:
                sizes[member.filename] += declared_size(arrays)
    n_bytes = 0
    for node in nodes(schema):
        n_bytes += _PER_NODE + sizes.get(str(node.get("file")), 0)
        check_size(n_bytes, max_bytes)
    return schema
