"""Maps of what a classifier listens to: they point at what decides."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from skkws import KeywordNetClassifier, LogMelTransformer, SpeechEmbeddingTransformer
from skkws.displays import RelevanceDisplay, StretchesDisplay
from skkws.inspection import exciting_stretches, occlusion_map, saliency_map

SHAPE = (24, 16)
SPOT = np.s_[8:12, 4:8]  # the frames and bands that decide


@pytest.fixture(scope="module")
def spotted():
    """Rows that are "yes" if they are loud at one spot."""
    rng = np.random.default_rng(0)
    X = rng.normal(0, 0.3, (80, *SHAPE)).astype(np.float32)
    y = np.repeat(["no", "yes"], 40)
    X[40:, SPOT[0], SPOT[1]] += 2
    return X.reshape(80, -1), y


def share_at_the_spot(relevance):
    return np.abs(relevance[SPOT]).mean() / np.abs(relevance).mean()


def test_occlusion_finds_what_decides_whatever_the_classifier(spotted):
    X, y = spotted
    classifier = LogisticRegression(C=0.01).fit(X, y)
    relevance = occlusion_map(classifier, X[-1], output_shape=SHAPE, patch=(4, 4), step=(2, 2), fill=0.0)
    assert relevance.shape == SHAPE
    assert share_at_the_spot(relevance) > 5
    assert relevance[SPOT].mean() > 0  # it speaks for yes, and against no
    against = occlusion_map(classifier, X[-1], "no", output_shape=SHAPE, patch=(4, 4), fill=0.0)
    np.testing.assert_allclose(against, -relevance, atol=1e-6)


def test_saliency_finds_it_too(spotted):
    X, y = spotted
    net = KeywordNetClassifier("flat_head", input_shape=SHAPE, epochs=30, random_state=0).fit(X, y)
    saliency = saliency_map(net, X[-1])
    assert saliency.shape == SHAPE
    assert share_at_the_spot(saliency) > 1.5
    np.testing.assert_array_equal(saliency, saliency_map(net, X[-1], "yes"))


def test_maps_of_the_embedding_lie_where_the_sound_is():
    """A tone in the second half of a clip: what is silent speaks for nothing."""
    rng = np.random.default_rng(0)
    y = np.repeat(["high", "low"], 10)
    pitch = np.where(y == "high", 2500, 300)[:, None]
    clips = rng.normal(0, 1e-4, (20, 16000))
    clips[:, 9000:14000] += 0.1 * np.sin(2 * np.pi * pitch * np.arange(5000) / 16000)
    X = LogMelTransformer().fit_transform(clips.astype(np.float32))
    net = KeywordNetClassifier("embedding+head", epochs=20, random_state=0).fit(X, y)
    relevance = np.abs(occlusion_map(net, X[0], patch=(10, 8), step=(5, 4)))
    assert relevance[56:88].mean() > 3 * relevance[:40].mean()


def test_stretches_are_where_the_dimension_says_most():
    rng = np.random.default_rng(0)
    clips = rng.normal(0, 1e-3, (4, 24000)).astype(np.float32)
    clips[2, 12000:18000] += 0.3 * np.sin(2 * np.pi * 800 * np.arange(6000) / 16000)
    embedding = SpeechEmbeddingTransformer().fit(clips)
    vectors = embedding.transform(clips).reshape(4, *embedding.output_shape_)
    dimension = int((vectors[2].max(axis=0) - vectors[[0, 1, 3]].max(axis=(0, 1))).argmax())
    found = exciting_stretches(embedding, clips, dimension, n_stretches=3)
    first = found[0]
    assert first.clip == 2
    assert first.value == pytest.approx(vectors[2, :, dimension].max())
    assert first.start < 18000 / 16000
    assert first.stop > 12000 / 16000
    assert all(0 <= s.start < s.stop <= 1.5 for s in found)
    assert [s.value for s in found] == sorted((s.value for s in found), reverse=True)
    pairs = [(a, b) for a in found for b in found if a is not b and a.clip == b.clip]
    assert all(a.stop <= b.start or b.stop <= a.start for a, b in pairs)


def test_pictures_show_what_was_found(spotted):
    import matplotlib.pyplot as plt

    X, y = spotted
    classifier = LogisticRegression(C=0.01).fit(X, y)
    display = RelevanceDisplay.from_estimator(classifier, X[-1], output_shape=SHAPE, patch=(4, 4))
    assert display.ax_.get_title() == 'Evidence for "yes"'
    spectrogram, over = display.ax_.images
    np.testing.assert_array_equal(spectrogram.get_array(), X[-1].reshape(SHAPE).T)
    np.testing.assert_array_equal(over.get_array(), display.relevance.T)
    clips = np.random.default_rng(0).normal(0, 0.1, (3, 16000))
    stretches = StretchesDisplay.from_estimator(
        SpeechEmbeddingTransformer(), clips, 3, names=["a", "b", "c"], n_stretches=2
    )
    assert [ax.get_title().split("\n")[0] for ax in stretches.axes_] == ["abc"[s.clip] for s in stretches.stretches]
    plt.close("all")


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"label": "maybe"}, r"label must be one of \['no', 'yes'\], got 'maybe'"),
        ({"output_shape": (10, 10)}, r"row must be one clip of 10 frames and 10 bands, got the shape \(384,\); pass"),
        ({"patch": (30, 4)}, "patch must cover 1 to 24 frames, and step be no larger than it, got 30 and 2"),
        ({"step": (2, 9)}, "patch must cover 1 to 16 bands, and step be no larger than it, got 8 and 9"),
    ],
)
def test_what_cannot_be_mapped_is_named(how, message, spotted):
    X, y = spotted
    with pytest.raises(ValueError, match=message):
        occlusion_map(LogisticRegression().fit(X, y), X[0], **{"output_shape": SHAPE, **how})


def test_stretches_need_sound_and_a_dimension_that_there_is():
    clips = np.zeros((1, 16000), dtype=np.float32)
    with pytest.raises(ValueError, match='takes an embedding with input="audio"'):
        exciting_stretches(SpeechEmbeddingTransformer(input="logmel"), clips, 3)
    with pytest.raises(ValueError, match="dimension must be from 0 to 95, got 96"):
        exciting_stretches(SpeechEmbeddingTransformer(), clips, 96)
    with pytest.raises(ValueError, match=r"method must be one of \['occlusion', 'saliency'\], got 'lime'"):
        RelevanceDisplay.from_estimator(None, clips[0], method="lime")
