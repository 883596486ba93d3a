import sys
import warnings
from collections import Counter

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.metrics import accuracy_score, f1_score
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skkws import compare
from skkws.compare import MODEL_NAMES, compare_models, make_model
from skkws.features import MFCCTransformer
from skkws.metrics import accuracy_interval

CHEAP = "mfcc+logreg"


def run(speech, models=(CHEAP,), **options):
    return compare_models(speech.data, speech.target, speech.groups, models=models, **options)


def split(y, groups, folds=None):
    labels, codes = np.unique(y, return_inverse=True)
    return compare._split(codes, labels, np.asarray(groups), folds, 0)


@pytest.fixture(scope="module")
def comparison(speech):
    return run(speech, ("embedding+logreg", CHEAP))


# make_model


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_every_name_gives_an_unfitted_pipeline_that_takes_the_seed(name):
    model = make_model(name, random_state=7)
    assert isinstance(model, Pipeline)
    assert model[-1].random_state == 7
    with pytest.raises(NotFittedError):
        check_is_fitted(model[-1])


def test_unknown_model_is_refused_with_the_names_there_are():
    with pytest.raises(ValueError, match=r"There is no model 'hmm'; choose from embedding\+head, embedding\+logreg, "):
        make_model("hmm")


def test_a_missing_xgboost_names_the_extra_before_any_work(speech, monkeypatch):
    monkeypatch.setitem(sys.modules, "xgboost", None)
    monkeypatch.setattr(compare, "_compute_features", lambda *_: pytest.fail("features were computed"))
    with pytest.raises(ImportError, match=r'mfcc\+xgboost needs XGBoost; .* pip install "skkws\[xgboost\]"'):
        run(speech, MODEL_NAMES)


# What is trained and tested on what


def test_up_to_ten_speakers_are_left_out_one_by_one():
    groups = np.repeat(list("abcdefghij"), 4)
    splits, words = split(np.tile(["no", "yes"], 20), groups)
    assert [set(groups[test]) for _, test in splits] == [{speaker} for speaker in "abcdefghij"]
    assert words == "leaving out one of 10 speakers at a time"


@pytest.mark.parametrize(("folds", "n_folds"), [(None, 5), (3, 3)])
def test_more_speakers_make_folds_of_whole_speakers(folds, n_folds):
    groups = np.repeat(np.arange(11), 4)
    splits, words = split(np.tile(["no", "yes"], 22), groups, folds)
    assert len(splits) == n_folds
    for train, test in splits:
        assert not set(groups[train]) & set(groups[test])
    assert sorted(np.concatenate([test for _, test in splits])) == list(range(44))
    assert words == f"{n_folds}-fold cross-validation, no speaker in two folds"


def test_the_number_of_folds_can_be_chosen_for_few_speakers_too():
    splits, _ = split(np.tile(["no", "yes"], 12), np.repeat(list("abcd"), 6), folds=2)
    assert [len(test) for _, test in splits] == [12, 12]


def test_clips_that_each_have_their_own_speaker_make_stratified_folds():
    y = np.repeat(["no", "yes"], [10, 20])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        splits, words = split(y, np.arange(30))
    assert [Counter(y[test].tolist()) for _, test in splits] == [{"no": 2, "yes": 4}] * 5
    assert words == "5-fold cross-validation, every clip by a speaker of its own"


@pytest.mark.filterwarnings("ignore:The least populated class")
def test_a_fold_that_would_test_nothing_is_left_out():
    # Found by trying: scikit-learn puts speakers 1 and 2 into one fold and none into another.
    splits, _ = split(list("nyyyyyynn"), list("000011233"), folds=4)
    assert sorted(len(test) for _, test in splits) == [2, 3, 4]
    assert sorted(np.concatenate([test for _, test in splits])) == list(range(9))


def test_no_model_is_tested_on_a_speaker_it_was_trained_on(speech, monkeypatch):
    seen = []
    original = compare._fit_and_predict

    def spy(classifier, rows, codes, train, test):
        seen.append((train, test))
        return original(classifier, rows, codes, train, test)

    monkeypatch.setattr(compare, "_fit_and_predict", spy)
    run(speech, n_examples=(1, 5), n_draws=3)
    assert len(seen) == 4 * (1 + 3 + 3)
    for train, test in seen:
        assert len(train)
        assert len(test) == 9
        assert not set(speech.groups[train]) & set(speech.groups[test])
    counts = [set(Counter(speech.target[train].tolist()).values()) for train, _ in seen]
    assert counts == [{9}] * 4 + [{1}] * 12 + [{5}] * 12


