"""What notebooks do with estimators: list their members, and show them."""

import inspect

import numpy as np
import pytest

import skkws

pytest.importorskip("tensorflow")
FRAMES = np.random.default_rng(0).normal(size=(8, 20 * 32)).astype(np.float32)
LABELS = ["no", "yes"] * 4
FITTED = {
    "net": lambda: skkws.KeywordNetClassifier("cnn1d", epochs=1).fit(FRAMES, LABELS),
    "net on vectors": lambda: skkws.KeywordNetClassifier("embedding+head", epochs=1).fit(FRAMES, LABELS),
    "autoencoder": lambda: skkws.SpectrogramAutoencoder(channels=(4,), epochs=1, input_shape=(20, 32)).fit(FRAMES),
    "denoiser": lambda: skkws.UNetDenoiser(channels=(4,), epochs=1).fit(FRAMES.repeat(10, axis=1)),
}


@pytest.mark.parametrize("name", FITTED)
def test_a_fitted_network_can_be_looked_at(name):
    estimator = FITTED[name]()
    for attribute in dir(estimator):
        getattr(estimator, attribute, None)  # of which AttributeError alone is what introspection knows
    inspect.getmembers(estimator)
    assert type(estimator).__name__ in estimator._repr_html_()
    assert "text/html" in estimator._repr_mimebundle_()


@pytest.mark.parametrize("estimator", ["KeywordNetClassifier", "SpectrogramAutoencoder", "UNetDenoiser", "AudioLoader"])
def test_one_that_is_not_fitted_can_be_looked_at(estimator):
    inspect.getmembers(getattr(skkws, estimator)())
