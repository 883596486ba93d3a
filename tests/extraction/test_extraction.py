import os
import re
import shutil
import subprocess
import sys
import textwrap
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from joblib import Parallel, delayed, parallel_config
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tally import Tally

from skkws import (
    AudioLoader,
    CachedTransformer,
    KeywordHeadClassifier,
    LogMelTransformer,
    MFCCTransformer,
    SpeechEmbeddingTransformer,
    extract_features,
    iter_batches,
)
from skkws.audio import AudioError
from skkws.extraction import extract

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals and permissions")
computed = Tally()


class Counting(TransformerMixin, BaseEstimator):
    """The loudness of the parts of each clip; notes the rows it computes in `computed`."""

    def __init__(self, n_parts=8):
        self.n_parts = n_parts

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        computed.append(len(X))
        return np.stack([(part**2).mean(axis=1) for part in np.array_split(X, self.n_parts, axis=1)], axis=1)


@pytest.fixture(autouse=True)
def _count_from_zero():
    computed.clear()


@pytest.fixture
def files(speech_folder):
    """36 recordings, in an order that is none of theirs."""
    paths = sorted(speech_folder.glob("*/*.wav"))
    return [paths[i] for i in np.random.default_rng(0).permutation(len(paths))]


def in_two_steps(files, transformer, loader=None):
    waveforms = (loader or AudioLoader()).fit_transform([str(file) for file in files])
    return clone(transformer).fit_transform(waveforms)


# What comes out


@pytest.mark.parametrize("n_jobs", [None, 2, -1])
@pytest.mark.parametrize("batch_size", [1, 5, 36, 1000])
def test_rows_are_those_of_loader_and_transformer_in_the_order_of_the_files(files, n_jobs, batch_size):
    expected = in_two_steps(files, MFCCTransformer())
    X = extract_features(files, MFCCTransformer(), n_jobs=n_jobs, batch_size=batch_size)
    assert X.dtype == np.float32
    np.testing.assert_array_equal(X, expected)


def test_the_default_is_the_speech_embedding(files, tmp_path):
    expected = in_two_steps(files, SpeechEmbeddingTransformer())
    np.testing.assert_array_equal(extract_features(files), expected)
    for batch_size in (7, 36):  # computed, then read
        X = extract_features(files, cache_dir=tmp_path, batch_size=batch_size)
        np.testing.assert_array_equal(X, expected)


def test_the_loader_says_how_a_recording_becomes_a_row(tmp_path):
    t = np.arange(44100) / 44100
    files = [tmp_path / "mono.wav", tmp_path / "stereo.flac", tmp_path / "slow.ogg"]
    sf.write(files[0], 0.1 * np.sin(2 * np.pi * 500 * t), 44100)
    sf.write(files[1], 0.1 * np.sin(2 * np.pi * 500 * np.stack([t, 2 * t], axis=1)), 44100)
    sf.write(files[2], 0.1 * np.sin(2 * np.pi * 500 * t), 8000)
    loader = AudioLoader(sample_rate=8000, duration=0.5, pad="end", n_jobs=2)
    X = extract_features(files, LogMelTransformer(8000, fmax=4000.0), loader=loader)
    np.testing.assert_array_equal(X, in_two_steps(files, LogMelTransformer(8000, fmax=4000.0), loader))


@pytest.mark.parametrize("form", [tuple, np.array, lambda files: np.array(list(map(str, files))), iter])
def test_files_come_in_any_collection(files, form):
    X = extract_features(form(files[:3]), Counting())
    np.testing.assert_array_equal(X, in_two_steps(files[:3], Counting()))


