"""Networks are what their functions say, whatever Keras is set to, and say at once where they cannot run."""

import inspect
import os
import subprocess
import sys
import textwrap
from contextlib import contextmanager

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from skkws import KeywordNetClassifier, networks  # noqa: E402
from skkws._engine import graph  # noqa: E402

ROWS = np.random.default_rng(0).normal(size=(8, 24 * 32)).astype(np.float32)
LABELS = ["no", "yes"] * 4
SHAPES = {"head": (13, 96), "keyword_head": (13, 96), "flat_head": (13, 96), "wavception": (4000, 1)}
NETWORKS = [
    pytest.param(name, marks=pytest.mark.slow) if name == "wavception" else name
    for name in networks.__all__
    if list(inspect.signature(getattr(networks, name)).parameters)[:2] == ["input_shape", "n_classes"]
]


SETTINGS = {
    "channels_first": ("channels_first", "float32", "float32"),
    "float64": ("channels_last", "float64", "float64"),
    "float16": ("channels_last", "float16", "float16"),
    "mixed": ("channels_first", "float64", "mixed_float16"),
}
PLAIN = "channels_last", "float32", "float32"


def current():
    return keras.config.image_data_format(), keras.config.floatx(), keras.config.dtype_policy().name


def change(settings):
    changes = keras.config.set_image_data_format, keras.config.set_floatx, keras.config.set_dtype_policy
    for set_one, value in zip(changes, settings, strict=True):
        set_one(value)


@contextmanager
def set_to(settings):
    """Settings of Keras that somebody else has made, and which nobody has changed in the end."""
    before = current()
    change(settings)
    try:
        yield
        assert current() == settings
    finally:
        change(before)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_is_the_same_whatever_keras_is_set_to(name):
    shape = SHAPES.get(name, (40, 32))
    with set_to(SETTINGS["mixed"]):
        model = getattr(networks, name)(shape, 3)
        assert model(np.ones((2, *shape), np.float32)).dtype == "float32"
    assert {weight.dtype for weight in model.weights} <= {"float32", "uint32", "int32"}
    with set_to(PLAIN):
        plain = getattr(networks, name)(shape, 3)
    assert [tuple(w.shape) for w in model.weights] == [tuple(w.shape) for w in plain.weights]
    assert model.get_config().keys() == plain.get_config().keys()


def own(input_shape, n_classes):
    """A network of somebody who did not think of other settings."""
    layers = keras.layers
    frames = keras.Input(input_shape)
    x = layers.MaxPooling2D(2)(layers.Conv2D(2, 3)(layers.Reshape((*input_shape, 1))(frames)))
    return keras.Model(frames, layers.Dense(n_classes, "softmax")(layers.Flatten()(x)))


@pytest.mark.parametrize("settings", SETTINGS)
def test_a_classifier_learns_the_same_whatever_keras_is_set_to(settings):
    net = KeywordNetClassifier(own, input_shape=(24, 32), epochs=2, random_state=0)
    with set_to(PLAIN):
        expected = net.fit(ROWS, LABELS).predict_proba(ROWS)
    graph._graph.cache_clear()
    with set_to(SETTINGS[settings]):
        np.testing.assert_allclose(net.fit(ROWS, LABELS).predict_proba(ROWS), expected, atol=1e-5)
        assert net.to_keras()(ROWS[:1].reshape(1, 24, 32)).dtype == "float32"


def run(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("backend", ["numpy", pytest.param("jax", marks=pytest.mark.slow)])
def test_another_backend_of_keras_is_named_with_what_to_do(backend):
    done = run(
        """
        import numpy as np
        from skkws import KeywordNetClassifier, SpectrogramAutoencoder
        from skkws.networks import cnn
        for use in (
            lambda: KeywordNetClassifier("cnn1d").fit(np.ones((4, 320)), [0, 1] * 2),
            lambda: SpectrogramAutoencoder().fit(np.ones((4, 320))),
            lambda: cnn((20, 32), 2),
        ):
            try:
                use()
            except ImportError as error:
                print(error)
        """,
        KERAS_BACKEND=backend,
    )
    said = f"needs Keras on TensorFlow, and Keras is set to '{backend}'. Set the environment variable KERAS_BACKEND"
    assert done.stdout.count(said) == 3, done.stderr
    assert "KeywordNetClassifier needs" in done.stdout


FORKED = """
    import os, sys
    import numpy as np
    from skkws import KeywordHeadClassifier, KeywordNetClassifier
    X, y = np.random.default_rng(0).normal(size=(8, 20 * 32)), [0, 1] * 4
    net = KeywordNetClassifier("cnn1d", epochs=1).fit(X, y)
    head = KeywordHeadClassifier(epochs=1, n_vectors=5).fit(X, y)
    child = os.fork()
    if not child:
        head.predict(X)
        for use in (lambda: net.predict(X), lambda: net.fit(X, y), lambda: KeywordNetClassifier("mlp").fit(X, y)):
            try:
                use()
            except RuntimeError as error:
                print(error, flush=True)
        os._exit(0)
    os.waitpid(child, 0)
    print(net.predict(X).shape)
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_is_told_at_once_that_tensorflow_does_not_survive_it():
    done = run(FORKED)
    assert done.stdout.count("TensorFlow does not survive that. Start processes by multiprocessing") == 3, done.stderr
    assert "(8,)" in done.stdout


@pytest.mark.slow
def test_tensorflow_greets_nobody():
    done = run(
        """
        import numpy as np
        from skkws import KeywordNetClassifier
        KeywordNetClassifier("cnn1d", epochs=1).fit(np.random.normal(size=(8, 640)), [0, 1] * 4).multiply_adds()
        """
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
