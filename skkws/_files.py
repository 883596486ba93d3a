"""Files that are whole or not there."""

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
