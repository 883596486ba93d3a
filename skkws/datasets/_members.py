"""Members of ZIP and TAR files, each looked at before it is handed on."""

import gzip
import math
import os
import stat
import tarfile
import zipfile
from contextlib import contextmanager
from pathlib import PurePosixPath, PureWindowsPath

# Bytes that the headers of one TAR member may take, and that a file takes on a disk beside what is in it.
_LONGEST_HEADER, _PER_FILE = 2**20, 4096
# What every file system takes: folders in folders, and bytes of a name.
_DEEPEST, _LONGEST_NAME = 64, 255


class RefusedError(ValueError):
    """An archive is not what it should be, or a danger; the message says which member."""


def refusal(archive, name, what):
    """Error that names a member of an archive.

    Parameters
    ----------
    archive : Path
        The archive.
    name : str
        The member.
    what : str
        What is wrong with it.

    Returns
    -------
    error : RefusedError
    """
    return RefusedError(
        f"{archive}: not unpacked, its member {name!r} {what}. Get the archive from its publisher, or unpack it by "
        "hand and pass the folder."
    )


@contextmanager
def open_members(archive, check_room):
    """Give the members of an archive, one by one.

    Parameters
    ----------
    archive : Path
        A ZIP or TAR file, the latter plain or compressed with gzip.
    check_room : callable
        ``check_room(n_bytes)`` raises what it pleases if that is too much to unpack. Of a ZIP file it is asked for all
        before the first member, of a TAR file before each for those so far: to know all, it would be decompressed
        twice. A sparse member counts as what it unpacks to.

    Yields
    ------
    members : iterator of (str, tuple of str, file object or None)
        Name, its parts, which lead nowhere else, and content, None for a folder. When they are used up, the archive
        was read to its last byte and every check sum in it is right.

    Raises
    ------
    RefusedError
        If a member is a link, a device or encrypted, or has a name that is none, leads elsewhere or is more than file
        systems take.
    """
    with archive.open("rb") as raw:
        head = raw.read(512)
        raw.seek(0)
        # A TAR file that ends in a ZIP file looks like one of these from behind.
        if head[257:262] != b"ustar" and zipfile.is_zipfile(raw):
            with zipfile.ZipFile(raw) as file:
                yield _zip_members(archive, file, check_room)
            return
        raw.seek(0)
        with gzip.GzipFile(fileobj=raw) if head.startswith(b"\x1f\x8b") else archive.open("rb") as stream:
            yield _tar_members(archive, _Metered(stream), check_room)


def _zip_members(archive, file, check_room):
    infos = file.infolist()
    check_room(sum(info.file_size + _PER_FILE for info in infos))
    for info in infos:
        kind = stat.S_IFMT(info.external_attr >> 16)
        name = info.orig_filename  # zipfile ends names at NUL
        is_folder = name.endswith("/")
        parts = _parts(archive, name, kind in {0, stat.S_IFREG, stat.S_IFDIR}, is_folder)
        if info.flag_bits & 1:
            raise refusal(archive, name, "is encrypted")
        yield name, parts, None if is_folder else file.open(info)


def _tar_members(archive, stream, check_room):
    total = 0
    with tarfile.open(fileobj=stream, mode="r|", tarinfo=_Header) as file:
        while (info := file.next()) is not None:
            stream.left = math.inf
            parts = _parts(archive, info.name, info.isreg() or info.isdir(), info.isdir())
            if info.size < 0:
                raise tarfile.ReadError("a size in it is negative")
            total += info.size + _PER_FILE
            check_room(total)
            yield info.name, parts, file.extractfile(info) if info.isreg() else None
            stream.left = _LONGEST_HEADER
    stream.left = math.inf
    while chunk := stream.read(2**20):  # to the checksum, which comes last
        total += len(chunk)
        check_room(total)


class _Header(tarfile.TarInfo):
    """A header that is an error if it is damaged: TarFile takes one behind the first for the end of the archive."""

    @classmethod
    def frombuf(cls, buf, encoding, errors):
        try:
            return super().frombuf(buf, encoding, errors)
        except tarfile.EOFHeaderError:  # the mark of the end
            raise
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(f"{error}, where a header or the end should be") from error


class _Metered:
    """A stream of which headers cannot read on and on."""

    def __init__(self, stream):
        self._stream, self.left = stream, _LONGEST_HEADER

    def read(self, size):
        piece = self._stream.read(size)
        self.left -= len(piece)
        if self.left < 0:
            raise tarfile.ReadError(f"a header in it is longer than {_LONGEST_HEADER} bytes")
        return piece


def _parts(archive, name, is_plain, is_folder):
    """Return the folders and the file of a member's name."""
    path, foreign = PurePosixPath(name), PureWindowsPath(name)
    wrong = None
    if not is_plain:
        wrong = "is a link or a device"
    elif "\0" in name:
        wrong = "has a name with a NUL in it"
    elif path.is_absolute() or ".." in path.parts or foreign.drive or foreign.root or ".." in foreign.parts:
        wrong = "leads out of the folder"
    elif not (path.parts or is_folder):
        wrong = "has no name"
    elif any("\udc80" <= letter <= "\udcff" for letter in name):
        wrong = "has a name that is not UTF-8"
    elif len(path.parts) > _DEEPEST:
        wrong = f"lies {len(path.parts) - 1} folders deep, and {_DEEPEST} is the most"
    elif any(len(os.fsencode(part)) > _LONGEST_NAME for part in path.parts):
        wrong = f"has a name of more than {_LONGEST_NAME} bytes"
    if wrong:
        raise refusal(archive, name if len(name) < 200 else f"{name[:200]}...", wrong)
    return path.parts
