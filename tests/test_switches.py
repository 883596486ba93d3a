"""scikit-learn's own switches: metadata routing, and the container that transformers give."""

import numpy as np
import pytest
import sklearn
import soundfile as sf
from sklearn.base import clone, is_classifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from test_common import ESTIMATORS, fitted, name_of, outputs
from typer.testing import CliRunner

import skkws
from skkws.cli import app
from skkws.compare import compare_classifiers
from skkws.inspection import exciting_stretches, saliency_map
from skkws.spotting import train_keyword_spotter

SWITCHES = [
    {"enable_metadata_routing": True},
    {"transform_output": "pandas"},
    pytest.param({"transform_output": "polars"}, marks=pytest.mark.slow),
    pytest.param({"transform_output": "pandas", "enable_metadata_routing": True}, marks=pytest.mark.slow),
]
RNG = np.random.default_rng(0)
X = RNG.normal(scale=0.1, size=(24, 16000)).astype(np.float32)
Y = np.tile(["no", "yes"], 12)
X[Y == "no"] *= np.linspace(0, 1, 16000, dtype=np.float32)
SPEAKERS = np.repeat(list("abcdef"), 4)


@pytest.fixture(params=SWITCHES, ids=lambda switches: " and ".join(map(str, switches.values())))
def switched(request):
    if "transform_output" in request.param:
        pytest.importorskip(request.param["transform_output"])
    with sklearn.config_context(**request.param):
        yield request.param


@pytest.fixture
def routed():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    for i, (row, word) in enumerate(zip(X, Y, strict=True)):
        (folder / word).mkdir(exist_ok=True)
        sf.write(folder / word / f"{SPEAKERS[i]}_{i:02}.wav", row, 16000, subtype="FLOAT")
    return sorted(folder.rglob("*.wav"))


def head(**parameters):
    return skkws.KeywordHeadClassifier(epochs=2, filters=8, random_state=0, **parameters)


# Every estimator


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=name_of)
def test_every_estimator_answers_the_same(estimator, switched):
    clips = X[:12, :640], Y[:12]
    given = outputs(fitted(estimator, clips), clips[0])
    with sklearn.config_context(transform_output="default", enable_metadata_routing=False):
        expected = outputs(fitted(estimator, clips), clips[0])
    kind = switched.get("transform_output")
    if kind and not is_classifier(estimator) and not hasattr(estimator, "fit_resample"):
        assert type(given).__module__.startswith(kind)
    np.testing.assert_allclose(np.asarray(given), expected, atol=1e-5)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=name_of)
def test_every_estimator_is_a_step_of_a_pipeline(estimator, switched):
    clips = X[:12, :640], Y[:12]
    quick = {"random_state": 0, "epochs": 1, "n_vectors": clips[0].shape[1]}
    own = clone(estimator).set_params(**{k: v for k, v in quick.items() if k in estimator.get_params()})
    if hasattr(estimator, "fit_resample"):
        return
    if is_classifier(estimator):
        pipeline = make_pipeline(skkws.PeakNormalizer(), own)
    else:
        pipeline = make_pipeline(own, StandardScaler(), LogisticRegression())
    assert pipeline.fit(*clips).predict(clips[0]).shape == (12,)


# Functions that compute with transformers


def test_recordings_are_loaded_compared_and_looked_into(switched, files, tmp_path):
    rows = skkws.extract_features(files, cache_dir=tmp_path / "cache")
    assert isinstance(rows, np.ndarray)
    models = {
        "head": make_pipeline(skkws.SpeechEmbeddingTransformer(), head()),
        "own": make_pipeline(skkws.MFCCTransformer().set_output(transform="default"), LogisticRegression()),
    }
    kept = {"cache_dir": tmp_path / "features", "checkpoint_dir": tmp_path / "fits"}
    result = compare_classifiers(X, Y, SPEAKERS, models=models, n_examples=[2], snr_db=[10], folds=3, **kept)
    with sklearn.config_context(transform_output="default", enable_metadata_routing=False):
        expected = compare_classifiers(X, Y, SPEAKERS, models=models, n_examples=[2], snr_db=[10], folds=3)
    assert not result.failures
    assert [scores.accuracy for scores in result.models] == [scores.accuracy for scores in expected.models]
    assert exciting_stretches(skkws.SpeechEmbeddingTransformer().fit(X), X[:4], 3)
    frames = np.asarray(skkws.LogMelTransformer().fit_transform(X))
    net = skkws.KeywordNetClassifier("cnn1d", epochs=1, random_state=0).fit(frames, Y)
    assert saliency_map(net, frames[0]).shape == (98, 32)
    model = make_pipeline(skkws.AudioLoader(), skkws.SpeechEmbeddingTransformer(), head()).fit(files, sorted(Y))
    skkws.save_model(model, tmp_path / "model.skops")
    done = CliRunner().invoke(app, ["predict", str(tmp_path / "model.skops"), *map(str, files)])
    assert done.exit_code == 0, done.stderr
    assert len(done.stdout.splitlines()) == len(files)
    assert "Note" not in done.stderr


