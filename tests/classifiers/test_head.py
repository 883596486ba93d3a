"""KeywordHeadClassifier: what it learns, and what it says when it cannot."""

import copy
import tracemalloc

import numpy as np
import pytest
from joblib import Parallel, delayed
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone, is_classifier
from sklearn.model_selection import StratifiedKFold, check_cv
from sklearn.pipeline import make_pipeline

from skkws import KeywordHeadClassifier, LogMelTransformer, SpeechEmbeddingTransformer
from skkws.classifiers._base import _trained_on


@pytest.fixture(scope="module")
def words():
    """Rows of 13 vectors: a word is a bump along its own direction somewhere in the row."""
    rng = np.random.RandomState(0)
    y = np.repeat(["go", "no", "yes"], 30)
    directions = rng.normal(size=(3, 96))
    X = rng.normal(size=(90, 13, 96))
    for row, word in enumerate(y):
        at = rng.randint(2, 11)
        X[row, at - 2 : at + 2] += 2 * directions[["go", "no", "yes"].index(word)]
    order = rng.permutation(90)
    return X.reshape(90, -1).astype(np.float32)[order], y[order]


@pytest.fixture(scope="module")
def trained(words):
    X, y = words
    return KeywordHeadClassifier(random_state=0).fit(X[:60], y[:60])


def test_learns_words_wherever_they_are_in_the_clip(words, trained):
    X, y = words
    assert trained.score(X[60:], y[60:]) > 0.9


def test_probabilities_belong_to_the_labels_in_classes_(words, trained):
    X, _ = words
    probabilities = trained.predict_proba(X)
    assert trained.classes_.tolist() == ["go", "no", "yes"]
    assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    assert_array_equal(trained.classes_[probabilities.argmax(axis=1)], trained.predict(X))


def test_the_network_is_that_of_the_paper():
    X = np.random.RandomState(0).normal(size=(24, 16 * 96))
    head = KeywordHeadClassifier(epochs=1).fit(X, np.tile(np.arange(12), 2))
    assert head.to_keras().count_params() == 57228


def test_model_is_the_trained_network(words, trained):
    X, _ = words
    vectors = trained.scaler_.transform(X.reshape(-1, 96)).reshape(-1, 13, 96)
    assert_allclose(trained.to_keras().predict(vectors, verbose=0), trained.predict_proba(X), atol=1e-5)


def test_batch_norm_uses_running_statistics_in_predict(words, trained):
    X, _ = words
    together = trained.predict_proba(X)
    one_by_one = np.concatenate([trained.predict_proba(x[None]) for x in X])
    assert_allclose(one_by_one, together, atol=1e-5)


def test_same_random_state_same_network_whatever_was_fitted_before(words, trained):
    X, y = words
    KeywordHeadClassifier(random_state=1).fit(X, y)
    again = KeywordHeadClassifier(random_state=0).fit(X[:60], y[:60])
    assert_array_equal(again.predict_proba(X), trained.predict_proba(X))
    other = KeywordHeadClassifier(random_state=1).fit(X[:60], y[:60])
    assert np.abs(other.predict_proba(X) - trained.predict_proba(X)).max() > 1e-5


def test_history_has_a_loss_and_an_accuracy_for_each_epoch(trained):
    assert trained.n_iter_ == trained.epochs
    assert [len(values) for values in trained.history_.values()] == [trained.epochs] * 2
    assert trained.history_["loss"][-1] < 0.5 * trained.history_["loss"][0]
    assert trained.history_["accuracy"][-1] > 0.95


@pytest.mark.parametrize("n_vectors", [1, 2, 3])
def test_a_clip_of_few_vectors_is_enough(words, n_vectors):
    X, y = words
    rows = X.reshape(90, 13, 96)[:, :n_vectors].reshape(90, -1)
    assert KeywordHeadClassifier(epochs=2).fit(rows, y).predict(rows).shape == (90,)


def test_two_classes_of_any_labels(words):
    X, y = words
    head = KeywordHeadClassifier(epochs=5, random_state=0).fit(X, y == "go")
    assert head.classes_.tolist() == [False, True]
    assert head.predict_proba(X).shape == (90, 2)


def test_n_vectors_divides_rows_of_other_features(words):
    _, y = words
    X = np.random.RandomState(0).normal(size=(90, 98 * 40))
    head = KeywordHeadClassifier(n_vectors=98, epochs=1).fit(X, y)
    assert head.to_keras().input_shape == (None, 98, 40)
    with pytest.raises(ValueError, match=r"n_vectors=98 does not divide rows of 100 columns evenly.*output_shape_"):
        KeywordHeadClassifier(n_vectors=98).fit(X[:, :100], y)


