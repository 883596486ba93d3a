"""Whatever is saved answers the same in a new process."""

import importlib
import pickle
import pkgutil
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from sklearn.base import BaseEstimator, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_selection import SelectKBest
from sklearn.frozen import FrozenEstimator
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV, GroupKFold, RandomizedSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from xgboost import XGBClassifier

import skkws
from skkws import augment
from skkws.embedding import EmbeddingWeights, read_weights
from skkws.preparation import normalize_peak

N_SAMPLES = 8160
LOAD = """
import sys
import numpy as np
from skkws import load_model

folder = sys.argv[1]
for name in sys.argv[2:]:
    model = load_model(f"{folder}/{name}.skops")
    X = np.load(f"{folder}/{name}_rows.npy")
    method = next(m for m in ("predict_proba", "predict", "transform", "fit_resample") if hasattr(model, m))
    out = model.fit_resample(X, X[:, 0])[0] if method == "fit_resample" else getattr(model, method)(X)
    np.save(f"{folder}/{name}_loaded.npy", out)
"""


def signals():
    """Clips of two pitches, in turn, and their labels."""
    rng = np.random.default_rng(0)
    labels = np.tile(["high", "low"], 8)
    pitch = np.where(labels == "high", rng.uniform(900, 1100, 16), rng.uniform(250, 350, 16))[:, None]
    clips = 0.2 * np.sin(2 * np.pi * pitch * np.arange(N_SAMPLES) / 16000) + rng.normal(0, 0.01, (16, N_SAMPLES))
    return clips.astype(np.float32), labels


def own_weights():
    """Weights of the embedding that are not the published ones."""
    return {name: 1.1 * array for name, array in read_weights("google").items()}


def of_ours(folder):
    """Models of ours, and those of the README, by name: the unfitted model and what its rows are."""
    cached = skkws.CachedTransformer(skkws.MFCCTransformer(), cache_dir=folder / "cache")
    np.savez(folder / "own.npz", **own_weights())
    every_transform = [
        getattr(augment, name)()
        for name in augment.__all__
        if isinstance(getattr(augment, name), type)
        and issubclass(getattr(augment, name), augment.Transform)
        and name not in {"BackgroundNoise", "ImpulseResponse", "SpecAugment", "Transform"}
    ]
    augmenter = skkws.AudioAugmenter(
        [*every_transform, augment.BackgroundNoise(np.ones(800)), augment.ImpulseResponse(np.ones(8))],
        n_copies=1,
        random_state=0,
    )
    head = skkws.KeywordHeadClassifier(epochs=2, random_state=0)
    embedding = skkws.SpeechEmbeddingTransformer()
    features = [skkws.SpeechEmbeddingTransformer(pooling="mean"), skkws.MFCCTransformer()]
    grid = {
        "features__transformer": [make_pipeline(skkws.AudioLoader(), feature) for feature in features],
        "classifier": [LogisticRegression(C=0.1), SVC(C=10.0)],
    }
    searched = Pipeline(
        [
            ("features", skkws.CachedTransformer(cache_dir=folder / "cache")),
            ("scale", StandardScaler()),
            ("classifier", LogisticRegression()),
        ]
    )
    of_clips = {
        "audio_augmenter": augmenter,
        "augmented_classifier": skkws.AugmentedClassifier(make_pipeline(embedding, head), augmenter),
        "cached": make_pipeline(cached, LogisticRegression()),
        "embedding": skkws.SpeechEmbeddingTransformer(),
        "function": make_pipeline(FunctionTransformer(normalize_peak), skkws.MFCCTransformer(), LogisticRegression()),
        "frozen": make_pipeline(FrozenEstimator(skkws.LogMelTransformer().fit(np.zeros((1, N_SAMPLES)))), GaussianNB()),
        "keyword_pipeline": skkws.make_keyword_pipeline(["high"]),
        "rescored_pipeline": skkws.make_keyword_pipeline(rescored=True, random_state=0),
        "loudness": skkws.LoudnessNormalizer(),
        "mfcc": skkws.MFCCTransformer(),
        "own_weights": make_pipeline(
            skkws.SpeechEmbeddingTransformer(weights=folder / "own.npz", pooling="mean"), LogisticRegression()
        ),
        "peak": skkws.PeakNormalizer(),
        "resample": skkws.Resample(),
        "spectrogram": make_pipeline(skkws.LogSpectrogramTransformer(), skkws.BandScaler(), skkws.FrameStacker()),
        "telephone": skkws.TelephoneBand(),
        "trim": skkws.TrimSilence(),
        "unet": skkws.UNetDenoiser(epochs=1, channels=(2, 2), random_state=0),
        "voice": skkws.VoiceActivityFilter(),
    }
    of_frames = {
        "autoencoder": skkws.SpectrogramAutoencoder(n_components=2, epochs=1, random_state=0),
        "net": skkws.KeywordNetClassifier("mlp", epochs=1, random_state=0),
        "net_on_embedding": skkws.KeywordNetClassifier(
            "embedding+head", epochs=1, weights=folder / "own.npz", random_state=0
        ),
    }
    of_files = {
        "readme_spotter": make_pipeline(skkws.AudioLoader(), embedding, head),
        "readme_robust": make_pipeline(
            skkws.AudioLoader(), skkws.AugmentedClassifier(make_pipeline(embedding, head), augmenter)
        ),
        "readme_search": GridSearchCV(searched, grid, cv=GroupKFold(2)),
    }
    return of_clips, of_frames, of_files


