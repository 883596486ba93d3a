"""The folder that keeps downloaded corpora."""

import os
import shutil
from pathlib import Path

__all__ = ["clear_data_home", "get_data_home"]


def get_data_home(data_home: str | os.PathLike[str] | None = None) -> str:
    """Return the path of the folder that keeps downloaded corpora; it is made if need be.

    Parameters
    ----------
    data_home : str or path-like, default=None
        The folder. None takes the environment variable ``SKKWS_DATA``, and ``~/skkws_data`` where that is not set.

    Returns
    -------
    data_home : str
        The path, ``~`` expanded.

    Examples
    --------
    >>> import os
    >>> from tempfile import TemporaryDirectory
    >>> from skkws.datasets import get_data_home
    >>> with TemporaryDirectory() as folder:
    ...     home = get_data_home(os.path.join(folder, "corpora"))
    ...     os.path.isdir(home)
    True
    """
    if data_home is None:
        data_home = os.environ.get("SKKWS_DATA") or Path("~", "skkws_data")
    home = Path(data_home).expanduser()
    home.mkdir(parents=True, exist_ok=True)
    return os.fspath(home)


def clear_data_home(data_home: str | os.PathLike[str] | None = None) -> None:
    """Delete the folder that keeps downloaded corpora, with everything in it.

    Parameters
    ----------
    data_home : str or path-like, default=None
        The folder, as in `get_data_home`.

    Examples
    --------
    >>> import os
    >>> from tempfile import TemporaryDirectory
    >>> from skkws.datasets import clear_data_home, get_data_home
    >>> with TemporaryDirectory() as folder:
    ...     home = get_data_home(os.path.join(folder, "corpora"))
    ...     clear_data_home(home)
    ...     os.path.exists(home)
    False
    """
    shutil.rmtree(get_data_home(data_home))