def test_rows_of_other_features_are_not_taken_for_vectors():
    y = [0, 1, 0, 1]
    with pytest.raises(ValueError, match=r"Rows of 3136 columns are no .* may be 98 frames of 32 .* set n_vectors=98"):
        KeywordHeadClassifier().fit(np.zeros((4, 98 * 32)), y)
    with pytest.raises(ValueError, match=r"Rows of 156 columns are no frames of 96 columns, .* set n_vectors to what"):
        KeywordHeadClassifier().fit(np.zeros((4, 156)), y)
    frames = LogMelTransformer().set_output(transform="pandas").fit_transform(np.zeros((4, 8000)))
    with pytest.raises(ValueError, match=r"takes vectors .*, got 48 frames of 32 log-mel bands .* or set n_vectors=48"):
        KeywordHeadClassifier().fit(frames, y)
    with pytest.raises(ValueError, match=r"n_vectors=16 contradicts the names .* 48 frames .* set n_vectors=48"):
        KeywordHeadClassifier(n_vectors=16).fit(frames, y)
    assert KeywordHeadClassifier(n_vectors=48, epochs=1).fit(frames, y).input_shape_ == (48, 32)


def test_names_of_vectors_change_nothing():
    clips, y = np.random.default_rng(0).normal(0, 0.1, (4, 9000)), [0, 1, 0, 1]
    pipeline = make_pipeline(SpeechEmbeddingTransformer(), KeywordHeadClassifier(epochs=2, random_state=0))
    expected = clone(pipeline).fit(clips, y).predict_proba(clips)
    with_names = clone(pipeline).set_output(transform="pandas").fit(clips, y)
    assert_array_equal(with_names.predict_proba(clips), expected)


@pytest.mark.parametrize("standardize", [True, False])
def test_standardize_makes_units_irrelevant(words, standardize):
    X, y = words
    head = KeywordHeadClassifier(epochs=3, random_state=0, standardize=standardize)
    a, b = clone(head).fit(X, y).predict_proba(X), clone(head).fit(X * 100, y).predict_proba(X * 100)
    assert np.allclose(a, b, atol=1e-3) == standardize


def test_a_weight_of_two_is_two_rows_and_zero_is_none(words):
    # In double precision, in one batch: otherwise rounding and batches differ by nature.
    X, y = words[0][:30].astype(np.float64), words[1][:30]
    weight = np.tile([0, 1, 2], 10)
    head = KeywordHeadClassifier(epochs=5, random_state=0)
    weighted = clone(head).fit(X, y, sample_weight=weight)
    repeated = clone(head).fit(np.repeat(X, weight, axis=0), np.repeat(y, weight))
    assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), rtol=1e-6)


def test_class_weight_is_the_weight_of_the_rows_of_a_class(words):
    X, y = words
    head = KeywordHeadClassifier(epochs=3, random_state=0, standardize=False)  # the scale knows no classes
    by_class = clone(head).set_params(class_weight={"go": 3, "no": 1, "yes": 1}).fit(X, y)
    by_row = clone(head).fit(X, y, sample_weight=np.where(y == "go", 3, 1))
    assert_array_equal(by_class.predict_proba(X), by_row.predict_proba(X))


def test_early_stopping_stops_and_keeps_the_best_epoch(words):
    X, y = words
    head = KeywordHeadClassifier(epochs=300, early_stopping=True, validation_fraction=0.3, patience=3, random_state=0)
    head.fit(X, y)
    losses = head.history_["val_loss"]
    assert head.n_iter_ == len(losses) == np.argmin(losses) + 1 + 3 < 300
    first = clone(head).set_params(patience=300, epochs=300).fit(X, y)
    assert_array_equal(first.history_["val_loss"][: head.n_iter_], losses)


def test_early_stopping_needs_every_class_on_both_sides(words):
    X, _ = words
    with pytest.raises(ValueError, match=r"early_stopping=True holds out 1 of 6 clips.*early_stopping=False"):
        KeywordHeadClassifier(early_stopping=True).fit(X[:6], ["a", "a", "b", "b", "c", "c"])


@pytest.mark.parametrize("early_stopping", [False, True])
def test_copies_that_equal_their_clip_change_nothing(words, early_stopping):
    X, y = words
    head = KeywordHeadClassifier(epochs=4, standardize=False, early_stopping=early_stopping, random_state=0)
    alone = clone(head).fit(X, y)
    names = np.array([f"clip {i}" for i in range(90)])
    with_copies = clone(head).fit(np.tile(X, (3, 1)), np.tile(y, 3), copy_of=np.tile(names, 3))
    assert_array_equal(with_copies.predict_proba(X), alone.predict_proba(X))
    assert_allclose(with_copies.history_["loss"], alone.history_["loss"], rtol=1e-6)


