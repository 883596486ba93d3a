"""Files from the web: resumed, checked, and under their name only when whole."""

import hashlib
import http.client
import os
import re
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from skkws._runtime.progress import progress

_TRIES = 4
_WAIT = 1.0  # seconds before the second try; doubled before each further one
_TIMEOUT = 30.0  # seconds without a byte
_CHUNK = 2**18  # bytes

# What may pass: the connection broke, or the server is busy. A full disk is a plain OSError and none of these.
_PASSING = (ConnectionError, TimeoutError, URLError, http.client.HTTPException)
_BUSY = {408, 425, 429, 500, 502, 503, 504}


def download(url, path, *, sha256=None, verbose=1):
    """Download a file; it gets its name when it is whole and its checksum is right.

    What has arrived waits beside it as ``<name>.part``. A later call asks the server for the rest (HTTP Range), and
    starts anew where the server sends everything. The caller sees to it that no other process downloads the same file
    (`one_at_a_time`).

    Parameters
    ----------
    url : str
        The address.
    path : str or Path
        Where the file shall be, in a folder that exists.
    sha256 : str, default=None
        The SHA-256 of the file, in hexadecimal. None checks the length that the server names, nothing more.
    verbose : int, default=1
        Above 0 shows a progress bar.

    Raises
    ------
    ConnectionError
        If the server cannot be reached, refuses, or breaks off in each of four tries.
    ValueError
        If the checksum is wrong. The file is deleted: it cannot be continued.
    OSError
        If the file cannot be written, as on a full disk. What has arrived is kept.
    """
    path = Path(path)
    part = path.with_name(f"{path.name}.part")
    for attempt in range(1, _TRIES + 1):
        try:
            _receive(url, part, verbose=verbose)
            break
        except _PASSING as error:
            refused = isinstance(error, HTTPError) and error.code not in _BUSY
            if refused or attempt == _TRIES:
                raise ConnectionError(
                    f"{url}: {_reason(error)}; {_size(part)} bytes received, {attempt} of {_TRIES} tries. "
                    "Run it again to go on from there, or download the file by hand and pass it as archive."
                ) from error
            time.sleep(_WAIT * 2 ** (attempt - 1))
    try:
        check_sha256(part, sha256, source=url)
    except ValueError:
        part.unlink()
        raise
    part.replace(path)


def check_sha256(path, expected, *, source):
    """Refuse a file whose SHA-256 is not the expected one (None: any).

    Parameters
    ----------
    path : Path
        The file.
    expected : str or None
        64 hexadecimal digits.
    source : str or Path
        The file's origin, for the error.

    Raises
    ------
    ValueError
        If the checksum differs.
    """
    if expected is None:
        return
    with path.open("rb") as file:
        got = hashlib.file_digest(file, "sha256").hexdigest()
    if got != expected:
        raise ValueError(
            f"{source}: wrong checksum, expected SHA-256 {expected}, got {got} for {_size(path)} bytes. "
            "Download it again; if the checksum stays wrong, the file at this address is another one."
        )


@contextmanager
def one_at_a_time(path):
    """Let one process at a time into the block; the others wait. A process that dies makes way.

    Parameters
    ----------
    path : Path
        A file to lock. It is made if need be, stays empty, and is left behind.
    """
    with path.open("ab") as file:
        _lock(file)
        yield  # closing the file unlocks it


def _lock(file):
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        file.seek(0)
        while True:
            try:
                return msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
            except OSError:  # given up after ten seconds
                continue
    fcntl.flock(file, fcntl.LOCK_EX)


def _receive(url, part, *, verbose):
    """Append to `part` what is missing of the file, or write it anew."""
    start = _size(part)
    headers = {"Range": f"bytes={start}-"} if start else {}
    try:
        response = urlopen(Request(url, headers=headers), timeout=_TIMEOUT)
    except HTTPError as error:
        if error.code != http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        if start == _total_of(error.headers):
            return
        part.unlink()  # longer than the file: of an older one
        raise ConnectionError("the server has fewer bytes than were received before") from error
    with response:
        if response.status != http.client.PARTIAL_CONTENT:
            start = 0
        elif not response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
            part.unlink()
            raise ConnectionError(f"the server sent {response.headers.get('Content-Range')!r} for bytes {start}-")
        length = response.headers.get("Content-Length")
        total = None if length is None else start + int(length)
        with (
            _writable(part, "ab" if start else "wb") as write,
            progress(f"Downloading {part.stem}, MB", total and total / 1e6, verbose=verbose) as advance,
        ):
            advance("", start / 1e6)
            while chunk := response.read(_CHUNK):
                write(chunk)
                advance("", len(chunk) / 1e6)
    if total is not None and _size(part) != total:
        raise ConnectionError(f"broke off before the end ({total} bytes)")


@contextmanager
def _writable(path, mode):
    """Open a file; gives a function that writes to it, whose errors say what to do."""
    with path.open(mode, buffering=0) as file:

        def write(chunk):
            try:
                while chunk:
                    chunk = chunk[file.write(chunk) :]
            except OSError as error:
                raise OSError(
                    error.errno,
                    f"{error.strerror} after {_size(path)} bytes. Make room and run it again to go on from there, or "
                    "pass a data_home on another disk",
                    os.fspath(path),
                ) from error

        yield write
        os.fsync(file.fileno())


def _total_of(headers):
    """Return the length of the file from ``Content-Range: bytes */<length>``, None where it is missing."""
    match = re.fullmatch(r"bytes .*/(\d+)", headers.get("Content-Range", ""))
    return match and int(match[1])


def _reason(error):
    if isinstance(error, HTTPError):
        return f"the server answered {error.code} {error.reason}"
    return f"{getattr(error, 'reason', error)}" or type(error).__name__


def _size(path):
    return path.stat().st_size if path.exists() else 0