def of_others():
    two = [("regression", LogisticRegression()), ("bayes", GaussianNB())]
    C = {"C": [0.1, 1.0]}
    return {
        "adaboost": AdaBoostClassifier(n_estimators=3),
        "bagging": BaggingClassifier(n_estimators=3, max_features=0.5, random_state=0),
        "calibrated": CalibratedClassifierCV(SVC(), cv=2),
        "extra_trees": ExtraTreesClassifier(3, random_state=0),
        "gaussian_process": GaussianProcessClassifier(),
        "gradient_boosting": GradientBoostingClassifier(n_estimators=3, random_state=0),
        "grid": GridSearchCV(LogisticRegression(), C, cv=2, scoring="f1_macro"),
        "hist_boosting": HistGradientBoostingClassifier(max_iter=3, min_samples_leaf=2, random_state=0),
        "isolation": IsolationForest(n_estimators=3, random_state=0),
        "lda": LinearDiscriminantAnalysis(),
        "mlp": MLPClassifier((4,), learning_rate_init=0.05, max_iter=1000, random_state=0),
        "naive_bayes": GaussianNB(),
        "neighbors": KNeighborsClassifier(algorithm="kd_tree"),
        "neighbors_ball": KNeighborsClassifier(algorithm="ball_tree", metric="manhattan"),
        "random_forest": RandomForestClassifier(3, random_state=0),
        "random_search": RandomizedSearchCV(LogisticRegression(), C, n_iter=2, cv=2, random_state=0),
        "regression": LogisticRegression(),
        "sgd": SGDClassifier(random_state=0),
        "stacking": StackingClassifier(two, cv=2),
        "svc": SVC(),
        "tree": DecisionTreeClassifier(),
        "union": make_pipeline(make_union(StandardScaler(), SelectKBest(k=2)), LogisticRegression()),
        "voting": VotingClassifier(two, voting="soft"),
        "xgboost": XGBClassifier(n_estimators=3, n_jobs=1),
    }


