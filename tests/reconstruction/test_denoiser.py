"""The denoiser: what it takes out of mixtures, and what it leaves."""

import numpy as np
import pytest
import soundfile
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Bunch

from skkws import LogMelTransformer, UNetDenoiser
from skkws.augment import colored_noise, mix_at_snr
from skkws.metrics import signal_to_noise_ratio
from skkws.synthesis import synthesize_keywords


def in_noise(rows, snr_db, seed=0):
    noise = [colored_noise(rows.shape[1], "pink", random_state=seed + i) for i in range(len(rows))]
    return mix_at_snr(rows, np.stack(noise), snr_db)


@pytest.fixture(scope="module")
def words():
    """Two words by many voices, in a training and a testing half of voices."""
    speech = synthesize_keywords(["yes", "seven"], n_per_word=80, random_state=0)
    half = np.isin(speech.groups, np.unique(speech.groups)[::2])
    return [Bunch(data=speech.data[some], target=speech.target[some]) for some in (half, ~half)]


@pytest.fixture(scope="module")
def speech(words):
    return [part.data for part in words]


@pytest.fixture(scope="module")
def denoiser(speech):
    return UNetDenoiser(epochs=8, random_state=0).fit(speech[0])


@pytest.fixture(scope="module")
def mixtures(speech):
    """Other voices than those of the training."""
    return in_noise(speech[1], 0.0)


def test_speech_of_other_voices_comes_out_of_noise(denoiser, speech, mixtures):
    gain = signal_to_noise_ratio(speech[1], denoiser.transform(mixtures)) - signal_to_noise_ratio(speech[1], mixtures)
    assert gain.mean() > 5
    assert (gain > 0).mean() > 0.95


def test_clean_speech_stays_what_it_was(denoiser, speech):
    assert np.median(signal_to_noise_ratio(speech[1], denoiser.transform(speech[1]))) > 10


def test_louder_rows_come_out_louder(denoiser, mixtures):
    np.testing.assert_allclose(denoiser.transform(0.1 * mixtures), 0.1 * denoiser.transform(mixtures), atol=1e-5)


def test_nothing_is_weighed_by_less_than_the_floor(denoiser, mixtures):
    untouched = UNetDenoiser(**denoiser.get_params() | {"floor": 1.0})
    vars(untouched).update({name: value for name, value in vars(denoiser).items() if name.endswith("_")})
    np.testing.assert_allclose(untouched.transform(mixtures), mixtures, atol=1e-5)


def test_digital_silence_stays_silent(denoiser):
    assert not denoiser.transform(np.zeros((2, 16000))).any()


def test_the_score_is_the_gain_in_decibels(denoiser, speech):
    assert 3 < denoiser.score(speech[1]) == denoiser.score(speech[1])
    with pytest.raises(ValueError, match="All rows are digital silence"):
        denoiser.score(np.zeros((2, 16000)))


@pytest.mark.slow
def test_recorded_noise_is_learnt(speech, tmp_path):
    hum = np.sign(np.sin(2 * np.pi * 120 * np.arange(48000) / 16000)) * 0.1
    soundfile.write(tmp_path / "hum.wav", hum, 16000)
    mixtures = mix_at_snr(speech[1], hum[:16000], 0.0)
    before = signal_to_noise_ratio(speech[1], mixtures)
    coloured, hummed = (
        UNetDenoiser(noise=noise, epochs=3, random_state=0).fit(speech[0]) for noise in (None, tmp_path)
    )
    gains = [(signal_to_noise_ratio(speech[1], d.transform(mixtures)) - before).mean() for d in (coloured, hummed)]
    assert gains[1] > gains[0] + 1


def test_the_same_seed_gives_the_same_denoiser(speech):
    first, again, other = (UNetDenoiser(epochs=1, random_state=s).fit(speech[0][:40]) for s in (0, 0, 1))
    for a, b in zip(first.weights_, again.weights_, strict=True):
        np.testing.assert_array_equal(a, b)
    assert np.abs(first.weights_[0] - other.weights_[0]).max() > 1e-3


def test_trained_once_it_goes_in_front_of_any_classifier(denoiser, words):
    train, test = words
    train_rows, test_rows = in_noise(train.data, 30.0, seed=1000), in_noise(test.data, 5.0)
    spotter = make_pipeline(LogMelTransformer(), StandardScaler(), LogisticRegression(C=0.01, max_iter=500))
    with_denoiser = make_pipeline(FrozenEstimator(denoiser), *clone(spotter))
    scores = [model.fit(train_rows, train.target).score(test_rows, test.target) for model in (spotter, with_denoiser)]
    assert scores[1] > scores[0] + 0.05


@pytest.mark.parametrize("sample_rate", [8000, 44100])
def test_any_rate_will_do(sample_rate):
    rows = np.random.default_rng(0).normal(0, 0.1, (4, sample_rate // 2)).astype(np.float32)
    out = UNetDenoiser(sample_rate, epochs=1, random_state=0).fit_transform(rows)
    assert out.shape == rows.shape
    assert np.isfinite(out).all()


def test_what_is_no_noise_is_refused(speech, tmp_path):
    with pytest.raises(ValueError, match="holds no audio file"):
        UNetDenoiser(noise=tmp_path, epochs=1).fit(speech[0])
    with pytest.raises(ValueError, match="snr_db must be a number or a range"):
        UNetDenoiser(snr_db=(5, -5), epochs=1).fit(speech[0])