def test_epochs_draw_among_the_copies(words):
    X, y = words
    noise = np.random.RandomState(1).normal(size=X.shape).astype(np.float32)
    copy_of = np.tile(np.arange(60), 2)
    head = KeywordHeadClassifier(epochs=60, random_state=0)
    head.fit(np.concatenate([noise[:60], X[:60]]), np.tile(y[:60], 2), copy_of=copy_of)
    assert head.score(X[60:], y[60:]) > 0.85


def test_copies_have_the_label_of_their_clip(words):
    X, y = words
    with pytest.raises(ValueError, match=r"labels \['no', 'go'\] are copies of one clip, 0;.*Correct copy_of or y"):
        KeywordHeadClassifier().fit(X, y, copy_of=np.zeros(90, dtype=int))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        KeywordHeadClassifier().fit(X, y, copy_of=np.arange(80))


def test_warm_start_goes_on_and_otherwise_fit_begins_anew(words):
    X, y = words
    head = KeywordHeadClassifier(epochs=2, dropout=0.0, random_state=0, warm_start=True).fit(X, y)
    after_two = head.history_["loss"][-1]
    head.fit(X, y)
    assert head.n_iter_ == 4
    assert head.history_["loss"][2] < after_two
    assert head.set_params(warm_start=False).fit(X, y).n_iter_ == 2


def test_warm_start_refuses_other_classes(words):
    X, y = words
    head = KeywordHeadClassifier(epochs=1, warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match=r"warm_start=True needs the classes of the previous fit.*new classifier"):
        head.fit(X, np.where(y == "go", "stop", y))


def test_partial_fit_learns_from_batches(words):
    X, y = words
    head = KeywordHeadClassifier(random_state=0, learning_rate=1e-3)
    for _ in range(15):
        for rows in np.array_split(np.arange(60), 2):
            head.partial_fit(X[rows], y[rows], classes=["go", "no", "yes"])
    assert head.n_iter_ == 30
    assert head.score(X[60:], y[60:]) > 0.9


def test_partial_fit_takes_a_batch_of_one_class_but_no_unknown_one(words):
    X, y = words
    head = KeywordHeadClassifier(random_state=0).partial_fit(X[y == "go"], y[y == "go"], classes=["go", "no"])
    with pytest.raises(ValueError, match=r"\['yes'\], which are not among the classes \['go', 'no'\]"):
        head.partial_fit(X[y == "yes"], y[y == "yes"])


def test_partial_fit_refuses_balanced_weights(words):
    with pytest.raises(ValueError, match=r'class_weight="balanced" needs all rows at once'):
        KeywordHeadClassifier(class_weight="balanced").partial_fit(*words, classes=["go", "no", "yes"])


def test_one_class_is_refused_by_name(words):
    X, _ = words
    with pytest.raises(ValueError, match=r"at least two classes, got 1 class: \['go'\]; add recordings"):
        KeywordHeadClassifier().fit(X, np.repeat("go", 90))


def test_divergence_is_an_error_that_names_the_learning_rate(words):
    X, y = words
    head = KeywordHeadClassifier(optimizer="sgd", learning_rate=1e30, random_state=0)
    with pytest.raises(ValueError, match=r"The loss became .* lower the learning rate, 1e\+30"):
        head.fit(X, y)


def test_parameters_changed_after_fit_are_an_error_that_says_so(words):
    X, y = words
    head = KeywordHeadClassifier(epochs=1).fit(X, y).set_params(filters=48)
    with pytest.raises(ValueError, match=r"weights do not fit the network: its parameters were changed.*Fit again"):
        head.predict(X)


@pytest.mark.parametrize(("verbose", "expected"), [(0, ""), (1, "Training"), (2, "epoch 2: loss ")])
def test_progress_goes_to_stderr_as_asked(words, capsys, verbose, expected):
    KeywordHeadClassifier(epochs=2, verbose=verbose).fit(*words)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert expected in captured.err
    assert bool(captured.err) == bool(verbose)


def test_cross_validation_stratifies_it_as_a_classifier(words):
    assert is_classifier(KeywordHeadClassifier())
    assert isinstance(check_cv(3, words[1], classifier=is_classifier(KeywordHeadClassifier())), StratifiedKFold)


