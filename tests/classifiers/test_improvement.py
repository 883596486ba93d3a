import numpy as np
import pytest

from skkws.classifiers._improvement import Improvement


def of(before, after, weight=None):
    """Improvement of rows of the first of two classes that had, and then have, these probabilities of it."""
    before, after = np.broadcast_arrays(before, after)
    both = (np.column_stack([p, 1 - p]) for p in (before, after))
    return Improvement.measure(*both, np.zeros(len(after), int), np.ones(len(after)) if weight is None else weight)


def test_a_loss_that_falls_everywhere_and_more_rows_named_rightly_are_a_sure_improvement():
    assert of(0.4, np.linspace(0.65, 0.75, 20)).is_sure


def test_a_loss_that_rises_is_none():
    assert not of(np.linspace(0.65, 0.75, 20), 0.4).is_sure


def test_a_loss_that_falls_by_little_more_than_its_error_is_not_sure():
    gains = np.r_[np.full(11, 0.3), np.full(9, -0.15)]
    improvement = of(0.45, 0.45 * np.exp(gains))
    assert 1 < improvement.gain / improvement.error < 2
    assert improvement.after > improvement.before
    assert not improvement.is_sure


@pytest.mark.parametrize(("last", "n_right"), [(0.9, 40), (0.49, 39)])
def test_a_lower_loss_that_names_no_more_rows_rightly_is_not_sure(last, n_right):
    improvement = of(0.6, np.r_[np.full(39, 0.99), last])
    assert improvement.gain > 2 * improvement.error
    assert (improvement.before, improvement.after) == (1, pytest.approx(n_right / 40))
    assert not improvement.is_sure


def test_rows_count_by_their_weight():
    weight = np.array([3.0, 1.0])
    improvement = of(0.6, np.array([0.9, 0.3]), weight)
    assert improvement.gain == pytest.approx((3 * np.log(0.9 / 0.6) + np.log(0.3 / 0.6)) / 4)
    assert improvement.after == pytest.approx(0.75)


def test_it_says_so_in_words():
    assert str(of(0.6, np.full(4, 0.7))) == (
        "on 4 clips that were held out it lowers the loss by 0.1542, with a standard error of 0.0000, and 1.000 of "
        "them are named rightly, 1.000 without it"
    )