def test_pipelines_and_fitted_transformers_are_used_and_not_changed(files, tmp_path):
    waveforms = AudioLoader().fit_transform([str(file) for file in files])
    unfitted = make_pipeline(LogMelTransformer(), SpeechEmbeddingTransformer("logmel", pooling="mean"))
    X = extract_features(files, unfitted, cache_dir=tmp_path)
    np.testing.assert_array_equal(X, clone(unfitted).fit_transform(waveforms))
    assert not hasattr(unfitted[0], "output_shape_")
    for part in (waveforms[:18], waveforms[18:]):
        fitted = make_pipeline(MFCCTransformer(), StandardScaler()).fit(part)
        expected = fitted.transform(waveforms)
        for _ in range(2):
            np.testing.assert_array_equal(extract_features(files, fitted, cache_dir=tmp_path), expected)
    cached = CachedTransformer(MFCCTransformer(), tmp_path)
    np.testing.assert_array_equal(extract_features(files, cached), MFCCTransformer().fit_transform(waveforms))


@pytest.mark.parametrize("learns", [StandardScaler(), make_pipeline(MFCCTransformer(), PCA(2))])
def test_what_learns_from_data_is_to_be_fitted_first(files, learns):
    with pytest.raises(ValueError, match=r"fit learns nothing .* this (Pipe|Standard)\w+ is neither\. Fit it"):
        extract_features(files, learns)


def test_a_bar_with_clips_per_second_only_when_verbose_and_only_on_stderr(files, tmp_path, capsys):
    extract_features(files, Counting())
    assert capsys.readouterr() == ("", "")
    extract_features(files, Counting(), cache_dir=tmp_path, batch_size=10, verbose=1)
    out, err = capsys.readouterr()
    assert out == ""
    assert "36/36" in err
    assert "clips/s" in err


# What is remembered


def test_a_second_run_decodes_and_computes_nothing(files, tmp_path, decoded):
    first = extract_features(files, Counting(), cache_dir=tmp_path)
    assert sorted(decoded) == sorted(file.read_bytes() for file in files)
    again = extract_features(files[::-1], Counting(), cache_dir=str(tmp_path), n_jobs=2, batch_size=3)
    np.testing.assert_array_equal(again, first[::-1])
    assert again.dtype == first.dtype
    assert len(decoded) == computed[0] == 36
    assert len(computed) == 1


def test_only_new_files_are_computed(files, tmp_path, decoded):
    extract_features(files[::2], Counting(), cache_dir=tmp_path)
    decoded.clear()
    X = extract_features(files, Counting(), cache_dir=tmp_path)
    np.testing.assert_array_equal(X, in_two_steps(files, Counting()))
    assert computed[:2] == [18, 18]
    assert sorted(decoded[:18]) == sorted(file.read_bytes() for file in files[1::2])


def test_a_file_is_known_by_its_bytes_and_not_by_its_name(files, tmp_path):
    here, there = tmp_path / "here.wav", tmp_path / "there"
    shutil.copy(files[0], here)
    first = extract_features([here], Counting(), cache_dir=tmp_path / "cache")
    here.rename(there)
    np.testing.assert_array_equal(extract_features([there], Counting(), cache_dir=tmp_path / "cache"), first)
    assert computed == [1]
    shutil.copy(files[1], there)
    assert not np.array_equal(extract_features([there], Counting(), cache_dir=tmp_path / "cache"), first)
    assert computed == [1, 1]


def test_equal_files_have_equal_rows(files, tmp_path):
    for _ in range(2):
        X = extract_features([files[0], files[1], files[0]], Counting(), cache_dir=tmp_path)
        np.testing.assert_array_equal(X, in_two_steps([files[0], files[1], files[0]], Counting()))


@pytest.mark.parametrize(
    ("transformer", "loader"),
    [
        (Counting(n_parts=4), None),
        (Counting(), AudioLoader(duration=0.5)),
        (Counting(), AudioLoader(pad="end")),
        (Counting(), AudioLoader(sample_rate=8000, duration=2.0)),
    ],
)
def test_another_parameter_is_another_row(files, tmp_path, transformer, loader):
    extract_features(files, Counting(), cache_dir=tmp_path)
    X = extract_features(files, transformer, loader=loader, cache_dir=tmp_path)
    assert computed == [36, 36]
    np.testing.assert_array_equal(X, in_two_steps(files, transformer, loader))