def test_a_fit_in_a_thread_does_not_disturb_another(words):
    X, y = words
    alone = [KeywordHeadClassifier(epochs=3, random_state=seed).fit(X, y).predict_proba(X) for seed in range(4)]
    heads = Parallel(n_jobs=4, prefer="threads")(
        delayed(KeywordHeadClassifier(epochs=3, random_state=seed).fit)(X, y) for seed in range(4)
    )
    for head, expected in zip(heads, alone, strict=True):
        assert_array_equal(head.predict_proba(X), expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("options", [{}, {"early_stopping": True, "validation_fraction": 0.3}, {"standardize": False}])
def test_rows_on_disk_are_fitted_to_the_last_bit_like_those_in_memory(words, tmp_path, dtype, options):
    X, y = words[0].astype(dtype), words[1]
    np.save(tmp_path / "x.npy", X)
    on_disk = np.load(tmp_path / "x.npy", mmap_mode="r")
    weight = np.tile([0, 1, 2], 30)
    heads = [
        KeywordHeadClassifier(epochs=3, random_state=0, **options).fit(rows, y, sample_weight=weight)
        for rows in (X, on_disk)
    ]
    for array, other in zip(heads[0].weights_, heads[1].weights_, strict=True):
        assert_array_equal(array, other)
    assert heads[0].history_ == heads[1].history_
    assert_array_equal(heads[0].predict_proba(X), heads[1].predict_proba(on_disk))


def test_rows_of_any_layout_are_the_same_rows(words):
    X, y = words
    expected = KeywordHeadClassifier(epochs=2, random_state=0).fit(X, y).predict_proba(X)
    for rows in (np.asfortranarray(X), np.repeat(X, 2, axis=0)[::2]):
        head = KeywordHeadClassifier(epochs=2, random_state=0).fit(rows, y)
        assert_array_equal(head.predict_proba(rows), expected)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_rows_on_disk_are_in_memory_by_the_batch_only(tmp_path, early_stopping):
    X = np.lib.format.open_memmap(tmp_path / "x.npy", mode="w+", dtype=np.float32, shape=(8000, 13 * 96))
    rng = np.random.default_rng(0)
    for i in range(0, len(X), 1000):
        X[i : i + 1000] = rng.normal(size=(1000, X.shape[1]))
    X = np.load(tmp_path / "x.npy", mmap_mode="r")
    y, weight = np.arange(len(X)) % 3, np.arange(len(X)) % 4
    head = KeywordHeadClassifier(epochs=1, early_stopping=early_stopping)
    tracemalloc.start()
    try:
        head.fit(X, y, sample_weight=weight).predict(X)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert X.nbytes > 39_000_000
    assert peak < X.nbytes / 3


def test_rows_held_out_are_of_other_speakers_where_these_are_told():
    """Each speaker says a word in a way of their own: what is learnt of one tells nothing of another."""
    rng = np.random.default_rng(0)
    speakers, y = np.repeat(np.arange(20), 12), np.tile(np.repeat(["no", "yes"], 6), 20)
    X = np.repeat(rng.normal(size=(40, 96)), 6, axis=0) + rng.normal(0, 0.1, (240, 96))
    head = KeywordHeadClassifier(early_stopping=True, validation_fraction=0.5, patience=60, random_state=0)
    alike, apart = (head.fit(X, y, groups=groups).history_["val_accuracy"][-1] for groups in (None, speakers))
    assert alike > 0.95
    assert apart < 0.8


def test_one_speaker_cannot_be_held_out():
    X, y = np.random.default_rng(0).normal(size=(40, 96)), ["no", "yes"] * 20
    with pytest.raises(ValueError, match="needs a clip on both sides, and with groups a speaker; add clips"):
        KeywordHeadClassifier(early_stopping=True).fit(X, y, groups=np.zeros(40))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        KeywordHeadClassifier(early_stopping=True).fit(X, y, groups=np.zeros(39))


# States from somewhere else


def with_state(trained, **changes):
    """The head as a pickle would bring it back that somebody has changed."""
    state = trained.__getstate__() | changes
    head = KeywordHeadClassifier()
    head.__setstate__(state)
    return head


def other_weight(trained, i, change):
    weights = list(trained.weights_)
    weights[i] = change(weights[i])
    return weights


@pytest.mark.parametrize(
    ("i", "change", "message"),
    [
        (0, lambda weight: weight.astype("float16"), "must be an array of float32, got float16"),
        (0, lambda weight: weight.astype(">f4"), "must be an array of float32, got >f4"),
        (5, lambda weight: weight.astype("int8"), "must be an array of float32, got int8"),
        (10, lambda weight: np.full_like(weight, np.nan), "holds NaN"),
        (10, lambda weight: weight.astype(object), "must be an array of float32, got object"),
        (11, lambda weight: weight.tolist(), "must be an array of float32, got .*list"),
        (4, lambda weight: np.full_like(weight, -1), "is a variance and holds -1"),
        (9, lambda weight: np.full_like(weight, -1), "is a variance and holds -1"),
    ],
    ids=["float16", "big endian", "int8", "nan", "objects", "list", "first variance", "second variance"],
)
def test_weights_that_machine_code_cannot_take_are_refused(trained, i, change, message):
    with pytest.raises(ValueError, match=rf"Weight {i} of the network {message}"):
        with_state(trained, weights_=other_weight(trained, i, change))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"_dtype": "float16"}, "computes in float32 or float64, got 'float16'"),
        ({"_dtype": ">f4"}, "computes in float32 or float64, got '>f4'"),
        ({"classes_": np.array(["no", "yes"])}, "weights do not fit the network"),
        ({"input_shape_": (130, 96)}, "a head with rows of 1248 columns cannot take 130 x 96"),
        ({"input_shape_": (-13, -96)}, "a head with rows of 1248 columns cannot take -13 x -96"),
        ({"filters": 96.0}, "'filters' parameter"),
    ],
)
def test_shapes_and_types_that_do_not_belong_to_the_rows_are_refused(trained, changes, message):
    with pytest.raises(ValueError, match=message):
        with_state(trained, **changes)


