"""The networks: their size, shape and the few properties that the rest builds on."""

import random

import keras
import numpy as np
import pytest

from skkws import networks
from skkws._engine.layers import BatchNorm, in_precision, row_weights, seeded
from skkws.networks import decoder, encoder, keyword_head, speech_embedding


def test_speech_embedding_has_the_weights_of_the_original_with_batch_norm_folded():
    assert speech_embedding().count_params() == 328_200


@pytest.mark.parametrize(("n_frames", "n_vectors"), [(76, 1), (83, 1), (84, 2), (198, 16)])
def test_speech_embedding_gives_a_vector_for_76_frames_and_one_for_every_8_more(n_frames, n_vectors):
    frames = np.zeros((2, n_frames, 32), np.float32)
    assert tuple(speech_embedding()(frames).shape) == (2, n_vectors, 96)


def test_keyword_head_has_the_weights_of_the_paper():
    assert keyword_head((16, 96), 12).count_params() == 57_228


@pytest.mark.parametrize("n_vectors", [1, 2, 13])
def test_keyword_head_gives_probabilities_for_any_number_of_vectors(n_vectors):
    vectors = np.random.RandomState(0).normal(size=(4, n_vectors, 96)).astype(np.float32)
    probabilities = np.asarray(keyword_head((n_vectors, 96), 5)(vectors))
    assert probabilities.shape == (4, 5)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


# Weights for twelve classes, on the rows that each network was made for. Where they are published: light_cnn, from its
# notebook's layers; ds_cnn, the reference model of MLPerf Tiny; tc_resnet, 66 thousand in the paper; keyword_net, 330
# and 55 thousand in the paper, which does not count the statistics of batch norm.
COUNTS = [
    (networks.keyword_net, (98, 32), 389_316),
    (networks.embedding_head, (98, 32), 328_200 + 57_228 + 2 * 96),
    (networks.flat_head, (13, 96), 80_908),
    (networks.light_cnn, (99, 81), 314_368),
    (networks.ds_cnn, (49, 10), 24_908),
    (networks.tc_resnet, (98, 40), 65_772),
]


@pytest.mark.parametrize(("network", "shape", "count"), COUNTS, ids=lambda value: getattr(value, "__name__", None))
def test_weights_are_counted_as_published(network, shape, count):
    assert network(shape, 12).count_params() == count


def test_wavception_has_the_weights_of_the_published_modules():
    """Eighteen modules of eight branches, each with its convolutions and batch norm, from 16 filters to 64."""
    count, channels = 0, 1
    for depth in np.repeat([1, 1, 2, 2, 3, 3, 4, 4, 4], 2):
        n = 16 * depth
        narrow = (1 + 3 + 4) * channels * n  # one on its own, three in front of the wider ones, four behind pooling
        wide = (3 + 5 + 7) * n * 2 * n
        of_branches = n + (n + 2 * n) * 3 + 4 * n
        count += narrow + wide + 4 * (channels + of_branches)
        channels = n + 3 * 2 * n + 4 * n
    n_samples = 63  # of 16,000, halved eight times
    count += n_samples * channels * 128 + 4 * 128 + 128 * 12 + 12
    assert networks.wavception((16000, 1), 12, width=16, stride=1).count_params() == count


SMALL = [
    networks.cnn,
    networks.cnn1d,
    networks.crnn,
    networks.ds_cnn,
    networks.flat_head,
    networks.gru,
    networks.keyword_head,
    networks.keyword_net,
    networks.light_cnn,
    networks.lstm,
    networks.mlp,
    networks.rnn,
    networks.tc_resnet,
]


@pytest.mark.parametrize("network", SMALL, ids=lambda network: network.__name__)
@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (7, 3), (40, 33)])
def test_every_network_takes_rows_of_any_shape(network, shape):
    rows = np.random.default_rng(0).normal(size=(3, *shape)).astype(np.float32)
    probabilities = np.asarray(network(shape, 4)(rows))
    assert probabilities.shape == (3, 4)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("network", [networks.autoencoder, networks.unet], ids=lambda network: network.__name__)
@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (7, 3), (40, 33)])
@pytest.mark.parametrize("channels", [(4,), (4, 6), (4, 6, 8, 10)])
def test_frames_of_any_shape_come_out_as_they_went_in(network, shape, channels):
    rows = np.random.default_rng(0).normal(size=(3, *shape)).astype(np.float32)
    assert np.asarray(network(shape, channels=channels)(rows)).shape == (3, *shape)


def test_encoder_and_decoder_are_the_halves_of_the_autoencoder():
    rows = np.random.default_rng(0).normal(size=(3, 20, 9)).astype(np.float32)
    whole, first, last = networks.autoencoder((20, 9), 5), encoder((20, 9), 5), decoder((5,), (20, 9))
    weights = whole.get_weights()
    first.set_weights(weights[: len(first.weights)])
    last.set_weights(weights[len(first.weights) :])
    np.testing.assert_allclose(last(first(rows)), whole(rows), atol=1e-6)


def test_batch_norm_heeds_the_weights_of_rows():
    layer = BatchNorm()
    rows = np.random.default_rng(0).normal(3, 2, (3, 5, 4)).astype(np.float32)
    repeated = rows[[0, 1, 1, 2, 2, 2]]
    expected = np.asarray(layer(repeated, training=True))[[0, 1, 3]]
    running = np.asarray(layer.moving_variance)
    layer.moving_mean.assign(np.zeros(4)), layer.moving_variance.assign(np.ones(4))
    with row_weights(np.array([1, 2, 3], dtype=np.float32)):
        weighted = np.asarray(layer(rows, training=True))
    np.testing.assert_allclose(weighted, expected, atol=1e-5)
    np.testing.assert_allclose(layer.moving_variance, running, rtol=1e-5)


@pytest.mark.parametrize("network", SMALL, ids=lambda network: network.__name__)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_model_in_another_precision_is_the_same_model(network, dtype):
    model = network((20, 8), 3)
    other = in_precision(model, dtype)
    other.set_weights(model.get_weights())
    rows = np.random.default_rng(0).normal(size=(2, 20, 8))
    assert {weight.dtype for weight in other.weights} == {dtype}
    np.testing.assert_allclose(other(rows), model(rows), atol=1e-5)


def test_layers_inside_layers_take_the_precision_too():
    inner = keras.Sequential([keras.layers.Dense(3, activation="relu"), keras.layers.Dense(2)])
    cells = keras.layers.RNN(keras.layers.StackedRNNCells([keras.layers.GRUCell(4), keras.layers.GRUCell(3)]))
    frames = keras.Input((5, 4))
    model = keras.Model(frames, cells(keras.layers.TimeDistributed(inner)(frames)))
    other = in_precision(model, "float64")
    other.set_weights(model.get_weights())
    rows = np.random.default_rng(0).normal(size=(2, 5, 4))
    assert {weight.dtype for weight in other.weights} == {"float64"}
    np.testing.assert_allclose(other(rows), model(rows), atol=1e-6)


def test_seeding_leaves_no_trace():
    state = random.getstate()
    with seeded(3):
        random.random()
    assert random.getstate() == state


@pytest.mark.parametrize("network", [speech_embedding, lambda seed: keyword_head((13, 96), 3, seed=seed)])
def test_initial_weights_follow_the_seed(network):
    first, again, other = (network(seed=seed).get_weights() for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_layers_of_a_network_begin_at_different_weights():
    kernels = [w for w in keyword_head((13, 96), 3, seed=0).get_weights() if w.shape == (3, 96, 96)]
    assert len(kernels) == 2
    assert not np.array_equal(*kernels)
