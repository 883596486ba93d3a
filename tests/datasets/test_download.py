import errno
import hashlib
import os
import shutil
import subprocess
import sys

import pytest

from skkws.datasets._download import download

CONTENT = os.urandom(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()

# Runs in a process of its own, in which no file can grow beyond 100,000 bytes: a disk that is full.
LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
from skkws.datasets._download import download
try:
    download(*sys.argv[1:3], verbose=0)
except OSError as error:
    print(error.errno, error)
"""


@pytest.fixture
def get(web, tmp_path):
    """Download the file that the server has; the path is `get.path`."""
    web.files["/corpus.zip"] = CONTENT

    def get(sha256=SHA256):
        download(f"{web.url}corpus.zip", get.path, sha256=sha256, verbose=0)
        return get.path.read_bytes()

    get.path, get.part = tmp_path / "corpus.zip", tmp_path / "corpus.zip.part"
    return get


def test_a_file_comes_whole_and_leaves_nothing_else(get, tmp_path):
    assert get() == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["corpus.zip"]


def test_a_broken_connection_is_resumed(get, web):
    web.cuts = [100_000, 50_000]
    assert get() == CONTENT
    assert [asked for _, asked in web.requests] == [None, "bytes=100000-", "bytes=150000-"]


def test_a_server_without_ranges_starts_anew(get, web):
    web.ranges, web.cuts = False, [100_000]
    assert get() == CONTENT
    assert [asked for _, asked in web.requests] == [None, "bytes=100000-"]


def test_the_next_run_goes_on_where_the_last_gave_up(get, web):
    web.cuts = [10_000] * 4
    with pytest.raises(
        ConnectionError,
        match=r"corpus\.zip: broke off before the end \(300000 bytes\); 40000 bytes received, 4 of 4 tries\. Run it "
        r"again to go on from there, or download the file by hand and pass it as archive",
    ):
        get()
    assert not get.path.exists()
    assert get() == CONTENT
    assert web.requests[-1] == ("/corpus.zip", "bytes=40000-")


def test_a_whole_part_only_gets_its_name(get):
    get.part.write_bytes(CONTENT)  # of a process that was killed before renaming
    assert get() == CONTENT


def test_a_part_longer_than_the_file_is_given_up(get, web):
    get.part.write_bytes(CONTENT + b"more")
    assert get() == CONTENT
    assert [asked for _, asked in web.requests] == ["bytes=300004-", None]


def test_a_busy_server_is_asked_again(get, web):
    web.statuses = [503, 429]
    assert get() == CONTENT


def test_a_refusal_is_final(get, web):
    del web.files["/corpus.zip"]
    with pytest.raises(ConnectionError, match="the server answered 404 Not Found; 0 bytes received, 1 of 4 tries"):
        get()
    assert len(web.requests) == 1


def test_a_server_that_is_not_there_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr("skkws.datasets._download._WAIT", 0.0)
    with pytest.raises(ConnectionError, match=r"http://127\.0\.0\.1:1/a\.zip: .*refused.*; 0 bytes received, 4 of 4"):
        download("http://127.0.0.1:1/a.zip", tmp_path / "a.zip", verbose=0)


def test_a_wrong_checksum_tells_both_and_leaves_no_file(get, tmp_path):
    with pytest.raises(ValueError, match=rf"wrong checksum, expected SHA-256 {'0' * 64}, got {SHA256} for 300000 by"):
        get("0" * 64)
    assert list(tmp_path.iterdir()) == []


def test_a_part_of_another_file_is_found_out_and_dropped(get):
    get.part.write_bytes(b"of another file")
    with pytest.raises(ValueError, match="wrong checksum"):
        get()
    assert get() == CONTENT


# Servers that do not keep to the rules, and files that change


def answer(status, *headers, body=b""):
    return "\r\n".join([f"HTTP/1.0 {status}", *headers, "", ""]).encode() + body


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            answer("206 Part", "Content-Range: bytes 0-9/10", body=bytes(10)),
            "the server sent a part of the file, which",
        ),
        (answer("416 Range", "Content-Range: bytes */300000"), "the server answered 416 Range"),
        (answer("200 OK", "Content-Length: many", body=CONTENT), "the server says Content-Length: 'many'"),
        (answer("200 OK", "Content-Length: -5", body=CONTENT), "the server says Content-Length: '-5'"),
        (answer("200 OK", "Content-Length: 300001", body=CONTENT), r"broke off before the end \(300001 bytes\)"),
        (b"no HTTP at all\r\n\r\n", "no HTTP at all"),
    ],
    ids=["206", "416", "length", "negative", "too long", "no HTTP"],
)
def test_an_answer_against_the_rules_is_an_error_with_its_reason(get, web, wrong, message):
    get.path.write_bytes(b"what was there before")
    web.answers = [wrong] * 4
    with pytest.raises(
        ConnectionError, match=rf"corpus\.zip: {message}.* of 4 tries\. Run it again to go on from there"
    ):
        get(None)
    assert get.path.read_bytes() == b"what was there before"
    web.answers = []
    assert get() == CONTENT


def test_a_part_of_other_bytes_than_asked_for_is_dropped(get, web):
    get.part.write_bytes(CONTENT[:1000])
    web.answers = [answer("206 Partial", "Content-Range: bytes 0-299999/300000", body=CONTENT)]
    assert get() == CONTENT


@pytest.mark.parametrize("sha256", [SHA256, None], ids=["checksum", "none"])
def test_a_file_that_changed_between_two_tries_is_received_anew(get, web, sha256):
    old = os.urandom(300_000)
    web.files["/corpus.zip"], web.tags["/corpus.zip"], web.cuts = old, '"old"', [20_000] * 4
    with pytest.raises(ConnectionError, match="broke off"):
        get(None)
    web.files["/corpus.zip"], web.tags["/corpus.zip"], web.cuts = CONTENT, '"new"', []
    assert get(sha256) == CONTENT
    assert sorted(path.name for path in get.path.parent.iterdir()) == ["corpus.zip"]


def test_a_file_that_did_not_change_is_resumed_by_its_tag(get, web):
    web.tags["/corpus.zip"], web.cuts = '"same"', [100_000]
    assert get(None) == CONTENT
    assert [asked for _, asked in web.requests] == [None, "bytes=100000-"]


def test_without_tag_and_checksum_nothing_is_put_together(get, web):
    web.cuts = [100_000]
    assert get(None) == CONTENT
    assert [asked for _, asked in web.requests] == [None, None]


def test_a_server_that_sends_a_byte_now_and_then_is_given_up(get, web, monkeypatch):
    monkeypatch.setattr("skkws.datasets._download._PATIENCE", 0.2)
    monkeypatch.setattr("skkws.datasets._download._TRIES", 1)
    web.trickle = 0.02
    with pytest.raises(ConnectionError, match=r"slower than 1000 bytes a second for 0 seconds; \d+ bytes received"):
        get()
    web.gate.clear()
    with pytest.raises(ConnectionError, match="no answer within 0 seconds; "):
        get()
    web.gate.set()


def test_a_file_that_is_too_large_is_not_received(get, web, monkeypatch):
    with pytest.raises(
        ValueError, match=r"corpus\.zip: it would take 300 kB, and max_bytes=200000 allows 200 kB\. The"
    ):
        download(f"{web.url}corpus.zip", get.path, max_bytes=200_000, verbose=0)
    web.answers = [answer("200 OK", body=CONTENT)]  # of no announced length
    with pytest.raises(ValueError, match="max_bytes=200000"):
        download(f"{web.url}corpus.zip", get.path, max_bytes=200_000, verbose=0)
    usage = shutil.disk_usage(get.path.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=100_000))
    with pytest.raises(
        OSError, match=r"The file has 300 kB, and 100 kB are free\. Make room and run it again, or"
    ) as error:
        get()
    assert error.value.errno == errno.ENOSPC
    assert list(get.path.parent.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="needs RLIMIT_FSIZE")
def test_a_full_disk_is_said_and_nothing_is_lost(get, web):
    get.path.write_bytes(b"what was there before")
    command = [sys.executable, "-c", LIMITED, f"{web.url}corpus.zip", str(get.path)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert said.startswith(f"{errno.EFBIG} ")
    assert "File too large after 100000 bytes. Make room and run it again to go on from there, or pass a" in said
    assert f"{get.path}.part" in said
    assert get.path.read_bytes() == b"what was there before"
    assert len(web.requests) == 1
    assert get() == CONTENT
    assert web.requests[-1] == ("/corpus.zip", "bytes=100000-")


def test_progress_is_shown_in_megabytes_on_stderr_only(web, tmp_path, capfd):
    web.files["/corpus.zip"] = bytes(3_000_000)
    download(f"{web.url}corpus.zip", tmp_path / "corpus.zip", verbose=1)
    out, err = capfd.readouterr()
    assert out == ""
    assert "Downloading corpus.zip, MB" in err
    assert "3/3" in err
