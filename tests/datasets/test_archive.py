import errno
import gzip
import io
import os
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile

import pytest
from miniature import tar_gz, zipped

from skkws.datasets._archive import fetch_folder, local_folder, unpack

FILES = {"yes/ann_0.wav": b"yes " * 50_000, "no/ann_0.wav": b"no " * 50_000, "README.md": b"words"}
PACKERS = {"words.tar.gz": tar_gz, "words.zip": zipped}

# Run in processes of their own: one dies in the middle, one competes with another, one has a full disk.
DYING = """
import os, shutil, sys
from pathlib import Path
from skkws.datasets import _archive
copy, done = shutil.copyfileobj, []
def copy_or_die(source, target, size):
    if done:
        target.write(source.read(10))
        target.flush()
        os._exit(9)
    copy(source, target, size)
    done.append(target)
shutil.copyfileobj = copy_or_die
_archive.unpack(Path(sys.argv[1]), Path(sys.argv[2]), verbose=0)
"""
FETCHING = """
import sys
from skkws.datasets._archive import fetch_folder
print("ready", flush=True)
print(fetch_folder(sys.argv[1], data_home=sys.argv[2], verbose=0).name)
"""
LIMITED = """
import resource, sys
from pathlib import Path
from skkws.datasets._archive import unpack
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    unpack(Path(sys.argv[1]), Path(sys.argv[2]), verbose=0)
except OSError as error:
    print(error)
"""


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(params=PACKERS)
def archive(request, tmp_path):
    path = tmp_path / request.param
    path.write_bytes(PACKERS[request.param](FILES))
    return path


def test_an_archive_is_unpacked_whole(archive, tmp_path):
    unpack(archive, tmp_path / "words", verbose=0)
    assert contents(tmp_path / "words") == FILES
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["words", archive.name])


def test_a_plain_tar_is_unpacked_too(tmp_path):
    with tarfile.open(tmp_path / "words.tar", "w") as tar:
        info = tarfile.TarInfo("yes/ann_0.wav")
        info.size = 3
        tar.addfile(info, io.BytesIO(b"yes"))
    unpack(tmp_path / "words.tar", tmp_path / "words", verbose=0)
    assert contents(tmp_path / "words") == {"yes/ann_0.wav": b"yes"}


def member(name, **attributes):
    info = tarfile.TarInfo(name)
    for attribute, value in attributes.items():
        setattr(info, attribute, value)
    return info


HOSTILE = {
    "parent": (member("../evil.txt", size=4), "leads out of the folder"),
    "hidden parent": (member("yes/../../evil.txt", size=4), "leads out of the folder"),
    "absolute": (member("/evil.txt", size=4), "leads out of the folder"),
    "backslashes": (member("..\\evil.txt", size=4), "leads out of the folder"),
    "drive": (member("C:evil.txt", size=4), "leads out of the folder"),
    "symlink": (member("evil", type=tarfile.SYMTYPE, linkname="/etc"), "is a link or a device"),
    "hardlink": (member("evil", type=tarfile.LNKTYPE, linkname="../mine.txt"), "is a link or a device"),
    "device": (member("evil", type=tarfile.CHRTYPE, devmajor=1, devminor=3), "is a link or a device"),
    "fifo": (member("evil", type=tarfile.FIFOTYPE), "is a link or a device"),
    "no name": (member("", size=4), "has no name"),
    "nul": (member("a", size=4, pax_headers={"path": "a\0b"}), "has a name with a NUL in it"),
    "not utf-8": (member("n\udce9.wav", size=4), "has a name that is not UTF-8"),
    "deep": (member("d/" * 2000 + "a.wav", size=4), "lies 2000 folders deep, and 64 is the most"),
    "long name": (member("a" * 300, size=4), "has a name of more than 255 bytes"),
    "twice": (member("good.txt", size=4), "is there twice, or as a file and as a folder"),
    "in a file": (member("good.txt/evil.txt", size=4), "is there twice, or as a file and as a folder"),
    "folder": (member("good.txt", type=tarfile.DIRTYPE), "is there twice, or as a file and as a folder"),
}


