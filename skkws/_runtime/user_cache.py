"""The user's own cache on disk: what each process would otherwise make anew.

It is no more than a help: where it cannot be read or written, everything is made anew and nothing is said. Nothing in
it is used unless its check sum is right and nobody but this user could have written it.
"""

import hashlib
import os
import sys
from contextlib import suppress
from pathlib import Path

from skkws._runtime.files import whole_file

# Bytes that the files of one kind may take together; those that were not used for longest go first.
_MOST_BYTES = 64 * 2**20
_DIGEST_SIZE = 32


def cache_home():
    """Return the folder of the cache, which need not exist, or None where there shall be no cache.

    It is what the environment variable ``SKKWS_CACHE_DIR`` names, ``off`` for none; and otherwise ``skkws`` in the
    place that the system has for caches: ``$XDG_CACHE_HOME`` or ``~/.cache``, ``~/Library/Caches`` on macOS,
    ``%LOCALAPPDATA%`` on Windows.

    Returns
    -------
    folder : Path or None
    """
    named = os.environ.get("SKKWS_CACHE_DIR")
    if named == "off":
        return None
    try:
        return Path(named).expanduser() if named else _system_place() / "skkws"
    except RuntimeError:  # there is no home folder
        return None


def _system_place():
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path("~", "AppData", "Local").expanduser())
    if sys.platform == "darwin":
        return Path("~", "Library", "Caches").expanduser()
    named = os.environ.get("XDG_CACHE_HOME", "")
    return Path(named) if os.path.isabs(named) else Path("~", ".cache").expanduser()


def read_cached(kind, key):
    """Read what was written under a key.

    Parameters
    ----------
    kind : str
        Name of the subfolder.
    key : str
        What decides the content, of any length.

    Returns
    -------
    content : bytes or None
        None if it is not there, damaged, or could have been written by somebody else.
    """
    folder = _folder(kind)
    if folder is None:
        return None
    path = folder / _name(key)
    try:
        if not (_is_private(folder) and _is_private(path)):
            return None
        written = path.read_bytes()
    except OSError:
        return None
    digest, content = written[:_DIGEST_SIZE], written[_DIGEST_SIZE:]
    if digest != _digest(key, content):
        return None
    with suppress(OSError):
        os.utime(path)  # it was used
    return content


def write_cached(kind, key, content):
    """Write content under a key, whole or not at all, and let what was not used for longest go.

    Parameters
    ----------
    kind, key : str
        As in :func:`read_cached`.
    content : bytes
        Any number of processes may write it at the same time.
    """
    folder = _folder(kind)
    if folder is None:
        return
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _is_private(folder):
            return
        with whole_file(folder / _name(key)) as draft:
            draft.chmod(0o600)
            draft.write_bytes(_digest(key, content) + content)
        _shrink(folder)


def _folder(kind):
    home = cache_home()
    return None if home is None else home / kind


def _name(key):
    return hashlib.sha256(key.encode()).hexdigest()


def _digest(key, content):
    """Check sum over key and content, so that a file under a wrong name is of no use either."""
    return hashlib.sha256(key.encode() + b"\0" + content).digest()


def _is_private(path):
    """Tell whether nobody but this user, or the machine's administrator, can have written there."""
    if not hasattr(os, "geteuid"):
        return True  # on Windows the place itself is the user's own
    status = path.lstat()
    return status.st_uid == os.geteuid() and not status.st_mode & 0o022


def _shrink(folder):
    files = []
    for path in folder.iterdir():
        with suppress(FileNotFoundError):  # another process was faster
            files.append((path.stat().st_mtime, path.stat().st_size, path))
    total = sum(size for _, size, _ in files)
    for _, size, path in sorted(files):
        if total <= _MOST_BYTES:
            return
        path.unlink(missing_ok=True)
        total -= size
