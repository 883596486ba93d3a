import os
import pickle
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.random_projection import GaussianRandomProjection
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import check_estimator
from tally import Tally

from skkws import (
    AudioLoader,
    CachedTransformer,
    LogMelTransformer,
    MFCCTransformer,
    SpeechEmbeddingTransformer,
)
from skkws.audio import AudioError

computed = Tally()


class Counting(TransformerMixin, BaseEstimator):
    """Some energies of each clip; notes the rows it computes in `computed`."""

    def __init__(self, n_bands=8, verbose=0):
        self.n_bands = n_bands
        self.verbose = verbose

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        computed.append(len(X))
        return np.stack([(band**2).mean(axis=1) for band in np.array_split(np.asarray(X), self.n_bands, axis=1)], 1)


@pytest.fixture(autouse=True)
def _count_from_zero():
    computed.clear()


@pytest.fixture
def clips(speech):
    return np.ascontiguousarray(speech.data)


@pytest.mark.parametrize(
    "transformer",
    [
        SpeechEmbeddingTransformer(),
        SpeechEmbeddingTransformer(pooling="mean_max"),
        LogMelTransformer(),
        MFCCTransformer(),
        make_pipeline(LogMelTransformer(), SpeechEmbeddingTransformer("logmel")),
        make_pipeline(MFCCTransformer(), StandardScaler()),
    ],
)
def test_rows_equal_the_transformers_own_bit_by_bit(clips, tmp_path, transformer):
    expected = clone(transformer).fit_transform(clips)
    cached = CachedTransformer(transformer, tmp_path).fit(clips)
    cached.transform(clips[5:20:3])
    for _ in range(2):  # some of them known, then all of them
        rows = cached.transform(clips)
        assert rows.dtype == expected.dtype
        np.testing.assert_array_equal(rows, expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_is_kept_and_belongs_to_the_row(clips, tmp_path, dtype):
    cached = CachedTransformer(StandardScaler(), tmp_path).fit(clips)
    for kind in (dtype, np.float32, dtype):
        assert cached.transform(clips.astype(kind)).dtype == kind


def test_equal_bytes_of_another_dtype_are_another_row(tmp_path):
    ones = np.ones((1, 16), dtype=np.float32)
    cached = CachedTransformer(Counting(), tmp_path).fit(ones)
    assert cached.transform(ones)[0, 0] == 1.0
    assert cached.transform(ones.view(np.int32))[0, 0] != 1.0


def test_only_unknown_rows_are_computed_in_one_call_and_in_order(clips, tmp_path):
    cached = CachedTransformer(Counting(), tmp_path).fit(clips)
    cached.transform(clips[:10])
    order = np.random.default_rng(0).permutation(len(clips))
    np.testing.assert_array_equal(cached.transform(clips[order]), Counting().transform(clips[order]))
    assert computed == [10, len(clips) - 10, len(clips)]


def test_a_second_run_computes_nothing(clips, tmp_path):
    CachedTransformer(Counting(), tmp_path).fit_transform(clips)
    CachedTransformer(Counting(verbose=1), str(tmp_path)).fit(clips[:3]).transform(clips[::-1])
    assert computed == [len(clips)]


def test_the_same_clip_twice_is_computed_once(clips, tmp_path):
    twice = CachedTransformer(Counting(), tmp_path).fit_transform(clips[[0, 1, 0, 1, 1]])
    assert computed == [2]
    np.testing.assert_array_equal(twice, Counting().transform(clips[[0, 1, 0, 1, 1]]))


def test_without_a_folder_nothing_is_kept(clips, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cached = CachedTransformer(Counting()).fit(clips)
    np.testing.assert_array_equal(cached.transform(clips), cached.transform(clips))
    assert computed == [len(clips)] * 2
    assert not list(tmp_path.iterdir())


def test_another_parameter_width_or_value_is_computed_anew(clips, tmp_path):
    CachedTransformer(Counting(), tmp_path).fit_transform(clips)
    CachedTransformer(Counting(n_bands=4), tmp_path).fit_transform(clips)
    CachedTransformer(Counting(), tmp_path).fit_transform(clips[:, ::2])
    changed = clips.copy()
    changed[2, 100] += 1e-6
    CachedTransformer(Counting(), tmp_path).fit_transform(changed)
    assert computed == [len(clips)] * 3 + [1]


def test_what_learns_from_the_data_is_cached_for_each_fit_of_its_own(clips, tmp_path):
    pipeline = make_pipeline(Counting(), StandardScaler())
    for part in (clips[:18], clips[18:]):
        expected = clone(pipeline).fit(part).transform(clips)
        cached = CachedTransformer(pipeline, tmp_path).fit(part)
        for _ in range(2):
            np.testing.assert_array_equal(cached.transform(clips), expected)


def test_other_weights_in_the_same_file_are_computed_anew(clips, tmp_path):
    path = tmp_path / "weights.npz"
    with np.load(google_weights()) as arrays:
        weights = dict(arrays)
    np.savez(path, **weights)
    cached = CachedTransformer(SpeechEmbeddingTransformer(weights=path, pooling="mean"), tmp_path / "cache")
    before = cached.fit_transform(clips)
    name = max(weights, key=lambda name: weights[name].size)
    np.savez(path, **weights | {name: weights[name] * np.float32(0.5)})
    after = cached.transform(clips)
    assert not np.allclose(after, before)
    np.testing.assert_array_equal(after, clone(cached.transformer).fit_transform(clips))


def google_weights():
    from importlib import resources

    return resources.files("skkws.embedding").joinpath("weights/google_speech_embedding.npz")


def test_a_damaged_shard_is_computed_again(clips, tmp_path):
    cached = CachedTransformer(Counting(), tmp_path).fit(clips)
    expected = cached.transform(clips)
    (shard,) = tmp_path.glob("*/*.npy")
    shard.write_bytes(shard.read_bytes()[:-100])
    with pytest.warns(UserWarning, match=f"{shard.name} is damaged"):
        np.testing.assert_array_equal(cached.transform(clips), expected)
    shard.unlink()
    np.testing.assert_array_equal(cached.transform(clips), expected)
    assert computed == [len(clips)] * 2


# In the company of scikit-learn


@pytest.mark.parametrize("transformer", [None, MFCCTransformer(), StandardScaler()])
def test_scikit_learn_checks_run_and_pass_with_the_cache_in_use(tmp_path, transformer):
    results = check_estimator(CachedTransformer(transformer, tmp_path), on_skip=None)
    assert sum(result["status"] == "passed" for result in results) > 40
    assert list(tmp_path.glob("*/*.npy"))


def test_a_grid_search_computes_each_clip_once_for_each_setting(speech, clips, tmp_path):
    pipeline = Pipeline(
        [
            ("features", CachedTransformer(Counting(), tmp_path)),
            ("scale", StandardScaler()),
            ("classifier", LogisticRegression()),
        ]
    )
    grid = {"features__transformer__n_bands": [4, 8], "classifier__C": [0.1, 1.0, 10.0]}
    search = GridSearchCV(pipeline, grid, cv=GroupKFold(4), error_score="raise")
    search.fit(clips, speech.target, groups=speech.groups)
    assert sum(computed) == 2 * len(clips)
    plain = GridSearchCV(
        pipeline.set_params(features__cache_dir=None), grid, cv=GroupKFold(4), error_score="raise"
    ).fit(clips, speech.target, groups=speech.groups)
    np.testing.assert_array_equal(search.cv_results_["mean_test_score"], plain.cv_results_["mean_test_score"])


def test_two_processes_fill_and_use_one_folder(speech, clips, tmp_path):
    spotter = make_pipeline(CachedTransformer(MFCCTransformer(), tmp_path), StandardScaler(), LogisticRegression())
    options = {"groups": speech.groups, "cv": GroupKFold(4)}
    scores = cross_val_score(spotter, clips, speech.target, n_jobs=2, **options)
    np.testing.assert_array_equal(scores, cross_val_score(spotter, clips, speech.target, **options))
    np.testing.assert_array_equal(
        CachedTransformer(MFCCTransformer(), tmp_path).fit_transform(clips), MFCCTransformer().fit_transform(clips)
    )
    assert not list(tmp_path.glob("*/.*"))


def test_a_pickle_holds_no_rows_and_reads_the_same_folder(clips, tmp_path):
    cached = CachedTransformer(Counting(), tmp_path).fit(clips)
    expected = cached.transform(clips)
    content = pickle.dumps(cached)
    assert len(content) < 2000
    np.testing.assert_array_equal(pickle.loads(content).transform(clips), expected)
    np.testing.assert_array_equal(clone(cached).fit_transform(clips), expected)
    assert computed == [len(clips)]


def test_names_and_shape_are_the_transformers(clips, tmp_path):
    pd = pytest.importorskip("pandas")
    mfcc = MFCCTransformer().fit(clips)
    cached = CachedTransformer(MFCCTransformer(), tmp_path).fit(clips)
    assert cached.output_shape_ == mfcc.output_shape_
    assert cached.n_features_in_ == 16000
    assert cached.get_feature_names_out().tolist() == mfcc.get_feature_names_out().tolist()
    for _ in range(2):
        frame = clone(cached).set_output(transform="pandas").fit_transform(clips)
        pd.testing.assert_frame_equal(frame, clone(mfcc).set_output(transform="pandas").fit_transform(clips))


def test_a_frame_reaches_the_transformer_with_its_names(clips, tmp_path):
    pytest.importorskip("pandas")
    frames = MFCCTransformer(n_mfcc=32, n_mels=40, deltas=0, stats=None).set_output(transform="pandas")
    with pytest.raises(ValueError, match=r"needs rows of frames x 32 bands, got .* named mfcc_"):
        CachedTransformer(SpeechEmbeddingTransformer("logmel"), tmp_path).fit(frames.fit_transform(clips))
    frame = LogMelTransformer().set_output(transform="pandas").fit_transform(clips)
    cached = CachedTransformer(SpeechEmbeddingTransformer("logmel"), tmp_path).fit(frame)
    assert cached.transform(frame[frame.columns]).shape == (len(clips), 1248)
    with pytest.raises(ValueError, match="feature names"):
        cached.transform(frame[frame.columns[::-1]])  # although nothing is left to compute


def test_a_transformer_without_names_has_none(clips, tmp_path):
    assert not hasattr(CachedTransformer(Counting(), tmp_path).fit(clips), "get_feature_names_out")
    assert not hasattr(CachedTransformer(Counting(), tmp_path).fit(clips), "output_shape_")


def test_tags_are_the_transformers_and_it_wants_to_be_fitted(tmp_path):
    assert get_tags(CachedTransformer(MFCCTransformer())).transformer_tags.preserves_dtype == ["float32"]
    assert get_tags(CachedTransformer(FunctionTransformer())).requires_fit
    with pytest.raises(NotFittedError):
        CachedTransformer(FunctionTransformer(), tmp_path).transform(np.zeros((1, 2)))


# What a user can mend


def test_a_folder_that_is_none_is_refused_before_anything_is_computed(clips, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="cache_dir must be a folder"):
        CachedTransformer(Counting(), tmp_path / "file").fit(clips)
    with pytest.raises(ValueError, match="'cache_dir' parameter of CachedTransformer must be"):
        CachedTransformer(Counting(), 3).fit(clips)
    assert computed == []


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_rows_that_the_transformer_refuses_are_never_kept(clips, tmp_path, bad):
    cached = CachedTransformer(MFCCTransformer(), tmp_path).fit(clips)
    clips = clips.copy()
    clips[3, 7] = bad
    for _ in range(2):
        with pytest.raises(ValueError, match="contains"):
            cached.transform(clips)
    assert not list(tmp_path.glob("*/*"))


def sparse(X):
    return csr_array(X)


def drop_one(X):
    return X[1:]


@pytest.mark.parametrize("function", [sparse, drop_one])
def test_what_is_no_dense_row_for_each_clip_is_refused(clips, tmp_path, function):
    with pytest.raises(ValueError, match=r"FunctionTransformer gave a .* shape .*dense 2-D arrays of numbers, 36 rows"):
        CachedTransformer(FunctionTransformer(function), tmp_path).fit_transform(clips)


# Files, and what fit needs no data for


@pytest.fixture
def files(speech_folder, tmp_path):
    copied = shutil.copytree(speech_folder, tmp_path / "words")
    return sorted(map(str, copied.rglob("*.wav")))


def contents(files):
    return [Path(file).read_bytes() for file in files]


def from_files(*steps):
    return make_pipeline(AudioLoader(), *steps)


def test_from_files_rows_equal_the_pipelines_own_and_known_ones_are_not_decoded(files, tmp_path, decoded):
    pipeline = from_files(MFCCTransformer())
    expected = clone(pipeline).fit_transform(files)
    decoded.clear()
    cached = CachedTransformer(pipeline, tmp_path / "cache").fit(files)
    np.testing.assert_array_equal(cached.transform(files[3:9]), expected[3:9])
    assert decoded == contents(files[3:9])
    np.testing.assert_array_equal(cached.transform(files), expected)
    assert sorted(decoded) == sorted(contents(files))
    again = CachedTransformer(pipeline, tmp_path / "cache").fit(np.array(files)).transform(np.array(files[::-1]))
    np.testing.assert_array_equal(again, expected[::-1])
    assert len(decoded) == len(files)


def test_a_file_that_was_written_anew_is_another_row(files, tmp_path):
    cached = CachedTransformer(from_files(Counting()), tmp_path / "cache").fit(files)
    before = cached.transform(files)
    y, rate = sf.read(files[1])
    sf.write(files[1], y / 2, rate)
    after = cached.transform(files)
    np.testing.assert_allclose(after[1], before[1] / 4, rtol=1e-3)
    np.testing.assert_array_equal(np.delete(after, 1, axis=0), np.delete(before, 1, axis=0))
    assert computed[-1] == 1


@pytest.mark.skipif(sys.platform == "win32", reason="needs the time at which anything about a file changed")
@pytest.mark.parametrize("settled", [0, 10**18])
def test_a_file_that_was_edited_in_place_is_another_row_though_its_time_was_put_back(
    settled, files, tmp_path, monkeypatch
):
    """Whether its content was remembered by its times, as that of an old file, or never."""
    monkeypatch.setattr("skkws.extraction._caching._SETTLED", settled)
    cached = CachedTransformer(from_files(Counting()), tmp_path / "cache").fit(files)
    before = cached.transform(files)
    about = os.stat(files[1])
    y, rate = sf.read(files[1])
    while os.stat(files[1]).st_ctime_ns == about.st_ctime_ns:  # the clock of files ticks slowly
        with open(files[1], "r+b") as file:
            sf.write(file, y / 2, rate, format="WAV")
        os.utime(files[1], ns=(about.st_atime_ns, about.st_mtime_ns))
    now = os.stat(files[1])
    assert (now.st_ino, now.st_size, now.st_mtime_ns) == (about.st_ino, about.st_size, about.st_mtime_ns)
    after = cached.transform(files)
    np.testing.assert_allclose(after[1], before[1] / 4, rtol=1e-3)
    np.testing.assert_array_equal(np.delete(after, 1, axis=0), np.delete(before, 1, axis=0))


def test_paths_bytes_and_samples_are_told_by_what_they_hold(files, tmp_path):
    samples = [sf.read(file, dtype="float32")[0] for file in files[:3]]
    contents = [Path(file).read_bytes() for file in files[:3]]
    cached = CachedTransformer(from_files(Counting()), tmp_path / "cache").fit(files)
    for clips in (files[:3], [Path(file) for file in files[:3]], contents, samples):
        np.testing.assert_allclose(cached.transform(clips), from_files(Counting()).fit_transform(samples), rtol=1e-6)
    assert computed == [3, 3, 3, 3, 3, 3]  # paths and bytes once, samples once, and four times without a cache


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        ("missing.wav", FileNotFoundError, r"missing\.wav: no such file\. Check the path"),
        ("junk.wav", AudioError, r"junk\.wav"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_and_the_others_stay(files, tmp_path, bad, error, message):
    (tmp_path / "junk.wav").write_bytes(b"no sound at all")
    cached = CachedTransformer(from_files(Counting()), tmp_path / "cache").fit(files)
    before = cached.transform(files)
    with pytest.raises(error, match=message):
        cached.transform([*files, str(tmp_path / bad)])
    computed.clear()
    np.testing.assert_array_equal(cached.transform(files), before)
    assert not computed


def test_what_learns_nothing_is_fitted_without_computing_the_steps_before(clips, files, tmp_path, decoded):
    CachedTransformer(make_pipeline(Counting(), FunctionTransformer()), tmp_path / "cache").fit(clips)
    assert len(clips) not in computed
    CachedTransformer(from_files(MFCCTransformer()), tmp_path / "cache").fit(files)
    assert not set(decoded) & set(contents(files))


@pytest.mark.parametrize("learns", [StandardScaler(), GaussianRandomProjection(3, random_state=0), PCA(2)])
def test_what_is_learnt_is_learnt_from_the_files(files, tmp_path, learns):
    pipeline = from_files(Counting(), learns)
    expected = clone(pipeline).fit(files[:20]).transform(files)
    cached = CachedTransformer(pipeline, tmp_path / "cache").fit(files[:20])
    np.testing.assert_array_equal(cached.transform(files), expected)


def test_what_depends_on_the_number_of_rows_is_learnt_from_them(clips, tmp_path):
    class Counted(Counting):
        def fit(self, X, y=None):
            self.n_rows_ = len(X)
            return self

    assert CachedTransformer(Counted(), tmp_path).fit(clips).transformer_.n_rows_ == len(clips)


def test_a_search_from_files_decodes_each_once_for_each_setting(files, tmp_path, decoded):
    words = np.array([Path(file).parent.name for file in files])
    voices = np.array([Path(file).name.split("_")[0] for file in files])
    pipeline = Pipeline([("features", CachedTransformer(cache_dir=tmp_path / "c")), ("clf", LogisticRegression(C=0.1))])
    grid = {
        "features__transformer": [from_files(MFCCTransformer(n_mfcc=n)) for n in (8, 12)],
        "clf__C": [0.01, 0.1, 1.0],
    }
    search = GridSearchCV(pipeline, grid, cv=GroupKFold(2), refit=False).fit(files, words, groups=voices)
    assert len(decoded) == 2 * len(files)
    pipeline.set_params(features__cache_dir=None)
    plain = GridSearchCV(pipeline, grid, cv=GroupKFold(2), refit=False).fit(files, words, groups=voices)
    np.testing.assert_array_equal(search.cv_results_["mean_test_score"], plain.cv_results_["mean_test_score"])


def test_a_relative_folder_stays_where_it_was_given(clips, tmp_path, monkeypatch):
    """A worker that gets it may stand elsewhere."""
    for place in ("here", "elsewhere"):
        (tmp_path / place).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    cached = CachedTransformer(MFCCTransformer(), "cache")
    sent, fitted = pickle.dumps(cached), pickle.dumps(clone(cached).fit(clips))
    assert clone(cached).get_params()["cache_dir"] == "cache"
    monkeypatch.chdir(tmp_path / "elsewhere")
    pickle.loads(sent).fit(clips).transform(clips)
    shards = list((tmp_path / "here" / "cache").glob("*/*.npy"))
    assert shards
    pickle.loads(fitted).transform(clips)
    assert list((tmp_path / "here" / "cache").glob("*/*.npy")) == shards
    assert not list((tmp_path / "elsewhere").iterdir())
