import numpy as np
import pytest

from skkws import PrototypeClassifier


@pytest.fixture
def rows():
    """Three words in five dimensions; the third dimension is who speaks, and spreads widest."""
    rng = np.random.default_rng(0)
    y = np.repeat(["go", "no", "yes"], 40)
    centres = {"yes": (3, 0, 0, 0, 0), "no": (0, 3, 0, 0, 0), "go": (0, 0, 0, 3, 0)}
    X = np.array([centres[word] for word in y]) + rng.normal(0, 0.5, (120, 5))
    X[:, 2] += rng.normal(0, 30, 120)
    return X, y


def test_what_spreads_within_words_is_not_learnt(rows):
    X, y = rows
    rng = np.random.default_rng(1)
    stranger = X.copy()
    stranger[:, 2] += rng.normal(0, 60, len(X))
    assert (PrototypeClassifier(shrinkage=0.001).fit(X, y).predict(stranger) == y).mean() > 0.95
    assert (PrototypeClassifier(shrinkage=1.0).fit(X, y).predict(stranger) == y).mean() < 0.7


def test_whitened_rows_have_no_direction_of_larger_spread_within_words(rows):
    X, y = rows
    classifier = PrototypeClassifier(shrinkage=0.0).fit(X, y)
    whitened = X @ classifier.whitening_
    within = np.concatenate([whitened[y == word] - whitened[y == word].mean(axis=0) for word in np.unique(y)])
    np.testing.assert_allclose(within.T @ within / len(within), np.eye(5), atol=1e-6)


def test_words_that_are_no_keyword_are_let_pass(rows):
    X, y = rows
    classifier = PrototypeClassifier(["yes", "no"], other_label="rest", shrinkage=0.01).fit(X, y)
    assert classifier.classes_.tolist() == ["no", "rest", "yes"]
    assert classifier.words_.tolist() == ["go", "no", "yes"]
    assert (classifier.predict(X) == np.where(y == "go", "rest", y)).mean() > 0.95


def test_a_higher_threshold_lets_more_pass():
    rng = np.random.default_rng(0)
    y = np.repeat([f"word {i}" for i in range(20)], 5)
    X = rng.normal(0, 1, (20, 8)).repeat(5, axis=0) + rng.normal(0, 0.7, (100, 8))
    passed = [
        (PrototypeClassifier(["word 0", "word 1"], threshold=threshold, cohort=0.5).fit(X, y).predict(X) == "_unknown_")
        for threshold in (-1.0, 0.5, 2.0, 8.0)
    ]
    n_passed = [rows.sum() for rows in passed]
    assert n_passed == sorted(set(n_passed))
    assert n_passed[-1] == len(X)


def test_only_the_nearest_other_words_are_the_cohort():
    rng = np.random.default_rng(0)
    y = np.repeat(["key", *(f"far {i}" for i in range(30))], 4)
    centres = np.vstack([[5, 0, 0, 0], np.hstack([np.full((30, 1), -5), rng.normal(0, 1, (30, 3))])])
    X = centres.repeat(4, axis=0) + rng.normal(0, 0.3, (124, 4))
    few, all_ = (PrototypeClassifier(["key"], cohort=share).fit(X, y).decision_function(X) for share in (0.17, 1.0))
    # A nearer cohort is harder to stand out from.
    assert (few < all_).mean() > 0.9


def test_weights_are_those_of_repeated_rows(rows):
    X, y = rows
    counts = np.random.default_rng(2).integers(0, 4, len(X))
    weighted = PrototypeClassifier().fit(X, y, sample_weight=counts)
    repeated = PrototypeClassifier().fit(X.repeat(counts, axis=0), y.repeat(counts))
    np.testing.assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), atol=1e-9)


def test_a_word_counts_the_same_however_many_rows_it_has(rows):
    X, y = rows
    many = np.flatnonzero(y == "go").repeat(50)
    before = PrototypeClassifier().fit(X, y)
    after = PrototypeClassifier().fit(np.concatenate([X, X[many]]), np.concatenate([y, y[many]]))
    np.testing.assert_allclose(before.predict_proba(X), after.predict_proba(X), atol=1e-9)


def test_recordings_move_the_mean_by_their_share_of_the_weight():
    X = np.array([[0.0, 1.0], [1.0, 0.0], [5.0, 5.0]])
    classifier = PrototypeClassifier(shrinkage=1.0).fit(X, ["a", "a", "b"], sample_weight=[8.0, 2.0, 1.0])
    direction = np.array([0.2, 0.8]) - classifier.mean_
    np.testing.assert_allclose(classifier.mean_, [(0.2 + 5) / 2, (0.8 + 5) / 2])
    np.testing.assert_allclose(classifier.prototypes_[0], direction / np.linalg.norm(direction))


def test_one_row_a_word_is_enough():
    classifier = PrototypeClassifier().fit([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]], ["a", "b", "c"])
    assert classifier.predict([[2.0, 0.1], [0.1, 3.0], [-5.0, -4.0]]).tolist() == ["a", "b", "c"]


def test_probabilities_rank_as_the_scores_do(rows):
    X, y = rows
    classifier = PrototypeClassifier(["yes", "no"]).fit(X, y)
    probabilities, scores = classifier.predict_proba(X), classifier.decision_function(X)
    np.testing.assert_array_equal(probabilities.argmax(axis=1), scores.argmax(axis=1))
    np.testing.assert_array_equal(classifier.classes_[scores.argmax(axis=1)], classifier.predict(X))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"keywords": ["yes", "maybe"]}, r"\['maybe'\] have no rows. Add rows of them, or name others."),
        ({"keywords": []}, "Add rows of them, or name others."),
        ({"keywords": ["yes"], "other_label": "yes"}, "must not hold other_label, 'yes'. Name one of them otherwise."),
        ({"shrinkage": 1.5}, "'shrinkage' parameter of PrototypeClassifier must be"),
        ({"cohort": 0}, "'cohort' parameter of PrototypeClassifier must be"),
    ],
)
def test_parameters_that_cannot_be_are_named(rows, parameters, message):
    with pytest.raises(ValueError, match=message):
        PrototypeClassifier(**parameters).fit(*rows)


def test_integers_are_labels_too(rows):
    X, y = rows
    numbers = np.unique(y, return_inverse=True)[1]
    classifier = PrototypeClassifier([1, 2], other_label=-1).fit(X, numbers)
    assert classifier.classes_.tolist() == [-1, 1, 2]
    with pytest.raises(ValueError, match="other_label must be of the type of the labels, got '_unknown_' beside 0"):
        PrototypeClassifier([1, 2]).fit(X, numbers)


def test_a_single_word_is_refused():
    with pytest.raises(ValueError, match=r"needs rows of two classes at least, got one class: .*Add rows of another"):
        PrototypeClassifier().fit([[1.0], [2.0]], ["yes", "yes"])