@pytest.mark.parametrize(("info", "message"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_tar_is_refused(tmp_path, info, message):
    (tmp_path / "mine.txt").write_text("mine")
    with tarfile.open(tmp_path / "evil.tar.gz", "w:gz") as tar:
        tar.addfile(member("good.txt", size=4), io.BytesIO(b"good"))
        tar.addfile(info, io.BytesIO(b"evil"))
    with pytest.raises(
        ValueError, match=rf"evil\.tar\.gz: not unpacked, its member '.*'?.* {message}\. Get the archiv"
    ):
        unpack(tmp_path / "evil.tar.gz", tmp_path / "evil", verbose=0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["evil.tar.gz", "mine.txt"]
    assert (tmp_path / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize("name", ["../evil.txt", "/evil.txt", "yes/../../evil.txt"])
def test_a_hostile_zip_is_refused(tmp_path, name):
    (tmp_path / "evil.zip").write_bytes(zipped({"good.txt": b"good", name: b"evil"}))
    with pytest.raises(ValueError, match=r"evil\.zip: not unpacked, its member '.*evil.txt' leads out of the folder"):
        unpack(tmp_path / "evil.zip", tmp_path / "evil", verbose=0)
    assert [path.name for path in tmp_path.iterdir()] == ["evil.zip"]


def test_a_link_in_a_zip_is_refused(tmp_path):
    link = zipfile.ZipInfo("link")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as file:
        file.writestr(link, "/etc/passwd")
    with pytest.raises(ValueError, match="its member 'link' is a link or a device"):
        unpack(tmp_path / "evil.zip", tmp_path / "evil", verbose=0)


ODD = {
    "no name": ("", "has no name"),
    "deep": ("d/" * 2000 + "a.wav", "lies 2000 folders deep, and 64 is the most"),
    "in a file": ("good.txt/evil.txt", "is there twice, or as a file and as a folder"),
    "twice": ("good.txt", "is there twice, or as a file and as a folder"),
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(("name", "message"), ODD.values(), ids=ODD)
def test_a_zip_with_an_odd_name_is_refused(tmp_path, name, message):
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as file:
        file.writestr("good.txt", "good")
        file.writestr(zipfile.ZipInfo(name), "evil")
    with pytest.raises(
        ValueError, match=rf"evil\.zip: not unpacked, its member '.*'?.* {message}\. Get the archive from"
    ):
        unpack(tmp_path / "evil.zip", tmp_path / "evil", verbose=0)
    assert [path.name for path in tmp_path.iterdir()] == ["evil.zip"]


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        (
            "evil.txt",
            b"evil.txt",
            b"evil\0.tx",
            r"its member 'evil\\x00\.tx' has a name with a NUL in it\. Get the archive",
        ),
        (
            "evil.txt",
            bytes(6) + b"!\0",
            b"\1" + bytes(5) + b"!\0",
            r"its member 'evil\.txt' is encrypted\. Get the arch",
        ),
        ("\xe9.txt", b"\xc3\xa9.txt", b"\xff\xff.txt", r"damaged, or neither ZIP nor TAR \('utf-8' codec can't decode"),
    ],
    ids=["nul", "encrypted", "not utf-8"],
)
def test_a_zip_that_says_odd_things_of_a_member_is_refused(tmp_path, name, old, new, message):
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as file:
        file.writestr(zipfile.ZipInfo(name), "evil")
    (tmp_path / "evil.zip").write_bytes((tmp_path / "evil.zip").read_bytes().replace(old, new))
    with pytest.raises(ValueError, match=rf"evil\.zip: .*{message}"):
        unpack(tmp_path / "evil.zip", tmp_path / "evil", verbose=0)
    assert [path.name for path in tmp_path.iterdir()] == ["evil.zip"]


@pytest.mark.parametrize("pack", [tar_gz, zipped])
def test_an_archive_with_nothing_in_it_is_refused(tmp_path, pack):
    (tmp_path / "empty").write_bytes(pack({}))
    with pytest.raises(ValueError, match=r"empty: holds no files\. Get the archive from its publisher"):
        unpack(tmp_path / "empty", tmp_path / "words", verbose=0)
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


# What takes more room than it looks like


def sparse_tar(size):
    """An archive whose one file is 4 bytes and a hole."""
    info = member("hole.wav", type=tarfile.GNUTYPE_SPARSE, size=4)
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    header[386:410] = b"%011o\0%011o\0" % (0, 4)
    header[483:495] = b"\x80" + size.to_bytes(11, "big")
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + b"good".ljust(512, b"\0") + bytes(1024)


def tar_header(**attributes):
    return member("evil.wav", **attributes).tobuf(tarfile.PAX_FORMAT)


LARGE = {
    "sparse.tar": sparse_tar(64 * 10**9),
    "sparse.tar.gz": gzip.compress(sparse_tar(64 * 10**9)),
    "declared.tar": tar_header(size=2**40),
    "packed.tar.gz": tar_gz({"a.wav": bytes(3 * 10**6)}),
    "packed.zip": zipped({"a.wav": bytes(3 * 10**6)}),
    "many.tar.gz": tar_gz({f"{i}.wav": b"" for i in range(500)}),
    "many.zip": zipped({f"{i}.wav": b"" for i in range(500)}),
    "end.tar.gz": tar_gz({}) + gzip.compress(bytes(3 * 10**6)),
}


@pytest.mark.parametrize("name", LARGE)
def test_what_unpacks_to_more_than_is_allowed_is_refused(tmp_path, monkeypatch, name):
    written = []
    monkeypatch.setattr(shutil, "copyfileobj", lambda source, copy, size: written.append(copy))
    (tmp_path / name).write_bytes(LARGE[name])
    with pytest.raises(
        ValueError, match=rf"{name}: not unpacked, it would take .*, and max_bytes=2000000 allows 2\.0 MB"
    ):
        unpack(tmp_path / name, tmp_path / "words", max_bytes=2 * 10**6, verbose=0)
    assert len(written) == (488 if name == "many.tar.gz" else 0)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_sparse_file_is_unpacked_with_its_hole(tmp_path):
    (tmp_path / "sparse.tar").write_bytes(sparse_tar(10_000))
    unpack(tmp_path / "sparse.tar", tmp_path / "words", verbose=0)
    assert (tmp_path / "words" / "hole.wav").read_bytes() == b"good".ljust(10_000, b"\0")


def test_a_header_without_end_is_refused(tmp_path):
    (tmp_path / "evil.tar.gz").write_bytes(gzip.compress(tar_header(type=tarfile.XHDTYPE, size=2**22) + bytes(2**22)))
    with pytest.raises(ValueError, match=r"evil\.tar\.gz: damaged, .*a header in it is longer than 1048576 bytes"):
        unpack(tmp_path / "evil.tar.gz", tmp_path / "words", verbose=0)


def test_free_space_is_looked_at_before_anything_is_written(archive, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=100_000))
    monkeypatch.setattr(shutil, "copyfileobj", None)
    with pytest.raises(
        OSError, match=r"It needs .* kB, and 100 kB are free while unpacking .*words.* Make room and"
    ) as e:
        unpack(archive, tmp_path / "words", verbose=0)
    assert e.value.errno == errno.ENOSPC
    assert [path.name for path in tmp_path.iterdir()] == [archive.name]


# Damage


def test_a_damaged_header_is_not_taken_for_the_end(tmp_path):
    content = bytearray(gzip.decompress(tar_gz({"a.wav": b"a", "b.wav": b"b", "c.wav": b"c"})))
    at = content.index(b"./b.wav")
    content[at] ^= 1
    (tmp_path / "words.tar").write_bytes(content)
    with pytest.raises(ValueError, match=r"words\.tar: damaged, .*bad checksum, where a header or the end should be"):
        unpack(tmp_path / "words.tar", tmp_path / "words", verbose=0)


def test_a_plain_tar_that_ends_behind_a_member_is_damaged(tmp_path):
    (tmp_path / "words.tar").write_bytes(tar_header(size=0))
    with pytest.raises(ValueError, match=r"words\.tar: damaged, .*empty header, where a header or the end should be"):
        unpack(tmp_path / "words.tar", tmp_path / "words", verbose=0)


def test_a_tar_that_ends_in_a_zip_is_a_tar(tmp_path):
    with tarfile.open(tmp_path / "words.tar", "w") as tar:
        content = zipped({"inner.wav": b"inner"})
        tar.addfile(member("words.zip", size=len(content)), io.BytesIO(content))
    unpack(tmp_path / "words.tar", tmp_path / "words", verbose=0)
    assert contents(tmp_path / "words") == {"words.zip": content}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_what_is_no_archive_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "words.tar")
    with pytest.raises(ValueError, match=r"words\.tar: neither a folder nor an archive but a device or a pipe"):
        local_folder(tmp_path / "words.tar", data_home=tmp_path / "home")


@pytest.mark.parametrize("fraction", [0.0, 0.3, 0.7, 1.0])
def test_a_cut_off_archive_is_refused(archive, tmp_path, fraction):
    content = archive.read_bytes()
    archive.write_bytes(content[: min(int(fraction * len(content)), len(content) - 1)])
    if not fraction:
        archive.write_bytes(b"<html>no archive at all</html>" * 100)
    with pytest.raises(ValueError, match=r"words\..*: damaged, or neither ZIP nor TAR \(.+\)\. Delete it and get it"):
        unpack(archive, tmp_path / "words", verbose=0)
    assert [path.name for path in tmp_path.iterdir()] == [archive.name]


def test_a_wrong_checksum_inside_is_found(archive, tmp_path):
    content = bytearray(archive.read_bytes())
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as file:
            crc = file.getinfo("no/ann_0.wav").CRC.to_bytes(4, "little")
        content = content.replace(crc, b"0000")
    else:
        content[-6] ^= 1  # in the CRC that ends a gzip stream
    archive.write_bytes(content)
    with pytest.raises(ValueError, match="CRC"):
        unpack(archive, tmp_path / "words", verbose=0)
    assert not (tmp_path / "words").exists()


def test_a_process_that_dies_while_unpacking_leaves_no_folder(archive, tmp_path):
    command = [sys.executable, "-c", DYING, str(archive), str(tmp_path / "words")]
    assert subprocess.run(command, check=False).returncode == 9
    assert not (tmp_path / "words").exists()
    unpack(archive, tmp_path / "words", verbose=0)
    assert contents(tmp_path / "words") == FILES
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["words", archive.name])


