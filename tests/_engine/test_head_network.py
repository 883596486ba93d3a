"""The keyword head's own arithmetic against Keras: the same network, gradients and optimizers."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal

from skkws._engine import head_kernels, head_network
from skkws._engine.copies import LabelledRows
from skkws._engine.head_kernels import ACTIVATIONS
from skkws._engine.head_network import Clips, HeadNetwork, HeadTraining, Passes
from skkws._engine.llvm import AVX2, AVX512, NEON, SSE
from skkws._engine.optimizers import Optimizer
from skkws.networks import keyword_head

RUNNING = (3, 4, 8, 9)


def make(n_vectors=13, n_dims=20, n_classes=5, filters=24, kernel_size=3, activation="elu", **others):
    settings = {"dropout": 0.0, "l1": 0.0, "l2": 0.0, "dtype": "float64"} | others
    return HeadNetwork(n_vectors, n_dims, n_classes, filters, kernel_size, activation, **settings)


def random_weights(network, seed=0):
    rng = np.random.default_rng(seed)
    weights = [rng.normal(0, 0.3, shape).astype(network.dtype) for shape in network.weight_shapes()]
    for i in (1, 4, 6, 9):
        weights[i] = np.abs(weights[i]) + np.ones((), network.dtype)
    return weights


def rows_of(network, n, seed=1):
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(n, network.n_vectors, network.n_dims)).astype(network.dtype)
    return vectors, rng.integers(0, network.n_classes, n)


def clips_of(vectors):
    return Clips(vectors.reshape(len(vectors), -1))


def keras_model(network, weights):
    model = keyword_head(
        (network.n_vectors, network.n_dims),
        network.n_classes,
        filters=network.filters,
        kernel_size=network.kernel_size,
        activation=network.activation,
        dtype=network.dtype,
    )
    model.set_weights(weights)
    return model


SHAPES = pytest.mark.parametrize(
    "network",
    [
        make(),
        make(n_vectors=1),
        make(n_vectors=2, kernel_size=5),
        make(n_vectors=16, kernel_size=4, filters=96, n_dims=96),
        make(n_vectors=7, kernel_size=1, filters=7, n_dims=3, n_classes=2),
        make(n_vectors=9, filters=61),
        make(dtype="float32", filters=96, n_dims=96),
        *(make(activation=activation) for activation in sorted(ACTIVATIONS - {"elu"})),
    ],
    ids=lambda n: f"{n.n_vectors}x{n.n_dims}-{n.filters}-{n.kernel_size}-{n.activation}-{n.dtype}",
)


def tolerance(network):
    # Keras keeps the slope of leaky ReLU in single precision.
    return 2e-5 if network.dtype == "float32" else 1e-7 if network.activation == "leaky_relu" else 1e-11


@SHAPES
def test_probabilities_are_those_of_the_keras_model(network):
    weights = random_weights(network)
    vectors, _ = rows_of(network, 150)
    expected = keras_model(network, weights)(vectors, training=False).numpy()
    assert_allclose(
        network.probabilities(weights, clips_of(vectors), np.arange(150)), expected, atol=tolerance(network)
    )


@SHAPES
def test_gradients_and_running_statistics_are_those_of_the_keras_model(network):
    weights, n = random_weights(network), 50
    vectors, labels = rows_of(network, n)
    model = keras_model(network, weights)
    with tf.GradientTape() as tape:
        probabilities = model(vectors, training=True)
        loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(labels, probabilities))
    expected = [gradient.numpy() for gradient in tape.gradient(loss, model.trainable_variables)]

    gradients = [np.zeros_like(weight) for weight in weights]
    passes = Passes(network, clips_of(vectors), n)
    ones = np.ones(network.filters, network.dtype)
    passes.learn(weights, gradients, np.arange(n), labels, np.ones(n, network.dtype), (ones, ones))
    for actual, wanted in zip((g for i, g in enumerate(gradients) if i not in RUNNING), expected, strict=True):
        assert_allclose(actual, wanted, atol=tolerance(network) * np.abs(wanted).max())
    for i in RUNNING:
        assert_allclose(weights[i], model.get_weights()[i], atol=10 * tolerance(network))


@pytest.mark.parametrize("registers", [AVX512, AVX2, SSE, NEON], ids=["AVX512", "AVX2", "SSE", "NEON"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_kind_of_processor_computes_the_same(monkeypatch, registers, dtype):
    network = make(filters=61, dtype=dtype)
    vectors, labels = rows_of(network, 20)
    ones, results = np.ones(61, dtype), []
    for layout in (None, registers):
        if layout:
            monkeypatch.setattr(head_kernels, "host_registers", lambda: registers)
            monkeypatch.setattr(head_network, "compile_block", head_kernels.compile_block.__wrapped__)
        weights = random_weights(network)
        gradients = [np.zeros_like(weight) for weight in weights]
        passes = Passes(network, clips_of(vectors), 20)
        passes.learn(weights, gradients, np.arange(20), labels, np.ones(20, dtype), (ones, ones))
        results.append(np.concatenate([array.ravel() for array in (*weights, *gradients)]))
    assert_allclose(*results, atol=1e-5 if dtype == "float32" else 1e-13)


def test_a_row_of_weight_two_counts_as_two_rows():
    network = make()
    vectors, labels = rows_of(network, 12)
    results = []
    for rows, row_weights in ((np.arange(12), np.r_[2.0, np.ones(11)]), (np.r_[0, np.arange(12)], np.ones(13))):
        weights = random_weights(network)
        gradients = [np.zeros_like(weight) for weight in weights]
        ones = np.ones(network.filters)
        passes = Passes(network, clips_of(vectors), 13)
        passes.learn(weights, gradients, rows, labels[rows], row_weights, (ones, ones))
        results.append(np.concatenate([array.ravel() for array in (*weights, *gradients)]))
    assert_allclose(*results, atol=1e-12)


def test_a_channel_that_dropout_leaves_out_gets_no_gradient():
    network = make()
    weights, (vectors, labels) = random_weights(network), rows_of(network, 12)
    gradients = [np.zeros_like(weight) for weight in weights]
    mask = np.where(np.arange(network.filters) % 3, 1.5, 0.0)
    arguments = (np.arange(12), labels, np.ones(12), (mask, mask))
    Passes(network, clips_of(vectors), 12).learn(weights, gradients, *arguments)
    for gradient in (gradients[0], gradients[5]):
        assert_array_equal(np.abs(gradient).max(axis=(0, 1)) > 0, mask > 0)


def test_penalties_are_added_to_the_gradient_of_the_kernels():
    steps = []
    for penalties in ({}, {"l1": 0.01, "l2": 0.02}):
        network = make(**penalties)
        vectors, labels = rows_of(network, 20)
        data = (np.arange(20), labels, np.ones(20))
        start = random_weights(network)
        training = HeadTraining(
            network,
            start,
            clips_of(vectors),
            LabelledRows(*data, np.arange(20)),
            optimizer="sgd",
            optimizer_state=None,
            batch_size=20,
            random_state=np.random.RandomState(0),
        )
        training.train_epoch([np.arange(20)], 0.1)
        steps.append([(before - after) / 0.1 for before, after in zip(start, training.weights, strict=True)])
    for i, weight in enumerate(start):
        penalty = 0.01 * np.sign(weight) + 0.04 * weight if weight.ndim > 1 else 0
        assert_allclose(steps[1][i], steps[0][i] + penalty, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("adam", keras.optimizers.Adam),
        ("adamw", keras.optimizers.AdamW),
        ("nadam", keras.optimizers.Nadam),
        ("rmsprop", keras.optimizers.RMSprop),
        ("sgd", keras.optimizers.SGD),
    ],
)
def test_steps_are_those_of_the_keras_optimizer(name, reference):
    rng = np.random.default_rng(0)
    parameters = rng.normal(size=50)
    variable = keras.Variable(parameters, dtype="float64")
    theirs, ours = reference(), Optimizer(name, parameters)
    for step in range(6):
        if step == 3:  # a state taken and given on
            ours = Optimizer(name, parameters, ours.state)
        gradient, rate = rng.normal(size=50), 0.01 * (step + 1)
        theirs.learning_rate = rate
        theirs.apply([tf.constant(gradient)], [variable])
        ours.step(gradient, rate)
    assert_allclose(parameters, variable.numpy(), atol=1e-5)  # Keras keeps rates in single precision
