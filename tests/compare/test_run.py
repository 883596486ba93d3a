import errno
import json
import re
import warnings
from collections import Counter
from contextlib import contextmanager

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skkws.audio import AudioLoader
from skkws.classifiers import KeywordHeadClassifier
from skkws.compare import _features, _outcomes, _run, _tasks, compare_classifiers, make_model, speaker_folds
from skkws.compare._splits import learning_curve_splits
from skkws.datasets import load_keyword_folder
from skkws.features import MFCCTransformer
from skkws.metrics import accuracy_interval
from skkws.report import write_report

CHEAP = "mfcc+logreg"


def run(speech, models=(CHEAP,), **options):
    quick = {"n_examples": (1, 5), "snr_db": ()}
    return compare_classifiers(speech.data, speech.target, speech.groups, models=models, **quick | options)


@pytest.fixture(scope="module")
def comparison(speech):
    return run(speech, ("embedding+logreg", CHEAP), n_examples=(1, 5, 50), snr_db=(20, 0))


# What is trained and tested on what


def test_up_to_ten_speakers_are_left_out_one_by_one():
    groups = np.repeat(list("abcdefghij"), 4)
    splits, words = speaker_folds(np.tile(["no", "yes"], 20), groups)
    assert [set(groups[test]) for _, test in splits] == [{speaker} for speaker in "abcdefghij"]
    assert words == "leaving out one of 10 speakers at a time"


@pytest.mark.parametrize(("folds", "n_folds"), [(None, 5), (3, 3)])
def test_more_speakers_make_folds_of_whole_speakers(folds, n_folds):
    groups = np.repeat(np.arange(11), 4)
    splits, words = speaker_folds(np.tile(["no", "yes"], 22), groups, folds)
    assert len(splits) == n_folds
    for train, test in splits:
        assert not set(groups[train]) & set(groups[test])
    assert sorted(np.concatenate([test for _, test in splits])) == list(range(44))
    assert words == f"{n_folds}-fold cross-validation, no speaker in two folds"


def test_the_number_of_folds_can_be_chosen_for_few_speakers_too():
    splits, _ = speaker_folds(np.tile(["no", "yes"], 12), np.repeat(list("abcd"), 6), folds=2)
    assert [len(test) for _, test in splits] == [12, 12]


def test_clips_that_each_have_their_own_speaker_make_stratified_folds():
    y = np.repeat(["no", "yes"], [10, 20])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        splits, words = speaker_folds(y, np.arange(30))
    assert [Counter(y[test].tolist()) for _, test in splits] == [{"no": 2, "yes": 4}] * 5
    assert words == "5-fold cross-validation, every clip by a speaker of its own"


@pytest.mark.filterwarnings("ignore:The least populated class")
def test_a_fold_that_would_test_nothing_is_left_out():
    # Found by trying: scikit-learn puts speakers 1 and 2 into one fold and none into another.
    splits, _ = speaker_folds(list("nyyyyyynn"), list("000011233"), folds=4)
    assert sorted(len(test) for _, test in splits) == [2, 3, 4]
    assert sorted(np.concatenate([test for _, test in splits])) == list(range(9))


def test_no_model_is_tested_on_a_speaker_it_was_trained_on(speech, monkeypatch):
    seen = []
    original = _tasks.fit_and_predict

    def spy(classifier, rows, codes, train, test, n_conditions):
        seen.append((train, test))
        return original(classifier, rows, codes, train, test, n_conditions)

    monkeypatch.setattr(_tasks, "fit_and_predict", spy)
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
    splits, _ = speaker_folds(y, rng.randint(0, 6, 90))
    codes = np.unique(y, return_inverse=True)[1]
    drawn = learning_curve_splits(codes, splits, (1, 4, 1000), 3, 0)
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
    monkeypatch.setattr(_features, "_TIMED", 9)
    result = run(speech, (CHEAP, "mfcc+svm"), n_examples=(1,))
    assert calls[-3:] == [2, 9, 36]  # two clips to load what is loaded once, and some that are timed
    assert sum(n == 36 for n in calls) == 1
    assert [scores.name for scores in result.models] == [CHEAP, "mfcc+svm"]


