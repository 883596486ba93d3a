"""Files that are whole or not there, and folders to keep them in."""

import errno
import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from skkws._runtime.text import size_text

# What a write ends with on a full disk, beyond a quota, and beyond what a file may have.
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def is_full(error):
    """Tell whether an error says that there is no room."""
    return isinstance(error, OSError) and error.errno in _FULL


def no_room(path, n_bytes=None, why="No room"):
    """Error that says how much room there is for a file.

    Parameters
    ----------
    path : str or Path
        The file.
    n_bytes : int, default=None
        How much it needs, if that is known.
    why : str, default="No room"
        What the system says: no space, beyond a quota, or too large for one file.

    Returns
    -------
    error : OSError
        Of the errno ``ENOSPC``.
    """
    path = Path(path)
    free = size_text(shutil.disk_usage(path.parent).free)
    needed = "" if n_bytes is None else f", it needs {size_text(n_bytes)}"
    message = f"{why} to write it; {free} are free in its folder{needed}. Make room, or name another place"
    return OSError(errno.ENOSPC, message, os.fspath(path))


def check_room(path, n_bytes):
    """Refuse to write a file for which there is no room.

    Parameters
    ----------
    path : str or Path
        The file, in a folder that exists.
    n_bytes : int
        How large it is going to be.

    Raises
    ------
    OSError
        If less is free, with the errno ``ENOSPC``.
    """
    if n_bytes > shutil.disk_usage(Path(path).parent).free:
        raise no_room(path, n_bytes)


@contextmanager
def whole_file(path):
    """Give a path to write to; it becomes `path` at the end, and vanishes after an error or an interrupt.

    Parameters
    ----------
    path : str or Path
        Where the file shall be. Its folder is made if need be.

    Yields
    ------
    draft : Path
        A hidden file beside it, with the same extension.

    Raises
    ------
    OSError
        If the disk is full, with the errno ``ENOSPC``: it names `path`, and says how much is free.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.stem}-{uuid4().hex[:12]}{path.suffix}")
    draft.touch(exist_ok=False)  # with the permissions of any new file
    try:
        yield draft
        with draft.open("rb+") as file:
            os.fsync(file.fileno())  # a name must not outlive a power cut without its content
        draft.replace(path)
    except OSError as error:
        if is_full(error):
            raise no_room(path, why=error.strerror) from error
        raise
    finally:
        draft.unlink(missing_ok=True)


def usable_folder(path, name="cache_dir"):
    """Make a cache folder if need be, and find out before the work whether results can be kept in it.

    Parameters
    ----------
    path : str or path-like
        Given by a user; ``~`` stands for the home folder.
    name : str, default="cache_dir"
        The parameter that it was given as.

    Returns
    -------
    folder : Path
        Absolute.

    Raises
    ------
    OSError
        If there is no such folder and none can be made, or it is not writable.
    """
    folder = Path(path).expanduser().absolute()  # whoever uses it later may stand elsewhere
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(
            f"{name} must be a folder, and {folder} cannot be made one: {error.strerror}. Name another one."
        ) from error
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise PermissionError(f"{name} {folder} is not writable. Change its permissions, or name another folder.")
    return folder


class FoldersStay:
    """A base of estimators whose folders stay where they are when a process that stands elsewhere gets them.

    A relative path is meant from where it was given. A pickle names it whole; parameters and clones keep it as it was.
    """

    _folders = ()
    """Names of the parameters."""

    def __reduce_ex__(self, protocol):
        """Name the folders whole."""
        # Not in `__getstate__`, which skops asks for too: what it saves tells nothing of the machine.
        make, arguments, state, *rest = super().__reduce_ex__(protocol)
        given = {name: state[name] for name in self._folders if state[name] is not None}
        whole = {name: os.path.abspath(os.path.expanduser(path)) for name, path in given.items()}
        return make, arguments, state | whole, *rest
