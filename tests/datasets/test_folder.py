import re
from pathlib import Path

import numpy as np
import pytest

from skkws.audio import AUDIO_EXTENSIONS
from skkws.datasets import load_keyword_folder


@pytest.fixture
def root(tmp_path):
    """Two words by three speakers, among things that are no words."""
    names = [
        *(
            f"{word}/{speaker}_nohash_{n}.wav"
            for word in ("yes", "no")
            for speaker in ("ann", "bob", "eve")
            for n in (0, 1)
        ),
        "yes/notes.txt",
        "yes/.ann_hidden.wav",
        "_background_noise_/pink.wav",
        ".cache/ann_0.wav",
        "README.md",
    ]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_a_folder_is_a_label_and_a_file_name_starts_with_its_speaker(root):
    data = load_keyword_folder(root)
    assert data.target_names == ["no", "yes"]
    assert data.target.tolist() == ["no"] * 6 + ["yes"] * 6
    assert data.groups.tolist() == ["ann", "ann", "bob", "bob", "eve", "eve"] * 2
    assert data.filenames[0] == str(root / "no" / "ann_nohash_0.wav")
    assert data.filenames.tolist() == sorted(data.filenames)
    assert "12 recordings of 2 keywords by 3 speakers" in data.DESCR


def test_arrays_take_an_index(root):
    data = load_keyword_folder(str(root))
    mask = data.groups == "ann"
    assert set(data.target[mask]) == {"no", "yes"}
    assert len(data.filenames[mask]) == 4


def test_labels_select(root):
    data = load_keyword_folder(root, labels=["yes"])
    assert data.target_names == ["yes"]
    assert set(data.target) == {"yes"}


def test_extensions_select_in_any_case(root):
    (root / "yes" / "zoe_0.FLAC").touch()
    assert "zoe" in load_keyword_folder(root).groups
    assert load_keyword_folder(root, labels=["yes"], extensions=[".flac"]).groups.tolist() == ["zoe"]


def test_all_that_can_be_read_is_taken(root):
    names = [f"take{extension}" for extension in AUDIO_EXTENSIONS]
    for name in names:
        (root / "yes" / name).touch()
    data = load_keyword_folder(root)
    assert {Path(path).name for path in data.filenames} >= set(names)
    assert {".wave", ".w64", ".rf64", ".oga", ".aifc", ".mp2", ".sph"} < set(AUDIO_EXTENSIONS)
    assert data.left_out.tolist() == []


@pytest.mark.parametrize("installed", [True, False])
def test_recordings_that_cannot_be_read_are_counted_and_named(root, monkeypatch, installed):
    monkeypatch.setattr("skkws.audio._formats.is_installed", lambda package: installed)
    for name in ("no/ann_3.wma", "yes/ann_1.m4a", "yes/ann_2.M4A", "yes/ann_3.webm", "yes/.ann_4.wma"):
        (root / name).touch()
    to_install = "; 2 .m4a (PyAV reads them: pip install av); 1 .webm (PyAV reads them: pip install av)"
    message = "beside {} that are taken: 1 .wma (convert them to WAV or FLAC)."
    counted = message.format(15) if installed else message.format(12).replace(": 1", ": " + to_install[2:] + "; 1")
    with pytest.warns(UserWarning, match=re.escape(counted)) as record:
        data = load_keyword_folder(root)
    assert [warning.filename for warning in record] == [__file__]
    assert len(data.filenames) == (15 if installed else 12)
    names = [Path(path).name for path in data.left_out]
    assert names == (["ann_3.wma"] if installed else ["ann_3.wma", "ann_1.m4a", "ann_2.M4A", "ann_3.webm"])
    assert load_keyword_folder(root, extensions=[".wav"]).left_out.tolist() == []  # as it was asked for


def test_a_word_without_a_readable_recording_says_why(root):
    (root / "maybe").mkdir()
    (root / "maybe" / "ann_0.wma").touch()
    with pytest.raises(ValueError, match=r"'maybe'; 1 \.wma \(convert them to WAV or FLAC\)\. Add recordings"):
        load_keyword_folder(root)


@pytest.mark.parametrize("group", [r"_(\d)\.wav$", lambda path: path.stem[-1]])
def test_group_is_a_regular_expression_or_a_callable(root, group):
    assert set(load_keyword_folder(root, group=group).groups) == {"0", "1"}


def test_a_name_without_underscore_is_its_own_speaker(root):
    (root / "yes" / "take7.wav").touch()
    assert "take7" in load_keyword_folder(root).groups


def test_max_per_label_draws_from_every_label(root):
    first = load_keyword_folder(root, max_per_label=3, random_state=0)
    assert first.target.tolist() == ["no"] * 3 + ["yes"] * 3
    assert first.filenames.tolist() == sorted(set(first.filenames))
    again = load_keyword_folder(root, max_per_label=3, random_state=0)
    np.testing.assert_array_equal(first.filenames, again.filenames)
    draws = {tuple(load_keyword_folder(root, max_per_label=3, random_state=seed).filenames) for seed in range(5)}
    assert len(draws) > 1
    assert len(load_keyword_folder(root, max_per_label=100).filenames) == 12


def test_root_must_be_a_folder_of_folders(root):
    with pytest.raises(FileNotFoundError, match=f"{re.escape(str(root / 'gone'))}: no such folder. Check the path"):
        load_keyword_folder(root / "gone")
    with pytest.raises(NotADirectoryError, match=r"README\.md: not a folder\. Pass the folder that holds"):
        load_keyword_folder(root / "README.md")
    with pytest.raises(ValueError, match=r"yes: holds no folder. Put the recordings of each keyword"):
        load_keyword_folder(root / "yes")


def test_an_empty_label_is_named(root):
    (root / "maybe").mkdir()
    with pytest.raises(ValueError, match=r"maybe: no audio file \(.*\.wav, .* for the label 'maybe'\. Add recordings"):
        load_keyword_folder(root)
    assert load_keyword_folder(root, labels=["yes", "no"]).target_names == ["no", "yes"]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"labels": ["yes", "si"]}, r"no folder for the labels \['si'\]\. Available: no, yes\."),
        ({"labels": []}, "labels is empty. Name at least one keyword"),
        ({"labels": "yes"}, r"labels must be a list of strings, got the string 'yes'\. Pass \['yes'\]"),
        ({"extensions": ".wav"}, r"extensions must be a list of strings, got the string '\.wav'"),
        ({"max_per_label": 0}, "max_per_label must be None or at least 1, got 0"),
        ({"group": r"_nohash_"}, "group='_nohash_' has no group. Put the speaker in parentheses"),
        ({"group": r"(\d{4})"}, r"ann_nohash_0\.wav: the name does not match group=.*Change it"),
        ({"group": "("}, r"group must be None, a callable or a regular expression, got '\('"),
        ({"group": 3}, "group must be None, a callable or a regular expression, got 3"),
    ],
)
def test_what_does_not_fit_is_named(root, params, message):
    with pytest.raises(ValueError, match=message):
        load_keyword_folder(root, **params)