def outputs(model, X):
    if hasattr(model, "fit_resample"):
        return model.fit_resample(X, X[:, 0])[0]
    return next(getattr(model, m) for m in ("predict_proba", "predict", "transform") if hasattr(model, m))(X)


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """What models answer here and, loaded from their files, in a new process; and the classes in them."""
    folder = tmp_path_factory.mktemp("models")
    clips, labels = signals()
    files = [str(folder / f"{i}.wav") for i in range(len(clips))]
    for file, clip in zip(files, clips, strict=True):
        soundfile.write(file, clip, 16000)
    here, used = {}, set()

    def keep(name, model, X):
        skkws.save_model(model, folder / f"{name}.skops")
        np.save(folder / f"{name}_rows.npy", X)
        here[name] = outputs(model, X)
        used.update(type(part) for part in _parts(model))

    of_clips, of_frames, of_files = of_ours(folder)
    frames = skkws.LogMelTransformer().fit_transform(clips)
    for models, X in ((of_clips, clips), (of_frames, frames), (of_files, np.array(files))):
        for name, model in models.items():
            groups = {"groups": np.arange(len(X)) // 2 % 2} if name == "readme_search" else {}
            if name == "rescored_pipeline":
                groups = {"rescoringclassifier__rescored": np.arange(len(X)) < 12}
            keep(name, model.fit(X, labels, **groups), X)
    keep("readme_best", of_files["readme_search"].best_estimator_, np.array(files))
    X, y = np.random.default_rng(0).normal(size=(40, 4)), np.repeat([0, 1], 20)
    X[y == 1] += 1.5
    for name, model in of_others().items():
        keep(name, model.fit(X, y), X)
    (folder / "own.npz").unlink()  # the files stand alone
    subprocess.run([sys.executable, "-c", LOAD, folder, *here], check=True, timeout=300)
    return {name: (out, np.load(folder / f"{name}_loaded.npy")) for name, out in here.items()}, used


def _parts(model):
    """Yield an estimator and those that it is made of."""
    yield model
    for part in model.get_params(deep=True).values():
        if isinstance(part, BaseEstimator):
            yield part


def test_saved_models_answer_the_same_in_a_new_process(answers):
    outs, _ = answers
    assert len(outs) > 45
    different = [name for name, (here, there) in outs.items() if not np.allclose(there, here, rtol=1e-5, atol=1e-6)]
    assert different == []


def test_every_public_estimator_was_among_them(answers):
    _, saved = answers
    public = set()
    for room in pkgutil.iter_modules(skkws.__path__, "skkws."):
        if not room.name.rpartition(".")[2].startswith("_"):
            module = importlib.import_module(room.name)
            public |= {getattr(module, name) for name in getattr(module, "__all__", ())}
    estimators = {thing for thing in public if isinstance(thing, type) and issubclass(thing, BaseEstimator)}
    assert len(estimators) > 20
    assert estimators <= saved


def test_a_loaded_model_with_weights_of_its_own_is_cloned_pickled_and_saved_again(tmp_path):
    clips, _ = signals()
    np.savez(tmp_path / "own.npz", **own_weights())
    embedding = skkws.SpeechEmbeddingTransformer(weights=str(tmp_path / "own.npz"), pooling="max").fit(clips)
    expected = embedding.transform(clips)
    skkws.save_model(embedding, tmp_path / "embedding.skops")
    assert embedding.weights == str(tmp_path / "own.npz")  # saving changes nothing
    assert len(pickle.dumps(embedding)) < 2000  # it can be looked up
    (tmp_path / "own.npz").unlink()
    loaded = skkws.load_model(tmp_path / "embedding.skops")
    assert loaded.get_params()["weights"] == EmbeddingWeights(own_weights())
    skkws.save_model(loaded, tmp_path / "again.skops")
    for model in (
        loaded,
        clone(loaded).fit(clips),
        pickle.loads(pickle.dumps(loaded)),
        skkws.load_model(tmp_path / "again.skops"),
    ):
        np.testing.assert_array_equal(model.transform(clips), expected)
    with pytest.raises(FileNotFoundError, match=r"there is no file .*own\.npz; check the path"):
        skkws.save_model(embedding, tmp_path / "embedding.skops")


def test_weights_as_a_value_are_checked():
    arrays = own_weights()
    for name, wrong, message in (
        ("stem/kernel", np.zeros(3), r"stem/kernel must have the shape \(3, 3, 1, 24\), got \(3,\)"),
        ("vectors/kernel", np.full((3, 1, 96, 96), np.nan), "vectors/kernel must hold finite numbers"),
        ("vectors/kernel", np.zeros((3, 1, 96, 96), int), "vectors/kernel must hold finite numbers of a float type"),
    ):
        with pytest.raises(ValueError, match=f"arrays: {message}"):
            EmbeddingWeights(arrays | {name: wrong})
    with pytest.raises(ValueError, match=r"missing or unknown \['more'\]"):
        EmbeddingWeights(arrays | {"more": np.zeros(1)})
