"""Weights that somebody changed, or that a file brought, give the right answer or an error, never another answer."""

import numpy as np
import pytest

from skkws import KeywordHeadClassifier


@pytest.fixture
def rows():
    return np.random.RandomState(0).normal(size=(8, 3 * 96)).astype(np.float32)


@pytest.fixture
def head(rows):
    return KeywordHeadClassifier(epochs=1, filters=16, random_state=0).fit(rows, [0, 1] * 4)


@pytest.mark.parametrize("dtype", ["float16", ">f4", "int8", "nonsense"])
def test_a_precision_that_no_network_has_is_refused(head, rows, dtype):
    head._dtype = dtype
    with pytest.raises(ValueError, match=r"A network computes in float32 or float64, got '.*'\. Fit again"):
        head.predict(rows)


@pytest.mark.parametrize("dtype", ["int8", "float64", ">f4", "complex64", "float16"])
@pytest.mark.parametrize("which", [0, 3, 11])
def test_weights_of_another_type_are_refused_by_number(head, rows, which, dtype):
    head.weights_[which] = head.weights_[which].astype(dtype)
    with pytest.raises(ValueError, match=rf"Weight {which} of the network must be an array of float32, got {dtype}"):
        head.predict(rows)


def test_weights_in_another_order_give_the_same_answer(head, rows):
    before = head.predict_proba(rows)
    head.weights_ = [np.asfortranarray(weight) for weight in head.weights_]
    np.testing.assert_array_equal(head.predict_proba(rows), before)
    wide = [np.repeat(weight, 2, axis=-1) for weight in head.weights_]
    head.weights_ = [weight[..., ::2] for weight in wide]
    np.testing.assert_array_equal(head.predict_proba(rows), before)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e30])
def test_weights_that_are_not_finite_are_refused(head, rows, bad):
    head.weights_[5].flat[3] = bad
    with pytest.raises(ValueError, match="Weight 5 of the network holds NaN, infinity or numbers beyond all measure"):
        head.predict(rows)


def test_a_negative_variance_is_refused(head, rows):
    head.weights_[4][0] = -0.5
    with pytest.raises(ValueError, match=r"Weight 4 of the network is a variance and holds -0\.5"):
        head.predict(rows)


def test_weights_of_another_shape_or_number_are_refused(head, rows):
    head.weights_[0] = head.weights_[0][:, :5]
    with pytest.raises(ValueError, match="The trained weights do not fit the network"):
        head.predict(rows)
    del head.weights_[5:]
    with pytest.raises(ValueError, match="The trained weights do not fit the network"):
        head.predict(rows)
