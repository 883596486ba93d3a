import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from miniature import COMMANDS, OTHERS, SPEAKERS, tar_gz, write_files, zipped

from skkws import AudioLoader
from skkws.datasets import _speech_commands, fetch_speech_commands, speech_commands_split

# Speakers on the real lists of versions 1 and 2.
LISTED = {
    "validation": "8b775397 2643992f 060cd039 f5e5e8b0 dbb40d24 d57febf0 16db1582 171b56dc 66cff190 22aa3665 6a27a9bf",
    "test": "2aa787cf ffa76c4a 24ad3ebe d7467392 5828dfa2 bb05582b 97f4c236 f2e59fea fdb5155e dc75148d 3f170018",
}

LIMITED = """
import resource, sys
from skkws.datasets import fetch_speech_commands
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
try:
    fetch_speech_commands(archive=sys.argv[1], subset="12", data_home=sys.argv[2])
except OSError as error:
    print(error)
"""

FETCH = """
import sys
from skkws.datasets import _speech_commands
_speech_commands._URL, home = sys.argv[1:]
_speech_commands._ARCHIVES[2] = ("speech_commands_v0.02.tar.gz", None)
print(len(_speech_commands.fetch_speech_commands(subset="12", data_home=home, verbose=0).filenames))
"""


@pytest.fixture(scope="module")
def corpus(speech_commands_files, tmp_path_factory):
    """The miniature corpus as a folder; not to be changed."""
    return write_files(tmp_path_factory.mktemp("corpus"), speech_commands_files)


@pytest.fixture
def published(web, monkeypatch, speech_commands_files):
    """Serve the miniature corpus in place of the real one."""
    monkeypatch.setattr(_speech_commands, "_URL", web.url)
    archives = {key: (name, None) for key, (name, _) in _speech_commands._ARCHIVES.items()}
    monkeypatch.setattr(_speech_commands, "_ARCHIVES", archives)
    words = {name: content for name, content in speech_commands_files.items() if name.endswith("_nohash_0.wav")}
    web.files["/speech_commands_v0.02.tar.gz"] = tar_gz(speech_commands_files)
    web.files["/speech_commands_v0.01.tar.gz"] = tar_gz(words)
    web.files["/mini_speech_commands.zip"] = zipped(
        {f"mini_speech_commands/{name}": content for name, content in words.items() if name.split("/")[0] in COMMANDS}
        | {"mini_speech_commands/README.md": b"mini", "__MACOSX/mini_speech_commands/._README.md": b"mac"}
    )
    return web


def counts(data):
    return {
        part: {name: int(np.sum(data.target[data.split == part] == name)) for name in data.target_names}
        for part in SPEAKERS
    }


# The whole life


def test_the_corpus_is_fetched_once_and_can_be_learned_from(published, tmp_path):
    data = fetch_speech_commands(data_home=tmp_path, verbose=0)
    assert data.target_names == sorted([*COMMANDS, *OTHERS])
    assert len(data.filenames) == 13 * 7
    assert data.filenames.tolist() == sorted(data.filenames)
    assert data.groups[0] == Path(data.filenames[0]).name[:8]
    assert "91 recordings of 13 keywords by 7 speakers" in data.DESCR
    assert AudioLoader().fit_transform(data.filenames[:3]).shape == (3, 16000)
    again = fetch_speech_commands(data_home=tmp_path, download_if_missing=False)
    np.testing.assert_array_equal(again.filenames, data.filenames)
    assert len(published.requests) == 1


def test_a_broken_download_is_resumed_by_the_next_call(published, tmp_path):
    published.tags["/speech_commands_v0.02.tar.gz"], published.cuts = '"a state"', [1000] * 4
    with pytest.raises(ConnectionError, match=r"speech_commands_v0\.02\.tar\.gz: broke off .*; 4000 bytes received"):
        fetch_speech_commands(data_home=tmp_path, verbose=0)
    assert len(fetch_speech_commands(data_home=tmp_path, verbose=0).filenames) == 91
    assert published.requests[-1] == ("/speech_commands_v0.02.tar.gz", "bytes=4000-")


def test_another_archive_than_the_published_one_is_refused(published, tmp_path, monkeypatch):
    monkeypatch.setitem(_speech_commands._ARCHIVES, 2, ("speech_commands_v0.02.tar.gz", "0" * 64))
    with pytest.raises(ValueError, match=r"speech_commands_v0\.02\.tar\.gz: wrong checksum, expected SHA-256 0{64}, g"):
        fetch_speech_commands(data_home=tmp_path, verbose=0)
    assert [path.name for path in tmp_path.iterdir()] == [".speech_commands_v0.02.lock"]


def test_without_leave_to_download_nothing_is(published, tmp_path):
    with pytest.raises(OSError, match=r"speech_commands_v0\.02: not there, and download_if_missing is False"):
        fetch_speech_commands(data_home=tmp_path, download_if_missing=False)
    assert published.requests == []