@pytest.mark.skipif(sys.platform == "win32", reason="needs RLIMIT_FSIZE")
def test_a_full_disk_is_said_and_leaves_no_folder(archive, tmp_path):
    command = [sys.executable, "-c", LIMITED, str(archive), str(tmp_path / "words")]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert f"File too large while unpacking {archive}. Make room and run it again, or pass a data_home" in said
    assert [path.name for path in tmp_path.iterdir()] == [archive.name]


# Local copies


def test_a_folder_is_taken_as_it_is(tmp_path):
    assert local_folder(str(tmp_path), data_home=tmp_path / "home") == tmp_path
    assert not (tmp_path / "home").exists()


def test_a_local_archive_is_unpacked_once_and_again_when_it_changes(archive, tmp_path):
    home = tmp_path / "home"
    folder = local_folder(archive, data_home=home, verbose=0)
    assert contents(folder) == FILES
    (folder / "README.md").write_bytes(b"touched")
    assert local_folder(archive, data_home=home, verbose=0) == folder
    assert (folder / "README.md").read_bytes() == b"touched"
    archive.write_bytes(PACKERS[archive.name]({"a.txt": b"new"}))
    assert contents(local_folder(archive, data_home=home, verbose=0)) == {"a.txt": b"new"}


def test_a_path_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"gone\.zip: no such folder or archive\. Check the path"):
        local_folder(tmp_path / "gone.zip", data_home=tmp_path)


