import os
import subprocess
import sys
import threading
import warnings

import numpy as np
import pytest
from joblib import Parallel, delayed

from skkws._runtime.fingerprint import content_key
from skkws.extraction._store import FeatureStore, distinct

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX limits and permissions")


def keys_and_rows(n, *, offset=0, dtype=np.float32):
    keys = [content_key(str(i).encode()) for i in range(offset, offset + n)]
    return keys, np.random.default_rng(offset).normal(size=(n, 7)).astype(dtype)


@pytest.fixture
def store(tmp_path):
    return FeatureStore(tmp_path / "new" / "cache", "setting")


def shards(store):
    return sorted(store.folder.glob("*.npy"))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, np.bool_])
def test_rows_come_back_as_they_were(store, dtype):
    keys, rows = keys_and_rows(3000, dtype=dtype)  # more than a shard
    store.write(keys, rows)
    read, known = store.read(keys[::-1])
    assert known.all()
    assert read.dtype == dtype
    np.testing.assert_array_equal(read, rows[::-1])


def test_only_what_is_known_is_found(store):
    assert store.read([content_key(b"0")])[0] is None
    keys, rows = keys_and_rows(10)
    store.write(keys[:3], rows[:3])
    store.write(keys[5:7], rows[5:7])
    read, known = store.read([*keys, None, keys[1]])
    assert np.flatnonzero(known).tolist() == [0, 1, 2, 5, 6, 11]
    np.testing.assert_array_equal(read[known], rows[[0, 1, 2, 5, 6, 1]])


def test_a_key_may_be_written_twice(store):
    keys, rows = keys_and_rows(3)
    store.write([keys[0], keys[0], keys[1]], rows[[0, 0, 1]])
    store.write(keys, rows)
    read, known = store.read(keys)
    assert known.all()
    np.testing.assert_array_equal(read, rows)


def test_settings_know_nothing_of_each_other(store):
    keys, rows = keys_and_rows(2)
    store.write(keys, rows)
    assert not FeatureStore(store.folder.parent, "another").read(keys)[1].any()
    assert FeatureStore(str(store.folder.parent), "setting").read(keys)[1].all()


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_many_write_at_once_and_nothing_is_lost(store, backend):
    parts = [keys_and_rows(5, offset=5 * i) for i in range(40)]
    Parallel(n_jobs=2, backend=backend)(delayed(store.write)(*part) for part in parts)
    read, known = store.read([key for keys, _ in parts for key in keys])
    assert known.all()
    np.testing.assert_array_equal(read, np.concatenate([rows for _, rows in parts]))
    assert len(list(store.folder.iterdir())) == 40  # no drafts are left


def test_threads_read_while_others_write(store):
    parts = [keys_and_rows(5, offset=5 * i) for i in range(40)]
    writer = threading.Thread(target=lambda: [store.write(*part) for part in parts])
    writer.start()
    while writer.is_alive():
        for keys, rows in parts[::10]:
            read, known = store.read(keys)
            assert known.all() or not known.any()  # a shard is whole or not there
            if known.all():
                np.testing.assert_array_equal(read, rows)
    writer.join()


