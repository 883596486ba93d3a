"""Files from a stranger, and models that are refused before they are written."""

import io
import json
import os
import re
import zipfile
from functools import partial
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import numpy as np
import pytest
import skops.io
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KernelDensity, KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import skkws
from skkws import load_model, save_model
from skkws.persistence import _file, check_model_path, describe_model, package_versions
from skkws.persistence._trust import is_trusted

X = np.array([[0.0, 1.0], [1.0, 0.0], [0.2, 0.9], [0.9, 0.1]] * 3)
Y = np.array(["no", "yes", "no", "yes"] * 3)


class Own(LogisticRegression):
    """An estimator of a user's."""


def own_function(rows):
    return rows


def altered(model, change):
    """Return the file of a model after a stranger has changed the nodes and arrays in it."""
    content = {"format": 1, "versions": {}, "labels": ["no", "yes"], "model": model}
    return edited(skops.io.dumps(content), change)


def edited(content, change):
    """Return a file after a stranger has changed the nodes and arrays in it."""
    written = zipfile.ZipFile(io.BytesIO(content))
    members = {name: written.read(name) for name in written.namelist()}
    schema = json.loads(members["schema.json"])
    change(schema["content"], members)
    members["schema.json"] = json.dumps(schema)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return file.getvalue()


def node(loader, name, **more):
    module, _, attribute = name.rpartition(".")
    return {"__loader__": loader, "__module__": module, "__class__": attribute, **more}


def logistic():
    return LogisticRegression().fit(X, Y)


# Whatever would run code. The types of a dict's keys are called with the keys when it is loaded.


def key_called_with(function):
    def change(content, _):
        command = "__import__('pathlib').Path('was_here').touch()"
        content["labels"] = node("DictNode", "builtins.dict", content={command: content["labels"]})
        content["labels"]["key_types"] = node("ListNode", "builtins.list", content=[function])

    return change


BUILTINS = node("MethodNode", "numpy.ufunc", content={"func": "__self__", "obj": node("FunctionNode", "numpy.add")})
EVAL = node("MethodNode", "builtins.module", content={"func": "eval", "obj": BUILTINS})
CALLS = {
    "builtins.module.eval": key_called_with(EVAL),
    "builtins.eval": key_called_with(node("FunctionNode", "builtins.eval")),
    "os.system": key_called_with(node("TypeNode", "os.system")),
    # Trusted as a step of a pipeline, and yet not to be called with what is in a file.
    "skkws.augment.default_transforms": key_called_with(node("FunctionNode", "skkws.augment.default_transforms")),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_file_that_would_call_a_function_is_refused(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "model.skops"
    path.write_bytes(altered(logistic(), CALLS[name]))
    with pytest.raises(ValueError, match=rf"model\.skops holds types that skkws does not trust .*{name}"):
        load_model(path)
    assert os.listdir(tmp_path) == ["model.skops"]


def test_a_trusted_name_is_trusted_in_its_place_alone(tmp_path):
    """An estimator that is made by a call would check files, or whatever else its constructor does."""
    path = tmp_path / "model.skops"
    arguments = node("TupleNode", "builtins.tuple", content=[])

    def call(content, _):
        content["labels"] = node("ConstructorFromReduceNode", "skkws.augment.BackgroundNoise", content=arguments)
        content["more"] = node("ObjectNode", "skkws.augment.BackgroundNoise")

    path.write_bytes(altered(logistic(), call))
    with pytest.raises(ValueError, match=r"does not trust .*skkws\.augment\.BackgroundNoise"):
        load_model(path)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("FunctionNode", "os.system"),
        ("FunctionNode", "builtins.getattr"),
        ("FunctionNode", "numpy.load"),
        ("FunctionNode", "skkws.extraction.extract_features"),  # writes where it is told to
        ("FunctionNode", "skkws.datasets.fetch_speech_commands"),
        ("FunctionNode", "skkws.persistence.load_model"),
        ("FunctionNode", "skkws.features._logmel.log_mel"),  # no public name
        ("FunctionNode", "skkws.features.np"),
        ("FunctionNode", "sklearn.utils._testing.ignore_warnings"),
        ("FunctionNode", "joblib.load"),
        ("ObjectNode", "skkws._runtime.files.whole_file"),
        ("ObjectNode", "skkws.synthesis.list_voices"),
        ("ObjectNode", "sklearn.datasets.fetch_openml"),
        ("ObjectNode", "sklearn.metrics._dist_metrics.PyFuncDistance64"),
        ("ObjectNode", "sklearn.tests.test_base.MyEstimator"),
        ("ObjectNode", "sklearn.utils._testing.TempMemmap"),
        ("ObjectNode", "sklearn.base.os"),
        ("ObjectNode", "xgboost.core.DMatrix"),
        ("ObjectNode", "subprocess.Popen"),
        ("ConstructorFromReduceNode", "pathlib.os"),
        ("MethodNode", "skkws.features.LogMelTransformer"),
        ("PartialNode", "functools.partial"),
        ("OperatorFuncNode", "operator.methodcaller"),
        ("TypeNode", "skkws.features.LogMelTransformer"),
    ],
)
def test_rules_trust_nothing_that_acts(kind, name):
    assert not is_trusted(kind, name)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("ObjectNode", "skkws.features.LogMelTransformer"),
        ("ObjectNode", "skkws.augment.Gain"),
        ("ObjectNode", "sklearn.model_selection._split.GroupKFold"),
        ("ObjectNode", "xgboost.sklearn.XGBClassifier"),
        ("FunctionNode", "skkws.preparation.normalize_peak"),
        ("FunctionNode", "skkws.networks.cnn"),
        ("FunctionNode", "skkws.spotting.mean_and_maximum"),
        ("FunctionNode", "sklearn.metrics._classification.f1_score"),
        ("TreeNode", "sklearn.tree._tree.Tree"),
    ],
)
def test_rules_trust_what_computes(kind, name):
    assert is_trusted(kind, name)


