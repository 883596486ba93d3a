import os
import sys
from pathlib import Path

import pytest

from skkws._runtime import user_cache
from skkws._runtime.user_cache import cache_home, read_cached, write_cached

posix = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="files have owners and permissions on POSIX systems")


@pytest.fixture
def home(tmp_path, monkeypatch):
    home = tmp_path / "cache"
    monkeypatch.setenv("SKKWS_CACHE_DIR", str(home))
    return home


def only_file(folder):
    (path,) = folder.iterdir()
    return path


def test_what_was_written_is_read_under_its_key_alone(home):
    assert read_cached("things", "key") is None
    write_cached("things", "key", b"content")
    assert read_cached("things", "key") == b"content"
    assert read_cached("things", "another key") is None
    assert read_cached("other things", "key") is None
    write_cached("things", "key", b"")
    assert read_cached("things", "key") == b""


def test_a_damaged_file_is_not_read(home):
    write_cached("things", "key", b"content")
    path = only_file(home / "things")
    whole = path.read_bytes()
    for n in range(len(whole)):
        path.write_bytes(whole[:n])
        assert read_cached("things", "key") is None
        path.write_bytes(whole[:n] + bytes([whole[n] ^ 1]) + whole[n + 1 :])
        assert read_cached("things", "key") is None


def test_a_file_under_the_name_of_another_is_not_read(home):
    write_cached("things", "key", b"content")
    mine = only_file(home / "things").name
    write_cached("things", "another key", b"other content")
    other = next(path for path in (home / "things").iterdir() if path.name != mine)
    other.rename(home / "things" / mine)
    assert read_cached("things", "key") is None


@posix
def test_the_folder_is_private(home):
    write_cached("things", "key", b"content")
    assert (home / "things").stat().st_mode & 0o077 == 0
    assert only_file(home / "things").stat().st_mode & 0o077 == 0


@posix
def test_what_others_could_have_written_is_not_read(home, monkeypatch):
    write_cached("things", "key", b"content")
    folder = home / "things"
    path = only_file(folder)
    for place in (folder, path):
        mode = place.stat().st_mode
        place.chmod(mode | 0o020)
        assert read_cached("things", "key") is None
        place.chmod(mode)
    link = path.with_name("link")
    path.rename(link)
    path.symlink_to(link)
    assert read_cached("things", "key") is None
    link.replace(path)
    assert read_cached("things", "key") == b"content"
    me = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: me + 1)
    assert read_cached("things", "key") is None
    write_cached("things", "another key", b"content")
    assert only_file(folder) == path


def test_a_folder_that_cannot_be_made_is_no_error(home):
    home.write_text("in its place")
    write_cached("things", "key", b"content")
    assert read_cached("things", "key") is None


def test_what_was_not_used_for_longest_goes_when_room_runs_out(home, monkeypatch):
    monkeypatch.setattr(user_cache, "_MOST_BYTES", 5000)
    for i, key in enumerate("abcd"):
        write_cached("things", key, bytes(1000))
        newest = max((home / "things").iterdir(), key=lambda path: path.stat().st_mtime)
        os.utime(newest, (1e9 + i, 1e9 + i))
    assert read_cached("things", "a") is not None
    write_cached("things", "e", bytes(1000))
    assert [key for key in "abcde" if read_cached("things", key) is not None] == ["a", "c", "d", "e"]


def test_off_keeps_nothing(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SKKWS_CACHE_DIR", "off")
    write_cached("things", "key", b"content")
    assert read_cached("things", "key") is None
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="these have places of their own")
def test_the_cache_is_where_the_system_keeps_caches(monkeypatch, tmp_path):
    monkeypatch.delenv("SKKWS_CACHE_DIR", raising=False)
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_home() == tmp_path / "skkws"
    for unset in ("", "relative/folder"):
        monkeypatch.setenv("XDG_CACHE_HOME", unset)
        assert cache_home() == Path("/home/somebody/.cache/skkws")
    monkeypatch.setenv("SKKWS_CACHE_DIR", "~/elsewhere")
    assert cache_home() == Path("/home/somebody/elsewhere")
