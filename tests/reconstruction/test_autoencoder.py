"""The autoencoder of spectrograms: what it keeps of a clip, and what is strange to it."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skkws import LogMelTransformer, SpectrogramAutoencoder
from skkws.networks import autoencoder as network
from skkws.synthesis import synthesize_keywords


@pytest.fixture(scope="module")
def rows():
    """Log-mel rows of two words by many voices, in a training and a testing half."""
    speech = synthesize_keywords(["yes", "seven"], n_per_word=40, random_state=0)
    rows = LogMelTransformer().fit_transform(speech.data)
    return rows[::2], rows[1::2]


@pytest.fixture(scope="module")
def fitted(rows):
    return SpectrogramAutoencoder(8, epochs=15, random_state=0).fit(rows[0])


def test_puts_unseen_clips_back_better_than_their_mean(fitted, rows):
    train, test = rows
    again = fitted.inverse_transform(fitted.transform(test))
    assert again.dtype == np.float32
    assert ((again - test) ** 2).mean() < 0.5 * ((test - train.mean(axis=0)) ** 2).mean()


def test_the_score_of_a_row_is_minus_the_error_in_units_of_the_deviation(fitted, rows):
    scaled = [
        fitted.scaler_.transform(X.reshape(-1, 32))
        for X in (rows[1], fitted.inverse_transform(fitted.transform(rows[1])))
    ]
    errors = ((scaled[0] - scaled[1]) ** 2).reshape(len(rows[1]), -1).mean(axis=1)
    np.testing.assert_allclose(fitted.score_samples(rows[1]), -errors, rtol=1e-3)
    assert fitted.score(rows[1]) == pytest.approx(-errors.mean(), rel=1e-3)


def test_what_is_no_speech_is_strange(fitted, rows):
    noise = LogMelTransformer().fit_transform(np.random.default_rng(0).normal(0, 0.05, (30, 16000)))
    scores = np.concatenate([fitted.score_samples(rows[1]), fitted.score_samples(noise)])
    assert roc_auc_score(np.arange(len(scores)) < len(rows[1]), scores) > 0.95


def test_the_same_seed_gives_the_same_codes(rows):
    first, again, other = (
        SpectrogramAutoencoder(4, epochs=2, random_state=seed).fit(rows[0]).transform(rows[1]) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-3


def test_weights_are_those_of_the_network(fitted, rows):
    model = network(fitted.input_shape_, 8)
    model.set_weights(fitted.weights_)
    frames = fitted.scaler_.transform(rows[1].reshape(-1, 32)).reshape(-1, 98, 32).astype(np.float32)
    expected = -((model.predict(frames, verbose=0) - frames) ** 2).mean(axis=(1, 2))
    np.testing.assert_allclose(fitted.score_samples(rows[1]), expected, rtol=1e-4)


@pytest.mark.slow
def test_a_search_over_the_length_of_the_code_prefers_the_longer_one(rows):
    search = GridSearchCV(SpectrogramAutoencoder(epochs=10, random_state=0), {"n_components": [1, 16]}, cv=2)
    assert search.fit(rows[0]).best_params_ == {"n_components": 16}


def test_the_shape_follows_from_the_names_of_columns():
    clips = np.random.default_rng(0).normal(0, 0.1, (4, 8000))
    frames = LogMelTransformer(n_mels=20).set_output(transform="pandas")
    pipeline = make_pipeline(frames, SpectrogramAutoencoder(2, epochs=1)).fit(clips)
    assert pipeline[-1].input_shape_ == (48, 20)
    assert list(pipeline.get_feature_names_out()) == ["spectrogramautoencoder0", "spectrogramautoencoder1"]


def test_rows_that_are_no_frames_and_codes_of_another_length_are_refused(fitted):
    with pytest.raises(ValueError, match=r"Rows of 50 columns are no frames of 32 columns, .* set input_shape"):
        SpectrogramAutoencoder().fit(np.zeros((3, 50)))
    with pytest.raises(ValueError, match="X has 9 features, but a code has n_components=8"):
        fitted.inverse_transform(np.zeros((2, 9)))


def test_a_loss_that_does_not_stay_finite_is_an_error(rows):
    with pytest.raises(ValueError, match=r"The loss became \w+ in epoch 1; lower the learning rate, 1e\+30"):
        SpectrogramAutoencoder(4, learning_rate=1e30, epochs=2, random_state=0).fit(rows[0])