# Trees whose indices lead out of their arrays


def forge(name, field, value):
    """Put a value into a field of the nodes of every tree."""

    def change(_, members):
        for member, content in members.items():
            if member.endswith(".npy"):
                array = np.load(io.BytesIO(content))
                if array.dtype.names and name in array.dtype.names:
                    array[field][:1] = value
                    file = io.BytesIO()
                    np.save(file, array)
                    members[member] = file.getvalue()

    return change


@pytest.mark.parametrize("value", [-5, 0, 10**6])
@pytest.mark.parametrize(
    ("model", "name", "fields"),
    [
        (RandomForestClassifier(2, random_state=0), "left_child", ("left_child", "right_child", "feature")),
        (GradientBoostingClassifier(n_estimators=2), "left_child", ("left_child", "right_child", "feature")),
        (HistGradientBoostingClassifier(max_iter=2, min_samples_leaf=1), "left", ("left", "right", "feature_idx")),
    ],
    ids=["forest", "boosting", "histograms"],
)
def test_trees_that_lead_out_of_their_arrays_are_refused(model, name, fields, value, tmp_path):
    path = tmp_path / "model.skops"
    model.fit(X, Y)
    for field in fields:
        if field.startswith("feature") and value == 0:
            continue  # there is a column 0
        path.write_bytes(altered(model, forge(name, field, np.array(value).astype("u4" if name == "left" else "i8"))))
        with pytest.raises(ValueError, match=r"is damaged: a tree (leads out of its nodes|asks for a column)"):
            load_model(path)


def test_the_tree_of_nearest_neighbors_is_made_anew(tmp_path):
    path = tmp_path / "model.skops"
    model = KNeighborsClassifier(1, algorithm="kd_tree").fit(X, Y)
    path.write_bytes(altered(model, forge("idx_start", "idx_end", 10**9)))
    np.testing.assert_array_equal(load_model(path).predict(X), model.predict(X))


# Files that take more than they look like


def as_npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def zeros_in(content, members):
    """Have the coefficients be many zeros, which pack well."""
    members[next(name for name in members if name.endswith(".npy"))] = as_npy(np.zeros(10**7))


def many_nodes(content, members):
    content["labels"] = node("ListNode", "builtins.list", content=[node("ListNode", "builtins.list")] * 100_000)


def one_array_many_times(content, members):
    array = content["model"]["content"]["content"]["coef_"]
    members[array["file"]] = as_npy(np.zeros((1, 10_000)))
    content["labels"] = node("ListNode", "builtins.list", content=[array] * 1000)


