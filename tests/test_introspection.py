"""A fitted estimator can be looked at, and its attributes listed, without loading anything heavy."""

import subprocess
import sys

import pytest

# What makes a fitted estimator of each kind, from waveform rows `X` and labels `y`.
FITTED = {
    "AudioLoader": "AudioLoader(duration=1.0).fit(['clip.wav'])",
    "AugmentedClassifier": "AugmentedClassifier(LogisticRegression(), AudioAugmenter([Gain()], n_copies=1)).fit(X, y)",
    "BandScaler": "BandScaler().fit(frames)",
    "CachedTransformer": "CachedTransformer(LogMelTransformer(), cache_dir=folder).fit(X)",
    "FrameStacker": "FrameStacker().fit(frames)",
    "KeywordHeadClassifier": "KeywordHeadClassifier(epochs=1).fit(vectors, y)",
    "LogMelTransformer": "LogMelTransformer().fit(X)",
    "LogSpectrogramTransformer": "LogSpectrogramTransformer().fit(X)",
    "LoudnessNormalizer": "LoudnessNormalizer().fit(X)",
    "PeakNormalizer": "PeakNormalizer().fit(X)",
    "PrototypeClassifier": "PrototypeClassifier().fit(vectors, y)",
    "Resample": "Resample(8000).fit(X)",
    "RescoringClassifier": "RescoringClassifier(LogisticRegression(), LogisticRegression()).fit(vectors, y)",
    "SpeechEmbeddingTransformer": "SpeechEmbeddingTransformer().fit(X)",
    "TelephoneBand": "TelephoneBand().fit(X)",
    "TrimSilence": "TrimSilence().fit(X)",
    "pipeline": "make_pipeline(SpeechEmbeddingTransformer(), KeywordHeadClassifier(epochs=1)).fit(X, y)",
}
# What has loaded something heavy once it is fitted, or needs a package that not every installation has.
NOT_LOOKED_AT = {
    "KeywordNetClassifier",  # TensorFlow
    "MFCCTransformer",  # librosa
    "SpectrogramAutoencoder",  # TensorFlow
    "UNetDenoiser",  # TensorFlow
    "VoiceActivityFilter",  # webrtcvad
}
LOOKING = f"""
import inspect, sys, tempfile, warnings
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from skkws import *
from skkws.augment import Gain
rng = np.random.RandomState(0)
X, y, folder = rng.uniform(-0.1, 0.1, (8, 16000)), ["yes", "no"] * 4, tempfile.mkdtemp()
frames, vectors = LogMelTransformer().fit_transform(X), rng.normal(size=(8, 192))
heavy = {{"tensorflow", "keras", "librosa", "matplotlib"}}
for name, make in {FITTED!r}.items():
    before = set(sys.modules)
    estimator = eval(make)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dir(estimator), repr(estimator), estimator._repr_html_(), estimator._repr_mimebundle_()
        inspect.getmembers(estimator)
    print(name, *sorted(heavy & (set(sys.modules) - before)))
"""


@pytest.fixture(scope="module")
def loaded():
    """What was loaded after each of the fitted estimators was looked at, one after the other."""
    done = subprocess.run([sys.executable, "-c", LOOKING], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {name: heavy for name, *heavy in map(str.split, done.stdout.splitlines())}


@pytest.mark.parametrize("name", FITTED)
def test_looking_at_a_fitted_estimator_loads_nothing_heavy(name, loaded):
    assert loaded[name] == []


def test_every_public_estimator_is_looked_at():
    import skkws

    estimators = {name for name in skkws.__all__ if hasattr(getattr(skkws, name), "get_params")}
    assert estimators == {*FITTED, *NOT_LOOKED_AT, "AudioAugmenter"} - {"pipeline"}  # an augmenter has no fit