def test_what_does_not_change_the_rows_is_no_other_setting(files, tmp_path):
    extract_features(files, Counting(), cache_dir=tmp_path)
    loader = AudioLoader(n_jobs=2, verbose=1, source_rate=8000)  # of arrays
    extract_features(files, Counting(), loader=loader, cache_dir=tmp_path)
    extract_features(files, Counting().fit(None), cache_dir=tmp_path)
    assert extract(files, Counting(), AudioLoader(on_error="skip"), tmp_path).n_known == 36
    assert computed == [36]


def test_two_processes_fill_one_folder_at_once(files, tmp_path):
    expected = in_two_steps(files, MFCCTransformer())
    runs = Parallel(n_jobs=2)(
        delayed(extract_features)(some, MFCCTransformer(), cache_dir=tmp_path, batch_size=2)
        for some in (files, files[::-1])
    )
    np.testing.assert_array_equal(runs[0], expected)
    np.testing.assert_array_equal(runs[1], expected[::-1])
    again = extract(files, MFCCTransformer(), cache_dir=tmp_path)
    assert again.n_known == 36
    np.testing.assert_array_equal(again.features, expected)


KILLED = """
    import os, signal, sys
    from skkws import MFCCTransformer, extract_features

    class Killed(MFCCTransformer):
        n_batches = 0

        def transform(self, X):
            Killed.n_batches += 1
            if Killed.n_batches == 4:
                os.kill(os.getpid(), getattr(signal, sys.argv[1]))
            return super().transform(X)

    Killed.__module__, Killed.__qualname__ = "skkws.features", MFCCTransformer.__qualname__
    extract_features(sys.argv[3:], Killed(), cache_dir=sys.argv[2], batch_size=5)
"""


@posix
@pytest.mark.parametrize("signal", ["SIGKILL", "SIGINT"])
def test_a_run_that_was_stopped_is_taken_up_where_it_was(files, tmp_path, signal):
    code = textwrap.dedent(KILLED)
    command = [sys.executable, "-c", code, signal, str(tmp_path), *map(str, files)]
    assert subprocess.run(command, capture_output=True, check=False, timeout=120).returncode < 0
    resumed = extract(files, MFCCTransformer(), cache_dir=tmp_path)
    assert resumed.n_known == 15
    np.testing.assert_array_equal(resumed.features, in_two_steps(files, MFCCTransformer()))


def test_a_cut_off_shard_is_named_and_computed_again(files, tmp_path):
    expected = extract_features(files, Counting(), cache_dir=tmp_path, batch_size=9)
    shard = next(tmp_path.glob("*/*.npy"))
    shard.write_bytes(shard.read_bytes()[:-10])
    with pytest.warns(UserWarning, match=f"{shard.name} is damaged"):
        X = extract_features(files, Counting(), cache_dir=tmp_path)
    np.testing.assert_array_equal(X, expected)
    assert computed == [9] * 5


# What a user can mend


def make_missing(path):
    path.unlink()


def make_empty(path):
    path.write_bytes(b"")


def make_text(path):
    path.write_text("not a recording\n" * 100)


def make_cut(path):
    path.write_bytes(path.read_bytes()[:1000])


BAD = [
    (make_missing, FileNotFoundError, "no such file. Check the path"),
    (make_empty, AudioError, r"the file is empty \(0 bytes\)"),
    (make_text, AudioError, "cannot be decoded"),
    (make_cut, AudioError, "cut off: .* Copy or record it again, or leave it out"),
]


@pytest.mark.parametrize("n_jobs", [None, 2])
@pytest.mark.parametrize(("make_bad", "error", "message"), BAD)
def test_a_bad_file_is_named_and_what_was_done_before_it_is_kept(files, tmp_path, make_bad, error, message, n_jobs):
    files = [shutil.copy(file, tmp_path / f"{i}.wav") for i, file in enumerate(files)]
    make_bad(files[23])
    for cache_dir in (None, tmp_path / "cache"):
        with pytest.raises(error, match=rf"{os.sep}23\.wav: {message}"):
            extract_features(files, Counting(), cache_dir=cache_dir, batch_size=4, n_jobs=n_jobs)
    assert extract(files[:20], Counting(), cache_dir=tmp_path / "cache").n_known == 20