def cut(content):
    return content[: len(content) // 2]


def flip_a_bit_of_a_row(content):
    return content[:-3] + bytes([content[-3] ^ 1]) + content[-2:]


def claim_another_dtype(content):
    return content.replace(b"'<f4'", b"'<i4'")


@pytest.mark.parametrize(
    "damage",
    [
        cut,
        lambda content: content[:-1],
        lambda content: b"",
        lambda content: b"not an array",
        lambda content: bytes(len(content)),
        lambda content: content.replace(b"(5, 7)", b"(7, 5)"),
        lambda content: content[:8] + b"\x01" + content[9:],
        flip_a_bit_of_a_row,
        claim_another_dtype,
    ],
)
def test_a_damaged_shard_is_named_and_its_rows_are_unknown(store, damage):
    keys, rows = keys_and_rows(5)
    store.write(keys, rows)
    (path,) = shards(store)
    content = damage(path.read_bytes())
    assert content != path.read_bytes()
    path.write_bytes(content)
    others, other_rows = keys_and_rows(2, offset=100)
    store.write(others, other_rows)
    with pytest.warns(UserWarning, match=rf"{path.name} is damaged and left out .* computed again\. Delete it"):
        read, known = store.read(keys + others)
    assert known.tolist() == [False] * 5 + [True] * 2
    np.testing.assert_array_equal(read[known], other_rows)


def test_a_row_in_a_damaged_shard_is_found_in_another_one(store):
    keys, rows = keys_and_rows(5)
    for _ in range(2):
        store.write(keys, rows)
    for path in shards(store):
        content = path.read_bytes()
        path.write_bytes(flip_a_bit_of_a_row(content))
        again = FeatureStore(store.folder.parent, "setting")
        again.refresh()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # said where the damaged one is tried first
            read, known = again.read(keys)
        assert known.all()
        np.testing.assert_array_equal(read, rows)
        path.write_bytes(content)


def test_rows_are_read_some_at_a_time_and_only_from_their_shards(store):
    parts = [keys_and_rows(5, offset=5 * i) for i in range(4)]
    for part in parts:
        store.write(*part)
    store.refresh()
    assert all(key in store for keys, _ in parts for key in keys)
    assert content_key(b"new") not in store
    first, *_ = parts
    for path in shards(store):
        if parts[0][0][0] not in path.read_bytes():
            path.unlink()  # what is not opened is not missed
    read, known = store.read(first[0][1:3])
    assert known.all()
    np.testing.assert_array_equal(read, first[1][1:3])


class Bomb:
    def __reduce__(self):
        return os.mkdir, ("bombed",)


def test_nothing_is_unpickled(store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save(store.folder / "bomb.npy", np.array([Bomb()], dtype=object), allow_pickle=True)
    with pytest.warns(UserWarning, match=r"bomb\.npy is damaged"):
        assert not store.read([content_key(b"0")])[1].any()
    assert not (tmp_path / "bombed").exists()


def test_what_a_killed_run_left_is_ignored_and_swept_when_it_is_old(store):
    keys, rows = keys_and_rows(1)
    store.write(keys, rows)
    (path,) = shards(store)
    content = path.read_bytes()
    old, young = store.folder / ".old-1.npy", store.folder / ".young-2.npy"
    for draft in (old, young):
        draft.write_bytes(cut(content))
    os.utime(old, (0, 0))
    again = FeatureStore(store.folder.parent, "setting")
    assert again.read(keys)[1].all()  # without a warning of the drafts
    assert not old.exists()
    assert young.exists()
    assert path.exists()


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "cache"):
        with pytest.raises(OSError, match=rf"cache_dir must be a folder, and .*{path.name} .*Name another one"):
            FeatureStore(path, "setting")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_is_read_only_is_refused(tmp_path):
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    with pytest.raises(PermissionError, match=r"cache_dir .*locked is not writable\. Change its permissions"):
        FeatureStore(folder, "setting")


@posix
def test_a_full_disk_is_a_warning_that_says_so_and_leaves_no_half_shard(store):
    code = (
        "import resource, sys, numpy as np\n"
        "from skkws._runtime.fingerprint import content_key\nfrom skkws.extraction._store import FeatureStore\n"
        "store = FeatureStore(sys.argv[1], 'setting')\n"
        "store.write([content_key(b'a')], np.zeros((1, 100)))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10000, 10000))\n"
        "for _ in range(2):\n    store.write([content_key(b'b')], np.zeros((1, 10000)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(store.folder.parent)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert done.stderr.count("UserWarning: features are computed and not kept, as there is no room in ") == 1
    assert "are free in its folder. Make room, or name another place" in done.stderr
    assert len(list(store.folder.iterdir())) == 1
    assert store.read([content_key(b"a"), content_key(b"b")])[1].tolist() == [True, False]


def test_distinct_keys_keep_their_order():
    assert distinct([]) == ([], [])
    first, inverse = distinct([b"c", b"a", b"c", b"b", b"a"])
    assert (first, inverse) == ([0, 1, 3], [0, 1, 0, 2, 1])
