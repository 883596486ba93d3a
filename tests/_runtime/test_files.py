import os
import sys

import pytest

from skkws._runtime.files import whole_file


def test_the_file_is_there_afterwards_and_nothing_else(tmp_path):
    path = tmp_path / "result.json"
    with whole_file(path) as draft:
        draft.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["result.json"]


def test_an_old_file_is_replaced_at_the_end(tmp_path):
    path = tmp_path / "result.json"
    path.write_text("old")
    with whole_file(str(path)) as draft:
        draft.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"


@pytest.mark.parametrize("error", [ValueError, OSError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("old", [None, "old"])
def test_an_error_or_interrupt_leaves_everything_as_it_was(tmp_path, error, old):
    path = tmp_path / "result.json"
    if old:
        path.write_text(old)

    def write_half():
        with whole_file(path) as draft:
            draft.write_text("half")
            raise error

    with pytest.raises(error):
        write_half()
    assert [file.read_text() for file in tmp_path.iterdir()] == ([old] if old else [])


def test_folders_are_made(tmp_path):
    path = tmp_path / "a" / "b" / "result.json"
    with whole_file(path) as draft:
        draft.write_text("new")
    assert path.read_text() == "new"


def test_the_draft_has_the_same_extension_and_folder(tmp_path):
    with whole_file(tmp_path / "picture.png") as draft:
        assert (draft.parent, draft.suffix) == (tmp_path, ".png")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o027, 0o640)])
def test_permissions_are_those_of_any_new_file(tmp_path, mask, mode):
    before = os.umask(mask)
    try:
        with whole_file(tmp_path / "result.json") as draft:
            draft.write_text("new")
        assert os.umask(mask) == mask
    finally:
        os.umask(before)
    assert (tmp_path / "result.json").stat().st_mode & 0o777 == mode


def test_a_folder_of_this_name_is_not_replaced(tmp_path):
    path = tmp_path / "result"
    path.mkdir()
    with pytest.raises(OSError, match="result"), whole_file(path) as draft:
        draft.write_text("new")
    assert os.listdir(tmp_path) == ["result"]
    assert path.is_dir()