def test_a_further_comparison_finds_the_features_in_the_cache(speech, tmp_path, monkeypatch):
    expected = run(speech, n_examples=(), snr_db=(10,))
    first = run(speech, n_examples=(), snr_db=(10,), cache_dir=tmp_path)
    monkeypatch.setattr(_features, "_TIMED", 9)
    calls, original = [], MFCCTransformer.transform
    monkeypatch.setattr(MFCCTransformer, "transform", lambda self, X: calls.append(len(X)) or original(self, X))
    again = run(speech, ("mfcc+svm", CHEAP), n_examples=(), snr_db=(10,), cache_dir=tmp_path)
    assert max(calls) == 9
    assert figures(first) == figures(expected)
    assert figures(again)[0][1:] == figures(expected)[0]
    assert again.noise[1:] == expected.noise


def test_features_that_no_fit_needs_are_not_computed(speech, tmp_path, monkeypatch):
    run(speech, n_examples=(), checkpoint_dir=tmp_path)
    computed, original = [], _features.Conditions.rows
    monkeypatch.setattr(_features.Conditions, "rows", lambda *args: computed.append(args) or original(*args))
    run(speech, n_examples=(), checkpoint_dir=tmp_path)
    assert not computed


def test_files_come_to_the_figures_of_their_waveforms(speech_folder):
    data = load_keyword_folder(speech_folder)
    rows = AudioLoader().fit_transform(data.filenames)
    from_rows, from_files = (
        compare_classifiers(X, data.target, data.groups, models=[CHEAP], n_examples=(1,), snr_db=(10,))
        for X in (rows, data.filenames)
    )
    assert figures(from_files) == figures(from_rows)
    assert from_files.noise == from_rows.noise