# From the web


@pytest.fixture
def fetch(web, tmp_path):
    web.files["/words.tar.gz"] = tar_gz(FILES)
    return lambda **options: fetch_folder(
        f"{web.url}words.tar.gz", **{"data_home": tmp_path / "home", "verbose": 0, **options}
    )


def test_a_second_call_asks_no_server_and_the_archive_is_gone(fetch, web, tmp_path):
    assert contents(fetch()) == FILES
    assert fetch(download_if_missing=False) == tmp_path / "home" / "words"
    assert len(web.requests) == 1
    assert sorted(path.name for path in (tmp_path / "home").iterdir()) == [".words.lock", "words"]


def test_without_leave_to_download_the_error_says_where_and_what(fetch, web):
    with pytest.raises(OSError, match=r"words: not there, and download_if_missing is False\. Set it to True, or down"):
        fetch(download_if_missing=False)
    assert web.requests == []


def test_an_archive_put_into_the_data_home_is_used_and_stays(fetch, web, tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "words.tar.gz").write_bytes(tar_gz(FILES))
    assert contents(fetch(download_if_missing=False)) == FILES
    assert (tmp_path / "home" / "words.tar.gz").exists()
    assert web.requests == []


def test_an_archive_put_into_the_data_home_is_checked(fetch, tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "words.tar.gz").write_bytes(tar_gz(FILES))
    with pytest.raises(ValueError, match=r"home.words\.tar\.gz: wrong checksum, expected SHA-256 f{64}, got"):
        fetch(sha256="f" * 64)
    assert not (tmp_path / "home" / "words").exists()


def test_two_processes_download_once(fetch, web, tmp_path):
    command = [sys.executable, "-c", FETCHING, f"{web.url}words.tar.gz", str(tmp_path / "home")]
    web.gate.clear()
    processes = [subprocess.Popen(command, env=os.environ, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.stdout.readline() for process in processes] == ["ready\n"] * 2
    for _ in range(100):  # time for the second to ask as well, if it does
        if len(web.requests) > 1:
            break
        time.sleep(0.01)
    web.gate.set()
    assert [process.communicate()[0] for process in processes] == ["words\n"] * 2
    assert len(web.requests) == 1
    assert contents(fetch()) == FILES
