"""A second classifier chooses among what it knows, and leaves all else to the first."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skkws import PrototypeClassifier, RescoringClassifier


class Fixed(ClassifierMixin, BaseEstimator):
    """Gives the same probabilities for every row, and remembers what it was fitted on."""

    def __init__(self, classes, probabilities):
        self.classes = classes
        self.probabilities = probabilities

    def fit(self, X, y, sample_weight=None):
        self.classes_ = np.array(self.classes)
        self.fitted_ = np.ravel(X), list(y), sample_weight
        return self

    def predict_proba(self, X):
        return np.tile(np.array(self.probabilities, dtype=float), (len(X), 1))


X = np.arange(5.0)[:, None]
Y = np.array(["no", "yes", "maybe", "no", "yes"])
RECORDED = np.array([False, False, True, True, True])


def rescored(first, second, **how):
    classifier = RescoringClassifier(Fixed(["_unknown_", "no", "yes"], first), Fixed(["no", "yes"], second))
    return classifier.fit(X, Y, **{"rescored": RECORDED, **how})


def test_the_product_chooses_among_the_classes_of_the_second():
    # 0.4 x 0.2 against 0.3 x 0.8, scaled so that the better of them is as probable as the better was: 0.4.
    probabilities = rescored([0.3, 0.4, 0.3], [0.2, 0.8]).predict_proba(X[:2])
    expected = np.array([0.3, 0.4 / 3, 0.4]) / (0.7 + 0.4 / 3)
    np.testing.assert_allclose(probabilities, [expected, expected])


@pytest.mark.parametrize("second", [[0.999, 0.001], [0.5, 0.5], [0.0, 1.0]])
def test_words_to_let_pass_are_left_to_the_first(second):
    assert rescored([0.5, 0.4, 0.1], second).predict(X[:1]) == ["_unknown_"]
    assert rescored([0.3, 0.4, 0.3], second).predict(X[:1]) != ["_unknown_"]


def test_where_they_exclude_each_others_classes_the_first_is_right():
    probabilities = rescored([0.2, 0.8, 0.0], [0.0, 1.0]).predict_proba(X[:1])
    np.testing.assert_allclose(probabilities, [[0.2, 0.8, 0.0]])


def test_the_second_learns_from_rescored_rows_of_the_classes_that_are_predicted():
    classifier = rescored([0.3, 0.4, 0.3], [0.5, 0.5], sample_weight=[1.0, 2.0, 3.0, 4.0, 5.0])
    rows, labels, weight = classifier.estimator_.fitted_
    assert (rows.tolist(), labels, weight.tolist()) == ([0, 1, 2, 3, 4], Y.tolist(), [1, 2, 3, 4, 5])
    rows, labels, weight = classifier.rescorer_.fitted_
    assert (rows.tolist(), labels, weight.tolist()) == ([3, 4], ["no", "yes"], [4, 5])


def test_nothing_is_rescored_where_there_is_nothing_to_choose():
    classifier = rescored([0.3, 0.4, 0.3], [0.5, 0.5], rescored=np.array([True, False, False, True, False]))
    assert classifier.rescorer_ is None
    np.testing.assert_array_equal(classifier.predict_proba(X[:1]), [[0.3, 0.4, 0.3]])


def test_weights_reach_the_last_step_of_a_pipeline():
    rng = np.random.RandomState(0)
    rows, labels = rng.normal(size=(40, 2)), np.repeat(["no", "yes"], 20)
    rows[labels == "yes"] += 1
    pipeline = make_pipeline(StandardScaler(), PrototypeClassifier())
    classifier = RescoringClassifier(pipeline, LogisticRegression())
    even, uneven = (
        classifier.fit(rows, labels, sample_weight=weight).estimator_[-1].prototypes_
        for weight in (np.ones(40), np.linspace(0.1, 1, 40))
    )
    assert not np.allclose(even, uneven)


@pytest.mark.parametrize("rows", [np.ones(5), np.ones(4, dtype=bool), [0, 1, 2, 3, 4]])
def test_what_is_no_mask_of_the_rows_is_refused(rows):
    with pytest.raises(ValueError, match="rescored must hold one bool for each of the 5 rows, got an array of"):
        rescored([0.3, 0.4, 0.3], [0.5, 0.5], rescored=rows)
