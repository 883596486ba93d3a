"""scikit-learn's own checks, and ours, over every public estimator."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.linear_model import LogisticRegression
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks

import skkws
from skkws.augment import Gain

# As they come, or with a network, copies or rounds of training so small that all checks of them take seconds.
ESTIMATORS = [
    skkws.AudioAugmenter(),
    skkws.AudioLoader(),
    # Not the default pipeline: the few numbers in a row of scikit-learn's checks are no sound to embed, and several
    # batches in the head's training make a weight of 2 differ from two rows.
    skkws.AugmentedClassifier(LogisticRegression(), skkws.AudioAugmenter([Gain()], n_copies=1)),
    skkws.BandScaler(),
    skkws.CachedTransformer(),
    skkws.FrameStacker(),
    skkws.KeywordHeadClassifier(),
    skkws.KeywordNetClassifier("mlp"),
    skkws.LogMelTransformer(),
    skkws.LogSpectrogramTransformer(),
    skkws.LoudnessNormalizer(),
    skkws.MFCCTransformer(),
    skkws.PeakNormalizer(),
    skkws.PrototypeClassifier(),
    skkws.Resample(),
    skkws.RescoringClassifier(LogisticRegression(), LogisticRegression(C=0.1)),
    skkws.SpectrogramAutoencoder(channels=(4,), epochs=1),
    skkws.SpeechEmbeddingTransformer(),
    skkws.TelephoneBand(),
    skkws.TrimSilence(),
    skkws.UNetDenoiser(channels=(4,), epochs=1),
    skkws.VoiceActivityFilter(),
]
# Those of them that are smaller than they come.
AT_THEIR_DEFAULTS = [
    skkws.AugmentedClassifier(LogisticRegression()),
    skkws.KeywordNetClassifier(),
    skkws.SpectrogramAutoencoder(),
    skkws.UNetDenoiser(),
]
# Whose checks take longest, and are among the slow tests at their defaults.
LONG = {"SpectrogramAutoencoder", "UNetDenoiser"}
TRANSFORMERS = [estimator for estimator in ESTIMATORS if hasattr(estimator, "transform")]
# Checks that cannot apply, with the reason: {estimator name: {check name: reason}}. All of them apply.
EXPECTED_FAILURES = {}


def name_of(estimator):
    return type(estimator).__name__


def expected_failures(estimator):
    return EXPECTED_FAILURES.get(name_of(estimator), {})


@parametrize_with_checks([e for e in ESTIMATORS if name_of(e) not in LONG], expected_failed_checks=expected_failures)
def test_keeps_the_contract_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks(AT_THEIR_DEFAULTS, expected_failed_checks=expected_failures)
def test_keeps_the_contract_of_scikit_learn_at_its_defaults(estimator, check):
    check(estimator)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=name_of)
def test_forty_checks_apply(estimator):
    assert len(list(estimator_checks_generator(estimator))) >= 40


@pytest.fixture(scope="module")
def clips():
    rng = np.random.RandomState(0)
    y = np.repeat(["high", "low"], 6)
    pitch = np.where(y == "high", 1000, 300)[:, None]
    t = np.arange(1600) / 16000
    return (0.2 * np.sin(2 * np.pi * pitch * t) + rng.normal(0, 0.01, (12, 1600))).astype(np.float32), y


def fitted(estimator, clips):
    quick = {"random_state": 0, "epochs": 2, "n_vectors": 1}  # a waveform is no row of vectors
    known = {name: value for name, value in quick.items() if name in estimator.get_params()}
    return clone(estimator).set_params(**known).fit(*clips)


def outputs(estimator, X):
    if hasattr(estimator, "fit_resample"):
        return estimator.fit_resample(X, X[:, 0])[0]
    return estimator.predict_proba(X) if is_classifier(estimator) else estimator.transform(X)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=name_of)
def test_a_pickle_answers_as_the_original(estimator, clips):
    before = fitted(estimator, clips)
    after = pickle.loads(pickle.dumps(before))
    np.testing.assert_array_equal(outputs(after, clips[0]), outputs(before, clips[0]))


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=name_of)
def test_a_clone_has_the_parameters_and_nothing_learnt(estimator, clips):
    copy = clone(fitted(estimator, clips))
    assert copy.get_params().keys() == estimator.get_params().keys()
    assert not [name for name in vars(copy) if name.endswith("_")]


@pytest.mark.parametrize("estimator", TRANSFORMERS, ids=name_of)
def test_pandas_output_carries_the_feature_names(estimator, clips):
    transformer = clone(estimator).set_output(transform="pandas").fit(clips[0])
    frame = transformer.transform(clips[0])
    assert list(frame.columns) == list(transformer.get_feature_names_out())
    assert len(set(frame.columns)) == frame.shape[1]
    assert (frame.dtypes == np.float32).all()


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=name_of)
def test_no_global_random_state_is_touched(estimator, clips):
    np.random.seed(1)  # noqa: NPY002 -- the global state is the point
    expected = np.random.RandomState(1).uniform(size=3)
    outputs(fitted(estimator, clips), clips[0])
    np.testing.assert_array_equal(np.random.uniform(size=3), expected)  # noqa: NPY002


def test_every_public_estimator_is_checked():
    public = {getattr(skkws, name) for name in skkws.__all__}
    assert {thing for thing in public if hasattr(thing, "get_params")} == {type(e) for e in ESTIMATORS}


@pytest.mark.parametrize("estimator", [e for e in ESTIMATORS if name_of(e) != "AudioLoader"], ids=name_of)
@pytest.mark.parametrize("container", [list, np.array], ids=["list", "array"])
def test_names_of_files_lead_to_the_loader(estimator, container):
    model = clone(estimator)
    fit = getattr(model, "fit_resample", model.fit)
    with pytest.raises(
        TypeError, match=r"X holds names of files, 'yes\.wav' the first one.*make_pipeline\(AudioLoader"
    ):
        fit(container(["yes.wav", "no.wav"]), ["yes", "no"])
