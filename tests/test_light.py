"""What works without TensorFlow, Keras, librosa and numba, and what says that it needs them."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from skkws import (
    KeywordNetClassifier,
    MFCCTransformer,
    SpectrogramAutoencoder,
    SpeechEmbeddingTransformer,
    UNetDenoiser,
    extraction,
    mfcc,
    networks,
)
from skkws.augment import PitchShift, shift_pitch
from skkws.compare import MODEL_NAMES, make_model, resolve_models
from skkws.inspection import saliency_map

HEAVY = ("tensorflow", "keras", "librosa", "numba")
ROOT = Path(__file__).parents[1]
ROWS = np.random.default_rng(0).uniform(-0.1, 0.1, (4, 16000)).astype(np.float32)

WITHOUT = f"""
import sys
import importlib.metadata
def version(name, version=importlib.metadata.version):
    if name in {HEAVY}:
        raise importlib.metadata.PackageNotFoundError(name)
    return version(name)
importlib.metadata.version = version
sys.modules.update(dict.fromkeys({HEAVY}))
"""


def run_without(code, *arguments):
    """Run code in a process that finds none of the heavy packages, and return what it prints."""
    command = [sys.executable, "-c", WITHOUT + code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"COLUMNS": "200"})
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def without_heavy(monkeypatch):
    for name in HEAVY:
        monkeypatch.setitem(sys.modules, name, None)


COMMANDS = """
import json
from skkws.cli import app
for arguments in json.loads(sys.argv[1]):
    app(arguments, standalone_mode=False)
"""


def test_the_commands_need_none_of_the_heavy_packages(speech_folder, tmp_path):
    folder, model, clip = str(speech_folder), str(tmp_path / "model.skops"), next(speech_folder.glob("yes/*.wav"))
    commands = [
        ["train", folder, "--limit", "4", "-o", model],
        ["predict", model, str(clip)],
        ["extract", folder, "-o", str(tmp_path / "rows.npz"), "--cache", str(tmp_path / "cache")],
        ["compare", folder, "--limit", "4", "--models", "embedding+head,embedding+logreg", "-o", str(tmp_path)],
    ]
    out = run_without(COMMANDS, json.dumps(commands))
    assert out.splitlines()[0].endswith(str(clip))
    assert "embedding+logreg" in out
    assert len(np.load(tmp_path / "rows.npz")["features"]) == 36
    assert (tmp_path / "report.html").exists()
    assert "librosa" not in json.loads((tmp_path / "results.json").read_text())["versions"]


ESTIMATORS = """
import numpy as np
from sklearn.pipeline import make_pipeline
from skkws import *
from skkws.augment import default_transforms
from skkws.inspection import exciting_stretches, occlusion_map
X = np.random.RandomState(0).uniform(-0.1, 0.1, (8, 16000)).astype(np.float32)
y = ["yes", "no"] * 4
copies = AudioAugmenter(default_transforms(), n_copies=1, random_state=0).fit_resample(X, y)[0]
rows = SpeechEmbeddingTransformer().fit_transform(copies)
pooled = SpeechEmbeddingTransformer(pooling="mean").fit_transform(X)
head = KeywordHeadClassifier(epochs=1).fit(rows[:8], y)
PrototypeClassifier().fit(pooled, y).predict(pooled)
prepared = make_pipeline(TrimSilence(), LoudnessNormalizer(), TelephoneBand()).fit_transform(X)
frames = make_pipeline(LogMelTransformer(), BandScaler(), FrameStacker(left=1, right=1)).fit_transform(prepared)
LogSpectrogramTransformer().fit_transform(X)
exciting_stretches(SpeechEmbeddingTransformer(), X, 3)
occlusion_map(head, rows[0], output_shape=(13, 96), patch=(13, 32), step=(13, 32))
"""


def test_estimators_need_none_of_the_heavy_packages():
    run_without(ESTIMATORS)


@pytest.mark.parametrize(
    ("work", "message"),
    [
        (lambda: KeywordNetClassifier("cnn1d").fit(ROWS[:, :3136], [0, 1, 0, 1]), "KeywordNetClassifier needs"),
        (lambda: SpectrogramAutoencoder().fit(ROWS[:, :3136]), "SpectrogramAutoencoder needs"),
        (lambda: UNetDenoiser().fit(ROWS), "UNetDenoiser needs"),
        (lambda: networks.tc_resnet((98, 32), 2), "tc_resnet needs"),
        (lambda: networks.encoder((96, 32)), "encoder needs"),
        (lambda: SpeechEmbeddingTransformer(weights=None).fit_transform(ROWS), "weights=None, .* needs"),
        (lambda: saliency_map(None, ROWS[0]), "saliency_map needs"),
        (lambda: extraction.FeaturePyDataset, "FeaturePyDataset needs"),
    ],
)
def test_what_needs_tensorflow_says_so(without_heavy, work, message):
    with pytest.raises(ImportError, match=f"{message} TensorFlow; install it with pip install tensorflow"):
        work()


@pytest.mark.parametrize(
    ("work", "message"),
    [
        (lambda: MFCCTransformer().fit(ROWS), "MFCC needs"),
        (lambda: mfcc(ROWS), "MFCC needs"),
        (lambda: shift_pitch(ROWS, 2.0), "shift_pitch needs"),
        (PitchShift, "PitchShift needs"),
        (lambda: make_model("mfcc+svm"), r"mfcc\+svm needs"),
        (lambda: resolve_models(MODEL_NAMES), r"mfcc\+xgboost, mfcc\+svm and mfcc\+logreg need"),
    ],
)
def test_what_needs_librosa_says_so(without_heavy, work, message):
    with pytest.raises(ImportError, match=f"{message} librosa; install it with pip install librosa"):
        work()


def test_a_comparison_names_the_models_that_remain(without_heavy):
    with pytest.raises(ImportError, match=r"Without it there are embedding\+head, embedding\+logreg\.$"):
        resolve_models(["mfcc+logreg"])


def test_a_light_machine_installs_all_but_tensorflow_and_librosa():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    heavy = [name for name in project["dependencies"] if name.startswith(HEAVY)]
    expected = {*project["dependencies"], *project["optional-dependencies"]["synth"]}.difference(heavy)
    lines = (ROOT / "requirements" / "light.txt").read_text().splitlines()
    assert {line for line in lines if not line.startswith("#")} == expected
