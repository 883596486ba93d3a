"""Our estimators inside scikit-learn's and Optuna's, on speech: what a user builds of them."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401 (brings HalvingGridSearchCV)
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    cross_validate,
    learning_curve,
    permutation_test_score,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from skkws import CachedTransformer, KeywordHeadClassifier, MFCCTransformer, SpeechEmbeddingTransformer

CHANCE = 1 / 3
CV = GroupKFold(2)


@pytest.fixture(scope="module")
def vectors(speech):
    return SpeechEmbeddingTransformer().fit_transform(speech.data)


def head(**settings):
    return KeywordHeadClassifier(**{"epochs": 15, "random_state": 0} | settings)


def embedding_head(cache_dir=None):
    return Pipeline([("features", CachedTransformer(SpeechEmbeddingTransformer(), cache_dir)), ("classifier", head())])


def mfcc_logreg():
    return make_pipeline(MFCCTransformer(), StandardScaler(), LogisticRegression(C=0.1))


# Searches


def test_one_grid_over_features_pooling_heads_and_classical_classifiers(speech, tmp_path):
    grid = [
        {"features__transformer": [SpeechEmbeddingTransformer()], "classifier": [head(), head(filters=48)]},
        {
            "features__transformer": [SpeechEmbeddingTransformer()],
            "features__transformer__pooling": ["mean", "mean_max"],
            "classifier": [LogisticRegression(C=0.01), LogisticRegression(C=0.1)],
        },
        {"features__transformer": [MFCCTransformer()], "classifier": [mfcc_logreg()[1:]]},
    ]
    search = GridSearchCV(embedding_head(tmp_path), grid, cv=CV)
    search.fit(speech.data, speech.target, groups=speech.groups)
    scores = search.cv_results_["mean_test_score"]
    assert len(scores) == 7
    assert (scores > CHANCE).all()
    assert search.score(speech.data, speech.target) > 0.9
    assert len(list(tmp_path.iterdir())) == 4, "a setting of the features is one folder of rows, whatever comes behind"


def test_randomized_search_draws_the_same_settings_and_scores_again(vectors, speech):
    space = {"learning_rate": [1e-3, 3e-3, 1e-2], "dropout": [0.0, 0.5], "filters": [24, 48]}
    searches = [RandomizedSearchCV(head(), space, n_iter=3, cv=CV, random_state=0, n_jobs=n) for n in (1, 2)]
    for search in searches:
        search.fit(vectors, speech.target, groups=speech.groups)
    first, second = (search.cv_results_ for search in searches)
    assert first["params"] == second["params"]
    np.testing.assert_array_equal(first["mean_test_score"], second["mean_test_score"])
    assert searches[0].best_score_ > 2 * CHANCE


def test_halving_by_epochs_gives_the_best_heads_more_of_them(vectors, speech):
    search = HalvingGridSearchCV(
        head(),
        {"learning_rate": [1e-5, 3e-3, 1e-2]},
        resource="epochs",
        min_resources=3,
        max_resources=9,
        cv=CV,
        random_state=0,
    )
    search.fit(vectors, speech.target, groups=speech.groups)
    assert search.n_resources_ == [3, 9]
    assert search.best_params_["learning_rate"] != 1e-5
    assert search.best_estimator_.n_iter_ == 9


def test_optuna_searches_a_pipeline(speech, tmp_path):
    pytest.importorskip("optuna_integration")
    import optuna
    from optuna_integration import OptunaSearchCV

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    space = {"classifier__learning_rate": optuna.distributions.FloatDistribution(1e-3, 1e-2, log=True)}
    pipeline = embedding_head(tmp_path)
    search = OptunaSearchCV(pipeline, space, cv=CV, n_trials=3, random_state=0)
    search.fit(speech.data, speech.target, groups=speech.groups)
    assert 1e-3 <= search.best_params_["classifier__learning_rate"] <= 1e-2
    assert search.best_score_ > 2 * CHANCE
    assert search.predict(speech.data[:2]).tolist() == speech.target[:2].tolist()


# Validation


def test_cross_validate_keeps_voices_apart_and_returns_the_fitted_pipelines(speech):
    result = cross_validate(
        embedding_head(),
        speech.data,
        speech.target,
        groups=speech.groups,
        cv=CV,
        scoring=["accuracy", "neg_log_loss"],
        return_estimator=True,
        return_indices=True,
    )
    assert result["test_accuracy"].mean() > 2 * CHANCE
    for estimator, test, loss in zip(
        result["estimator"], result["indices"]["test"], result["test_neg_log_loss"], strict=True
    ):
        probabilities = estimator.predict_proba(speech.data[test])
        assert -log_loss(speech.target[test], probabilities, labels=estimator.classes_) == pytest.approx(loss, rel=1e-5)


def test_learning_curve_rises_with_the_examples(vectors, speech):
    order = np.random.default_rng(0).permutation(len(vectors))  # the first few shall be of all words
    sizes, _, scores = learning_curve(
        head(), vectors[order], speech.target[order], groups=speech.groups[order], cv=CV, train_sizes=[6, 18]
    )
    assert sizes.tolist() == [6, 18]
    few, many = scores.mean(axis=1)
    assert CHANCE < few <= many


@pytest.mark.slow
def test_permuted_labels_are_told_from_true_ones(vectors, speech):
    true, permuted, p_value = permutation_test_score(
        LogisticRegression(C=0.01),
        vectors,
        speech.target,
        groups=None,
        cv=3,
        n_permutations=19,
        random_state=0,
    )
    assert true > permuted.max()
    assert p_value == pytest.approx(1 / 20)


# Ensembles


def test_calibration_gives_probabilities_of_the_same_classes(vectors, speech):
    calibrated = CalibratedClassifierCV(head(), cv=3, method="sigmoid").fit(vectors, speech.target)
    probabilities = calibrated.predict_proba(vectors)
    assert calibrated.classes_.tolist() == sorted(set(speech.target))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)
    assert calibrated.score(vectors, speech.target) > 0.9


@pytest.mark.parametrize("voting", ["soft", "hard"])
def test_embedding_and_mfcc_vote(speech, voting):
    members = [("embedding", embedding_head()), ("mfcc", mfcc_logreg())]
    vote = VotingClassifier(members, voting=voting).fit(speech.data, speech.target)
    assert vote.score(speech.data, speech.target) > 0.9
    if voting == "soft":
        mean = np.mean([member.predict_proba(speech.data) for member in vote.estimators_], axis=0)
        np.testing.assert_allclose(vote.predict_proba(speech.data), mean)


def test_embedding_is_stacked_beside_mfcc(speech):
    members = [("embedding", embedding_head()), ("mfcc", mfcc_logreg())]
    stack = StackingClassifier(members, LogisticRegression(), cv=2).fit(speech.data, speech.target)
    assert stack.transform(speech.data).shape == (len(speech.data), 2 * 3)
    assert stack.score(speech.data, speech.target) > 0.9


def test_a_union_lays_features_side_by_side_under_names_of_their_own(speech):
    members = [("embedding", SpeechEmbeddingTransformer(pooling="mean")), ("mfcc", MFCCTransformer())]
    union = FeatureUnion(members).fit(speech.data)
    rows = union.transform(speech.data)
    np.testing.assert_array_equal(rows[:, :96], members[0][1].fit_transform(speech.data))
    np.testing.assert_array_equal(rows[:, 96:], members[1][1].fit_transform(speech.data))
    names = union.get_feature_names_out()
    assert (names[0], names[96]) == ("embedding__embedding_mean_d00", "mfcc__mfcc_mean_c00")
    train, test = next(CV.split(speech.data, speech.target, speech.groups))
    both = make_pipeline(union, StandardScaler(), LogisticRegression(C=0.01))
    both.fit(speech.data[train], speech.target[train])
    assert both.score(speech.data[test], speech.target[test]) > 2 * CHANCE


def test_one_head_for_each_word(vectors, speech):
    heads = OneVsRestClassifier(head(epochs=10), n_jobs=2).fit(vectors, speech.target)
    assert heads.score(vectors, speech.target) > 0.9


# Metadata


def test_weights_and_groups_are_routed_through_a_pipeline_and_a_search(speech):
    # Weights of 0 leave clips out, so that a head that gets them does not know the word.
    with config_context(enable_metadata_routing=True):
        classifier = head().set_fit_request(sample_weight=True, groups=False, copy_of=False)
        classifier.set_score_request(sample_weight=True)
        pipeline = make_pipeline(SpeechEmbeddingTransformer(), classifier)
        search = GridSearchCV(pipeline, {"keywordheadclassifier__filters": [24, 48]}, cv=CV)
        weight = (speech.target != "stop").astype(float)
        search.fit(speech.data, speech.target, sample_weight=weight, groups=speech.groups)
        known = speech.target != "stop"
        assert search.best_score_ > 0.9, "of a word that it does not know, nothing is scored"
        assert not set(search.predict(speech.data)) - {"no", "yes"}
        assert search.score(speech.data[known], speech.target[known]) > 0.9


def test_groups_are_routed_to_the_validation_of_early_stopping(speech, vectors):
    with config_context(enable_metadata_routing=True):
        classifier = head(early_stopping=True, validation_fraction=0.25)
        classifier.set_fit_request(groups=True, sample_weight=False, copy_of=False)
        result = cross_validate(
            classifier,
            vectors,
            speech.target,
            params={"groups": speech.groups},
            cv=GroupKFold(2),
            return_estimator=True,
        )
        assert all("val_loss" in estimator.history_ for estimator in result["estimator"])
