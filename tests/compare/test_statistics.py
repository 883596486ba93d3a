"""Which models differ, what they confuse, and what their probabilities are worth."""

import numpy as np
import pytest
from scipy import stats

from skkws.compare import Comparison, ModelScores, paired_differences

LABELS = ["go", "no", "yes"]


def answers(rng, share, n_clips, speakers=None):
    luck = 0 if speakers is None else rng.normal(0, 0.2, speakers.max() + 1)[speakers]
    return rng.random(n_clips) < share + luck


def make_comparison(right):
    """Speakers of ten clips each; a wrong answer is the next label."""
    n_clips = len(next(iter(right.values())))
    target = np.resize(LABELS, n_clips)
    wrong = np.roll(LABELS, -1)[np.searchsorted(LABELS, target)]
    models = [
        ModelScores(name, float(np.mean(each)), (0, 1), [], 0.0, 1.0, 0.1, 10, np.where(each, target, wrong)[None])
        for name, each in right.items()
    ]
    return Comparison(LABELS, target, np.arange(n_clips) // 10, "", models, [])


@pytest.mark.parametrize("n_speakers", [6, 100])
def test_a_clear_difference_is_significant_and_its_interval_holds_it(n_speakers):
    rng = np.random.default_rng(0)
    speakers = np.repeat(np.arange(n_speakers), 50)
    right = {"good": answers(rng, 0.95, len(speakers)), "poor": answers(rng, 0.6, len(speakers))}
    (pair,) = paired_differences(right, speakers)
    assert (pair.first, pair.second, pair.significant) == ("good", "poor", True)
    assert pair.difference == pytest.approx(right["good"].mean() - right["poor"].mean())
    assert 0.25 < pair.interval[0] < 0.35 < pair.interval[1] < 0.45


@pytest.mark.parametrize("n_speakers", [6, pytest.param(40, marks=pytest.mark.slow)])
def test_equal_models_are_told_apart_in_one_of_twenty_comparisons(n_speakers):
    speakers = np.repeat(np.arange(n_speakers), 10)
    found = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        right = {name: answers(rng, 0.6, len(speakers), speakers) for name in "ab"}
        found += paired_differences(right, speakers)[0].significant
    # With four in a hundred thousand, a binomial of 200 and 0.05 exceeds 22; speakers vary, which clips alone hide.
    assert found <= 22


def test_clips_of_one_speaker_do_not_count_as_many():
    rng = np.random.default_rng(1)
    once = {name: rng.random(30) < 0.7 for name in "ab"}
    alone = paired_differences(once, np.arange(30))[0]
    copied = paired_differences(
        {name: np.repeat(each, 20) for name, each in once.items()}, np.repeat(np.arange(30), 20)
    )
    assert copied[0].interval == pytest.approx(alone.interval)
    assert copied[0].p_value == pytest.approx(alone.p_value)


def test_few_speakers_are_compared_by_students_t():
    ahead = np.array([0.1, 0.2, 0.0, 0.3])  # of four speakers with ten clips each
    right = {
        "a": np.concatenate([np.arange(10) < 5 + 10 * a for a in ahead]),
        "b": np.tile(np.arange(10) < 5, 4),
    }
    (pair,) = paired_differences(right, np.repeat(np.arange(4), 10))
    expected = stats.ttest_1samp(ahead, 0)
    assert pair.p_value == pytest.approx(expected.pvalue)
    assert pair.interval == pytest.approx(tuple(expected.confidence_interval()))


def test_p_values_grow_with_the_number_of_pairs():
    rng = np.random.default_rng(0)
    speakers = np.arange(200)
    right = {name: rng.random(200) < share for name, share in (("a", 0.8), ("b", 0.7), ("c", 0.69), ("d", 0.68))}
    alone = paired_differences({name: right[name] for name in "ab"}, speakers)[0].p_value
    among = next(pair for pair in paired_differences(right, speakers) if (pair.first, pair.second) == ("a", "b"))
    assert alone < among.p_value <= 6 * alone


def test_models_that_answer_alike_do_not_differ():
    right = np.arange(60) % 3 > 0
    (pair,) = paired_differences({"a": right, "b": right}, np.arange(60) // 2)
    assert (pair.difference, pair.interval, pair.p_value) == (0.0, (0.0, 0.0), 1.0)


def test_ranks_call_ties_ties():
    rng = np.random.default_rng(0)
    comparison = make_comparison(
        {
            "poor": rng.random(2000) < 0.5,
            "good": rng.random(2000) < 0.9,
            "as good": rng.random(2000) < 0.9,
            "worst": rng.random(2000) < 0.2,
        }
    )
    assert comparison.ranks() == {"good": 1, "as good": 1, "poor": 3, "worst": 4}
    assert [scores.name for scores in comparison.ranked][2:] == ["poor", "worst"]


def test_confusions_are_shares_of_the_true_label_most_frequent_first():
    right = np.ones(60, dtype=bool)
    right[:30:3] = False  # "go" is taken for "no" ten times in twenty
    right[1:10:3] = False  # "no" for "yes" three times
    assert make_comparison({"a": right}).confusions("a") == [("go", "no", 0.5), ("no", "yes", 0.15)]


def test_calibration_error_is_the_distance_of_confidence_and_accuracy():
    comparison = make_comparison({"a": np.arange(100) % 10 < 6})
    scores = comparison["a"]
    probabilities = np.full((1, 100, 3), 0.1, dtype=np.float32)
    probabilities[0, :, 0] = 0.8
    scores.probabilities = probabilities
    found = comparison.calibration("a")
    assert (found.confidence, found.accuracy, found.n_clips) == (pytest.approx([0.8]), pytest.approx([0.6]), [100])
    assert found.expected_error == pytest.approx(0.2)


def test_a_model_without_probabilities_has_no_calibration():
    assert make_comparison({"a": np.ones(10, dtype=bool)}).calibration("a") is None


def test_an_unknown_model_is_named_with_those_there_are():
    with pytest.raises(KeyError, match="no model 'z'; there are a, b"):
        make_comparison({"a": np.ones(10), "b": np.ones(10)})["z"]