@pytest.mark.parametrize(("make_bad", "error", "message"), BAD)
def test_bad_files_can_be_left_out_and_are_counted(files, tmp_path, make_bad, error, message):
    files = [shutil.copy(file, tmp_path / f"{i}.wav") for i, file in enumerate(files)]
    for i in (0, 1, 2, 3, 30):
        make_bad(files[i])
    good = [i for i in range(36) if i not in (0, 1, 2, 3, 30)]
    loader = AudioLoader(on_error="skip")
    for cache_dir, n_known in ((None, 0), (tmp_path / "cache", 0), (tmp_path / "cache", 31)):
        found = extract(files, Counting(), loader, cache_dir, batch_size=4)
        assert found.kept.tolist() == good
        assert found.n_known == n_known
        assert [str(reason).partition(":")[0] for reason in found.skipped] == [str(files[i]) for i in (0, 1, 2, 3, 30)]
        np.testing.assert_array_equal(found.features, in_two_steps([files[i] for i in good], Counting()))
    with pytest.raises(AudioError, match=r"none of the 4 files can be used; the first one: .*0\.wav: "):
        extract(files[:4], Counting(), loader)


@pytest.mark.parametrize(
    ("files", "options", "error", "message"),
    [
        ([], {}, ValueError, r"files holds no path \(0 samples\); a minimum of 1 is required"),
        ("a.wav", {}, ValueError, "files must be a collection of paths, got a single str"),
        ([np.zeros(16000)], {}, TypeError, "files must hold paths, .* got ndarray at 0"),
        (["a.wav"], {"batch_size": 0}, ValueError, "batch_size must be 1 or more, got 0"),
        (["a.wav"], {"loader": MFCCTransformer()}, TypeError, "loader must be an AudioLoader or None"),
        (["a.wav"], {"loader": AudioLoader(duration=None)}, ValueError, "loader must have a duration"),
        (["a.wav"], {"loader": AudioLoader(on_error="skip")}, ValueError, "loader must have on_error='raise'"),
        (["a.wav"], {"transformer": MFCCTransformer(n_mfcc=0)}, ValueError, "'n_mfcc' parameter of MFCCTransformer"),
    ],
)
def test_parameters_are_checked_before_a_file_is_opened(files, options, error, message):
    with pytest.raises(error, match=message):
        extract_features(files, **options)


def test_a_cache_that_is_no_folder_is_refused_before_anything_is_computed(files, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"cache_dir must be a folder, and .*file cannot be made one"):
        extract_features(files, Counting(), cache_dir=tmp_path / "file")
    assert computed == []


def test_only_a_few_batches_are_decoded_ahead(tmp_path, decoded):
    files = [tmp_path / f"{i}.wav" for i in range(60)]
    for i, file in enumerate(files):
        sf.write(file, np.full(800, i / 100), 16000)
    ahead = []

    class Watching(Counting):
        def transform(self, X):
            rows = super().transform(X)
            ahead.append(len(decoded) - sum(computed))
            return rows

    extract_features(files, Watching(), batch_size=5, n_jobs=2)
    assert len(decoded) == 60
    assert max(ahead) <= 3 * 6


# What does not fit into memory


@pytest.mark.parametrize("n_jobs", [None, 2])
@pytest.mark.parametrize("batch_size", [1, 7, 1000])
def test_rows_in_a_file_are_those_in_memory(files, tmp_path, n_jobs, batch_size):
    expected = extract_features(files, MFCCTransformer())
    X = extract_features(files, MFCCTransformer(), out=tmp_path / "x.npy", n_jobs=n_jobs, batch_size=batch_size)
    assert isinstance(X, np.memmap)
    assert not X.flags.writeable
    assert X.dtype == expected.dtype
    np.testing.assert_array_equal(X, expected)
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), expected)
    assert os.listdir(tmp_path) == ["x.npy"]


def test_rows_found_and_rows_computed_are_written_in_the_order_of_the_files(files, tmp_path):
    expected = in_two_steps(files, Counting())
    extract_features(files[::3], Counting(), cache_dir=tmp_path / "cache", batch_size=5)
    computed.clear()
    for n_new in (24, 0):
        X = extract_features(files, Counting(), cache_dir=tmp_path / "cache", out=str(tmp_path / "x.npy"), batch_size=4)
        np.testing.assert_array_equal(X, expected)
        assert sum(computed) == n_new
        computed.clear()