def test_few_examples_are_drawn_out_of_the_training_part_and_anew_each_time():
    rng = np.random.RandomState(0)
    y = rng.permutation(np.repeat(["go", "no", "yes"], [20, 30, 40]))
    splits, _ = split(y, rng.randint(0, 6, 90))
    codes = np.unique(y, return_inverse=True)[1]
    drawn = compare._draw_examples(codes, splits, (1, 4, 1000), 3, 0)
    assert list(drawn) == [1, 4]
    for k, draws in drawn.items():
        assert len(draws) == 3 * len(splits)
        for i, (chosen, test) in enumerate(draws):
            train, expected_test = splits[i // 3]
            assert Counter(y[chosen].tolist()) == {"go": k, "no": k, "yes": k}
            assert len(set(chosen)) == 3 * k
            assert set(chosen) <= set(train)
            np.testing.assert_array_equal(test, expected_test)
    assert len({tuple(sorted(chosen)) for chosen, _ in drawn[4]}) == len(drawn[4])


def test_numbers_of_examples_that_a_training_part_does_not_hold_are_left_out(speech):
    assert [scores.n_examples for scores in run(speech, n_examples=(2, 9, 10)).few_shot] == [2, 9]
    assert run(speech, n_examples=(100,)).few_shot == []


def test_features_are_computed_once_for_all_folds_and_all_models_that_share_them(speech, monkeypatch):
    calls = []
    original = MFCCTransformer.transform

    def spy(self, X):
        calls.append(len(X))
        return original(self, X)

    monkeypatch.setattr(MFCCTransformer, "transform", spy)
    result = run(speech, (CHEAP, "mfcc+svm"), n_examples=(1,))
    assert calls == [1, 36]  # one clip to load what is loaded once
    assert [scores.name for scores in result.models] == [CHEAP, "mfcc+svm"]


# What comes out


def test_the_result_describes_what_was_compared(comparison, speech):
    assert comparison.labels == ["no", "stop", "yes"]
    assert comparison.target.tolist() == speech.target.tolist()
    assert comparison.n_speakers == 4
    assert comparison.validation == "leaving out one of 4 speakers at a time"
    assert [scores.name for scores in comparison.models] == ["embedding+logreg", CHEAP]
    assert [(scores.name, scores.n_examples) for scores in comparison.few_shot] == [
        ("embedding+logreg", 1),
        ("embedding+logreg", 5),
        (CHEAP, 1),
        (CHEAP, 5),
    ]


def test_scores_are_those_of_the_predictions(comparison, speech):
    for scores in comparison.models:
        right = scores.predictions == comparison.target
        assert set(scores.predictions) <= set(comparison.labels)
        assert scores.accuracy == pytest.approx(accuracy_score(comparison.target, scores.predictions))
        assert scores.macro_f1 == pytest.approx(f1_score(comparison.target, scores.predictions, average="macro"))
        assert scores.interval == accuracy_interval(right, speech.groups)
        by_speaker = [np.mean(right[speech.groups == speaker]) for speaker in np.unique(speech.groups)]
        assert scores.fold_accuracies == pytest.approx(by_speaker)


def test_predictions_are_those_of_the_pipeline_in_plain_cross_validation(comparison, speech):
    scores = comparison.models[1]
    for speaker in np.unique(speech.groups):
        test = speech.groups == speaker
        model = make_model(scores.name, 0).fit(speech.data[~test], speech.target[~test])
        np.testing.assert_array_equal(scores.predictions[test], model.predict(speech.data[test]))


def test_the_pretrained_embedding_recognises_words_of_unheard_voices(comparison):
    assert comparison.models[0].accuracy > 0.8


def test_few_shot_scores_are_means_with_an_interval_round_them(comparison):
    for scores in comparison.few_shot:
        assert len(scores.accuracies) == 4 * 2
        assert scores.accuracy == pytest.approx(np.mean(scores.accuracies))
        low, high = scores.interval
        assert 0 <= low <= scores.accuracy <= high <= 1
        folds = np.reshape(scores.accuracies, (4, 2)).mean(axis=1)  # two draws in each of four folds
        reach = 3.182446 * np.std(folds, ddof=1) / np.sqrt(4)  # Student's t, 3 degrees of freedom
        assert high == pytest.approx(min(1, scores.accuracy + reach), abs=1e-6)


def test_times_and_sizes_are_measured_and_count_the_pretrained_weights(comparison):
    embedding, mfcc = comparison.models
    for scores in comparison.models:
        assert 0 < scores.predict_seconds < 10
        assert 0 < scores.fit_seconds < 1000
    assert embedding.n_bytes > 1_000_000 > mfcc.n_bytes > 1000


def figures(comparison):
    """Everything but times and sizes."""
    models = [
        (s.name, s.accuracy, s.interval, s.fold_accuracies, s.macro_f1, s.predictions.tolist())
        for s in comparison.models
    ]
    return models, comparison.few_shot


def test_the_same_seed_gives_the_same_figures(speech):
    models = (CHEAP, "mfcc+xgboost")
    first, second = (run(speech, models, n_examples=(5,), random_state=3) for _ in range(2))
    assert figures(first) == figures(second)


def test_another_seed_draws_other_examples(speech):
    first, second = (run(speech, n_examples=(1,), random_state=seed).few_shot[0].accuracies for seed in (0, 1))
    assert first != second


def test_processes_do_not_change_the_figures(speech):
    models = (CHEAP, "mfcc+svm")
    assert figures(run(speech, models, n_jobs=2)) == figures(run(speech, models))


@pytest.mark.parametrize("name", [CHEAP, "mfcc+xgboost"])
def test_labels_need_not_be_strings_nor_count_from_zero(speech, name):
    y = np.array([{"no": 3, "stop": 10, "yes": -1}[word] for word in speech.target])
    result = compare_models(speech.data, y, speech.groups, models=[name], n_examples=())
    assert result.labels == [-1, 3, 10]
    assert set(result.models[0].predictions) <= {-1, 3, 10}
    assert result.models[0].accuracy > 0.5


def test_lists_do_as_well_as_arrays(speech):
    result = compare_models(list(speech.data), list(speech.target), list(speech.groups), models=[CHEAP], n_examples=())
    assert figures(result) == figures(run(speech, n_examples=()))


def test_progress_is_shown_only_when_verbose_and_only_on_stderr(speech, capsys):
    run(speech, n_examples=())
    assert capsys.readouterr() == ("", "")
    run(speech, n_examples=(), verbose=1)
    out, err = capsys.readouterr()
    assert out == ""
    assert "Computing features" in err
    assert "4/4" in err


# What cannot be compared


@pytest.mark.parametrize(
    ("y", "groups", "folds", "message"),
    [
        (["no"] * 8, list("aabbccdd"), None, r"needs at least two labels, got \['no'\]"),
        (["no", "yes"] * 4, ["ann"] * 8, None, "2 folds .* need at least as many speakers, got 1; record more people"),
        (["no", "yes"] * 4, list("aabbccdd"), 5, "5 folds .* need at least as many speakers, got 4"),
        (["no", "yes"] * 4, list("aabbccdd"), 1, "n_splits=2 or more"),
        (
            ["no", "no"] * 3 + ["yes"] * 2,
            list("aabbccdd"),
            None,
            r"nobody says \['yes'\]; record these by more speakers",
        ),
        (["no"] * 5 + ["yes"] * 3, list("abcdefgh"), None, r"each of the 5 folds; \['yes'\] have fewer"),
        (["no", "yes"] * 3, list("aabbccdd"), None, r"inconsistent numbers of samples: \[8, 6, 8\]"),
        (["no", "yes"] * 4, list("aabb"), None, r"inconsistent numbers of samples: \[8, 8, 4\]"),
        (["no", "yes"] * 3, list("aabbcc"), None, r"inconsistent numbers of samples: \[8, 6, 6\]"),
    ],
)
def test_what_cannot_be_split_fairly_is_refused_before_any_work(y, groups, folds, message, monkeypatch):
    monkeypatch.setattr(compare, "_compute_features", lambda *_: pytest.fail("features were computed"))
    with pytest.raises(ValueError, match=message):
        compare_models(np.zeros((8, 100)), y, groups, models=[CHEAP], folds=folds)