def long_schema(content, members):
    content["labels"] = [[]] * 10**6


@pytest.mark.parametrize("change", [zeros_in, many_nodes, one_array_many_times, long_schema])
def test_a_file_that_takes_more_than_is_allowed_is_refused_before_it_is_made(change, tmp_path, monkeypatch):
    path = tmp_path / "model.skops"
    path.write_bytes(packed(altered(logistic(), change)))
    assert path.stat().st_size < 100_000
    monkeypatch.setattr(skops.io, "loads", None)
    monkeypatch.setattr(skops.io, "get_untrusted_types", None)
    for read in (load_model, describe_model):
        with pytest.raises(
            ValueError, match=r"model\.skops was not loaded: .*max_bytes=30000000 allows 30\.0 MB\. If yo"
        ):
            read(path, max_bytes=30 * 10**6)


def packed(content):
    """Return the content of a ZIP file with its members deflated."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as plain, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, 9) as archive:
        for name in plain.namelist():
            archive.writestr(name, plain.read(name))
    return file.getvalue()


def test_an_array_that_announces_more_than_it_has_is_refused(tmp_path):
    path = tmp_path / "model.skops"

    def announce(content, members):
        file = io.BytesIO()
        np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": (10**12,)})
        members[next(name for name in members if name.endswith(".npy"))] = file.getvalue()

    path.write_bytes(altered(logistic(), announce))
    with pytest.raises(
        ValueError, match=r"is damaged: an array of the shape \(1000000000000,\) and dtype float64 has an"
    ):
        load_model(path)


def test_the_bound_is_that_of_the_user_for_loading_and_saving(tmp_path):
    path = tmp_path / "model.skops"
    save_model(logistic(), path)
    with pytest.raises(
        ValueError, match=r"model\.skops was not loaded: it would take .* pass a larger max_bytes; if it"
    ):
        load_model(path, max_bytes=1000)
    with pytest.raises(
        ValueError, match=r"was not written, as load_model would refuse it: .* larger max_bytes here and"
    ):
        save_model(logistic(), path, max_bytes=1000)
    np.testing.assert_array_equal(load_model(path, max_bytes=2**24).predict(X), Y)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_what_is_no_plain_file_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "model.skops")
    for path in (tmp_path / "model.skops", "/dev/zero"):
        with pytest.raises(ValueError, match=r"(model\.skops|zero) is no model .*: it is no plain file"):
            load_model(path)


def test_a_head_with_weights_that_machine_code_cannot_take_is_refused_by_its_file(tmp_path):
    path = tmp_path / "model.skops"
    rows = np.random.default_rng(0).normal(size=(4, 3 * 96))
    head = skkws.KeywordHeadClassifier(epochs=1).fit(rows, Y[:4])

    def narrow(content, members):
        for name, member in members.items():
            array = np.load(io.BytesIO(member)) if name.endswith(".npy") else np.zeros(0)
            if array.dtype == np.float64 and array.ndim == 3:
                members[name] = as_npy(array.astype(np.float16))

    save_model(head, path)
    path.write_bytes(edited(path.read_bytes(), narrow))
    with pytest.raises(
        ValueError, match=r"model\.skops is no model .* must be an array of float64, got float16.*Train it again"
    ):
        load_model(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda content, _: content.pop("versions"),
        lambda content, _: content.pop("labels"),
        lambda content, _: content.update(format=content["labels"]),
        lambda content, _: content.update(model=content["labels"]),
    ],
    ids=["versions", "labels", "format", "model"],
)
def test_a_file_that_lacks_what_every_model_has_is_refused(tmp_path, change):
    path = tmp_path / "model.skops"
    path.write_bytes(altered(logistic(), change))
    with pytest.raises(ValueError, match=r"model\.skops (is|holds) no model .*; train it again"):
        load_model(path)


# What cannot be loaded is not written.


def test_untrusted_types_are_refused_when_saving_and_the_old_file_stays(tmp_path):
    path = tmp_path / "model.skops"
    save_model(logistic(), path)
    before = path.read_bytes()
    name = rf"{__name__}\."
    for model, refused in (
        (Own().fit(X, Y), name + "Own"),
        (make_pipeline(FunctionTransformer(own_function), LogisticRegression()).fit(X, Y), name + "own_function"),
        (make_pipeline(FunctionTransformer(lambda rows: rows), LogisticRegression()).fit(X, Y), name + "<lambda>"),
        (make_pipeline(FunctionTransformer(partial(np.add, 1)), LogisticRegression()).fit(X, Y), "functools.partial"),
    ):
        with pytest.raises(ValueError, match=rf"model\.skops was not written, .* not trusted .*: {refused}\. Leave"):
            save_model(model, path)
        assert path.read_bytes() == before
        assert os.listdir(tmp_path) == ["model.skops"]


def test_types_that_a_user_vouches_for_are_saved_and_loaded(tmp_path):
    path, own = tmp_path / "model.skops", [f"{__name__}.Own", f"{__name__}.own_function"]
    model = make_pipeline(FunctionTransformer(own_function), Own()).fit(X, Y)
    save_model(model, path, trusted=own)
    np.testing.assert_array_equal(load_model(path, trusted=own).predict_proba(X), model.predict_proba(X))
    with pytest.raises(ValueError, match=rf"does not trust and was not loaded: {own[0]}\. If they are yours"):
        load_model(path, trusted=own[1:])
    with pytest.raises(TypeError, match=r'trusted must be a list of names such as \["my.module.Class"\], got'):
        load_model(path, trusted=own[0])


def test_what_no_file_can_keep_is_refused_when_saving(tmp_path):
    path = tmp_path / "model.skops"
    circular, keyed = logistic(), logistic()
    circular.itself, keyed.by_pair = circular, {("a", "b"): 1}
    for model in (circular, keyed, KernelDensity().fit(X)):
        with pytest.raises(ValueError, match=r"model\.skops was not written, as the model holds something that cannot"):
            save_model(model, path)
    assert os.listdir(tmp_path) == []


def test_a_model_that_is_not_fitted_is_refused(tmp_path):
    with pytest.raises(NotFittedError):
        save_model(LogisticRegression(), tmp_path / "model.skops")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("suffix", [".onnx", ".pkl", ".joblib", ".npz", ".h5", ".keras", ".tflite", ".ONNX"])
def test_a_name_that_promises_another_format_is_refused(suffix, tmp_path):
    path = tmp_path / f"spotter{suffix}"
    for refuse in (check_model_path, lambda path: save_model(logistic(), path)):
        with pytest.raises(ValueError, match=rf"spotter\{suffix} would promise .*; name it spotter\.skops\."):
            refuse(path)
    assert os.listdir(tmp_path) == []


# What is in the file


def test_files_name_public_modules_and_paths_of_any_system(tmp_path):
    path = tmp_path / "model.skops"
    rows = np.random.default_rng(0).uniform(-0.1, 0.1, (4, 8000)).astype(np.float32)
    augmenter = skkws.AudioAugmenter([skkws.augment.Gain()], random_state=0)
    augmented = skkws.AugmentedClassifier(make_pipeline(skkws.MFCCTransformer(), LogisticRegression()), augmenter)
    model = make_pipeline(FunctionTransformer(skkws.preparation.normalize_peak), augmented).fit(rows, Y[:4])
    model.memory = Path("folder") / "cache"
    save_model(model, path)
    with zipfile.ZipFile(path) as file:
        modules = set(re.findall(r'"__module__": "([^"]*)"', file.read("schema.json").decode()))
    assert {"skkws.augment", "skkws.features", "skkws.preparation", "pathlib"} <= modules
    assert not [name for name in modules if name.startswith(("skkws._", "pathlib.")) or re.match(r"skkws\..*\._", name)]
    assert load_model(path).memory == Path("folder") / "cache"


def test_a_transformer_is_described_without_labels(tmp_path):
    path = tmp_path / "scaler.skops"
    save_model(skkws.MFCCTransformer().fit(np.zeros((1, 8000))), path)
    assert describe_model(path) == {"labels": None, "versions": package_versions()}


def test_versions_are_those_of_installed_packages(monkeypatch):
    def version(name):
        if name == "librosa":
            raise PackageNotFoundError(name)
        return "1.0"

    monkeypatch.setattr(_file, "version", version)
    assert "librosa" not in package_versions()
    assert package_versions()["numpy"] == "1.0"
