"""An embedding of one's own: trained in groups of words, folded, and used like the published one."""

import keras
import numpy as np
import pytest

from skkws import LogMelTransformer, SpeechEmbeddingTransformer, train_backbone
from skkws.networks import embedding_weights, keyword_groups
from skkws.synthesis import synthesize_keywords

# The example of train_backbone runs in any case.
pytestmark = pytest.mark.slow

WORDS = ["seven", "follow", "visual", "tree", "happy", "bird"]


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """The file of an embedding that was trained on six synthesized words in two groups, and its losses."""
    speech = synthesize_keywords(WORDS, 16, engines=["espeak-ng"], voices=8, duration=0.5, random_state=0)
    path = tmp_path_factory.mktemp("backbone") / "own.npz"
    rows = LogMelTransformer().fit_transform(speech.data)
    losses = train_backbone(rows, speech.target, path, words_per_group=3, epochs=6, batch_size=16, random_state=0)
    return path, losses


def test_the_heads_learn_the_words_of_their_groups(own):
    _, losses = own
    assert len(losses) == 6
    assert losses[-1] < 0.5 * losses[0]


def test_the_file_is_an_embedding_as_the_published_one_is(own):
    clips = np.random.default_rng(0).normal(0, 0.1, (2, 16000))
    own_vectors, published = (
        SpeechEmbeddingTransformer(weights=weights).fit_transform(clips) for weights in (own[0], "google")
    )
    assert own_vectors.shape == published.shape == (2, 13 * 96)
    assert np.isfinite(own_vectors).all()


def test_folding_batch_norm_changes_nothing(tmp_path):
    model = keyword_groups((20, 32), 4, n_groups=2)
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if layer.name.endswith("_norm"):
            layer.set_weights([rng.uniform(0.5, 1.5, weight.shape) for weight in layer.get_weights()])
    rows = rng.normal(-3, 1, (3, 20, 32)).astype(np.float32)
    expected = keras.Model(model.input, model.get_layer("vectors").output).predict(rows, verbose=0)
    np.savez(tmp_path / "folded.npz", **embedding_weights(model))
    embedding = SpeechEmbeddingTransformer(input="logmel", weights=tmp_path / "folded.npz")
    vectors = embedding.fit_transform(rows.reshape(3, -1))
    np.testing.assert_allclose(vectors.reshape(expected.shape), expected, atol=1e-5 * np.abs(expected).max())


def test_what_cannot_be_trained_is_named(tmp_path):
    rows = np.full((8, 20 * 32), -5.0, dtype=np.float32)
    for waveforms in (rows / 10, rows[:, 1:]):
        with pytest.raises(ValueError, match=r"X must hold rows of LogMelTransformer .* waveforms first go through"):
            train_backbone(waveforms, ["a", "b", "c", "d"] * 2, tmp_path / "own.npz")
    with pytest.raises(ValueError, match=r"n_groups must leave two words or more for each group, got n_groups=4 and 4"):
        train_backbone(rows, ["a", "b", "c", "d"] * 2, tmp_path / "own.npz", words_per_group=1)
    with pytest.raises(ValueError, match=r"is kept in an .npz file, got .*own.bin; choose another name"):
        train_backbone(rows, ["a", "b", "c", "d"] * 2, tmp_path / "own.bin")
    assert list(tmp_path.iterdir()) == []
