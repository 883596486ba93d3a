"""Files that are whole or not there, and folders to keep them in."""

import os
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4


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
