"""Archives of corpora: unpacked once, safely, and wholly or not at all."""

import gzip
import hashlib
import os
import shutil
import stat
import tarfile
import zipfile
import zlib
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath

from skkws._runtime.progress import progress
from skkws.datasets._data_home import get_data_home
from skkws.datasets._download import check_sha256, download, one_at_a_time

# What reading a damaged archive raises; zipfile says NotImplementedError of a compression that it does not know.
_DAMAGE = (EOFError, gzip.BadGzipFile, tarfile.TarError, zipfile.BadZipFile, zlib.error, NotImplementedError)
_SUFFIXES = (".tar.gz", ".tgz", ".tar", ".zip")


def fetch_folder(url, *, sha256=None, data_home=None, download_if_missing=True, verbose=1):
    """Return the unpacked folder of an archive on the web, from the data home if it is there.

    Parameters
    ----------
    url : str
        The address of a ``.tar.gz`` or ``.zip``.
    sha256 : str, default=None
        The SHA-256 of the archive. None relies on the checksums inside: unpacking reads all of it.
    data_home : str or path-like, default=None
        As in `get_data_home`. An archive that already lies there is used, and left there.
    download_if_missing : bool, default=True
        Whether to download the archive.
    verbose : int, default=1
        Above 0 shows progress bars.

    Returns
    -------
    folder : Path
        ``data_home/<name of the archive without extension>``.

    Raises
    ------
    OSError
        If the corpus is missing and may not be downloaded, the download fails, or the disk is full.
    ValueError
        If the checksum is wrong or the archive is damaged or unsafe.
    """
    home = Path(get_data_home(data_home))
    archive = home / url.rpartition("/")[2]
    folder = home / _without_suffix(archive.name)
    if folder.is_dir():
        return folder
    if not (download_if_missing or archive.exists()):
        raise OSError(
            f"{folder}: not there, and download_if_missing is False. Set it to True, or download {url} by hand and "
            "pass the file as archive."
        )
    with one_at_a_time(home / f".{folder.name}.lock"):
        if folder.is_dir():  # by another process in the meantime
            return folder
        downloaded = not archive.exists()
        if downloaded:
            download(url, archive, sha256=sha256, verbose=verbose)
        else:
            check_sha256(archive, sha256, source=archive)
        unpack(archive, folder, verbose=verbose)
        if downloaded:
            archive.unlink()
    return folder


def local_folder(path, *, data_home=None, verbose=1):
    """Return a local copy of a corpus as a folder.

    Parameters
    ----------
    path : str or path-like
        A folder, returned as it is, or an archive (``.zip``, ``.tar``, ``.tar.gz``), unpacked on the first call into
        the data home. The archive's path, size and time of change tell it from others.
    data_home : str or path-like, default=None
        As in `get_data_home`.
    verbose : int, default=1
        Above 0 shows a progress bar.

    Returns
    -------
    folder : Path

    Raises
    ------
    FileNotFoundError
        If the path does not exist.
    OSError
        If the disk is full.
    ValueError
        If the archive is damaged, unsafe, or none.
    """
    path = Path(path).expanduser()
    if path.is_dir():
        return path
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such folder or archive. Check the path.")
    status = path.stat()
    identity = f"{path.resolve()}\n{status.st_size}\n{status.st_mtime_ns}"
    digest = hashlib.sha256(os.fsencode(identity)).hexdigest()[:12]
    home = Path(get_data_home(data_home))
    folder = home / f"{_without_suffix(path.name)}-{digest}"
    if not folder.is_dir():
        with one_at_a_time(home / f".{folder.name}.lock"):
            if not folder.is_dir():
                unpack(path, folder, verbose=verbose)
    return folder


def unpack(archive, folder, *, verbose=1):
    """Unpack an archive of plain files into a new folder.

    Everything goes into a hidden folder beside it, which gets its name at the end: the folder is whole or not there.
    The caller sees to it that no other process makes the same folder (`one_at_a_time`). The archive is read to its
    last byte, so that the CRC of every ZIP member or of the whole gzip stream is checked. Owners, permissions and
    times are not restored.

    Parameters
    ----------
    archive : Path
        A ZIP or TAR file, the latter plain or compressed with gzip.
    folder : Path
        The folder to make. It must not exist.
    verbose : int, default=1
        Above 0 shows a progress bar.

    Raises
    ------
    ValueError
        If the archive is damaged, or has a member that is a link or a device or whose name leads out of the folder.
    OSError
        If the disk is full.

    Examples
    --------
    >>> import tempfile, zipfile
    >>> from pathlib import Path
    >>> from skkws.datasets._archive import unpack
    >>> with tempfile.TemporaryDirectory() as root:
    ...     with zipfile.ZipFile(Path(root, "words.zip"), "w") as file:
    ...         file.writestr("yes/README.md", "a word")
    ...     unpack(Path(root, "words.zip"), Path(root, "words"), verbose=0)
    ...     Path(root, "words", "yes", "README.md").read_text()
    'a word'
    """
    draft = folder.with_name(f".{folder.name}.unpacking")
    shutil.rmtree(draft, ignore_errors=True)  # of a process that died
    try:
        draft.mkdir()
        with _members(archive) as members, progress(f"Unpacking {archive.name}, files", None, verbose=verbose) as tick:
            for name, is_plain, source in members:
                if not is_plain:
                    raise ValueError(_unsafe(archive, name, "is a link or a device"))
                target = draft.joinpath(*_safe_parts(archive, name))
                if source is None:
                    target.mkdir(parents=True, exist_ok=True)
                    continue
                target.parent.mkdir(parents=True, exist_ok=True)
                with source, target.open("wb") as copy:
                    shutil.copyfileobj(source, copy, 2**18)
                tick()
        draft.rename(folder)
    except _DAMAGE as error:
        raise ValueError(
            f"{archive}: damaged, or neither ZIP nor TAR ({str(error) or type(error).__name__}). "
            "Delete it and get it again."
        ) from error
    except OSError as error:
        raise OSError(
            error.errno,
            f"{error.strerror or error} while unpacking {archive}. Make room and run it again, or pass a data_home on "
            "another disk",
            os.fspath(folder),
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


@contextmanager
def _members(archive):
    """Give (name, whether a plain file or folder, file object or None for a folder) of every member, one by one."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as file:
            yield _zip_members(file)
        return
    with archive.open("rb") as raw:
        compressed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        with gzip.GzipFile(fileobj=raw) if compressed else archive.open("rb") as stream:
            with tarfile.open(fileobj=stream, mode="r|") as file:
                yield _tar_members(file)
            while stream.read(2**20):  # to the checksum, which comes last
                pass


def _tar_members(file):
    for info in file:
        yield info.name, info.isreg() or info.isdir(), file.extractfile(info) if info.isreg() else None


def _zip_members(file):
    for info in file.infolist():
        kind = stat.S_IFMT(info.external_attr >> 16)
        is_plain = kind in {0, stat.S_IFREG, stat.S_IFDIR}
        yield info.filename, is_plain, file.open(info) if is_plain and not info.is_dir() else None


def _safe_parts(archive, name):
    path = PurePosixPath(name)
    foreign = PureWindowsPath(name)
    if path.is_absolute() or ".." in path.parts or foreign.drive or foreign.root or ".." in foreign.parts:
        raise ValueError(_unsafe(archive, name, "leads out of the folder"))
    return path.parts


def _unsafe(archive, name, what):
    return f"{archive}: not unpacked, its member {name!r} {what}. Get the archive from its publisher."


def _without_suffix(name):
    return next((name[: -len(suffix)] for suffix in _SUFFIXES if name.lower().endswith(suffix)), name)
