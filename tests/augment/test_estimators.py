"""AudioAugmenter and AugmentedClassifier: what is trained on, what is predicted on, and what decides the copies."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone, is_classifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_predict, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from skkws import (
    AudioAugmenter,
    AugmentedClassifier,
    KeywordHeadClassifier,
    LogMelTransformer,
    SpeechEmbeddingTransformer,
)
from skkws.augment import ColoredNoise, Gain, SpecAugment, default_transforms


@pytest.fixture(scope="module")
def clips(speech):
    return speech.data[:6, :8000], np.array(speech.target[:6])


def mark_and_flip(rows, rng):
    """Keep the first sample, which says which clip a row is a copy of, and change all others."""
    return np.concatenate([rows[:, :1], -rows[:, 1:]], axis=1)


class Recorder(ClassifierMixin, BaseEstimator):
    """Remember, beyond clones, what was fitted and predicted."""

    calls = []

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.calls.append(("fit", X.copy()))
        return self

    def predict(self, X):
        self.calls.append(("predict", X.copy()))
        return np.repeat(self.classes_[:1], len(X))


@pytest.fixture
def marked():
    rng = np.random.default_rng(0)
    X = rng.uniform(0.1, 1.0, (12, 50))
    X[:, 0] = np.arange(12)
    return X, np.tile(["no", "yes"], 6), np.repeat([0, 1, 2], 4)


def test_cross_validation_trains_on_no_copy_of_a_test_clip_and_scores_rows_as_they_are(marked):
    X, y, groups = marked
    Recorder.calls.clear()
    model = AugmentedClassifier(Recorder(), AudioAugmenter([mark_and_flip], n_copies=2))
    cross_val_score(model, X, y, groups=groups, cv=GroupKFold(3))
    fits = [rows for what, rows in Recorder.calls if what == "fit"]
    predictions = [rows for what, rows in Recorder.calls if what == "predict"]
    assert len(fits) == len(predictions) == 3
    for trained, tested in zip(fits, predictions, strict=True):
        held_out = tested[:, 0].astype(int)
        assert len(trained) == 3 * 8
        assert not set(trained[:, 0]) & set(tested[:, 0])
        assert not set(groups[trained[:, 0].astype(int)]) & set(groups[held_out])
        np.testing.assert_array_equal(tested, X[held_out])
    assert sorted(np.concatenate(predictions)[:, 0]) == list(range(12))


def test_the_score_is_the_estimators_own_on_unvaried_rows(marked):
    X, y, _ = marked
    model = AugmentedClassifier(KNeighborsClassifier(1), AudioAugmenter([mark_and_flip])).fit(X, y)
    assert model.score(X, y) == model.estimator_.score(X, y) == 1.0
    np.testing.assert_array_equal(model.predict_proba(X), model.estimator_.predict_proba(X))


def test_originals_come_first_then_each_copy_with_its_label(clips):
    X, y = clips
    augmenter = AudioAugmenter(n_copies=2, random_state=0)
    X_out, y_out = augmenter.fit_resample(X, y)
    assert X_out.shape == (18, 8000)
    assert X_out.dtype == np.float32
    np.testing.assert_array_equal(X_out[:6], X)
    np.testing.assert_array_equal(augmenter.sample_indices_, np.tile(np.arange(6), 3))
    np.testing.assert_array_equal(y_out, y[augmenter.sample_indices_])
    for first, second in ((0, 6), (0, 12), (6, 12)):  # all copies of a clip differ
        assert (X_out[first : first + 6] != X_out[second : second + 6]).any(axis=1).all()


def test_originals_can_be_left_out_and_copies_too(clips):
    X, y = clips
    both = AudioAugmenter(n_copies=2, random_state=0).fit_resample(X, y)[0]
    copies = AudioAugmenter(n_copies=2, keep_original=False, random_state=0).fit_resample(X, y)[0]
    np.testing.assert_array_equal(copies, both[6:])
    np.testing.assert_array_equal(AudioAugmenter(n_copies=0).fit_resample(X, y)[0], X)
    with pytest.raises(ValueError, match="n_copies=0 with keep_original=False leaves no row"):
        AudioAugmenter(n_copies=0, keep_original=False).fit_resample(X, y)


def test_a_clip_has_the_same_copies_wherever_it_stands(clips):
    X, y = clips
    augmenter = AudioAugmenter(n_copies=2, keep_original=False, random_state=0)
    whole = augmenter.fit_resample(X, y)[0].reshape(2, 6, -1)
    some = augmenter.fit_resample(X[[4, 1]], y[[4, 1]])[0].reshape(2, 2, -1)
    np.testing.assert_array_equal(some, whole[:, [4, 1]])
    more = clone(augmenter).set_params(n_copies=3).fit_resample(X, y)[0].reshape(3, 6, -1)
    np.testing.assert_array_equal(more[:2], whole)


def test_an_int_seed_repeats_the_copies_and_another_changes_them(clips):
    first, again, other = (AudioAugmenter(random_state=seed).fit_resample(*clips)[0] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first[6:] != other[6:]).any(axis=1).all()
    assert np.any(AudioAugmenter().fit_resample(*clips)[0] != AudioAugmenter().fit_resample(*clips)[0])


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"transforms": [Gain(), "noise"]}, "transforms must be a list of callables .* got 'noise' at position 1"),
        ({"transforms": Gain()}, "The 'transforms' parameter of AudioAugmenter must be"),
        ({"n_copies": -1}, "The 'n_copies' parameter of AudioAugmenter must be"),
        ({"transforms": [lambda rows, rng: rows[:, :-1]]}, "finite rows of the same shape .* gave the shape"),
        ({"transforms": [lambda rows, rng: rows * np.nan]}, "finite rows .* gave NaN or infinity"),
    ],
)
def test_bad_parameters_and_transforms_are_refused(clips, params, message):
    with pytest.raises(ValueError, match=message):
        AudioAugmenter(**params).fit_resample(*clips)


def test_bad_rows_are_refused(clips):
    X, y = clips
    with pytest.raises(ValueError, match="Input X contains NaN"):
        AudioAugmenter().fit_resample(np.full_like(X, np.nan), y)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        AudioAugmenter().fit_resample(X, y[:-1])


def test_a_weight_counts_as_much_as_so_many_equal_rows(clips):
    X, y = clips
    pipeline = make_pipeline(SpeechEmbeddingTransformer(pooling="mean"), LogisticRegression(C=1e-4, tol=1e-8))
    model = AugmentedClassifier(pipeline, random_state=0)
    weights = np.array([1, 2, 1, 3, 0, 1])
    weighted = clone(model).fit(X, y, sample_weight=weights)
    repeated = clone(model).fit(np.repeat(X, weights, axis=0), np.repeat(y, weights))
    np.testing.assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), atol=1e-4)
    assert np.abs(clone(model).fit(X, y).predict_proba(X) - weighted.predict_proba(X)).max() > 0.01


def test_the_head_is_told_which_rows_are_copies(clips):
    X, y = clips
    pipeline = make_pipeline(SpeechEmbeddingTransformer(), KeywordHeadClassifier(epochs=3, standardize=False))
    unvaried = AugmentedClassifier(pipeline, AudioAugmenter([lambda rows, rng: rows]), random_state=0).fit(X, y)
    seed = unvaried.estimator_[-1].random_state
    plain = clone(pipeline).set_params(keywordheadclassifier__random_state=seed).fit(X, y)
    np.testing.assert_array_equal(unvaried.predict_proba(X), plain.predict_proba(X))


def test_weights_an_estimator_cannot_take_are_refused(marked):
    X, y, _ = marked
    with pytest.raises(ValueError, match="KNeighborsClassifier takes no sample_weight in fit"):
        AugmentedClassifier(KNeighborsClassifier(), AudioAugmenter([Gain()])).fit(X, y, np.ones(12))


def test_it_is_a_classifier_and_wraps_nothing_else(marked):
    assert is_classifier(AugmentedClassifier(LogisticRegression()))
    assert not hasattr(AugmentedClassifier(LogisticRegression()), "transform")
    assert not hasattr(AugmentedClassifier(KNeighborsClassifier()), "decision_function")
    assert hasattr(AugmentedClassifier(LogisticRegression()), "decision_function")
    with pytest.raises(ValueError, match="estimator must be a classifier, or a pipeline that ends in one, got Ridge"):
        AugmentedClassifier(Ridge()).fit(*marked[:2])


def test_a_spotter_learns_words_from_copies_and_is_the_same_in_two_processes(speech):
    pipeline = make_pipeline(SpeechEmbeddingTransformer(), KeywordHeadClassifier())
    spotter = AugmentedClassifier(pipeline, AudioAugmenter(n_copies=1), random_state=0)
    options = {"groups": speech.groups, "cv": GroupKFold(2), "method": "predict_proba"}
    alone = cross_val_predict(spotter, speech.data, speech.target, **options)
    together = cross_val_predict(spotter, speech.data, speech.target, n_jobs=2, **options)
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert np.mean(np.unique(speech.target)[alone.argmax(axis=1)] == speech.target) > 0.6


def test_a_grid_search_finds_the_number_of_copies_and_the_transforms(speech):
    spotter = AugmentedClassifier(
        make_pipeline(SpeechEmbeddingTransformer(pooling="mean"), LogisticRegression()),
        AudioAugmenter(random_state=0),
    )
    grid = {"augmenter__n_copies": [0, 1], "augmenter__transforms": [default_transforms(), [ColoredNoise(10.0)]]}
    search = GridSearchCV(spotter, grid, cv=GroupKFold(2), n_jobs=2, error_score="raise")
    search.fit(speech.data, speech.target, groups=speech.groups)
    scores = search.cv_results_["mean_test_score"]
    assert len(scores) == 4
    assert scores[0] == scores[1]  # no copies, so the transforms do not matter
    assert search.predict(speech.data[:2]).shape == (2,)


def test_masks_augment_log_mel_rows_behind_a_transformer(speech):
    masked = AugmentedClassifier(
        make_pipeline(SpeechEmbeddingTransformer("logmel"), KeywordHeadClassifier()),
        AudioAugmenter([SpecAugment()], n_copies=1),
        random_state=0,
    )
    spotter = make_pipeline(LogMelTransformer(), masked).fit(speech.data, speech.target)
    assert spotter.score(speech.data, speech.target) > 0.9


def test_pipelines_of_imbalanced_learn_augment_in_fit_alone(marked):
    imblearn = pytest.importorskip("imblearn.pipeline")
    X, y, _ = marked
    Recorder.calls.clear()
    pipeline = imblearn.make_pipeline(AudioAugmenter([mark_and_flip], n_copies=2), Recorder())
    pipeline.fit(X, y).predict(X)
    (_, trained), (_, tested) = Recorder.calls
    assert trained.shape == (36, 50)
    np.testing.assert_array_equal(tested, X)
