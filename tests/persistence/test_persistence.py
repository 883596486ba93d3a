import functools
import io
import json
import os
import pickle
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import sklearn
import skops.io
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import skkws
from skkws import (
    KeywordHeadClassifier,
    KeywordNetClassifier,
    LogMelTransformer,
    SpeechEmbeddingTransformer,
    load_head,
    save_backbone,
    save_head,
)
from skkws.audio import AudioLoader
from skkws.compare import make_model
from skkws.datasets import load_keyword_folder
from skkws.persistence import describe_model, load_model, package_versions, save_model


@pytest.fixture(scope="module", params=["embedding+head", "embedding+logreg", "mfcc+logreg"])
def trained(request, speech_folder):
    """A pipeline from files to labels, and the files."""
    data = load_keyword_folder(speech_folder)
    model = make_pipeline(AudioLoader(), *(step for _, step in make_model(request.param, 0).steps))
    if request.param == "embedding+head":
        model[-1].set_params(epochs=3)
    return model.fit(data.filenames, data.target), data.filenames


def small_model():
    return LogisticRegression().fit([[0.0], [1.0]], ["no", "yes"])


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "model.skops"
    save_model(small_model(), path)
    return path


def test_a_loaded_model_gives_the_same_probabilities(trained, tmp_path):
    model, files = trained
    save_model(model, tmp_path / "model.skops")
    loaded = load_model(tmp_path / "model.skops")
    np.testing.assert_array_equal(loaded.predict_proba(files), model.predict_proba(files))
    np.testing.assert_array_equal(loaded.predict(files), model.predict(files))
    assert loaded.classes_.tolist() == ["no", "stop", "yes"]


def test_every_step_of_ours_can_be_saved_and_loaded(tmp_path):
    clips = np.random.RandomState(0).uniform(-0.1, 0.1, (6, 8000)).astype(np.float32)
    labels = ["no", "yes"] * 3
    prepared = (
        skkws.TrimSilence(),
        skkws.VoiceActivityFilter(),
        skkws.TelephoneBand(),
        skkws.PeakNormalizer(),
        skkws.LoudnessNormalizer(),
        skkws.Resample(),
    )
    features = (skkws.LogSpectrogramTransformer(8000), skkws.BandScaler(), skkws.FrameStacker())
    model = make_pipeline(*prepared, *features, LogisticRegression()).fit(clips, labels)
    save_model(model, tmp_path / "model.skops")
    np.testing.assert_array_equal(load_model(tmp_path / "model.skops").predict_proba(clips), model.predict_proba(clips))


def test_a_loaded_model_can_be_saved_again(trained, tmp_path):
    model, files = trained
    for name in ("once.skops", "twice.skops"):
        save_model(model, tmp_path / name)
        model = load_model(tmp_path / name)
    np.testing.assert_array_equal(model.predict_proba(files[:3]), trained[0].predict_proba(files[:3]))


def test_the_file_tells_nothing_of_the_machine_it_was_made_on(trained, speech_folder, tmp_path):
    save_model(trained[0], tmp_path / "model.skops")
    places = [speech_folder, tmp_path, Path(skkws.__file__).parent, sys.prefix, Path.home() / ""]
    places = [str(place) for place in places if len(str(place)) > 5]
    with zipfile.ZipFile(tmp_path / "model.skops") as file:
        members = {name: file.read(name) for name in file.namelist()}
    for name, content in members.items():
        for place in places:
            assert place.encode() not in content, f"{place} in {name}"


def test_a_model_is_described_by_its_labels_and_versions(saved):
    description = describe_model(saved)
    assert description["labels"] == ["no", "yes"]
    assert description["versions"] == package_versions()
    assert description["versions"]["skkws"] == skkws.__version__
    assert description["versions"]["scikit-learn"] == sklearn.__version__
    packages = {"skkws", "scikit-learn", "librosa", "llvmlite", "numpy", "scipy", "soxr"}
    assert set(description["versions"]) == {"python"} | packages


def test_labels_of_any_type_come_back(tmp_path):
    save_model(LogisticRegression().fit([[0.0], [1.0]], [3, 7]), tmp_path / "model.skops")
    assert describe_model(tmp_path / "model.skops")["labels"] == [3, 7]
    assert load_model(tmp_path / "model.skops").predict([[1.0]]).tolist() == [7]