class Bands(TransformerMixin, BaseEstimator):
    """Energies in time, by a user who declares nothing."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return np.stack([np.log1p((part**2).sum(axis=1)) for part in np.array_split(X, 20, axis=1)], axis=1)


class Cube(Bands):
    """The same as an array of three dimensions, for a classifier that takes it."""

    def transform(self, X):
        return super().transform(X)[:, :, None]


def flattened(X):
    return X.reshape(len(X), -1)


@pytest.mark.parametrize("cached", [False, True])
def test_stateless_steps_of_a_user_do_as_features_of_any_model(speech, tmp_path, cached):
    own = {
        "class": make_pipeline(Bands(), StandardScaler(), LogisticRegression()),
        "function": make_pipeline(FunctionTransformer(np.abs), Bands(), StandardScaler(), LogisticRegression()),
        "cube": make_pipeline(Cube(), FunctionTransformer(flattened), StandardScaler(), LogisticRegression()),
        "files": make_pipeline(AudioLoader(), Bands(), StandardScaler(), LogisticRegression()),
    }
    result = run(speech, own, n_examples=(), cache_dir=tmp_path if cached else None)
    assert len({scores.accuracy for scores in result.models}) == 1, "they compute the same"
    test = speech.groups == speech.groups[0]
    model = own["class"].fit(speech.data[~test], speech.target[~test])
    np.testing.assert_array_equal(result["class"].predictions[0, test], model.predict(speech.data[test]))


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
        (predictions,) = scores.predictions
        right = predictions == comparison.target
        assert set(predictions) <= set(comparison.labels)
        assert scores.accuracy == pytest.approx(accuracy_score(comparison.target, predictions))
        assert scores.macro_f1 == pytest.approx(f1_score(comparison.target, predictions, average="macro"))
        assert scores.interval == accuracy_interval(right, speech.groups)
        by_speaker = [np.mean(right[speech.groups == speaker]) for speaker in np.unique(speech.groups)]
        assert scores.fold_accuracies == pytest.approx(by_speaker)


def test_predictions_are_those_of_the_pipeline_in_plain_cross_validation(comparison, speech):
    scores = comparison.models[1]
    for speaker in np.unique(speech.groups):
        test = speech.groups == speaker
        model = make_model(scores.name, 0).fit(speech.data[~test], speech.target[~test])
        np.testing.assert_array_equal(scores.predictions[0, test], model.predict(speech.data[test]))
        probabilities = model.predict_proba(speech.data[test])
        np.testing.assert_allclose(scores.probabilities[0, test], probabilities, atol=1e-6)


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


def test_accuracy_falls_with_the_noise(comparison):
    assert [(scores.name, scores.snr_db) for scores in comparison.noise] == [
        ("embedding+logreg", 20.0),
        ("embedding+logreg", 0.0),
        (CHEAP, 20.0),
        (CHEAP, 0.0),
    ]
    assert comparison.noise_name == "pink noise"
    for name in ("embedding+logreg", CHEAP):
        mild, loud = (scores.accuracy for scores in comparison.noise if scores.name == name)
        assert comparison[name].accuracy >= mild - 0.1 > loud - 0.1


def test_noise_of_the_user_is_mixed_into_the_test_clips_alone(speech):
    silence = np.zeros(16000, dtype=np.float32)
    silent = run(speech, n_examples=(), noise=silence, snr_db=(0,))
    assert silent.noise_name == "recorded noise"
    assert silent.noise[0].accuracy == silent.models[0].accuracy, "silent noise adds nothing"
    loud = run(speech, n_examples=(), noise=np.sin(np.arange(16000)).astype(np.float32), snr_db=(-20,))
    assert loud.models[0].accuracy == silent.models[0].accuracy
    assert loud.noise[0].accuracy < loud.models[0].accuracy


def test_repeats_draw_the_folds_anew_and_count_all_of_them(speech):
    once = run(speech, folds=2, n_examples=())
    thrice = run(speech, folds=2, n_examples=(), n_repeats=3)
    (scores,) = thrice.models
    assert thrice.validation == "2-fold cross-validation, no speaker in two folds, repeated 3 times"
    assert scores.predictions.shape == (3, 36)
    assert len(scores.fold_accuracies) == 6
    np.testing.assert_array_equal(scores.predictions[0], once.models[0].predictions[0])
    assert scores.accuracy == pytest.approx(np.mean(scores.predictions == thrice.target))


def test_only_a_model_with_networks_has_multiply_adds(comparison):
    # 172 frames: a second of 98 and the padding. The convolutions alone, counted by hand for the embedding.
    assert comparison["embedding+logreg"].multiply_adds == pytest.approx(109e6, rel=0.01)
    assert comparison[CHEAP].multiply_adds is None


def test_pipelines_of_ones_own_are_compared_under_their_names(speech):
    own = {
        "one step": KeywordHeadClassifier(n_vectors=125, epochs=2),
        "tuned": make_model(CHEAP),
    }
    result = run(speech, own, n_examples=())
    assert [scores.name for scores in result.models] == ["one step", "tuned"]
    assert result["tuned"].accuracy == run(speech, n_examples=()).models[0].accuracy


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
    result = compare_classifiers(speech.data, y, speech.groups, models=[name], n_examples=())
    assert result.labels == [-1, 3, 10]
    assert set(result.models[0].predictions.ravel()) <= {-1, 3, 10}
    assert result.models[0].accuracy > 0.5


def test_lists_do_as_well_as_arrays(speech):
    result = compare_classifiers(
        list(speech.data), list(speech.target), list(speech.groups), models=[CHEAP], n_examples=()
    )
    assert figures(result) == figures(run(speech, n_examples=()))


def test_progress_is_shown_only_when_verbose_and_only_on_stderr(speech, capsys):
    run(speech, n_examples=())
    assert capsys.readouterr() == ("", "")
    run(speech, n_examples=(), verbose=1)
    out, err = capsys.readouterr()
    assert out == ""
    assert "Computing features" in err
    assert "4/4" in err


# What was interrupted


def test_an_interrupted_comparison_goes_on_where_it_stopped(speech, tmp_path, monkeypatch):
    expected = run(speech, (CHEAP, "mfcc+svm"))
    original, calls = _tasks.fit_and_predict, []

    def interrupted(*args):
        calls.append(args)
        if len(calls) == 10:
            raise KeyboardInterrupt
        return original(*args)

    with monkeypatch.context() as patched:
        patched.setattr(_tasks, "fit_and_predict", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(speech, (CHEAP, "mfcc+svm"), checkpoint_dir=tmp_path)
    kept = set(tmp_path.iterdir())
    assert len(kept) == 9
    calls.clear()
    monkeypatch.setattr(_tasks, "fit_and_predict", lambda *args: calls.append(args) or original(*args))
    result = run(speech, (CHEAP, "mfcc+svm"), checkpoint_dir=tmp_path)
    assert len(calls) == 2 * (4 + 2 * 8) - 9
    assert figures(result) == figures(expected)
    calls.clear()
    again = run(speech, ("mfcc+svm", CHEAP), checkpoint_dir=tmp_path)
    assert not calls
    assert figures(again)[0][::-1] == figures(expected)[0]


@pytest.mark.parametrize("other", [{"random_state": 1}, {"snr_db": (5,)}])
def test_what_was_finished_for_another_question_is_no_answer(speech, tmp_path, other, monkeypatch):
    run(speech, n_examples=(), checkpoint_dir=tmp_path)
    n_kept = len(list(tmp_path.iterdir()))
    run(speech, n_examples=(), checkpoint_dir=tmp_path, **other)
    assert len(list(tmp_path.iterdir())) == 2 * n_kept


def with_changes(path, **changes):
    """Write an outcome anew with other arrays; None leaves one out."""
    with np.load(path) as file:
        arrays = dict(file) | changes
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-20]), "File is not a zip file"),
        (lambda path: path.write_bytes(b""), "File is not a zip file"),
        (lambda path: with_changes(path, n_bytes=None), r"missing or unknown \['n_bytes'\]"),
        (lambda path: with_changes(path, more=np.zeros(1)), r"missing or unknown \['more'\]"),
        (lambda path: with_changes(path, more=np.zeros(10**5)), "it would take .*allows"),
        (lambda path: with_changes(path, predicted=np.zeros((1, 3), int)), r"must be integers of the shape \(1, 9\)"),
        (lambda path: with_changes(path, predicted=np.zeros((1, 9))), "must be integers of the shape"),
        (lambda path: with_changes(path, predicted=np.full((1, 9), 3)), "must be less than 3, got 3 to 3"),
        (lambda path: with_changes(path, predicted=np.full((1, 9), -1)), "must be less than 3, got -1 to -1"),
        (lambda path: with_changes(path, probabilities=np.full((9, 3), np.nan)), "must be numbers from 0 to 1"),
        (lambda path: with_changes(path, probabilities=np.ones(3)), r"from 0 to 1 of the shape \(9, 3\)"),
        (lambda path: with_changes(path, fit_seconds=np.nan), "fit_seconds must be a number from 0 up, got float64"),
        (lambda path: with_changes(path, n_bytes="6770"), "n_bytes must be a number from 0 up, got <U4"),
    ],
)
def test_a_damaged_outcome_is_named_and_computed_again(speech, tmp_path, damage, reason):
    options = {"n_examples": (), "checkpoint_dir": tmp_path}
    expected = run(speech, **options)
    damaged = sorted(tmp_path.iterdir())[1]
    damage(damaged)
    with pytest.warns(UserWarning, match=rf"{damaged.name} is no outcome of mfcc\+logreg [^(]*\(.*{reason}.*; the fit"):
        assert figures(run(speech, **options)) == figures(expected)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # it was written anew
        run(speech, **options)


def test_what_is_read_again_is_what_was_written(speech, tmp_path):
    first, second = (run(speech, n_examples=(), checkpoint_dir=tmp_path).models[0] for _ in range(2))
    for name, value in vars(first).items():
        assert type(getattr(second, name)) is type(value), name
    assert second.n_bytes == first.n_bytes


def test_a_file_in_the_place_of_the_checkpoints_is_named(speech, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"checkpoint_dir must be a folder, and .*file cannot be made one"):
        run(speech, checkpoint_dir=tmp_path / "file")


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
    monkeypatch.setattr(_run, "compute_features", lambda *_: pytest.fail("features were computed"))
    with pytest.raises(ValueError, match=message):
        compare_classifiers(np.zeros((8, 100)), y, groups, models=[CHEAP], folds=folds)


# Fits that fail


class FailsAtFew(LogisticRegression):
    """A model that wants more than two rows."""

    def fit(self, X, y):
        if len(X) < 4:
            raise ValueError(f"{len(X)} rows are too few")
        return super().fit(X, y)


class Fails(LogisticRegression):
    def fit(self, X, y):
        raise MemoryError


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_a_model_that_fails_somewhere_takes_no_other_along_and_is_named(speech, n_jobs):
    few, never = (make_pipeline(MFCCTransformer(), step) for step in (FailsAtFew(max_iter=1000), Fails()))
    models = {"few": few, "fine": make_model(CHEAP), "never": never}
    with pytest.warns(UserWarning, match="failed in") as record:
        result = run(speech, models, n_examples=(1, 5), n_draws=1, n_jobs=n_jobs)
    said = [str(warning.message) for warning in record if "failed" in str(warning.message)]
    n_folds = len(result.models[0].fold_accuracies)
    assert [re.sub(r" in \d+ of \d+ fits", "", line) for line in said] == [
        f"never failed, which are left out: first in fold 1 of {n_folds}: MemoryError: ",
        "few failed, which are left out: first in 1 per label, fold 1, draw 1: ValueError: 3 rows are too few",
    ]
    assert [scores.name for scores in result.models] == ["few", "fine"]
    assert [(scores.name, scores.n_examples) for scores in result.few_shot] == [("few", 5), ("fine", 1), ("fine", 5)]
    fine = run(speech, {"fine": models["fine"]}, n_examples=(1, 5), n_draws=1)
    assert result["fine"].accuracy == fine["fine"].accuracy
    columns, rows = result.table("failures")
    assert columns == ("model", "n_examples", "fits", "first_in", "error")
    assert ("few", 1, n_folds, "fold 1, draw 1", "ValueError: 3 rows are too few") in rows
    assert [row[:3] for row in rows if row[0] == "never"] == [("never", k, n_folds) for k in (None, 1, 5)]
    assert Counter(failed.name for failed in result.failures) == {"few": n_folds, "never": 3 * n_folds}


def test_where_every_model_fails_the_first_error_is_named(speech):
    with (
        pytest.warns(UserWarning, match="failed in"),
        pytest.raises(RuntimeError, match="no model could be compared; the first one failed: x: MemoryError"),
    ):
        run(speech, {"x": make_pipeline(MFCCTransformer(), Fails())})


def test_features_that_cannot_be_computed_are_named(speech):
    broken = FunctionTransformer(lambda X: X.reshape(7, 3) if len(X) > 3 else X)
    with pytest.raises(RuntimeError, match="the features of mine cannot be computed: ValueError: cannot reshape"):
        run(speech, {"mine": make_pipeline(broken, LogisticRegression())})


class Warns(LogisticRegression):
    def fit(self, X, y):
        warnings.warn("too little to go on", UserWarning, stacklevel=2)
        warnings.warn("old-fashioned", FutureWarning, stacklevel=2)
        return super().fit(X, y)


def test_warnings_of_a_model_are_passed_on_once(speech):
    models = {"mine": make_pipeline(MFCCTransformer(), Warns(max_iter=1000))}
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        result = run(speech, models)
    n_fits = len(result.models[0].fold_accuracies) * 5
    assert [str(warning.message) for warning in record] == [f"mine, in {n_fits} of {n_fits} fits: too little to go on"]


def test_what_nobody_can_pickle_is_compared_too(speech):
    halves = FunctionTransformer(lambda X: np.abs(X[:, ::100]))
    models = {name: make_pipeline(halves, StandardScaler(), LogisticRegression()) for name in "ab"}
    result = run(speech, models, n_examples=())
    assert result["a"].accuracy == result["b"].accuracy


def test_checkpoints_give_back_numbers_as_numbers(speech, tmp_path):
    first, again = (run(speech, checkpoint_dir=tmp_path / "kept") for _ in range(2))
    for scores, same in zip(first.models, again.models, strict=True):
        for name, value in vars(scores).items():
            assert type(getattr(same, name)) is type(value), name
    kinds = []
    for comparison in (first, again):
        write_report(comparison, tmp_path / "report", settings={})
        (model,) = json.loads((tmp_path / "report" / "results.json").read_text())["models"]
        kinds.append({name: type(value) for name, value in model.items()})
    assert kinds[0] == kinds[1]
    assert kinds[1]["n_bytes"] is int


def test_a_full_disk_costs_a_comparison_its_checkpoints_alone(speech, tmp_path, monkeypatch):
    expected = run(speech)
    calls = []

    @contextmanager
    def full(path):
        calls.append(path)
        raise OSError(errno.ENOSPC, "No room to write it", str(path))
        yield

    monkeypatch.setattr(_outcomes, "whole_file", full)
    with pytest.warns(UserWarning, match="outcomes of fits are not kept any more, as there is no room in") as record:
        result = run(speech, checkpoint_dir=tmp_path)
    assert len([warning for warning in record if "not kept" in str(warning.message)]) == len(calls) == 1
    assert figures(result) == figures(expected)
    assert not list(tmp_path.iterdir())
