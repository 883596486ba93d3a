"""Feature rows on disk, found by what they were computed from.

A cache folder holds a folder for each setting, which is the fingerprint of what computes the rows, and this some
shards. A shard is a ``.npy`` file of one record: the keys of its rows, a check sum of each, and the rows. Shards are
written whole, under names that nobody else uses, and never changed, so any number of threads, processes and machines
may share a folder. In memory is an index alone, from each key to its shard; rows are read when they are asked for.
"""

import os
import time
import warnings
import zlib
from uuid import uuid4

import numpy as np

from skkws._runtime.files import is_full, usable_folder, whole_file
from skkws._runtime.fingerprint import KEY_BYTES
from skkws._runtime.npy_file import NpyWriter

# Rows of a shard at the most: few enough for a record of any width.
_MOST_ROWS = 1024
# A draft of this age, in seconds, was left by a process that was killed.
_ABANDONED = 24 * 3600


def distinct(keys):
    """Find the distinct keys.

    Parameters
    ----------
    keys : list of bytes
        Keys, of which some may be equal.

    Returns
    -------
    first : list of int
        Where each distinct key is for the first time, in order.
    inverse : list of int
        For each key the position of its like in `first`.

    Examples
    --------
    >>> from skkws.extraction._store import distinct
    >>> distinct([b"b", b"a", b"b"])
    ([0, 1], [0, 1, 0])
    """
    first, place = [], {}
    for i, key in enumerate(keys):
        if key not in place:
            place[key] = len(first)
            first.append(i)
    return first, [place[key] for key in keys]


