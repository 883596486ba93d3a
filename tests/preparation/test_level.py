import numpy as np
import pytest

from skkws import LoudnessNormalizer, PeakNormalizer
from skkws.preparation import loudness, normalize_loudness
from skkws.preparation._level import _k_weighting


def tone(frequency, rate=16000, seconds=1.0):
    return np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate).astype(np.float32)


def test_the_largest_sample_gets_the_level(speech):
    rows = PeakNormalizer(peak_db=-6.0).fit_transform(speech.data)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.abs(rows).max(axis=1), 10 ** (-6 / 20), rtol=1e-6)
    ratio = rows[0][speech.data[0] != 0] / speech.data[0][speech.data[0] != 0]
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-5)  # a gain, nothing else


def test_the_quietest_samples_are_scaled_too():
    row = np.array([[1e-42, -1e-42, 0.0]], dtype=np.float32)  # below the normal numbers of single precision
    np.testing.assert_allclose(PeakNormalizer(peak_db=0.0).fit_transform(row), [[1, -1, 0]])


@pytest.mark.parametrize("normalizer", [PeakNormalizer(), LoudnessNormalizer()])
def test_silence_stays_silence(normalizer):
    assert not normalizer.fit_transform(np.zeros((2, 16000))).any()


def test_the_filter_is_that_of_the_recommendation():
    expected = [  # ITU-R BS.1770, tables 1 and 2, for 48 kHz
        [1.53512485958697, -2.69169618940638, 1.19839281085285, 1.0, -1.69065929318241, 0.73248077421585],
        [1.0, -2.0, 1.0, 1.0, -1.99004745483398, 0.99007225036621],
    ]
    np.testing.assert_allclose(_k_weighting(48000), expected, rtol=1e-10)


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000])
def test_a_sine_of_997_hz_at_full_scale_has_minus_3_01(rate):
    assert loudness(tone(997, rate, 2.0), sample_rate=rate) == pytest.approx(-3.01, abs=0.1)


def test_pauses_do_not_count():
    steady = 0.1 * tone(997, seconds=4.0)
    with_pause = np.concatenate([steady, np.zeros(10 * 16000, np.float32)])
    with_murmur = np.concatenate([steady, 0.01 * tone(997, seconds=10.0)])  # 20 dB below
    expected = loudness(steady)
    assert loudness(with_pause) == pytest.approx(expected, abs=0.5)
    assert loudness(with_murmur) == pytest.approx(expected, abs=0.5)


def test_clips_shorter_than_a_block_have_a_loudness():
    assert loudness(tone(997, seconds=0.2)) == pytest.approx(-3.01, abs=0.2)
    assert np.isfinite(loudness([0.5]))


def test_all_clips_get_the_same_loudness(speech):
    before = loudness(speech.data)
    assert np.ptp(before) > 3
    rows = LoudnessNormalizer(target=-30.0).fit_transform(speech.data)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(loudness(rows), -30, atol=0.01)


def test_what_is_too_quiet_to_measure_stays_as_it_is():
    hiss = 1e-5 * tone(997)
    np.testing.assert_array_equal(normalize_loudness(hiss), hiss)


def test_leading_axes_are_kept(speech):
    clips = speech.data[:6].reshape(2, 3, -1)
    assert loudness(clips).shape == (2, 3)
    np.testing.assert_allclose(loudness(clips)[1, 2], loudness(speech.data[5]))


def test_bad_parameters_and_rows_are_refused():
    with pytest.raises(ValueError, match="sample_rate must be at least 4000 Hz for a loudness"):
        LoudnessNormalizer(1000).fit(np.zeros((1, 100)))
    with pytest.raises(ValueError, match="The 'peak_db' parameter of PeakNormalizer must be"):
        PeakNormalizer(peak_db=np.inf).fit(np.zeros((1, 100)))
    with pytest.raises(ValueError, match="contains NaN"):
        PeakNormalizer().fit(np.full((1, 100), np.nan))
    with pytest.raises(ValueError, match="y needs at least one sample on its last axis"):
        loudness([])
