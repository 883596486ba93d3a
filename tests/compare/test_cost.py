"""Multiplications counted by formula, against what TensorFlow's profiler counts in the graph."""

import numpy as np
import pytest

from skkws import KeywordHeadClassifier, KeywordNetClassifier, SpeechEmbeddingTransformer
from skkws._engine.cost import of_embedding, of_head, of_model
from skkws.networks import speech_embedding


@pytest.mark.parametrize("n_frames", [76, 98, 173])
def test_the_embedding_takes_what_the_profiler_counts(n_frames):
    # The profiler counts normalisation, activation and pooling too, a hundredth of the whole.
    counted = of_model(speech_embedding(), (n_frames, 32))
    assert counted * 0.98 < of_embedding(n_frames) < counted


@pytest.mark.parametrize("n_vectors", [1, 3, 13])
def test_the_head_takes_what_the_profiler_counts(n_vectors):
    rows = np.random.default_rng(0).normal(size=(8, n_vectors * 96))
    head = KeywordHeadClassifier(epochs=1, n_vectors=n_vectors).fit(rows, [0, 1] * 4)
    counted = of_model(head.to_keras())
    assert counted * 0.98 < of_head(head._network()) < counted
    assert head.multiply_adds() == of_head(head._network())


def test_a_clip_of_two_seconds_takes_more_than_one_of_one():
    one, two = (SpeechEmbeddingTransformer().fit(np.zeros((1, n))) for n in (16000, 32000))
    assert 1.5 * one.multiply_adds() < two.multiply_adds() < 2.5 * one.multiply_adds()


def test_any_network_is_counted_in_its_graph():
    rows = np.random.default_rng(0).normal(size=(8, 20 * 32))
    net = KeywordNetClassifier("gru", epochs=1, random_state=0).fit(rows, [0, 1] * 4)
    kernels = [w for w in net.weights_ if w.ndim == 2]
    assert net.multiply_adds() > 20 * kernels[0].size, "the recurrence of 20 frames is counted too"
