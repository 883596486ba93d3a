"""Batch norm in inference: after few steps a network answers as well as it did in training."""

import numpy as np
import pytest

from skkws import KeywordHeadClassifier, KeywordNetClassifier

keras = pytest.importorskip("keras")

LABELS = np.repeat(["go", "no", "yes"], 16)


def rows(n_frames, n_bands):
    """Sixteen rows of each of three words: noise far from zero, with a stretch that is louder."""
    rng = np.random.default_rng(0)
    frames = rng.normal(3, 1, (len(LABELS), n_frames, n_bands))
    for i, word in enumerate(np.unique(LABELS)):
        some = slice(i * n_frames // 3, (i + 1) * n_frames // 3)
        frames[np.flatnonzero(word == LABELS), some] += 3
    return frames.reshape(len(LABELS), -1).astype(np.float32)


def plain(input_shape, n_classes, dropout=0.1):
    """A network whose batch norms are those of Keras, and lag far behind."""
    layers = keras.layers
    x = frames = keras.Input(input_shape)
    for _ in range(2):
        x = layers.Conv1D(16, 3, padding="same", use_bias=False)(x)
        x = layers.Dropout(dropout)(layers.ReLU()(layers.BatchNormalization()(x)))
    inner = keras.Sequential([layers.Input((16,)), layers.Dense(16, "relu"), layers.BatchNormalization()])
    x = inner(layers.Dense(16)(layers.Flatten()(x)))
    return keras.Model(frames, layers.Dense(n_classes, "softmax")(x))


def check(network, shape, **options):
    X = rows(*shape)
    net = KeywordNetClassifier(network, input_shape=shape, random_state=0, **options).fit(X, LABELS)
    learnt = net.history_["accuracy"][-1]
    assert net.score(X, LABELS) >= learnt - 0.1
    return net, learnt


@pytest.mark.parametrize("network", ["ds_cnn", plain], ids=["ds_cnn", "of Keras"])
def test_few_rows_are_recognised_as_well_as_in_training(network):
    _, learnt = check(network, (30, 16), epochs=12, learning_rate=0.01)
    assert learnt > 0.6  # or nothing is said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("network", "shape"),
    [
        ("cnn", (98, 32)),
        ("cnn1d", (98, 32)),
        ("crnn", (98, 32)),
        ("ds_cnn", (98, 32)),
        ("embedding+head", (98, 32)),
        ("flat_head", (13, 96)),
        ("gru", (98, 32)),
        ("head", (13, 96)),
        ("keyword_net", (98, 32)),
        ("light_cnn", (101, 81)),
        ("lstm", (98, 32)),
        ("mlp", (98, 32)),
        ("rnn", (98, 32)),
        ("tc_resnet", (98, 32)),
        ("wavception", (4000, 1)),
    ],
)
def test_after_default_training_few_rows_are_recognised_as_well_as_in_training(network, shape):
    check(network, shape)


@pytest.mark.parametrize("n_rows", [2, 4, 48])
def test_the_head_recognises_its_rows_however_few(n_rows):
    X, y = rows(13, 96)[:: 48 // n_rows], LABELS[:: 48 // n_rows]
    y = y if len(set(y)) > 1 else np.arange(len(y)).astype(str)
    assert KeywordHeadClassifier(random_state=0).fit(X, y).score(X, y) == 1


def test_statistics_are_those_of_the_rows():
    shape = (20, 8)
    X = rows(*shape)
    net = KeywordNetClassifier(plain, input_shape=shape, epochs=2, batch_size=16, standardize=False, random_state=0)
    model = net.fit(X, LABELS).to_keras()
    first = model.layers[1](X.reshape(-1, *shape)).numpy()
    norm = model.layers[2]
    np.testing.assert_allclose(norm.moving_mean, first.mean(axis=(0, 1)), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(norm.moving_variance, first.var(axis=(0, 1)), rtol=1e-3)


def test_a_training_that_goes_on_with_other_rows_keeps_its_running_statistics():
    X = rows(20, 8)
    net = KeywordNetClassifier("cnn1d", input_shape=(20, 8), random_state=0).fit(X, LABELS)
    variances = [w.numpy() for w in net.to_keras().non_trainable_weights]
    net.partial_fit(X[:4], LABELS[:4])
    for before, after in zip(variances, net.to_keras().non_trainable_weights, strict=True):
        if "moving_variance" in after.path:
            assert np.abs(np.log(after.numpy() / before)).max() < 0.5
