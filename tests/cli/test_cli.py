import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from sklearn.linear_model import LogisticRegression
from typer.testing import CliRunner

import skkws
from skkws import report
from skkws.cli import app
from skkws.cli._waveforms import speakers_in_words
from skkws.datasets import load_keyword_folder
from skkws.extraction import extract
from skkws.persistence import describe_model, load_model, save_model
from skkws.spotting import train_keyword_spotter
from skkws.synthesis import synthesize_keywords

CHEAP = "mfcc+logreg"
COMMAND = [sys.executable, "-m", "skkws.cli"]

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals and pipes")


def run(*args):
    """Run a command in this process; its exit code, standard output and standard error."""
    # Messages about options are folded into a box; a wide one keeps the lines whole.
    result = CliRunner(env={"COLUMNS": "500", "NO_COLOR": "1"}).invoke(app, [str(arg) for arg in args])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, re.sub(r"\x1b\[[0-9;]*m", "", result.stderr)


@pytest.fixture(scope="module")
def model(speech_folder, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "words.skops"
    code, out, err = run("train", speech_folder, "--model", CHEAP, "--output", path)
    assert code == 0, err
    assert out == ""
    assert f"{path}: {CHEAP}, 3 words from 36 recordings" in err
    return path


@pytest.fixture
def recordings(speech_folder):
    """One recording of each word."""
    return [sorted(folder.iterdir())[0] for folder in sorted(speech_folder.iterdir())]


# Help and version


def test_version():
    assert run("--version") == (0, f"{skkws.__version__}\n", "")


def test_help_names_every_command():
    for args in (["--help"], ["-h"]):
        code, out, _ = run(*args)
        assert code == 0
        assert all(f" {name} " in out for name in ("compare", "demo", "train", "predict", "extract", "voices"))


def test_help_shows_how_to_write_a_sound():
    assert "zoofi=[[z'u:fi]] gives a word with its sound" in run("train", "--help")[1]


@pytest.mark.parametrize("command", ["compare", "demo", "train", "predict", "extract", "voices"])
def test_every_command_has_help(command):
    code, out, err = run(command, "--help")
    assert (code, err) == (0, "")
    assert f"{command} [OPTIONS]" in out


# compare


def test_compare_prints_tables_and_writes_a_report(speech_folder, tmp_path):
    folder = tmp_path / "new" / "report"
    models = "embedding+logreg, mfcc+logreg"
    code, out, err = run("compare", speech_folder, "--limit", 10, "--models", models, "--seed", 3, "--output", folder)
    assert code == 0, err
    assert out.startswith("30 clips, 3 labels, 4 speakers; leaving out one of 4 speakers at a time\n")
    assert out.count("embedding+logreg") == out.count("mfcc+logreg") == 3, "leaderboard, few examples, noise"
    assert max(map(len, out.splitlines())) <= 80
    assert "Loading audio" not in out
    assert "Loading audio" in err
    assert "accuracy" not in err
    content = json.loads((folder / "results.json").read_text())
    assert content["n_clips"] == 30
    assert content["settings"] == {
        "folder": str(speech_folder),
        "labels": None,
        "limit": 10,
        "group": None,
        "duration": 1.0,
        "models": ["embedding+logreg", "mfcc+logreg"],
        "folds": None,
        "n_repeats": 1,
        "pad": "center",
        "noise": None,
        "random_state": 3,
        "n_jobs": None,
    }
    for row in content["models"]:
        assert f"{row['accuracy']:.3f}" in out
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert str(speech_folder / "yes") not in page, "names of clips are those in the folder"
    assert f"Recordings in {speech_folder.resolve()}<" in page
    assert f"Open {folder / 'report.html'} in a browser." in err
    for file in folder.iterdir():
        assert file.name in err or file.name == ".checkpoints"
    with (folder / "results.csv").open(newline="") as file:
        assert [row["model"] for row in csv.DictReader(file)] == ["embedding+logreg", "mfcc+logreg"]


def test_compare_leaves_out_bad_files_and_says_so(speech_folder, tmp_path):
    folder = tmp_path / "words"
    shutil.copytree(speech_folder, folder)
    bad = folder / "stop" / "nobody_00.wav"
    bad.write_text("not a recording")
    (folder / "yes" / "notes.txt").write_text("not meant to be one")
    code, out, err = run("compare", folder, "--models", CHEAP)
    assert code == 0
    assert out.startswith("36 clips, 3 labels, 4 speakers")
    assert err.count("left out:") == 1
    assert f"left out: {bad}: cannot be decoded" in err


def test_labels_name_the_words_to_take(speech_folder, tmp_path):
    path = tmp_path / "model.skops"
    code, out, _ = run("compare", speech_folder, "--models", CHEAP, "--labels", "yes, no")
    assert code == 0
    assert out.startswith("24 clips, 2 labels, 4 speakers")
    assert run("train", speech_folder, "--model", CHEAP, "--labels", "yes,no", "-o", path)[0] == 0
    assert describe_model(path)["labels"] == ["no", "yes"]
    code, _, err = run("compare", speech_folder, "--models", CHEAP, "--labels", "yes,maybe")
    assert code == 1
    assert "no folder for the labels ['maybe']. Available: no, stop, yes" in err


@pytest.mark.parametrize(
    ("speakers", "group", "said"),
    [
        (
            ["ann", "ann", "bob", "bob"],
            None,
            "2 speakers, told apart by what precedes the first _ of a file name: ann, bob",
        ),
        (list("abcdef") * 2, "(.)", "6 speakers, told apart by --group (.): a, b, c, d, ..."),
        (list("abc"), None, "Each of the 3 recordings has a speaker of its own, told by what .* --group REGEX"),
        (["ann"] * 3, None, "All 3 recordings are of one speaker, told by what .*: ann. If there are .* --group REGEX"),
    ],
)
def test_how_speakers_were_told_apart_is_said_and_what_looks_wrong_about_it(speakers, group, said):
    assert re.match(said.replace("(.)", r"\(\.\)"), speakers_in_words(np.array(speakers), group))


def test_a_comparison_says_how_speakers_were_told_apart(speech_folder):
    _, _, err = run("compare", speech_folder, "--models", CHEAP, "--limit", 8)
    assert "4 speakers, told apart by what precedes the first _ of a file name: en-" in err


def test_group_says_how_to_tell_speakers_apart(speech_folder):
    # The accent is what precedes the plus sign; two of the four voices share one.
    accents = {file.name.partition("+")[0] for file in speech_folder.glob("*/*.wav")}
    code, out, _ = run("compare", speech_folder, "--models", CHEAP, "--group", r"^([^+]+)\+")
    assert code == 0
    assert f" {len(accents)} speakers; leaving out one of {len(accents)} speakers" in out
    code, out, _ = run("compare", speech_folder, "--models", CHEAP, "--group", r"_(\d+)\.wav$", "--folds", 3)
    assert code == 0
    assert "3-fold cross-validation, every clip by a speaker of its own" in out


def test_compare_without_matplotlib_names_the_extra(speech_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(report, "can_draw", lambda: False)
    code, _, err = run("compare", speech_folder, "--models", CHEAP, "--limit", 8, "--output", tmp_path)
    assert code == 0
    assert "No pictures without matplotlib: pip install matplotlib." in err
    assert not list(tmp_path.glob("*.png"))


# demo


def test_demo_compares_on_speech_it_calls_synthesized(tmp_path, monkeypatch):
    monkeypatch.setattr("skkws.cli._compare._DEMO_WORDS", ("left", "right"))
    monkeypatch.setattr("skkws.cli._compare._DEMO_CLIPS_PER_WORD", 6)
    monkeypatch.chdir(tmp_path)
    models = "embedding+logreg,mfcc+logreg"
    code, out, err = run("demo", "--models", models, "--folds", 3)
    assert code == 0, err
    assert "Synthesized speech, not recordings of people: 12 clips of 2 words" in " ".join(out.split())
    assert "skkws compare DIR" in " ".join(out.split())
    assert out.count("embedding+logreg") == out.count("mfcc+logreg") == 3
    file = Path("skkws-demo", "report.html")
    assert f"Open {file} in a browser." in err
    page = file.read_text(encoding="utf-8")
    assert "Synthesized speech, not recordings of people" in page
    assert str(tmp_path / "skkws-demo") in page
    settings = json.loads(file.with_name("results.json").read_text())["settings"]
    assert settings["synthesized"] is True
    assert settings["words"] == ["left", "right"]


# train and predict


def test_predict_prints_label_probability_and_file(model, recordings):
    code, out, err = run("predict", model, *recordings)
    assert (code, err) == (0, "")
    rows = [line.split("\t") for line in out.splitlines()]
    assert [file for _, _, file in rows] == [str(file) for file in recordings]
    assert [label for label, _, _ in rows] == ["no", "stop", "yes"]  # recordings it was trained on
    assert all(re.fullmatch(r"[01]\.\d{4}", probability) for _, probability, _ in rows)


def test_predict_prints_an_object_a_line_as_json(model, recordings):
    code, out, err = run("predict", "--json", model, *recordings)
    assert (code, err) == (0, "")
    objects = [json.loads(line) for line in out.splitlines()]
    plain = [line.split("\t") for line in run("predict", model, *recordings)[1].splitlines()]
    assert [[o["label"], f"{o['probability']:.4f}", o["file"]] for o in objects] == plain
    assert all(set(o) == {"file", "label", "probability"} for o in objects)


def test_predict_goes_on_past_bad_files_and_names_them(model, recordings, tmp_path):
    bad = tmp_path / "bad.wav"
    bad.write_text("not a recording")
    gone = tmp_path / "gone.wav"
    loud = tmp_path / "loud.wav"
    sf.write(loud, np.r_[np.zeros(8000), 1e30], 16000, subtype="FLOAT")
    code, out, err = run("predict", model, recordings[2], bad, recordings[0], gone, tmp_path, loud, recordings[1])
    assert code == 1
    assert [line.split("\t")[2] for line in out.splitlines()] == [str(recordings[i]) for i in (2, 0, 1)]
    messages = err.splitlines()
    assert len(messages) == 4
    assert messages[0].startswith(f"skkws: {bad}: cannot be decoded")
    assert messages[1].startswith(f"skkws: {gone}: no such file")
    assert messages[2].startswith(f"skkws: {tmp_path}: a folder")
    assert messages[3].startswith(f"skkws: {loud}: sample 8000 is 1")


def test_many_files_are_predicted_as_few_are(model, recordings, monkeypatch):
    files = recordings * 3
    expected = run("predict", model, *files)
    monkeypatch.setattr("skkws.cli._predict._PREDICTED_AT_ONCE", 2)
    assert run("predict", model, *files) == expected


def test_clips_are_as_long_in_predict_as_they_were_in_train(speech_folder, recordings, tmp_path):
    path = tmp_path / "short.skops"
    code, _, err = run("train", speech_folder, "--model", CHEAP, "--duration", 0.5, "--limit", 4, "-o", path)
    assert code == 0, err
    assert "3 words from 12 recordings" in err
    assert describe_model(path)["labels"] == ["no", "stop", "yes"]
    assert run("predict", path, *recordings)[0] == 0


def test_the_same_seed_trains_the_same_model(model, speech_folder, recordings, tmp_path):
    again = tmp_path / "again.skops"
    assert run("train", speech_folder, "--model", CHEAP, "-o", again)[0] == 0
    assert run("predict", "--json", again, *recordings) == run("predict", "--json", model, *recordings)


# extract


def test_extract_writes_features_labels_speakers_and_paths(speech_folder, tmp_path):
    path = tmp_path / "new" / "features.npz"
    code, out, err = run("extract", speech_folder, "-o", path)
    assert (code, out) == (0, "")
    assert re.search(rf"{path}: 36 clips x 1248 features in \d+\.\d s \(\d+ clips/s\), 0 from the cache\.", err)
    assert f'numpy.load("{path}")["features"]' in err
    data = load_keyword_folder(speech_folder)
    with np.load(path) as arrays:
        assert sorted(arrays) == ["features", "groups", "labels", "paths"]
        assert arrays["features"].dtype == np.float32
        np.testing.assert_array_equal(arrays["features"], skkws.extract_features(data.filenames))
        assert arrays["labels"].tolist() == data.target.tolist()
        assert arrays["groups"].tolist() == data.groups.tolist()
        assert arrays["paths"].tolist() == data.filenames.tolist()
    assert os.listdir(path.parent) == ["features.npz"]


def test_extract_finds_in_the_cache_what_it_has_computed(speech_folder, tmp_path):
    options = ["--features", "mfcc", "--cache", tmp_path / "cache"]
    first, again = tmp_path / "first.npz", tmp_path / "again.npz"
    assert run("extract", speech_folder, *options, "--labels", "yes", "-o", first)[0] == 0
    code, _, err = run("extract", speech_folder, *options, "--n-jobs", 2, "-o", again)
    assert code == 0
    assert "36 clips x 156 features" in err
    assert "12 from the cache" in err
    assert "36 from the cache" in run("extract", speech_folder, *options, "-o", first)[2]
    with np.load(first) as one, np.load(again) as other:
        assert all(np.array_equal(one[name], other[name]) for name in other)


def test_extract_takes_folders_and_files(speech_folder, recordings, tmp_path):
    path = tmp_path / "features.npz"
    options = ["--features", "embedding", "--pooling", "mean_max", "--duration", 0.8, "--group", r"_(\d+)\.wav$"]
    assert run("extract", recordings[2], speech_folder, recordings[0], *options, "-o", path)[0] == 0
    with np.load(path) as arrays:
        assert arrays["features"].shape == (38, 192)
        assert arrays["labels"][[0, -1]].tolist() == ["yes", "no"]
        assert arrays["paths"][[0, -1]].tolist() == [str(recordings[2]), str(recordings[0])]
        assert arrays["groups"][0] == re.search(r"_(\d+)\.wav$", recordings[2].name)[1]
        for i in (0, -1):
            (same,) = np.flatnonzero(arrays["paths"][1:-1] == arrays["paths"][i])
            np.testing.assert_array_equal(arrays["features"][1:-1][same], arrays["features"][i])


def test_extract_leaves_out_bad_files_and_says_so(speech_folder, tmp_path):
    folder = tmp_path / "words"
    shutil.copytree(speech_folder, folder)
    bad = folder / "stop" / "nobody_00.wav"
    bad.write_text("not a recording")
    loud = folder / "stop" / "nobody_01.wav"
    sf.write(loud, np.r_[np.zeros(8000), 1e30], 16000, subtype="FLOAT")
    code, _, err = run("extract", folder, "--features", "logmel", "-o", tmp_path / "features.npz")
    assert code == 0
    assert f"left out: {bad}: cannot be decoded" in err
    assert f"left out: {loud}: sample 8000 is 1" in err
    assert "36 clips" in err
    with np.load(tmp_path / "features.npz") as arrays:
        assert {len(arrays[name]) for name in arrays} == {36}
        assert str(bad) not in arrays["paths"]


def test_extract_says_what_to_mend_and_writes_nothing(speech_folder, tmp_path):
    (tmp_path / "file").write_text("not a recording")
    path = tmp_path / "features.npz"
    for args, exit_code, message in (
        ([tmp_path / "gone", "-o", path], 1, "gone: no such file or folder. Check the path.\n"),
        ([tmp_path / "file", "-o", path], 1, "none of the 1 files can be used; the first one: "),
        ([speech_folder, "-o", path, "--labels", "maybe"], 1, "no folder for the labels ['maybe']"),
        ([speech_folder, "-o", path, "--features", "plp"], 2, "'plp' is none of embedding, logmel, mfcc"),
        ([speech_folder, "-o", path, "--pooling", "min"], 2, "'min' is none of mean, max, mean_max"),
        ([speech_folder, "-o", path, "--features", "mfcc", "--pooling", "mean"], 2, "only embeddings are pooled"),
        ([speech_folder, "-o", path, "--cache", tmp_path / "file"], 2, "file cannot be made: File exists"),
        ([speech_folder, "-o", tmp_path], 2, "is a folder; name a file in it"),
    ):
        code, out, err = run("extract", *args)
        assert (code, out) == (exit_code, "")
        assert message in err
        assert "Extracting" not in err or exit_code == 1
    assert os.listdir(tmp_path) == ["file"]


# voices


def test_voices_lists_engines_and_how_to_get_those_that_are_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    code, out, err = run("voices", "--language", "en-us")
    assert (code, err) == (0, "")
    rows = {line.split()[0]: line for line in out.splitlines()}
    assert list(rows)[2:] == ["espeak-ng", "flite", "festival", "rhvoice", "pico", "mbrola", "piper"]
    assert re.match(r"espeak-ng +1\.\d+\.\d+ +76 +en-us\+", rows["espeak-ng"])
    assert re.match(r"flite +not found +0 +apt install flite", rows["flite"])


def test_voices_prints_the_names_for_scripts(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    code, out, _ = run("voices", "--names", "--language", "de")
    assert code == 0
    assert len(out.splitlines()) == 38
    assert all(line.startswith("de+") for line in out.splitlines())


def test_voices_names_a_file_that_is_missing(tmp_path):
    code, out, err = run("voices", tmp_path / "gone.onnx")
    assert (code, out) == (1, "")
    assert "gone.onnx'. Check the path." in err


# What a user can mend


@pytest.mark.parametrize("command", ["compare", "train"])
def test_a_folder_that_is_missing_or_none_is_named(command, tmp_path):
    rest = ["--model", CHEAP, "--output", tmp_path / "model.skops"] if command == "train" else ["--models", CHEAP]
    code, out, err = run(command, tmp_path / "gone", *rest)
    assert (code, out) == (1, "")
    assert err == f"skkws: {tmp_path / 'gone'}: no such folder. Check the path.\n"
    (tmp_path / "file").touch()
    code, _, err = run(command, tmp_path / "file", *rest)
    assert code == 1
    assert "file: not a folder" in err
    assert not (tmp_path / "model.skops").exists()


def test_too_few_speakers_are_counted(speech_folder):
    code, out, err = run("compare", speech_folder, "--models", CHEAP, "--folds", 5)
    assert (code, out) == (1, "")
    assert "skkws: 5 folds without a speaker in two need at least as many speakers, got 4" in err


@pytest.mark.parametrize("command", ["compare", "demo"])
def test_an_unknown_model_is_refused_with_the_names_there_are(command, speech_folder):
    code, out, err = run(command, *([speech_folder] if command == "compare" else []), "--models", f"{CHEAP},hmm")
    assert (code, out) == (2, "")
    assert "--models" in err
    assert "hmm" in err
    assert "embedding+head" in err


def test_train_refuses_models_it_cannot_save(speech_folder, tmp_path):
    for name in ("hmm", "mfcc+svm"):
        code, out, err = run("train", speech_folder, "--model", name, "--output", tmp_path / "model.skops")
        assert (code, out) == (2, "")
        assert f"{name!r} is none of embedding+head, embedding+logreg, mfcc+logreg" in err


def test_train_with_noise_gives_another_spotter_that_predicts_like_any(speech_folder, recordings, tmp_path):
    (tmp_path / "noise").mkdir()
    hum = 0.1 * np.sin(2 * np.pi * 100 * np.arange(32000) / 16000)
    sf.write(tmp_path / "noise" / "hum.wav", hum, 16000)
    spotters = []
    for options in ([], ["--noise", tmp_path / "noise"]):
        code, out, err = run("train", speech_folder, "-o", tmp_path / "model.skops", "--model", "mfcc+logreg", *options)
        assert (code, out) == (0, "")
        assert ("Augmenting" in err) == bool(options)
        spotters.append(run("predict", tmp_path / "model.skops", *recordings)[1])
    assert spotters[0] != spotters[1]
    assert [line.split("\t")[0] for line in spotters[0].splitlines()] == [
        line.split("\t")[0] for line in spotters[1].splitlines()
    ]


def test_train_looks_for_the_noise_before_it_works(speech_folder, tmp_path):
    code, out, err = run("train", speech_folder, "-o", tmp_path / "model.skops", "--noise", tmp_path / "nowhere")
    assert (code, out) == (1, "")
    assert f"no file or folder {tmp_path / 'nowhere'}. Check the path." in err


FEW = partial(train_keyword_spotter, n_per_word=12, n_other_words=24, voices=6)


@pytest.fixture(scope="module")
def from_words(tmp_path_factory):
    """A spotter of two typed words, and what the command said."""
    folder = tmp_path_factory.mktemp("from_words")
    (folder / "others.txt").write_text("umbrella\nseventeen\nchocolate\ngarden\nwindow\nmorning\n")
    path = folder / "spotter.skops"
    options = ("--engines", "espeak-ng", "--word-list", folder / "others.txt")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("skkws.spotting.train_keyword_spotter", FEW)
        code, out, err = run("train", "--words", "stop, zoofi=[[z'u:fi]]", "-o", path, *options)
    assert (code, out) == (0, "")
    return path, err


def test_a_spotter_from_typed_words_says_how_well_it_should_do(from_words):
    path, err = from_words
    assert f"{path}: stop, zoofi; " in err
    assert "Clips: 24 of keywords, " in err
    for kind in ("keywords", "other words", "silence"):
        assert re.search(rf"^  {kind} +\d\.\d{{3}} \(\d\.\d{{3}}-\d\.\d{{3}}\) of \d+$", err, flags=re.M), kind
    assert "The voices are synthetic" in err


def test_a_spotter_from_typed_words_predicts_from_files(from_words, tmp_path):
    path, _ = from_words
    assert describe_model(path)["labels"] == ["_silence_", "_unknown_", "stop", "zoofi"]
    speech = synthesize_keywords(["stop", "umbrella"], 1, engines=["espeak-ng"], voices=["en-us+f4"], random_state=0)
    files = [str(tmp_path / f"{word}.wav") for word in speech.target]
    for file, clip in zip(files, speech.data, strict=True):
        sf.write(file, clip, 16000)
    code, out, _ = run("predict", path, *files)
    assert code == 0
    assert [line.split("\t")[0] for line in out.splitlines()] == load_model(path).predict(files).tolist()


def test_recordings_are_added_to_typed_words(speech_folder, tmp_path, monkeypatch):
    monkeypatch.setattr("skkws.spotting.train_keyword_spotter", FEW)
    (tmp_path / "others.txt").write_text("umbrella\nseventeen\nchocolate\n")
    options = ("--engines", "espeak-ng", "--word-list", tmp_path / "others.txt", "--add", speech_folder)
    code, out, err = run("train", "--words", "stop,yes", "-o", tmp_path / "spotter.skops", *options)
    assert (code, out) == (0, "")
    assert "36 of recordings" in err
    assert re.search(r"^  recordings +\d\.\d{3} .* of 36$", err, flags=re.M)
    assert "The voices are synthetic" not in err
    assert describe_model(tmp_path / "spotter.skops")["labels"] == ["_silence_", "_unknown_", "stop", "yes"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "give either a folder of recordings or --words, and not both"),
        (("DIR", "--words", "stop"), "give either a folder of recordings or --words, and not both"),
        (("DIR", "--add", "DIR"), "goes with --words alone"),
        (("--words", "stop", "--limit", "3"), "goes with DIR alone"),
        (("--words", "stop", "--model", "mfcc+logreg"), "goes with DIR alone"),
        (("--words", "stop,stop"), "--words must be distinct words, separated by commas, got 'stop,stop'. Write"),
        (("--words", ""), "--words must be distinct words, separated by commas, got ''. Write"),
        (("--words", "stop,"), "--words must be distinct words, separated by commas, got 'stop,'. Write"),
        (("--words", "zoofi="), "--words must be distinct words, separated by commas, got 'zoofi='. Write"),
        (("--words", "stop", "--noise", "nowhere"), "no file or folder nowhere. Check the path."),
        (("--words", "stop", "--engines", "parrot"), "engines must be distinct names out of espeak-ng"),
        (("--words", "stop", "--language", "de"), "word_list must be given for the language 'de'"),
        (("--words", "stop", "--word-list", "nowhere.txt"), "nowhere.txt"),
        (("--words", "stop", "--add", "nowhere"), "nowhere"),
    ],
)
def test_typed_words_that_cannot_be_trained_on_are_explained(options, message, speech_folder, tmp_path):
    options = [speech_folder if option == "DIR" else option for option in options]
    code, out, err = run("train", *options, "-o", tmp_path / "spotter.skops")
    assert code in (1, 2)
    assert out == ""
    assert message in err
    assert not (tmp_path / "spotter.skops").exists()


def test_a_missing_xgboost_is_named(speech_folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "xgboost", None)
    code, out, err = run("compare", speech_folder)
    assert (code, out) == (1, "")
    assert err.count("\n") == 1
    assert "mfcc+xgboost needs XGBoost; install it with pip install xgboost-cpu. Without it there are embedding" in err


@pytest.mark.parametrize(
    ("args", "needing"),
    [
        (["compare", "DIR"], "mfcc+xgboost, mfcc+svm and mfcc+logreg need librosa"),
        (["train", "DIR", "--model", "mfcc+logreg", "-o", "model.skops"], "mfcc+logreg needs librosa"),
        (["extract", "DIR", "--features", "mfcc", "-o", "rows.npz"], "MFCC needs librosa"),
    ],
)
def test_a_missing_librosa_is_named_before_a_recording_is_read(args, needing, speech_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "librosa", None)
    code, out, err = run(*(speech_folder if arg == "DIR" else arg for arg in args))
    assert (code, out) == (1, "")
    assert err.startswith(f"skkws: {needing}; install it with pip install librosa.")
    assert err.count("\n") == 1


def test_the_demo_leaves_out_what_lacks_a_package(monkeypatch):
    def stop(*args, **kwargs):
        raise RuntimeError("stopped before the work")

    monkeypatch.setitem(sys.modules, "librosa", None)
    monkeypatch.setattr("skkws.synthesis.synthesize_keywords", stop)
    code, out, err = run("demo")
    assert (code, out) == (1, "")
    left_out, last = err.splitlines()[:-1], err.splitlines()[-1]
    assert left_out == [
        f"left out: {name} needs librosa; install it with pip install librosa."
        for name in ("mfcc+xgboost", "mfcc+svm", "mfcc+logreg")
    ]
    assert last == "skkws: stopped before the work"


def test_where_no_result_could_be_kept_no_work_is_done(speech_folder, tmp_path):
    (tmp_path / "file").touch()
    for args, message in (
        (["compare", speech_folder, "-o", tmp_path / "file"], "file cannot be made: File exists"),
        (["compare", speech_folder, "-o", tmp_path / "file" / "report"], "cannot be made"),
        (["demo", "-o", tmp_path / "file"], "file cannot be made: File exists"),
        (["train", speech_folder, "-o", tmp_path], "is a folder; name a file in it"),
        (["train", speech_folder, "-o", tmp_path / "file" / "model.skops"], "cannot be made"),
    ):
        code, out, err = run(*args)
        assert (code, out) == (2, "")
        assert "--output" in err
        assert message in err
        assert "Loading audio" not in err
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_is_read_only_is_named(speech_folder, tmp_path):
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    for args in (["compare", "-o", folder], ["train", "-o", folder / "model.skops"]):
        code, _, err = run(args[0], speech_folder, *args[1:])
        assert code == 2
        assert "locked is not writable" in err


@pytest.mark.parametrize("what", ["folder", "words"])
def test_train_refuses_a_name_of_another_format_before_the_work(what, speech_folder, tmp_path):
    source = [speech_folder] if what == "folder" else ["--words", "stop"]
    code, out, err = run("train", *source, "-o", tmp_path / "new" / "spotter.onnx")
    assert (code, out) == (2, "")
    assert "name it spotter.skops." in " ".join(err.split())
    assert list(tmp_path.iterdir()) == []


def test_predict_refuses_what_is_no_model(model, recordings, tmp_path):
    damaged = tmp_path / "damaged.skops"
    damaged.write_bytes(model.read_bytes()[:-1000])
    classifier = tmp_path / "classifier.skops"
    save_model(LogisticRegression().fit([[0.0], [1.0]], ["no", "yes"]), classifier)
    empty_zip = tmp_path / "empty.zip"
    zipfile.ZipFile(empty_zip, "w").close()
    for path, message in (
        (damaged, "damaged.skops is no model that skkws saved, or it is damaged: "),
        (empty_zip, "empty.zip is no model that skkws saved, or it is damaged: "),
        (recordings[0], f"{recordings[0]} is no model that skkws saved, or it is damaged: "),
        (tmp_path / "gone.skops", "gone.skops; check the path."),
        (classifier, "classifier.skops does not go from recordings to probabilities; make a model with skkws train."),
    ):
        code, out, err = run("predict", path, *recordings)
        assert (code, out) == (1, "")
        assert err.startswith("skkws: ")
        assert message in err
        assert err.count("\n") == 1


def test_an_interrupt_is_one_message_and_exit_code_130(speech_folder, monkeypatch):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("skkws.compare.compare_classifiers", interrupt)
    code, out, err = run("compare", speech_folder, "--models", CHEAP)
    assert (code, out) == (130, "")
    assert err.endswith("skkws: interrupted; nothing half-written is left.\n")
    assert "Traceback" not in err


# As a program of its own


def start(*args):
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([*COMMAND, *map(str, args)], **pipes, text=True, encoding="utf-8", start_new_session=True)


def interrupt_after(process, text):
    """Send Ctrl-C once the program has written this to standard error; what it has written there in all."""
    lines = []
    while not lines or text not in lines[-1]:
        lines.append(process.stderr.readline())
        assert lines[-1], "".join(lines)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert out == ""
    return "".join(lines) + err


def test_the_program_writes_results_alone(speech_folder, recordings, tmp_path):
    model = tmp_path / "model.skops"
    assert run("train", speech_folder, "--model", "embedding+logreg", "--output", model)[0] == 0
    expected = run("predict", model, *recordings)[1]
    done = subprocess.run(
        [*COMMAND, "predict", str(model), *map(str, recordings)], capture_output=True, text=True, check=False
    )
    # TensorFlow's lines at its start, such as those of port.cc and absl::InitializeLog, are not for our users.
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == expected


@posix
def test_ctrl_c_ends_compare_with_one_message_and_keeps_what_is_finished(speech_folder, tmp_path):
    process = start("compare", speech_folder, "--output", tmp_path)  # all models, which takes a while
    err = interrupt_after(process, "Computing features")
    assert process.returncode == 130
    assert err.count("skkws: interrupted; nothing half-written is left.") == 1
    assert "Traceback" not in err
    assert "Aborted" not in err
    assert "The fits that are done are kept in" in err
    assert os.listdir(tmp_path) == [".checkpoints"]


@posix
def test_ctrl_c_ends_extract_and_keeps_what_is_done(speech_folder, tmp_path):
    folder, cache = tmp_path / "words" / "many", tmp_path / "cache"
    folder.mkdir(parents=True)
    (clip, *_) = sorted(speech_folder.glob("*/*.wav"))
    for i in range(1500):
        (folder / f"{i}_0.wav").write_bytes(clip.read_bytes() + bytes(i))  # equal ones are computed once
    process = start("extract", folder.parent, "--output", tmp_path / "features.npz", "--cache", cache)
    while not list(cache.glob("*/[!.]*.npy")):
        assert process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert err.count("skkws: interrupted; nothing half-written is left.") == 1
    assert "Traceback" not in err
    assert sorted(os.listdir(tmp_path)) == ["cache", "words"]
    assert not list(cache.glob("*/.*"))
    assert extract([folder / "0_0.wav"], cache_dir=cache).n_known == 1


@posix
def test_ctrl_c_ends_train_and_keeps_the_old_model(model, speech_folder, tmp_path):
    path = tmp_path / "words.skops"
    shutil.copy(model, path)
    process = start("train", speech_folder, "--output", path)
    err = interrupt_after(process, "Loading audio")
    assert process.returncode == 130
    assert err.count("skkws: interrupted; nothing half-written is left.") == 1
    assert "Traceback" not in err
    assert path.read_bytes() == model.read_bytes()
    assert os.listdir(tmp_path) == ["words.skops"]


@posix
def test_a_full_disk_costs_no_result_that_fits_and_is_named_where_it_does_not(speech_folder, tmp_path):
    """As far as the largest file that is allowed stands for the disk."""
    line = 'ulimit -f {}; exec "$@"'
    cache, output = tmp_path / "cache", tmp_path / "out.npz"
    extract = ["extract", speech_folder, "-o", output, "--cache", cache, "--features", "logmel"]
    done = shell(line.format(800), *extract, text=True)
    assert done.returncode == 1
    assert done.stderr.count("Note: features are computed and not kept, as there is no room in") == 1
    assert re.search(
        rf"skkws: {output}: File too large to write it; .* are free in its folder\. Make room", done.stderr
    )
    assert not output.exists()
    model = tmp_path / "model.skops"
    model.write_bytes(b"the old one")
    done = shell(line.format(1), "train", speech_folder, "-o", model, "--model", CHEAP, text=True)
    assert done.returncode == 1
    assert f"{model}: File too large to write it" in done.stderr
    assert model.read_bytes() == b"the old one"
    assert not list(tmp_path.glob(".*"))


@posix
@pytest.mark.parametrize("args", [["--help"], ["predict", "--help"], ["--version"], ["voices", "--names"]])
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a full device")
def test_what_cannot_be_printed_is_said_in_a_line(args):
    with open("/dev/full", "w") as full:
        done = subprocess.run([*COMMAND, *args], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("skkws: the standard output stream")
    assert "No space left on device" in done.stderr


def shell(line, *args, **options):
    """Run a line of the shell, in which "$@" stands for the command and these arguments."""
    command = ["sh", "-c", line, "sh", *COMMAND, *map(str, args)]
    return subprocess.run(command, capture_output=True, check=False, **options)


@posix
def test_closed_streams_are_no_reason_to_fail_where_nothing_is_to_be_printed(
    model, recordings, speech_folder, tmp_path
):
    done = shell('exec "$@" >&-', "predict", model, *recordings, text=True)
    assert (done.returncode, done.stderr) == (1, "skkws: the standard output stream: Bad file descriptor.\n")
    done = shell('exec "$@" <&- 2>&-', "voices", "--names", text=True)
    assert (done.returncode, done.stdout) == (0, run("voices", "--names")[1])
    output = tmp_path / "model.skops"
    assert shell('exec "$@" >&- <&-', "train", speech_folder, "-o", output, "--model", CHEAP).returncode == 0
    assert load_model(output).classes_.tolist() == load_model(model).classes_.tolist()


@posix
@pytest.mark.parametrize(
    "encoding", ["ascii", *(pytest.param(name, marks=pytest.mark.slow) for name in ("cp1252", "utf-8"))]
)
def test_names_that_cannot_be_printed_take_nothing_along(encoding, model, recordings, tmp_path):
    names = [
        os.fsencode(tmp_path) + b"/" + name
        for name in (b"a\nb.wav", b"\xff.wav", "\u4e2d\u00e9.wav".encode(), b"z.wav")
    ]
    names = [os.fsdecode(name) for name in names]
    for name in names:
        shutil.copy(recordings[0], name)
    bad = tmp_path / os.fsdecode(b"bad\xfe.wav")
    bad.write_bytes(b"no audio")
    environment = os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    plain, objects = (
        shell('exec "$@"', "predict", *option, model, *names[:2], bad, *names[2:], env=environment)
        for option in ([], ["--json"])
    )
    lines = plain.stdout.splitlines()
    assert len(lines) == 4
    assert b"a\\nb.wav" in lines[0]
    assert lines[3].endswith(b"z.wav")
    assert [json.loads(line)["file"] for line in objects.stdout.splitlines()] == names
    for done in (plain, objects):
        assert done.returncode == 1
        assert b"cannot be decoded" in done.stderr
        assert b"Traceback" not in done.stderr


def test_every_command_shows_where_an_error_comes_from_if_asked(recordings, tmp_path):
    code, _, err = run("predict", "--debug", tmp_path / "gone.skops", *recordings)
    assert code == 1
    assert err.startswith("Traceback (most recent call last):")
    assert err.endswith("gone.skops; check the path.\n")


def test_a_fault_of_ours_is_a_line_that_says_so(model, recordings, monkeypatch):
    def broken(*args, **kwargs):
        raise KeyError("x")

    monkeypatch.setattr("skkws.persistence.load_model", broken)
    code, out, err = run("predict", model, *recordings)
    assert (code, out) == (1, "")
    assert err == "skkws: KeyError: 'x'. This is a fault of skkws; please report what --debug shows.\n"


IMPATIENT = """
import os, signal, sys, time
from types import ModuleType

def interrupt():
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.1)

class Commands(ModuleType):
    def app(self):
        try:
            interrupt()
        finally:
            interrupt()
            print("cleaned up")

sys.modules["skkws.cli._app"] = Commands("skkws.cli._app")
if sys.argv[1] == "start":
    Commands.app = property(lambda self: interrupt())
from skkws.cli import main
main()
"""


@posix
@pytest.mark.parametrize("when", ["start", "work"])
def test_impatient_interrupts_give_one_message(when):
    done = subprocess.run([sys.executable, "-c", IMPATIENT, when], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "skkws: interrupted.\n")
    assert done.stdout == ("cleaned up\n" if when == "work" else "")


@pytest.mark.parametrize("value", ["abc", "0", "-3", "", "1,2", "99999999999", "\u0664"])
def test_a_strange_number_of_threads_is_no_error(value, model, recordings, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", value)
    assert run("predict", model, *recordings)[0] == 0


@pytest.mark.parametrize("duration", ["1e9", "nan", "inf", "0", "-1"])
def test_durations_that_no_recording_has_are_refused(duration, speech_folder, tmp_path):
    code, out, err = run("train", speech_folder, "-o", tmp_path / "m.skops", "--duration", duration)
    assert (code, out) == (2, "")
    assert "'--duration'" in err


def test_longer_recordings_are_counted_and_can_be_cut_to_the_loudest(speech_folder, tmp_path):
    said = "36 of 36 clips are longer than duration=0.5 s"
    features = {}
    for pad in ("center", "loudest"):
        output = tmp_path / f"{pad}.npz"
        code, _, err = run(
            "extract", speech_folder, "-o", output, "--duration", 0.5, "--pad", pad, "--features", "logmel"
        )
        assert code == 0
        assert err.count(said) == (pad == "center")
        features[pad] = np.load(output)["features"]
    assert not np.array_equal(features["center"], features["loudest"])
    model = tmp_path / "m.skops"
    assert said in run("train", speech_folder, "-o", model, "--duration", 0.5, "--model", CHEAP)[2]
    assert said in run("compare", speech_folder, "--limit", 12, "--duration", 0.5, "--models", CHEAP)[2]
    assert "longer than duration=0.5 s" in run("predict", model, *sorted(speech_folder.rglob("*.wav")))[2]
    assert run("train", speech_folder, "-o", model, "--duration", 0.5, "--pad", "loudest", "--model", CHEAP)[0] == 0
    assert load_model(model)[0].pad == "loudest"
    code, _, err = run("train", speech_folder, "-o", model, "--pad", "middle")
    assert code == 2
    assert "'middle' is none of center, start, end, loudest" in err


@posix
def test_a_reader_that_has_seen_enough_is_no_error_to_complain_of(model, recordings):
    process = start("predict", model, *recordings)
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(timeout=60) == 1
    process.stderr.close()