def test_versions_and_the_mini_corpus_are_kept_apart(published, tmp_path):
    old = fetch_speech_commands(version=1, subset="30", data_home=tmp_path, verbose=0)
    mini = fetch_speech_commands(subset="mini", data_home=tmp_path, verbose=0)
    assert str(tmp_path / "speech_commands_v0.01") in old.filenames[0]
    assert str(tmp_path / "mini_speech_commands" / "mini_speech_commands" / "down") in mini.filenames[0]
    assert mini.target_names == sorted(COMMANDS)


def test_the_publisher_is_asked_for_the_files_that_torchaudio_knows():
    assert _speech_commands._URL == "https://storage.googleapis.com/download.tensorflow.org/data/"
    assert [name for name, _ in _speech_commands._ARCHIVES.values()] == [
        "speech_commands_v0.01.tar.gz",
        "speech_commands_v0.02.tar.gz",
        "mini_speech_commands.zip",
    ]
    assert [sha256 and len(sha256) for _, sha256 in _speech_commands._ARCHIVES.values()] == [64, 64, None]


def test_two_processes_at_once_both_get_the_whole_corpus(published, tmp_path):
    command = [sys.executable, "-c", FETCH, published.url, str(tmp_path)]
    processes = [subprocess.Popen(command, env=os.environ, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.communicate()[0] for process in processes] == ["84\n"] * 2  # 70 commands, 7 unknown, 7 silent
    assert len(published.requests) == 1


def test_a_copy_of_ones_own_needs_no_network(speech_commands_files, corpus, tmp_path):
    archive = tmp_path / "copy.tar.gz"
    archive.write_bytes(tar_gz(speech_commands_files))
    packed = fetch_speech_commands(archive=archive, data_home=tmp_path / "home", verbose=0)
    plain = fetch_speech_commands(archive=corpus)
    assert [Path(name).name for name in packed.filenames] == [Path(name).name for name in plain.filenames]
    assert archive.exists()


# The official split


@pytest.mark.parametrize("part", LISTED)
def test_the_hash_agrees_with_the_published_lists(part):
    assert {speech_commands_split(f"cat/{speaker}_nohash_1.wav") for speaker in LISTED[part].split()} == {part}


def test_lists_and_hash_agree_on_the_miniature_corpus(speech_commands_files, corpus, tmp_path):
    listed = fetch_speech_commands(archive=corpus)
    files = {name: content for name, content in speech_commands_files.items() if not name.endswith("_list.txt")}
    hashed = fetch_speech_commands(archive=write_files(tmp_path, files))
    assert listed.split.tolist() == hashed.split.tolist()
    assert set(listed.groups[listed.split == "test"]) == set(SPEAKERS["test"])


def test_lists_go_before_the_hash(speech_commands_files, tmp_path):
    root = write_files(tmp_path, speech_commands_files)
    (root / "testing_list.txt").write_text("yes/004ae714_nohash_0.wav\nyes/not_there.wav\n")
    (root / "validation_list.txt").write_text("")
    data = fetch_speech_commands(archive=root)
    assert data.filenames[data.split == "test"].tolist() == [str(root / "yes" / "004ae714_nohash_0.wav")]
    assert np.sum(data.split == "train") == 90


@pytest.mark.parametrize("part", SPEAKERS)
def test_a_split_is_a_part_of_the_whole(corpus, tmp_path, part):
    options = {"archive": corpus, "subset": "12", "data_home": tmp_path}
    whole, data = fetch_speech_commands(**options), fetch_speech_commands(split=part, **options)
    assert set(data.split) == {part}
    for name in ("filenames", "target", "groups"):
        np.testing.assert_array_equal(data[name], whole[name][whole.split == part])


# Twelve classes


def test_twelve_classes_have_a_tenth_unknown_and_a_tenth_silence(corpus, tmp_path):
    data = fetch_speech_commands(archive=corpus, subset="12", data_home=tmp_path)
    assert data.target_names == ["_silence_", "_unknown_", *sorted(COMMANDS)]
    expected = {"train": 3, "validation": 2, "test": 2}
    assert counts(data) == {part: dict.fromkeys(data.target_names, n) for part, n in expected.items()}
    unknown = {Path(name).parent.name for name in data.filenames[data.target == "_unknown_"]}
    assert unknown <= set(OTHERS)
    assert data.target.tolist() == sorted(data.target)


def test_percentages_are_rounded_up_and_unknown_words_can_run_out(corpus, tmp_path):
    options = {"archive": corpus, "subset": "12", "data_home": tmp_path}
    data = fetch_speech_commands(unknown_percentage=100, silence_percentage=11, **options)
    sizes = {part: (number["_unknown_"], number["_silence_"]) for part, number in counts(data).items()}
    assert sizes == {"train": (9, 4), "validation": (6, 3), "test": (6, 3)}
    data = fetch_speech_commands(unknown_percentage=0, silence_percentage=0, **options)
    assert data.target_names == sorted(COMMANDS)


def test_silence_is_a_second_of_noise_bit_by_bit_and_no_sample_is_in_two_splits(corpus, tmp_path):
    data = fetch_speech_commands(archive=corpus, subset="12", silence_percentage=100, data_home=tmp_path)
    silent = data.target == "_silence_"
    noises = {
        name: sf.read(corpus / "_background_noise_" / f"{name}.wav", dtype="int16")[0]
        for name in ("pink_noise", "running_tap")
    }
    heard = {}
    for name, noise, part in zip(data.filenames[silent], data.groups[silent], data.split[silent], strict=True):
        start = int(Path(name).stem.rpartition("_")[2])
        y, rate = sf.read(name, dtype="int16")
        assert rate == 16000
        np.testing.assert_array_equal(y, noises[noise][start : start + 16000])
        heard.setdefault((noise, part), []).append((start, start + 16000))
    assert {part for _, part in heard} == set(SPEAKERS)
    for noise in noises:
        ends = [(min(heard[noise, part])[0], max(heard[noise, part])[1]) for part in SPEAKERS if (noise, part) in heard]
        assert all(first[1] <= second[0] for first, second in pairwise(ends))
    assert AudioLoader().fit_transform(data.filenames[silent][:2]).shape == (2, 16000)


def test_the_seed_decides_and_nothing_is_written_twice(corpus, tmp_path):
    options = {"archive": corpus, "subset": "12", "data_home": tmp_path}
    first = fetch_speech_commands(**options)
    written = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.wav")}
    assert len(written) == 7
    again = fetch_speech_commands(**options)
    np.testing.assert_array_equal(again.filenames, first.filenames)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.wav")} == written
    other = fetch_speech_commands(random_state=1, **options)
    assert other.filenames.tolist() != first.filenames.tolist()
    assert other.target.tolist() == first.target.tolist()


def test_only_the_silence_of_the_split_is_written(corpus, tmp_path):
    fetch_speech_commands(archive=corpus, subset="12", split="test", data_home=tmp_path)
    assert len(list(tmp_path.rglob("*.wav"))) == 2


def test_other_noise_of_the_same_name_is_another_file(speech_commands_files, corpus, tmp_path):
    options = {"subset": "12", "data_home": tmp_path / "home"}
    changed = {name.replace("running", "another"): content for name, content in speech_commands_files.items()}
    swapped = {
        **speech_commands_files,
        "_background_noise_/pink_noise.wav": changed["_background_noise_/another_tap.wav"],
    }
    first = fetch_speech_commands(archive=corpus, **options)
    second = fetch_speech_commands(archive=write_files(tmp_path / "other", swapped), **options)
    names = [set(data.filenames[data.groups == "pink_noise"]) for data in (first, second)]
    assert all(names)
    assert not names[0] & names[1]


@pytest.mark.skipif(sys.platform == "win32", reason="needs RLIMIT_FSIZE")
def test_a_full_disk_leaves_no_half_silence(corpus, tmp_path):
    command = [sys.executable, "-c", LIMITED, str(corpus), str(tmp_path)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert "File too large" in said
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


# Errors


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"version": 3}, r"version must be 1 or 2, got 3\."),
        ({"version": 1}, r"subset must be one of '12', '30', 'mini' for version=1, got '35'\. Version 1 has 30 words"),
        ({"subset": 12}, r"subset must be one of '12', '35', 'mini' for version=2, got 12\."),
        ({"split": "testing"}, r"split must be None or one of 'train', 'validation', 'test', got 'testing'\."),
        ({"unknown_percentage": -1}, r"unknown_percentage must be a number from 0 up, got -1\. Pass one such as"),
        ({"silence_percentage": float("nan")}, r"silence_percentage must be a number from 0 up, got nan\."),
    ],
)
def test_parameters_out_of_range_are_refused(corpus, params, message):
    with pytest.raises(ValueError, match=message):
        fetch_speech_commands(archive=corpus, **params)