def test_an_interrupted_save_keeps_the_old_model(saved, monkeypatch):
    def write_half(self, content):
        with self.open("wb") as file:
            file.write(content[: len(content) // 2])
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_bytes", write_half)
    with pytest.raises(KeyboardInterrupt):
        save_model(LogisticRegression().fit([[0.0], [1.0]], ["a", "b"]), saved)
    assert describe_model(saved)["labels"] == ["no", "yes"]
    assert os.listdir(saved.parent) == [saved.name]


# Files from a stranger


class Malice:
    """Leaves a file behind where a pickle of it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


class Stranger(LogisticRegression):
    pass


def test_a_pickle_is_refused_and_not_run(tmp_path):
    mark = tmp_path / "was_here"
    for name, content in (("bare", Malice(mark)), ("model", {"format": 1, "model": Malice(mark)})):
        path = tmp_path / f"{name}.skops"
        path.write_bytes(pickle.dumps(content))
        with pytest.raises(ValueError, match="is no model that skkws saved, or it is damaged"):
            load_model(path)
    assert not mark.exists()
    pickle.loads(path.read_bytes())
    assert mark.exists()  # the pickles are what they are meant to be


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (functools.partial(print, "run"), "functools.partial"),
        (Stranger().fit([[0.0], [1.0]], ["no", "yes"]), "Stranger"),
        (make_pipeline(FunctionTransformer(os.system), small_model()), "system"),
    ],
    ids=["partial", "class", "function"],
)
def test_types_that_are_not_trusted_are_refused_and_named(model, name, tmp_path, capfd):
    path = tmp_path / "model.skops"
    skops.io.dump({"format": 1, "versions": {}, "labels": ["no", "yes"], "model": model}, path)
    for read in (load_model, describe_model):
        with pytest.raises(ValueError, match=rf"holds types that skkws does not trust and was not loaded: .*{name}"):
            read(path)
    assert capfd.readouterr().out == ""


def with_schema(content, change):
    """Return what skops writes of `content`, after somebody changed the nodes in it."""
    written = zipfile.ZipFile(io.BytesIO(skops.io.dumps(content)))
    schema = json.loads(written.read("schema.json"))
    change(schema["content"])
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as altered:
        for name in written.namelist():
            altered.writestr(name, json.dumps(schema) if name == "schema.json" else written.read(name))
    return file.getvalue()


def test_a_method_that_poses_as_a_type_of_ours_is_refused(tmp_path):
    """A method of an object reaches whatever that object holds, its module's globals too."""
    path = tmp_path / "model.skops"

    def pose(nodes):
        nodes["model"]["content"]["func"] = "__init__"
        nodes["model"] |= {"__module__": "skkws.features._logmel", "__class__": "LogMelTransformer"}

    path.write_bytes(with_schema({"format": 1, "labels": [], "model": LogMelTransformer().transform}, pose))
    with pytest.raises(ValueError, match=r"holds types that skkws does not trust .*LogMelTransformer\.__init__"):
        load_model(path)


def test_a_random_generator_that_names_a_function_is_refused(tmp_path):
    """The function would be called with what stands in the file."""
    path = tmp_path / "model.skops"

    def name_a_function(nodes):
        nodes["model"]["content"]["bit_generator"]["content"]["bit_generator"]["content"] = '"seed"'

    path.write_bytes(with_schema({"format": 1, "labels": [], "model": np.random.default_rng(0)}, name_a_function))
    with pytest.raises(ValueError, match=r"holds types that skkws does not trust .*numpy\.random\.seed"):
        load_model(path)


def test_a_skops_file_of_something_else_is_refused(tmp_path):
    path = tmp_path / "model.skops"
    for content in (small_model(), {"model": small_model()}, {"format": 2, "model": small_model()}):
        skops.io.dump(content, path)
        with pytest.raises(ValueError, match="is no model that this version of skkws saved; train it again"):
            load_model(path)


@pytest.mark.parametrize("kept", [0, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(saved, kept):
    content = saved.read_bytes()
    saved.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(ValueError, match=r"model\.skops is no model that skkws saved, or it is damaged: .* again"):
        load_model(saved)


def test_flipped_bytes_give_the_model_or_a_clear_error(saved):
    content = saved.read_bytes()
    rng = np.random.RandomState(0)
    n_refused = 0
    for _ in range(200):
        damaged = bytearray(content)
        for at in rng.randint(len(content), size=3):
            damaged[at] ^= rng.randint(1, 256)
        saved.write_bytes(damaged)
        try:
            load_model(saved)
        except ValueError as error:
            assert "Train it again" in str(error)  # noqa: PT017 (a byte that does not matter may be hit)
            n_refused += 1
    assert n_refused > 150


@pytest.mark.parametrize("where", [4, 6, 8])  # version needed, flags, method of the first entry in the directory
def test_a_zip_of_an_unknown_kind_is_refused(saved, where):
    content = bytearray(saved.read_bytes())
    at = content.rindex(b"PK\x01\x02") + 2 + where
    content[at : at + 2] = b"\xff\xff"
    saved.write_bytes(content)
    with pytest.raises(ValueError, match="is no model that skkws saved, or it is damaged: "):
        load_model(saved)


@pytest.mark.parametrize("schema", ["", "{", "[]", "{}", '{"__class__": "nowhere", "__module__": "no.such.module"}'])
def test_a_zip_of_something_else_is_refused(tmp_path, schema):
    path = tmp_path / "model.skops"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("schema.json", schema)
    with pytest.raises(ValueError, match=r"is no model that skkws saved, or it is damaged: \S+"):
        load_model(path)


def test_text_is_refused(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("not a model")
    with pytest.raises(ValueError, match=r"notes\.txt is no model that skkws saved, or it is damaged"):
        load_model(path)


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"There is no model file .*gone\.skops; check the path"):
        load_model(tmp_path / "gone.skops")
    with pytest.raises(OSError, match=tmp_path.name):
        load_model(tmp_path)


@pytest.fixture(scope="module")
def tuned():
    """A network whose embedding was trained too, and log-mel rows for it."""
    rng = np.random.default_rng(0)
    y = np.repeat(["high", "low"], 12)
    pitch = np.where(y == "high", 1800, 400)[:, None]
    clips = 0.1 * np.sin(2 * np.pi * pitch * np.arange(12000) / 16000) + rng.normal(0, 0.05, (24, 12000))
    X = LogMelTransformer().fit_transform(clips.astype(np.float32))
    settings = {"epochs": 1, "embedding_epochs": 1, "validation_fraction": 0.4, "random_state": 0}
    with pytest.MonkeyPatch.context() as patch:
        # It is kept whether it helps or not, which two rounds of training need not agree about.
        patch.setattr("skkws.classifiers._fine_tuning.FineTuning._is_better", lambda *args: True)
        return KeywordNetClassifier("embedding+head", train_embedding="full", **settings).fit(X, y), X


def test_head_and_backbone_of_a_network_work_apart(tuned, tmp_path):
    net, X = tuned
    save_backbone(net, tmp_path / "backbone.npz")
    save_head(net, tmp_path / "head.skops")
    embedding = SpeechEmbeddingTransformer(input="logmel", weights=tmp_path / "backbone.npz").fit(X)
    head = load_head(tmp_path / "head.skops", embedding)
    np.testing.assert_allclose(head.predict_proba(embedding.transform(X)), net.predict_proba(X), atol=1e-6)
    with pytest.raises(ValueError, match=r"head.skops holds a head that was trained on the embedding [0-9a-f]{16},"):
        load_head(tmp_path / "head.skops")


def test_a_head_of_a_pipeline_is_loaded_for_the_embedding_it_was_trained_on(tmp_path):
    clips = np.random.default_rng(0).normal(0, 0.1, (6, 12400))
    pipeline = make_pipeline(SpeechEmbeddingTransformer(), KeywordHeadClassifier(epochs=2, random_state=0))
    pipeline.fit(clips, ["a", "b"] * 3)
    save_head(pipeline, tmp_path / "head.skops")
    head = load_head(tmp_path / "head.skops", SpeechEmbeddingTransformer())
    np.testing.assert_array_equal(head.predict_proba(pipeline[0].transform(clips)), pipeline.predict_proba(clips))
    with pytest.raises(ValueError, match="holds a head alone; load it with load_head"):
        load_model(tmp_path / "head.skops")


def test_what_has_no_head_or_no_backbone_is_refused(tmp_path):
    with pytest.raises(ValueError, match="save_head takes a pipeline of a SpeechEmbeddingTransformer and"):
        save_head(LogisticRegression(), tmp_path / "head.skops")
    net = KeywordNetClassifier("mlp", epochs=1).fit(np.zeros((4, 3)), [0, 1, 0, 1])
    with pytest.raises(AttributeError, match=r"backbone_ and head_ are parts of .*, got network='mlp', .* fit a class"):
        save_backbone(net, tmp_path / "backbone.npz")
    with pytest.raises(ValueError, match=r"is kept in an .npz file, got .*backbone.bin; choose another name"):
        save_backbone(net, tmp_path / "backbone.bin")
    assert list(tmp_path.iterdir()) == []


def test_a_network_is_saved_and_loaded(tuned, tmp_path):
    net, X = tuned
    save_model(net, tmp_path / "net.skops")
    np.testing.assert_array_equal(load_model(tmp_path / "net.skops").predict_proba(X), net.predict_proba(X))
    with pytest.raises(ValueError, match="holds a whole model and no head alone; load it with load_model"):
        load_head(tmp_path / "net.skops")
