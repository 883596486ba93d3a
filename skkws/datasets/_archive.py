"""Archives of corpora: unpacked once, safely, and wholly or not at all."""

import errno
import hashlib
import os
import shutil
from pathlib import Path

from skkws._runtime.files import is_full
from skkws._runtime.npz import TooLargeError, check_size
from skkws._runtime.progress import progress
from skkws._runtime.text import size_text
from skkws.datasets._data_home import get_data_home
from skkws.datasets._download import check_sha256, download, one_at_a_time
from skkws.datasets._members import RefusedError, open_members, refusal

# Bytes that an archive may unpack to unless its user says otherwise: some times the largest of the corpora.
MAX_BYTES = 2**34

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


def local_folder(path, *, data_home=None, max_bytes=MAX_BYTES, verbose=1):
    """Return a local copy of a corpus as a folder.

    Parameters
    ----------
    path : str or path-like
        A folder, returned as it is, or an archive (``.zip``, ``.tar``, ``.tar.gz``), unpacked on the first call into
        the data home. The archive's path, size and time of change tell it from others.
    data_home : str or path-like, default=None
        As in `get_data_home`.
    max_bytes : int, default=2**34
        Most bytes that an archive may unpack to.
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
        If the archive is damaged, unsafe, larger than `max_bytes` allows, or none.
    """
    path = Path(path).expanduser()
    if path.is_dir():
        return path
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such folder or archive. Check the path.")
    if not path.is_file():
        raise ValueError(f"{path}: neither a folder nor an archive but a device or a pipe. Check the path.")
    status = path.stat()
    identity = f"{path.resolve()}\n{status.st_size}\n{status.st_mtime_ns}"
    digest = hashlib.sha256(os.fsencode(identity)).hexdigest()[:12]
    home = Path(get_data_home(data_home))
    folder = home / f"{_without_suffix(path.name)}-{digest}"
    if not folder.is_dir():
        with one_at_a_time(home / f".{folder.name}.lock"):
            if not folder.is_dir():
                unpack(path, folder, max_bytes=max_bytes, verbose=verbose)
    return folder


def unpack(archive, folder, *, max_bytes=MAX_BYTES, verbose=1):
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
    max_bytes : int, default=2**34
        Most bytes that it may unpack to. What its members declare is summed before they are written.
    verbose : int, default=1
        Above 0 shows a progress bar.

    Raises
    ------
    ValueError
        If the archive is damaged, empty, or larger than `max_bytes` allows, or has a member that is a link, a device,
        encrypted, or there twice, or whose name leads out of the folder or is none that file systems take.
    OSError
        If the disk is full, or would be.

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
    free = shutil.disk_usage(folder.parent).free

    def check_room(n_bytes):
        check_size(n_bytes, max_bytes)
        if n_bytes > free:
            raise OSError(errno.ENOSPC, f"It needs {size_text(n_bytes)}, and {size_text(free)} are free")

    try:
        draft.mkdir()
        with (
            open_members(archive, check_room) as members,
            progress(f"Unpacking {archive.name}, files", None, verbose=verbose) as tick,
        ):
            n_files = 0
            for name, parts, source in members:
                try:
                    _write(draft.joinpath(*parts), source)
                except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
                    raise refusal(archive, name, "is there twice, or as a file and as a folder") from error
                n_files += source is not None
                tick()
        if not n_files:
            raise RefusedError(f"{archive}: holds no files. Get the archive from its publisher.")
        draft.rename(folder)
    except RefusedError:
        raise
    except TooLargeError as error:
        raise ValueError(
            f"{archive}: not unpacked, {error}. If you know who made it, and have the room, pass a larger max_bytes."
        ) from error
    except Exception as error:  # a damaged archive fails anywhere in its readers, also with an OSError
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            advice = "Make room and run it again, or pass" if is_full(error) else "Pass"
            raise OSError(
                error.errno,
                f"{error.strerror or error} while unpacking {archive}. {advice} a data_home on another disk",
                os.fspath(folder),
            ) from error
        raise ValueError(
            f"{archive}: damaged, or neither ZIP nor TAR ({str(error) or type(error).__name__}). "
            "Delete it and get it again."
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _write(path, source):
    """Write a file, or make a folder where there is no source."""
    if source is None:
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with source, path.open("xb") as copy:
        shutil.copyfileobj(source, copy, 2**18)


def _without_suffix(name):
    return next((name[: -len(suffix)] for suffix in _SUFFIXES if name.lower().endswith(suffix)), name)