def test_a_scaler_that_gives_no_numbers_is_refused(trained):
    for name, value, message in (
        ("mean_", np.full(96, np.nan), "96 finite numbers"),
        ("scale_", np.ones(95), "96 finite numbers"),
        ("scale_", np.zeros(96), "must divide by positive numbers"),
    ):
        scaler = copy.deepcopy(trained.scaler_)
        setattr(scaler, name, value)
        with pytest.raises(ValueError, match=message):
            with_state(trained, scaler_=scaler)


def test_weights_in_another_order_are_the_same_weights(words, trained):
    head = with_state(trained, weights_=[np.asfortranarray(weight) for weight in trained.weights_])
    assert_array_equal(head.predict_proba(words[0]), trained.predict_proba(words[0]))


@pytest.mark.parametrize("n_classes", [2, 4, 10])
@pytest.mark.parametrize("clips_per_speaker", [1, 2])
@pytest.mark.parametrize("fraction", [0.01, 0.1, 0.4])
def test_early_stopping_takes_speakers_of_few_clips(n_classes, clips_per_speaker, fraction):
    n = 4 * n_classes
    X, y = np.random.default_rng(0).normal(size=(n, 96)), np.arange(n) % n_classes
    head = KeywordHeadClassifier(epochs=1, early_stopping=True, validation_fraction=fraction, random_state=0)
    head.fit(X, y, groups=np.arange(n) // clips_per_speaker)
    assert "val_loss" in head.history_


def test_early_stopping_finds_speakers_who_say_all_words():
    """Each of six says but two words of four."""
    y = np.arange(48) % 4
    X = np.random.default_rng(0).normal(size=(48, 96))
    head = KeywordHeadClassifier(epochs=1, early_stopping=True, random_state=0).fit(X, y, groups=np.arange(48) % 6)
    assert "val_loss" in head.history_


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("clips_per_speaker", "n_held_out"), [(1, 4), (1, 30), (2, 10), (5, 8)])
def test_speakers_are_held_out_until_all_words_are(seed, clips_per_speaker, n_held_out):
    labels, speakers = np.arange(60) % 5, np.arange(60) // clips_per_speaker
    trained = _trained_on(labels, speakers, 5, n_held_out, np.random.RandomState(seed))
    held_out = np.setdiff1d(np.arange(60), trained)
    assert set(labels[trained]) == set(labels[held_out]) == set(range(5))
    assert not set(speakers[trained]) & set(speakers[held_out])
    assert max(5, n_held_out) <= len(held_out) < n_held_out + 5 + clips_per_speaker


def test_words_that_one_speaker_alone_says_cannot_be_held_out():
    X, y = np.random.default_rng(0).normal(size=(8, 96)), np.arange(8) % 2
    assert _trained_on(y, y, 2, 2, np.random.RandomState(0)).tolist() == list(range(8))
    with pytest.raises(ValueError, match="each of 2 classes needs a clip on both sides, and with groups a speaker"):
        KeywordHeadClassifier(early_stopping=True).fit(X, y, groups=y)