@pytest.mark.parametrize(
    ("left_out", "message"),
    [
        ("go/", r"no folder for the words \['go'\], which subset='12' needs\. Get the whole corpus"),
        ("_background_noise_/", "no WAV file to cut '_silence_' from. Get the whole corpus, or pass silence_percen"),
        ("_background_noise_/[pr]", "no noise has a second for the split 'train'; .* Add recordings of 10 s or more"),
    ],
)
def test_an_incomplete_corpus_is_refused_for_twelve_classes(speech_commands_files, tmp_path, left_out, message):
    files = {name: content for name, content in speech_commands_files.items() if not re.match(left_out, name)}
    root = write_files(tmp_path / "corpus", files)
    with pytest.raises(ValueError, match=message):
        fetch_speech_commands(archive=root, subset="12", data_home=tmp_path)


def test_a_folder_without_words_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"holds no folder\. Put the recordings of each keyword in a folder"):
        fetch_speech_commands(archive=write_files(tmp_path, {"README.md": b""}))


def test_an_empty_split_is_refused(tmp_path):
    root = write_files(tmp_path, {"yes/004ae714_nohash_0.wav": b""})
    with pytest.raises(ValueError, match=r"no recording is in the split 'test'\. Pass split=None, or another corpus"):
        fetch_speech_commands(archive=root, split="test")
