import numpy as np
import pytest
from scipy.stats import binomtest

from skkws.metrics import accuracy_interval


def answers(n_right, n):
    return np.arange(n) < n_right


def exact(n_right, n, confidence=0.95):
    return tuple(binomtest(n_right, n).proportion_ci(confidence, method="exact"))


@pytest.mark.parametrize(("n_right", "n"), [(90, 100), (1, 2), (0, 7), (7, 7), (1, 1), (999, 1000)])
@pytest.mark.parametrize("confidence", [0.95, 0.8])
def test_without_groups_it_is_the_exact_binomial_interval(n_right, n, confidence):
    interval = accuracy_interval(answers(n_right, n), confidence=confidence)
    np.testing.assert_allclose(interval, exact(n_right, n, confidence), rtol=1e-9)


@pytest.mark.parametrize(("n_right", "edge"), [(30, 1), (0, 0)])
def test_all_right_and_all_wrong_reach_the_edge_and_stay_uncertain(n_right, edge):
    interval = accuracy_interval(answers(n_right, 30), np.repeat(np.arange(5), 6))
    np.testing.assert_allclose(interval, exact(n_right, 30))
    assert interval[edge] == edge
    assert interval[0] < interval[1]


def test_speakers_who_succeed_or_fail_as_a_whole_widen_the_interval():
    right = np.repeat([True] * 8 + [False] * 2, 20)
    low, high = accuracy_interval(right, np.repeat(np.arange(10), 20))
    single_low, single_high = accuracy_interval(right)
    assert low < single_low < 0.8 < single_high < high
    # Ten speakers know no more than ten clips do.
    assert high - low >= np.diff(exact(8, 10)).item()


def test_speakers_more_alike_than_chance_do_not_narrow_the_interval():
    right = np.tile(answers(9, 10), 10)
    np.testing.assert_allclose(accuracy_interval(right, np.repeat(np.arange(10), 10)), accuracy_interval(right))


def test_fewer_speakers_of_the_same_spread_know_less():
    widths = [
        np.diff(accuracy_interval(np.tile(np.repeat([1, 0], [15, 5]), n), np.repeat(np.arange(2 * n), 10))).item()
        for n in (2, 5, 20)
    ]
    assert widths[0] > widths[1] > widths[2]


def test_order_and_names_of_the_groups_do_not_matter():
    rng = np.random.RandomState(0)
    groups = np.repeat(np.arange(6), 10)
    right = rng.uniform(size=60) < rng.uniform(0.5, 1.0, 6)[groups]
    expected = accuracy_interval(right, groups)
    order = rng.permutation(60)
    names = np.array(["f", "b", "e", "a", "d", "c"])
    np.testing.assert_allclose(accuracy_interval(right[order], names[groups[order]]), expected)
    np.testing.assert_allclose(accuracy_interval(right.tolist(), names[groups].tolist()), expected)


def test_errors_and_hits_mirror_each_other():
    groups = np.repeat(np.arange(4), 5)
    right = np.random.RandomState(1).uniform(size=20) < 0.7
    low, high = accuracy_interval(right, groups)
    np.testing.assert_allclose(accuracy_interval(~right, groups), (1 - high, 1 - low))


@pytest.mark.parametrize("groups", [[0, 0, 1, 1], [0, 0, 0, 0], [0, 1, 2, 3]])
def test_stays_within_zero_and_one_where_little_is_known(groups):
    low, high = accuracy_interval([1, 1, 0, 0], groups)
    assert 0 <= low < 0.5 < high <= 1


@pytest.mark.parametrize(("n_speakers", "a", "b"), [(5, 8, 2), (10, 9, 1), (30, 3, 3)])
def test_covers_the_truth_as_often_as_promised_where_speakers_differ(n_speakers, a, b):
    rng = np.random.RandomState(0)
    groups = np.repeat(np.arange(n_speakers), 30)
    ease = rng.beta(a, b, size=(2000, n_speakers))
    right = rng.uniform(size=(2000, len(groups))) < ease[:, groups]
    truth = a / (a + b)

    def coverage(groups):
        intervals = np.array([accuracy_interval(row, groups) for row in right])
        return np.mean((intervals[:, 0] <= truth) & (truth <= intervals[:, 1]))

    # The interval is none that is exact for clusters; what matters is that it is close, and not too short.
    assert 0.93 <= coverage(groups) <= 0.975
    assert coverage(None) < 0.8


def test_errors_say_what_is_wrong():
    with pytest.raises(ValueError, match="correct holds no clips; an accuracy needs at least one"):
        accuracy_interval([])
    with pytest.raises(ValueError, match="groups must have one entry for each of the 3 clips, got 2"):
        accuracy_interval([1, 0, 1], ["a", "b"])