class FeatureStore:
    """The rows of one setting in a cache folder.

    Parameters
    ----------
    cache_dir : str or path-like
        Folder of all settings; made if need be.
    setting : str
        What the rows were computed with, see :func:`skkws._runtime.fingerprint.fingerprint`.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from skkws.extraction._store import FeatureStore
    >>> from skkws._runtime.fingerprint import content_key
    >>> keys = [content_key(name) for name in (b"a", b"b", b"c")]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = FeatureStore(folder, "demo")
    ...     store.write(keys[:2], np.array([[1.0, 2.0], [3.0, 4.0]]))
    ...     rows, known = store.read(keys[1:])
    >>> rows[known], known
    (array([[3., 4.]]), array([ True, False]))
    """

    def __init__(self, cache_dir, setting):
        self.folder = usable_folder(usable_folder(cache_dir) / setting)
        self._shard_of, self._seen, self._damaged, self._is_full = {}, set(), set(), False
        for draft in self.folder.glob(".*.npy"):
            try:
                if time.time() - draft.stat().st_mtime > _ABANDONED:
                    draft.unlink()
            except FileNotFoundError:
                pass  # another process is done with it

    def __getstate__(self):
        """Leave what is in the folder behind: the process that gets this finds out by itself."""
        return vars(self) | {"_shard_of": {}, "_seen": set(), "_damaged": set()}

    def __contains__(self, key):
        """Whether a key was known at the last `refresh` or `read`."""
        return key in self._shard_of

    def refresh(self):
        """Learn the keys of the shards that are new; a damaged one is left out with a warning."""
        # Threads that do this at the same time learn the same.
        for name in os.listdir(self.folder):
            if name in self._seen or name.startswith(".") or not name.endswith(".npy"):
                continue
            try:
                keys = _open_shard(self.folder / name)["keys"].tolist()
            except Exception as error:  # a damaged header makes NumPy raise almost anything
                self._leave_out(name, error)
                continue
            self._shard_of.update(dict.fromkeys(keys, name))
            self._seen.add(name)

    def read(self, keys):
        """Read the rows that are known, from the shards that hold them.

        A damaged shard is left out with a warning.

        Parameters
        ----------
        keys : list of bytes
            Keys, of which some may be equal; None is known to nobody.

        Returns
        -------
        rows : ndarray of shape (n_keys, n_features) or None
            Row i is that of key i where it is known, and undefined where it is not. None if no key is known.
        known : ndarray of shape (n_keys,), dtype bool
            The keys that are known.
        """
        rows, known = None, np.zeros(len(keys), dtype=bool)
        wanted = {}
        for i, key in enumerate(keys):
            wanted.setdefault(key, []).append(i)
        if any(key not in self for key in wanted):
            self.refresh()
        shards = self._shards_of(wanted)
        while shards:
            name = shards.pop()
            try:
                found, some = _read_shard(self.folder / name, wanted)
            except Exception as error:
                self._leave_out(name, error)
                # Some rows may be in another shard as well.
                self._shard_of, self._seen = {}, self._damaged.copy()
                self.refresh()
                shards |= self._shards_of(wanted)
                continue
            if rows is None and found:
                rows = np.empty((len(keys), *some.shape[1:]), dtype=some.dtype)
            for key, row in zip(found, some, strict=True):
                places = wanted.pop(key, [])  # a key may be in a shard twice
                rows[places], known[places] = row, True
        return rows, known

    def write(self, keys, rows):
        """Keep rows, some at a time.

        Parameters
        ----------
        keys : list of bytes
            Their keys.
        rows : ndarray of shape (n_keys, n_features)
            The rows, numbers of any dtype.

        A full disk is no error: with a warning, these and further rows are not kept.

        Raises
        ------
        OSError
            If they cannot be written for another reason.
        """
        if self._is_full:
            return
        try:
            for i in range(0, len(keys), _MOST_ROWS):
                path = self.folder / f"{uuid4().hex}.npy"
                with whole_file(path) as draft, NpyWriter(draft, path, 1) as writer:
                    writer.write(_record(keys[i : i + _MOST_ROWS], rows[i : i + _MOST_ROWS]))
        except OSError as error:
            self._is_full = is_full(error)
            if not self._is_full:
                raise OSError(
                    f"features cannot be kept in {self.folder}: {error}. Mend it, or name another cache_dir; what is "
                    "kept already will be found again."
                ) from error
            warnings.warn(
                f"features are computed and not kept, as there is no room in {self.folder} ({error}). What is kept "
                "already will be found again.",
                UserWarning,
                stacklevel=3,
            )

    def _shards_of(self, keys):
        shard_of = self._shard_of  # which another thread may replace
        return {shard_of[key] for key in keys if key in shard_of}

    def _leave_out(self, name, error):
        self._seen.add(name)
        self._damaged.add(name)
        warnings.warn(
            f"{self.folder / name} is damaged and left out ({error}); its rows are computed again. Delete it.",
            UserWarning,
            stacklevel=3,
        )


def _record(keys, rows):
    """Return the one record of a shard, which lies in memory as it does in the file."""
    fields = [("keys", f"V{KEY_BYTES}", len(keys)), ("sums", "u4", len(keys)), ("rows", rows.dtype, rows.shape)]
    record = np.empty(1, dtype=fields)
    record["keys"] = np.frombuffer(b"".join(keys), dtype=f"V{KEY_BYTES}")
    record["rows"] = rows
    record["sums"] = _check_sums(record["rows"][0])
    return record


def _check_sums(rows):
    kind = zlib.crc32(rows.dtype.str.encode())  # the header might be what is damaged
    return [zlib.crc32(row, kind) for row in rows]


def _open_shard(path):
    """Return the record of a shard, of which nothing but the header is read yet."""
    record = np.lib.format.open_memmap(path, mode="r")
    if record.dtype.names != ("keys", "sums", "rows") or record.shape != (1,):
        raise ValueError("its layout is another one")
    return record[0]


def _read_shard(path, wanted):
    """Return the keys in a shard that are wanted, and their rows; of the others nothing is read."""
    record = _open_shard(path)
    keys = record["keys"].tolist()
    places = [i for i, key in enumerate(keys) if key in wanted]
    rows = np.asarray(record["rows"][places])
    if _check_sums(rows) != record["sums"][places].tolist():
        raise ValueError("a check sum does not fit")
    return [keys[i] for i in places], rows
