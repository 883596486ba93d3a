"""The whole way, from recordings to keywords, under scikit-learn's own tools."""

import numpy as np
import pytest
import soundfile
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from skkws import (
    AudioLoader,
    KeywordHeadClassifier,
    LogMelTransformer,
    MFCCTransformer,
    SpeechEmbeddingTransformer,
)
from skkws.datasets import load_keyword_folder
from skkws.synthesis import synthesize_keywords


@pytest.fixture(scope="module")
def speech():
    return synthesize_keywords(["yes", "no", "stop"], n_per_word=12, voices=6, random_state=0)


def test_from_files_to_keywords(speech, tmp_path):
    for i, (clip, word, voice) in enumerate(zip(speech.data, speech.target, speech.groups, strict=True)):
        (tmp_path / word).mkdir(exist_ok=True)
        soundfile.write(tmp_path / word / f"{voice}_{i}.flac", clip, 16000)
    data = load_keyword_folder(tmp_path)
    spotter = make_pipeline(AudioLoader(), SpeechEmbeddingTransformer(), KeywordHeadClassifier(random_state=0))
    scores = cross_val_score(spotter, data.filenames, data.target, groups=data.groups, cv=GroupKFold(3))
    assert scores.mean() > 0.8


def test_logmel_rows_of_the_originals_settings_give_what_audio_gives(speech):
    direct = SpeechEmbeddingTransformer(padding=0)
    by_logmel = make_pipeline(LogMelTransformer(), SpeechEmbeddingTransformer("logmel", padding=0))
    np.testing.assert_array_equal(by_logmel.fit_transform(speech.data), direct.fit_transform(speech.data))


def test_grid_search_in_two_processes_over_the_log_mel_bands_of_a_head(speech):
    pipeline = Pipeline(
        [
            ("logmel", LogMelTransformer()),
            ("head", KeywordHeadClassifier(n_vectors=98, epochs=10, random_state=0)),
        ]
    )
    grid = {"logmel__n_mels": [16, 32]}
    search = GridSearchCV(pipeline, grid, cv=GroupKFold(2), n_jobs=2)
    search.fit(speech.data, speech.target, groups=speech.groups)
    assert np.all(search.cv_results_["mean_test_score"] > 1 / 3)
    alone = GridSearchCV(pipeline, grid, cv=GroupKFold(2)).fit(speech.data, speech.target, groups=speech.groups)
    np.testing.assert_allclose(search.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"])


def test_grid_search_in_two_processes_over_the_pooling_of_the_embedding(speech):
    pipeline = Pipeline(
        [
            ("embedding", SpeechEmbeddingTransformer()),
            ("scale", StandardScaler()),
            ("classifier", LogisticRegression(C=0.01)),
        ]
    )
    grid = {"embedding__pooling": [None, "mean", "max", "mean_max"]}
    search = GridSearchCV(pipeline, grid, cv=GroupKFold(3), n_jobs=2)
    search.fit(speech.data, speech.target, groups=speech.groups)
    assert search.best_score_ > 0.8
    assert not np.isnan(search.cv_results_["mean_test_score"]).any()


def test_a_cached_pipeline_computes_the_embedding_once(speech, tmp_path, monkeypatch):
    pipeline = make_pipeline(SpeechEmbeddingTransformer(), KeywordHeadClassifier(random_state=0), memory=str(tmp_path))
    first = pipeline.fit(speech.data, speech.target).predict_proba(speech.data)

    def fail(*args, **kwargs):
        raise AssertionError("computed again")

    with monkeypatch.context() as patched:
        patched.setattr(SpeechEmbeddingTransformer, "fit_transform", fail)
        patched.setattr(SpeechEmbeddingTransformer, "fit", fail)
        again = pipeline.fit(speech.data, speech.target)
    np.testing.assert_array_equal(again.predict_proba(speech.data), first)


def test_classical_and_deep_stand_in_the_same_place(speech):
    train, test = next(GroupKFold(3).split(speech.data, speech.target, speech.groups))
    for features in (MFCCTransformer(), SpeechEmbeddingTransformer(pooling="mean_max")):
        pipeline = make_pipeline(features, StandardScaler(), LogisticRegression(C=0.1))
        pipeline.fit(speech.data[train], speech.target[train])
        assert pipeline.score(speech.data[test], speech.target[test]) > 0.6