def test_a_cut_off_shard_is_computed_again_for_a_file_of_rows_too(files, tmp_path):
    expected = extract_features(files, Counting(), cache_dir=tmp_path / "cache", batch_size=9)
    shard = next(tmp_path.glob("cache/*/*.npy"))
    shard.write_bytes(shard.read_bytes()[:-10])
    with pytest.warns(UserWarning, match=f"{shard.name} is damaged") as warned:
        X = extract_features(
            files[::-1], Counting(), cache_dir=tmp_path / "cache", out=tmp_path / "x.npy", batch_size=4
        )
    assert len(warned) == 1
    np.testing.assert_array_equal(X, expected[::-1])


@pytest.mark.parametrize("old", [None, b"old"])
def test_a_bad_file_leaves_no_file_of_rows_and_the_old_one_as_it_was(files, tmp_path, old):
    out = tmp_path / "x.npy"
    if old:
        out.write_bytes(old)
    with pytest.raises(FileNotFoundError, match=r"missing\.wav: no such file"):
        extract_features([*files[:20], tmp_path / "missing.wav"], Counting(), out=out, batch_size=4)
    assert sum(computed) == 20
    assert [file.read_bytes() for file in tmp_path.iterdir()] == ([old] if old else [])


@pytest.mark.parametrize(
    ("out", "error", "message"),
    [
        ("x.npz", ValueError, r"out must be a file that ends in \.npy, got .*x\.npz.*\. Rename it"),
        ("none/x.npy", FileNotFoundError, r"out is to be written to the folder .*none, and there is none\. Make it"),
        ("folder.npy", IsADirectoryError, r"out must be a file, and .*folder\.npy is a folder\. Name a file in it"),
    ],
)
def test_a_file_that_cannot_be_written_is_refused_before_anything_is_computed(files, tmp_path, out, error, message):
    (tmp_path / "folder.npy").mkdir()
    with pytest.raises(error, match=message):
        extract_features(files, Counting(), out=tmp_path / out)
    assert computed == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_is_read_only_is_refused_before_anything_is_computed(files, tmp_path):
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    with pytest.raises(PermissionError, match=r"out is to be written to .*locked, which is not writable"):
        extract_features(files, Counting(), out=folder / "x.npy")
    assert computed == []


FULL = """
    import resource, sys
    from skkws import MFCCTransformer, extract_features

    resource.setrlimit(resource.RLIMIT_FSIZE, (10000, 10000))
    extract_features(sys.argv[2:], MFCCTransformer(), out=sys.argv[1], batch_size=5)
"""