@pytest.mark.slow
def test_a_spotter_learns_from_recordings(switched):
    options = {"n_per_word": 12, "n_other_words": 12, "voices": 4, "random_state": 0}
    spotter = train_keyword_spotter(["no", "yes"], recordings=(X, Y, SPEAKERS), **options)
    with sklearn.config_context(transform_output="default", enable_metadata_routing=False):
        expected = train_keyword_spotter(["no", "yes"], recordings=(X, Y, SPEAKERS), **options)
    np.testing.assert_allclose(spotter.predict_proba(X), expected.predict_proba(X), atol=1e-5)


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_a_model_saved_behind_set_output_predicts(container, files, tmp_path):
    pytest.importorskip(container)
    pipeline = make_pipeline(skkws.AudioLoader(source_rate=8000), skkws.SpeechEmbeddingTransformer(), head())
    pipeline.set_output(transform=container).fit(files, sorted(Y))
    skkws.save_model(pipeline, tmp_path / "model.skops")
    done = CliRunner().invoke(app, ["predict", str(tmp_path / "model.skops"), *map(str, files)])
    assert (done.exit_code, done.stderr) == (0, "")
    assert [line.split("\t")[0] for line in done.stdout.splitlines()] == pipeline.predict(files).tolist()


def test_rows_of_clips_that_are_left_out_keep_their_index(files, tmp_path):
    pd = pytest.importorskip("pandas")
    (tmp_path / "bad.wav").write_bytes(b"no audio")
    clips = pd.Series([*files[:2], tmp_path / "bad.wav", files[2]], index=list("abcd"))
    loader = skkws.AudioLoader(on_error="skip").set_output(transform="pandas")
    with pytest.warns(UserWarning, match="1 of 4 clips left out"):
        frame = loader.fit_transform(clips)
    assert frame.index.tolist() == ["a", "b", "d"]
    assert frame.columns[0] == "sample_00000"
    np.testing.assert_array_equal(frame.loc["d"], skkws.AudioLoader().fit_transform(files[2:3])[0])


# Metadata


def test_augmented_classifiers_hand_over_weights_and_copies(routed):
    augmenter = skkws.AudioAugmenter(n_copies=1, random_state=0)
    model = skkws.AugmentedClassifier(make_pipeline(skkws.SpeechEmbeddingTransformer(), head()), augmenter)
    weight = RNG.uniform(0.5, 2, len(Y))
    routed_answer = model.fit(X, Y, sample_weight=weight).predict_proba(X)
    with sklearn.config_context(enable_metadata_routing=False):
        np.testing.assert_array_equal(model.fit(X, Y, sample_weight=weight).predict_proba(X), routed_answer)
    requesting = clone(model).set_fit_request(sample_weight=True).set_score_request(sample_weight=False)
    search = GridSearchCV(requesting, {"augmenter__n_copies": [1]}, cv=2)
    assert search.fit(X, Y, sample_weight=weight).best_score_ > 0


def test_rescoring_classifiers_hand_over_weights(routed):
    rows = np.asarray(skkws.SpeechEmbeddingTransformer(pooling="mean").fit_transform(X))
    model = skkws.RescoringClassifier(LogisticRegression(), make_pipeline(StandardScaler(), LogisticRegression()))
    weight = RNG.uniform(0.5, 2, len(Y))
    every = np.full(len(Y), True)
    assert model.fit(rows, Y, sample_weight=weight, rescored=every).predict(rows).shape == (24,)
    requesting = clone(model).set_fit_request(sample_weight=True, rescored=True)
    requesting.set_score_request(sample_weight=False)
    scores = cross_val_score(requesting, rows, Y, cv=2, params={"sample_weight": weight, "rescored": every})
    assert np.isfinite(scores).all()


def test_speakers_given_to_a_search_are_those_of_its_folds_and_of_early_stopping(routed):
    rows = np.asarray(skkws.SpeechEmbeddingTransformer().fit_transform(X))
    cv = GroupKFold(3)
    search = GridSearchCV(head(), {"learning_rate": [0.01, 0.003]}, cv=cv).fit(rows, Y, groups=SPEAKERS)
    with sklearn.config_context(enable_metadata_routing=False):
        expected = GridSearchCV(head(), {"learning_rate": [0.01, 0.003]}, cv=cv).fit(rows, Y, groups=SPEAKERS)
    np.testing.assert_array_equal(search.cv_results_["mean_test_score"], expected.cv_results_["mean_test_score"])
    cautious = head(early_stopping=True, validation_fraction=0.4)
    pipeline = make_pipeline(skkws.SpeechEmbeddingTransformer(), cautious)
    found = cross_validate(pipeline, X, Y, cv=cv, params={"groups": SPEAKERS}, return_estimator=True)
    for (train, _), fitted_one in zip(cv.split(X, Y, SPEAKERS), found["estimator"], strict=True):
        with sklearn.config_context(enable_metadata_routing=False):
            alone = clone(cautious).fit(rows[train], Y[train], groups=SPEAKERS[train])
        assert fitted_one[-1].history_ == alone.history_
