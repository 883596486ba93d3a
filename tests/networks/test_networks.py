"""The networks: their size, shape and the few properties that the rest builds on."""

import numpy as np
import pytest

from skkws.networks import keyword_head, speech_embedding


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


@pytest.mark.parametrize("network", [speech_embedding, lambda seed: keyword_head((13, 96), 3, seed=seed)])
def test_initial_weights_follow_the_seed(network):
    first, again, other = (network(seed=seed).get_weights() for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_layers_of_a_network_begin_at_different_weights():
    kernels = [w for w in keyword_head((13, 96), 3, seed=0).get_weights() if w.shape == (3, 96, 96)]
    assert len(kernels) == 2
    assert not np.array_equal(*kernels)