@posix
def test_a_full_disk_is_an_error_that_says_so_and_leaves_nothing(files, tmp_path):
    command = [sys.executable, "-c", textwrap.dedent(FULL), str(tmp_path / "x.npy"), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert re.search(r"File too large to write it; .* are free in its folder. Make room, or", done.stderr)
    assert f"'{tmp_path / 'x.npy'}'" in done.stderr
    assert list(tmp_path.iterdir()) == []


class Wide(Counting):
    """Rows of 4 MB."""

    def transform(self, X):
        return np.repeat(super().transform(X)[:, :1], 1_000_000, axis=1)


def peak_of(function):
    """What NumPy and Python allocated at once, in bytes, and what the function returned."""
    tracemalloc.start()
    try:
        result = function()
        return tracemalloc.get_traced_memory()[1], result
    finally:
        tracemalloc.stop()


def test_a_file_of_rows_is_never_in_memory_computed_or_found(files, tmp_path):
    options = {"cache_dir": tmp_path / "cache", "out": tmp_path / "x.npy", "batch_size": 2}
    for _ in range(2):
        peak, X = peak_of(lambda: extract_features(files, Wide(), **options))
        assert X.nbytes == 36 * 4_000_000
        assert peak < X.nbytes / 3
    assert sum(computed) == 36


def test_batches_of_known_rows_in_any_order_are_all_that_is_in_memory(files, tmp_path):
    extract_features(files, Wide(), cache_dir=tmp_path, out=tmp_path / "x.npy", batch_size=6)
    batches = iter_batches(files, None, Wide(), batch_size=2, shuffle=True, random_state=0, cache_dir=tmp_path)
    peak, n_rows = peak_of(lambda: sum(len(X) for X in batches))
    assert n_rows == sum(computed) == 36
    assert peak < 36 * 4_000_000 / 3


# Batch by batch


def test_batches_are_the_rows_and_labels_in_turn(files):
    expected, y = in_two_steps(files, MFCCTransformer()), [file.parent.name for file in files]
    batches = list(iter_batches(files, y, MFCCTransformer(), batch_size=10, n_jobs=2))
    assert [len(X) for X, _ in batches] == [10, 10, 10, 6]
    np.testing.assert_array_equal(np.concatenate([X for X, _ in batches]), expected)
    assert np.concatenate([labels for _, labels in batches]).tolist() == y
    alone = list(iter_batches(files, None, MFCCTransformer(), batch_size=10))
    np.testing.assert_array_equal(np.concatenate(alone), expected)


def test_shuffled_batches_hold_each_file_once_in_an_order_of_random_state(files, tmp_path):
    expected = in_two_steps(files, Counting())

    def order(random_state):
        options = {"batch_size": 8, "shuffle": True, "random_state": random_state, "cache_dir": tmp_path}
        batches = list(iter_batches(files, np.arange(36), Counting(), **options))
        indices = np.concatenate([labels for _, labels in batches])
        np.testing.assert_array_equal(np.concatenate([X for X, _ in batches]), expected[indices])
        assert sorted(indices) == list(range(36))
        return indices.tolist()

    assert order(0) == order(0) != list(range(36))
    assert order(1) != order(0)
    epochs = np.random.RandomState(0)
    assert order(epochs) != order(epochs)
    assert sum(computed) == 2 * 36  # in_two_steps, and the first pass


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        (([],), {}, ValueError, "files holds no path"),
        ((["a.wav"], [1, 2]), {}, ValueError, r"inconsistent numbers of samples: \[1, 2\]"),
        ((["a.wav"],), {"batch_size": 0}, ValueError, "batch_size must be 1 or more, got 0"),
        ((["a.wav"],), {"shuffle": True, "random_state": "x"}, ValueError, "cannot be used to seed"),
        ((["a.wav"],), {"loader": AudioLoader(on_error="skip")}, ValueError, "loader must have on_error='raise'"),
        ((["a.wav"], None, StandardScaler()), {}, ValueError, "Fit it first"),
    ],
)
def test_arguments_of_batches_are_checked_in_the_call(arguments, options, error, message):
    with pytest.raises(error, match=message):
        iter_batches(*arguments, **options)  # not even begun


def test_a_bad_file_is_named_when_its_turn_comes(files, tmp_path):
    batches = iter_batches([*files[:5], tmp_path / "missing.wav"], None, Counting(), batch_size=5)
    assert len(next(batches)) == 5
    with pytest.raises(FileNotFoundError, match=r"missing\.wav: no such file"):
        next(batches)


def test_a_head_learns_from_batches(files):
    y = [file.parent.name for file in files]
    head, order = KeywordHeadClassifier(random_state=0), np.random.RandomState(0)
    for _ in range(10):
        for X, labels in iter_batches(files, y, batch_size=12, shuffle=True, random_state=order):
            head.partial_fit(X, labels, classes=np.unique(y))
    assert head.n_iter_ == 30
    assert head.score(extract_features(files), y) > 0.9


def test_workers_that_stand_elsewhere_fill_the_folder_that_was_given(files, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with parallel_config("loky", n_jobs=2):
        Parallel()(delayed(os.chdir)(os.path.dirname(files[0])) for _ in range(8))
        extract_features(files[:4], MFCCTransformer(), cache_dir="cache", batch_size=2)
    assert list(tmp_path.glob("cache/*/*.npy"))
    assert not Path(files[0]).with_name("cache").exists()
