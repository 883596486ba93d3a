"""Files from the web: resumed, checked, and under their name only when whole."""

import errno
import hashlib
import http.client
import os
import re
import shutil
import time
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from skkws._runtime.npz import TooLargeError, check_size
from skkws._runtime.progress import progress
from skkws._runtime.text import size_text

_TRIES = 4
_WAIT = 1.0  # seconds before the second try; doubled before each further one
_TIMEOUT = 30.0  # seconds without a byte
_PATIENCE, _SLOWEST = 60.0, 1000  # seconds for an answer, and for as many bytes a second
_CHUNK = 2**18  # bytes

# What may pass: the connection broke, or the server is busy. A full disk is a plain OSError and none of these.
_PASSING = (ConnectionError, TimeoutError, URLError, http.client.HTTPException)
_BUSY = {408, 425, 429, 500, 502, 503, 504}


def download(url, path, *, sha256=None, max_bytes=2**34, verbose=1):
    """Download a file; it gets its name when it is whole and its checksum is right.

    What has arrived waits beside it as ``<name>.part``, and in ``<name>.part.tag`` what the server calls this state of
    the file. A later call asks the server for the rest (HTTP Range), if the file is still the same (If-Range), and
    starts anew where the server sends everything, or where neither a tag nor a checksum could tell another file. The
    caller sees to it that no other process downloads the same file (`one_at_a_time`).

    Parameters
    ----------
    url : str
        The address.
    path : str or Path
        Where the file shall be, in a folder that exists.
    sha256 : str, default=None
        The SHA-256 of the file, in hexadecimal. None checks the length that the server names, nothing more.
    max_bytes : int, default=2**34
        Most bytes that the file may have.
    verbose : int, default=1
        Above 0 shows a progress bar.

    Raises
    ------
    ConnectionError
        If the server cannot be reached, refuses, breaks off, takes a minute for an answer or for 60 kB, or answers
        against the rules in each of four tries.
    ValueError
        If the checksum is wrong, or the file is larger than `max_bytes`. It is deleted: it cannot be continued.
    OSError
        If the file cannot be written, as on a full disk, or is larger than what is free. What has arrived is kept.
    """
    path = Path(path)
    part = path.with_name(f"{path.name}.part")
    for attempt in range(1, _TRIES + 1):
        try:
            _receive(url, part, is_checked=sha256 is not None, max_bytes=max_bytes, verbose=verbose)
            break
        except TooLargeError as error:
            _forget(part)
            raise ValueError(f"{url}: {error}. The file at this address is another one.") from error
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
        _forget(part)
        raise
    part.replace(path)
    _forget(part)


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


def _receive(url, part, *, is_checked, max_bytes, verbose):
    """Append to `part` what is missing of the file, or write it anew."""
    start, tag = _size(part), _read_tag(part)
    if not (tag or is_checked):
        start = 0
    headers = {"Range": f"bytes={start}-"} if start else {}
    if start and tag:
        headers["If-Range"] = tag
    try:
        response = _answer(Request(url, headers=headers))
    except HTTPError as error:
        if error.code != http.client.REQUESTED_RANGE_NOT_SATISFIABLE or not start:
            raise
        if start == _total_of(error.headers):
            return
        _forget(part)  # longer than the file: of an older one
        raise ConnectionError("the server has fewer bytes than were received before") from error
    with response:
        if response.status != http.client.PARTIAL_CONTENT:
            start = 0
        elif not start:
            raise ConnectionError("the server sent a part of the file, which it was not asked for")
        elif not response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
            _forget(part)
            raise ConnectionError(f"the server sent {response.headers.get('Content-Range')!r} for bytes {start}-")
        elif tag and _tag_of(response.headers) not in (None, tag):
            _forget(part)
            raise ConnectionError("the file has changed since the first part of it was received")
        total = _total_of(response.headers) or _length_of(response.headers, start)
        free = start + shutil.disk_usage(part.parent).free
        _check_room(total or 0, max_bytes, free, part)
        if not start:
            _write_tag(part, _tag_of(response.headers))
        with (
            _writable(part, "ab" if start else "wb") as write,
            progress(f"Downloading {part.stem}, MB", total and total / 1e6, verbose=verbose) as advance,
        ):
            advance("", start / 1e6)
            size = start
            for chunk in _chunks(response):
                size += len(chunk)
                _check_room(size, max_bytes, free, part)
                write(chunk)
                advance("", len(chunk) / 1e6)
    if total is not None and _size(part) != total:
        raise ConnectionError(f"broke off before the end ({total} bytes)")


