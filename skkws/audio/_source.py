"""What holds an encoded recording: a file, bytes or a file object, and how its bytes are got."""

import os
import stat
from typing import BinaryIO

from skkws.audio._samples import AudioError

# Read into memory at the most; hours of speech, and little enough to refuse what has no end.
MAX_BYTES = 2**30
_BLOCK = 2**20

_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


def is_source(item: object) -> bool:
    """Say whether `item` is something to decode, rather than samples."""
    return isinstance(item, str | os.PathLike | bytes | bytearray | memoryview) or hasattr(item, "read")


def source_name(source, default):
    """Return the name by which errors call `source`."""
    if isinstance(source, str | os.PathLike):
        return os.fsdecode(source)
    name = getattr(source, "name", None)  # a file object's path; a file descriptor's number says nothing
    return name if isinstance(name, str) else default


def read_bytes(source: str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO, name: str) -> bytes:
    """Return the encoded bytes of a recording, whatever holds them, up to 1 GiB."""
    if isinstance(source, str | os.PathLike):
        content = _file_bytes(source, name)
    elif isinstance(source, bytes | bytearray | memoryview):
        content = bytes(source)
    else:
        if hasattr(source, "seekable") and source.seekable():
            source.seek(0)  # so that fit and transform read the same
        content = _read(source, name)
    _check_size(len(content), name)
    return content


def _read(file, name):
    """Read a file object to its end, or as far as it takes to see that it is too large."""
    blocks, n_bytes = [], 0
    while n_bytes <= MAX_BYTES and (block := file.read(_BLOCK)):
        if not isinstance(block, bytes):
            raise AudioError(f"{name}: a file object opened as text. Open it in binary mode, 'rb'.")
        blocks.append(block)
        n_bytes += len(block)
    return b"".join(blocks)


def _file_bytes(path, name):
    try:
        about = os.stat(path)
        if stat.S_ISDIR(about.st_mode):
            raise AudioError(f"{name}: a folder, not an audio file. Pass the files in it.")
        if not stat.S_ISREG(about.st_mode):  # opening one may wait for ever, and reading may not end
            kind = _KINDS.get(stat.S_IFMT(about.st_mode), "no regular file")
            raise AudioError(f"{name}: {kind}, not an audio file. Save what comes from it, and pass that file.")
        _check_size(about.st_size, name)
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        raise FileNotFoundError(
            f"{name}: no such file. Check the path; a relative one starts at the working directory."
        ) from None
    except AudioError:
        raise
    except ValueError as error:  # a NUL character in the path
        raise AudioError(f"{name!r}: no path ({error}). Correct it.") from error


def _check_size(n_bytes, name):
    if n_bytes > MAX_BYTES:
        raise AudioError(
            f"{name}: larger than {MAX_BYTES:,} bytes, which are the most that are read at once. Cut it into pieces."
        )
