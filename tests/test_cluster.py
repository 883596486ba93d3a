"""The same work on a Dask cluster of two worker processes as on this one."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest
from joblib import Parallel, delayed, parallel_config
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import Pipeline, make_pipeline

from skkws import (
    CachedTransformer,
    KeywordHeadClassifier,
    MFCCTransformer,
    SpeechEmbeddingTransformer,
    extract_features,
)
from skkws.cluster import on_dask
from skkws.compare import compare_classifiers

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def client():
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.fixture
def files(speech_folder):
    return sorted(map(str, speech_folder.rglob("*.wav")))


class DiesOnce(TransformerMixin, BaseEstimator):
    """Some energies of each clip; of all processes that share a folder one is killed, at the sixth call or after."""

    def __init__(self, folder="."):
        self.folder = folder

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        calls = Path(self.folder, "calls")
        with calls.open("ab") as file:
            file.write(b".")
        if calls.stat().st_size >= 6:
            try:
                Path(self.folder, "killed").touch(exist_ok=False)
            except FileExistsError:
                pass
            else:
                os.kill(os.getpid(), signal.SIGKILL)
        return np.stack([(band**2).mean(axis=1) for band in np.array_split(np.asarray(X), 8, axis=1)], 1)


def scores(search):
    return [search.cv_results_[f"split{i}_test_score"] for i in range(2)]


def head_search(cache_dir):
    steps = [
        ("features", CachedTransformer(SpeechEmbeddingTransformer(), cache_dir)),
        ("head", KeywordHeadClassifier(epochs=8, random_state=0)),
    ]
    return GridSearchCV(Pipeline(steps), {"head__learning_rate": [1e-3, 3e-3]}, cv=GroupKFold(2))


def test_a_search_scores_to_the_last_digit_as_on_one_machine(client, speech, tmp_path):
    here = head_search(tmp_path / "here").fit(speech.data, speech.target, groups=speech.groups)
    with on_dask(client):
        there = head_search(tmp_path / "there").fit(speech.data, speech.target, groups=speech.groups)
    np.testing.assert_array_equal(scores(there), scores(here))
    np.testing.assert_array_equal(there.predict_proba(speech.data), here.predict_proba(speech.data))


def test_a_worker_that_is_killed_loses_no_result(client, speech, tmp_path):
    search = GridSearchCV(
        make_pipeline(DiesOnce(str(tmp_path)), LogisticRegression()),
        {"logisticregression__C": [0.01, 0.1, 1.0, 10.0]},
        cv=GroupKFold(2),
        refit=False,
    )
    workers = set(client.run(os.getpid).values())
    with on_dask(client):
        search.fit(speech.data, speech.target, groups=speech.groups)
    there = scores(search)
    client.wait_for_workers(2, timeout=60)
    assert len(workers & set(client.run(os.getpid).values())) == 1, "one was killed, and another one took its place"
    np.testing.assert_array_equal(there, scores(search.fit(speech.data, speech.target, groups=speech.groups)))


def test_a_large_array_is_sent_once_and_lies_on_every_worker(client, speech, monkeypatch):
    sent = []
    scatter = type(client).scatter

    def spy(self, data, **options):
        sent.append((data, options["broadcast"], options["hash"]))
        return scatter(self, data, **options)

    monkeypatch.setattr(type(client), "scatter", spy)
    search = GridSearchCV(make_pipeline(MFCCTransformer(), LogisticRegression()), {}, cv=GroupKFold(4), refit=False)
    with on_dask(client):
        search.fit(speech.data, speech.target, groups=speech.groups)
    ((array,), broadcast, by_content), *others = sent
    assert array is speech.data
    assert broadcast
    assert not by_content, "what an earlier search on the same data releases is not what this one has sent"
    assert not others


def test_a_comparison_comes_to_the_same_figures(client, speech):
    how = {"models": ["mfcc+logreg", "embedding+head"], "n_examples": (2,), "snr_db": (10,), "folds": 2}
    here = compare_classifiers(speech.data, speech.target, speech.groups, **how)
    with on_dask(client):
        there = compare_classifiers(speech.data, speech.target, speech.groups, **how)
    for one, other in zip(here.models, there.models, strict=True):
        np.testing.assert_array_equal(one.predictions, other.predictions)
        np.testing.assert_array_equal(one.probabilities, other.probabilities)
    assert (here.few_shot, here.noise) == (there.few_shot, there.noise)


def test_features_are_extracted_there_as_here_and_meet_in_the_cache(client, files, tmp_path):
    here = extract_features(files, SpeechEmbeddingTransformer(pooling="mean"), batch_size=8)
    with on_dask(client):
        there = extract_features(
            files, SpeechEmbeddingTransformer(pooling="mean"), batch_size=8, cache_dir=tmp_path, out=tmp_path / "X.npy"
        )
    np.testing.assert_array_equal(there, here)
    shards = set(tmp_path.glob("*/*.npy"))
    assert len(shards) == 5, "36 files, 8 at a time"
    again = extract_features(files, SpeechEmbeddingTransformer(pooling="mean"), cache_dir=tmp_path)
    np.testing.assert_array_equal(again, here)
    assert set(tmp_path.glob("*/*.npy")) == shards


def test_an_unreadable_file_is_named_by_the_worker(client, files, tmp_path):
    with on_dask(client), pytest.raises(FileNotFoundError, match=r"gone\.wav: no such file"):
        extract_features([*files, str(tmp_path / "gone.wav")], MFCCTransformer(), batch_size=8)


def loaded_networks():
    import gc

    from skkws._engine.embedding_kernel import SpeechEmbeddingKernel

    return sum(type(thing) is SpeechEmbeddingKernel for thing in gc.get_objects())


def test_the_embedding_is_loaded_once_by_each_worker(client, files):
    with on_dask(client):
        for _ in range(2):
            extract_features(files, batch_size=4)
    assert set(client.run(loaded_networks).values()) == {1}


def test_processes_of_one_machine_extract_the_same(files):
    here = extract_features(files, MFCCTransformer())
    with parallel_config("loky", n_jobs=2):
        np.testing.assert_array_equal(extract_features(files, MFCCTransformer(), batch_size=8), here)


def test_without_a_client_there_is_none_to_take(monkeypatch):
    def none(cls, allow_global=True):
        raise ValueError("no client")

    monkeypatch.setattr(distributed.Client, "current", classmethod(none))  # a test before has left one
    with pytest.raises(ValueError, match=r"no Dask client yet; make one first: Client\(LocalCluster"), on_dask():
        pass


def test_what_is_done_in_the_context_is_done_by_the_workers(client):
    with on_dask(client):
        pids = Parallel()(delayed(os.getpid)() for _ in range(20))
    assert set(pids) <= set(client.run(os.getpid).values())
