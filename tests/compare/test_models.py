"""Models by name, pipelines of the user, and which part of them learns."""

import sys

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from skkws import AugmentedClassifier, LogMelTransformer, MFCCTransformer, SpeechEmbeddingTransformer
from skkws.compare import MODEL_NAMES, make_model, resolve_models
from skkws.compare._models import reseeded, split_features


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


def test_a_missing_xgboost_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "xgboost", None)
    with pytest.raises(ImportError, match=r"mfcc\+xgboost needs XGBoost; .* pip install xgboost-cpu"):
        resolve_models(MODEL_NAMES)


def test_an_object_of_a_module_in_the_working_directory_is_a_model(tmp_path, monkeypatch):
    (tmp_path / "mine_of_test.py").write_text(
        "from sklearn.linear_model import LogisticRegression\n"
        "ready = LogisticRegression(C=3.0)\n"
        "def make():\n    return LogisticRegression(C=5.0, random_state=1)\n"
        "number = 3\n"
        "def choosy(size):\n    return LogisticRegression(C=size)\n"
    )
    monkeypatch.chdir(tmp_path)
    path = list(sys.path)
    models = resolve_models(["mine_of_test:ready", "mine_of_test:make"], random_state=7)
    assert [(model.C, model.random_state) for model in models.values()] == [(3.0, 7), (5.0, 1)]
    assert sys.path == path
    with pytest.raises(ValueError, match="mine_of_test:gone: module 'mine_of_test' has no 'gone'"):
        resolve_models(["mine_of_test:gone"])
    with pytest.raises(ValueError, match=r"mine_of_test:number must be a classifier, .* got int"):
        resolve_models(["mine_of_test:number"])
    with pytest.raises(ValueError, match=r"mine_of_test:choosy cannot be called without arguments: .*'size'"):
        resolve_models(["mine_of_test:choosy"])
    with pytest.raises(ImportError, match=r"nowhere:x: module 'nowhere' cannot be imported: .* Check its name"):
        resolve_models(["nowhere:x"])


@pytest.mark.parametrize(
    ("models", "message"),
    [
        ({"scaler": StandardScaler()}, "scaler must be a classifier, .* got StandardScaler"),
        ({"class": DummyClassifier}, "class must be a classifier"),
        ([], "models names no model"),
        ("mfcc+svm", r"Pass \['mfcc\+svm'\]"),
    ],
)
def test_what_is_no_model_is_refused(models, message):
    with pytest.raises(ValueError, match=message):
        resolve_models(models)


def test_a_model_given_is_left_as_it_is():
    model = make_pipeline(MFCCTransformer(), LogisticRegression())
    assert resolve_models({"own": model}, 3)["own"][-1].random_state == 3
    assert model[-1].random_state is None


def test_repeats_have_other_seeds_and_the_first_has_its_own():
    model = make_model("embedding+logreg", 4)
    assert [reseeded(model, repeat)[-1].random_state for repeat in range(3)] == [4, 5, 6]


@pytest.mark.parametrize(
    ("model", "n_features"),
    [
        (make_model("embedding+logreg"), 1),
        (make_pipeline(LogMelTransformer(), SpeechEmbeddingTransformer("logmel"), LogisticRegression()), 2),
        (make_pipeline(StandardScaler(), MFCCTransformer(), LogisticRegression()), 0),
        (AugmentedClassifier(LogisticRegression()), 0),
        (LogisticRegression(), 0),
    ],
)
def test_the_steps_that_learn_nothing_are_split_from_those_that_do(model, n_features):
    features, rest = split_features(model, 16000)
    if not n_features:
        assert features is None
        assert rest is model
        return
    assert len(features) == n_features
    assert [name for name, _ in (*features.steps, *rest.steps)] == [name for name, _ in model.steps]
    assert features.transform(np.zeros((1, 16000), dtype=np.float32)).shape[0] == 1