def _answer(request):
    """Open an address within a time; that of urlopen begins again with each byte."""
    answers = SimpleQueue()

    def ask():
        try:
            answers.put((urlopen(request, timeout=_TIMEOUT), None))
        except Exception as error:
            answers.put((None, error))

    Thread(target=ask, daemon=True).start()
    try:
        response, error = answers.get(timeout=_PATIENCE)
    except Empty:
        raise TimeoutError(f"no answer within {_PATIENCE:.0f} seconds") from None
    if error is not None:
        raise error
    return response


def _chunks(response):
    """Yield what a server sends, as long as it is not too slow."""
    since, n_bytes = time.monotonic(), 0
    while chunk := response.read1(_CHUNK):
        yield chunk
        n_bytes += len(chunk)
        if time.monotonic() - since > _PATIENCE:
            if n_bytes < _SLOWEST * _PATIENCE:
                raise TimeoutError(f"slower than {_SLOWEST} bytes a second for {_PATIENCE:.0f} seconds")
            since, n_bytes = time.monotonic(), 0


def _check_room(n_bytes, max_bytes, free, part):
    check_size(n_bytes, max_bytes)
    if n_bytes > free:
        raise OSError(
            errno.ENOSPC,
            f"The file has {size_text(n_bytes)}, and {size_text(free)} are free. Make room and run it again, or pass a "
            "data_home on another disk",
            os.fspath(part),
        )


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
    """Return the length of the file from ``Content-Range: bytes .../<length>``, None where it is missing."""
    match = re.fullmatch(r"bytes .*/(\d+)", headers.get("Content-Range", ""))
    return match and int(match[1])


def _length_of(headers, start):
    """Return the length of the file from that of what is sent, None where it is missing."""
    said = headers.get("Content-Length")
    if said is not None and not re.fullmatch(r"[0-9]{1,18}", said):
        raise ConnectionError(f"the server says Content-Length: {said[:50]!r}")
    return None if said is None else start + int(said)


def _tag_of(headers):
    """Return what a server calls the state of a file, to the byte; None where it has no such name."""
    tag = headers.get("ETag", "")
    tag = tag if tag.startswith('"') else headers.get("Last-Modified", "")
    return tag if re.fullmatch(r"[ -~]{1,200}", tag) else None


def _tag_path(part):
    return part.with_name(f"{part.name}.tag")


def _read_tag(part):
    try:
        tag = _tag_path(part).read_text(encoding="ascii")
    except (OSError, ValueError):
        return None
    return tag if re.fullmatch(r"[ -~]{1,200}", tag) else None


def _write_tag(part, tag):
    part.unlink(missing_ok=True)  # the tag is never that of another part
    if tag is None:
        _tag_path(part).unlink(missing_ok=True)
    else:
        _tag_path(part).write_text(tag, encoding="ascii")


def _forget(part):
    part.unlink(missing_ok=True)
    _tag_path(part).unlink(missing_ok=True)


def _reason(error):
    if isinstance(error, HTTPError):
        return f"the server answered {error.code} {error.reason}"
    return " ".join(f"{getattr(error, 'reason', error)}".split()) or type(error).__name__


def _size(path):
    return path.stat().st_size if path.exists() else 0
