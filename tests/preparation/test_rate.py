import numpy as np
import pytest

from skkws import Resample, TelephoneBand
from skkws.preparation import telephone_band


def tone(frequency, rate=16000, n_samples=16000):
    return np.sin(2 * np.pi * frequency * np.arange(n_samples) / rate).astype(np.float32)


def rms(y):
    """Away from the ends, where filters begin and end."""
    return np.sqrt(np.mean(np.square(y[..., 1000:-1000]), axis=-1))


# Resample


def test_a_tone_keeps_its_frequency_and_level():
    for frequency in (100, 440, 3000):
        row = Resample(16000, 8000).fit_transform(tone(frequency)[None])[0]
        np.testing.assert_allclose(row[500:-500], tone(frequency, 8000, 8000)[500:-500], atol=1e-3)


def test_a_tone_above_half_the_new_rate_vanishes():
    assert rms(Resample(16000, 8000).fit_transform(tone(5000)[None]))[0] < 1e-4


@pytest.mark.parametrize("rates", [(16000, 8000), (8000, 16000), (44100, 16000), (16000, 11025), (16000, 16000)])
@pytest.mark.parametrize("n_samples", [1000, 1001, 1003, 7777])
def test_the_length_is_told_beforehand(rates, n_samples):
    resample = Resample(*rates).fit(np.zeros((1, n_samples)))
    rows = resample.transform(np.ones((2, n_samples), np.float32))
    assert rows.shape == (2, *resample.output_shape_) == (2, int(n_samples * rates[1] / rates[0] + 0.5))
    assert rows.dtype == np.float32
    assert len(resample.get_feature_names_out()) == rows.shape[1]


def test_columns_are_called_as_those_of_the_loader():
    names = Resample().fit(np.zeros((1, 8))).get_feature_names_out()
    assert list(names) == ["sample_00000", "sample_00001", "sample_00002", "sample_00003"]


def test_rows_too_short_for_the_new_rate_are_refused():
    with pytest.raises(
        ValueError, match="n_features=3 samples at source_rate=48000 Hz are less than one sample at tar"
    ):
        Resample(48000, 4000).fit(np.zeros((1, 3)))


def test_bad_rates_and_rows_are_refused():
    with pytest.raises(ValueError, match="The 'target_rate' parameter of Resample must be"):
        Resample(16000, 0).fit(np.zeros((1, 100)))
    with pytest.raises(ValueError, match="contains NaN"):
        Resample().fit(np.full((1, 100), np.nan))
    with pytest.raises(ValueError, match="X has 99 features, but Resample is expecting 100"):
        Resample().fit(np.zeros((1, 100))).transform(np.zeros((1, 99)))


# TelephoneBand


@pytest.mark.parametrize("rate", [8000, 16000, 44100])
def test_the_band_passes_and_the_rest_does_not(rate):
    def level(frequency):
        return 20 * np.log10(rms(telephone_band(tone(frequency, rate, rate), sample_rate=rate)) * np.sqrt(2))

    assert abs(level(1000)) < 0.1
    assert abs(level(2000)) < 0.1
    assert level(300) == pytest.approx(-6, abs=0.3)
    assert level(3400) == pytest.approx(-6, abs=0.3)
    assert level(100) < -40
    assert level(50) < -40


def test_nothing_moves_in_time():
    click = np.zeros((1, 1601), np.float32)
    click[0, 800] = 1
    filtered = TelephoneBand().fit_transform(click)
    assert filtered.dtype == np.float32
    assert filtered[0].argmax() == 800
    np.testing.assert_allclose(filtered, filtered[:, ::-1], atol=1e-6)


def test_silence_stays_silence_and_short_rows_pass():
    assert not TelephoneBand().fit_transform(np.zeros((2, 1000))).any()
    assert telephone_band(np.ones((2, 3, 5))).shape == (2, 3, 5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sample_rate": 6000}, "fmax must be less than half the sample rate, got fmax=3400.0 Hz at sample_rate=6000"),
        ({"fmin": 4000.0}, "fmin must be less than fmax, got fmin=4000.0 and fmax=3400.0 Hz"),
    ],
)
def test_contradicting_settings_are_refused_by_function_and_fit(settings, message):
    with pytest.raises(ValueError, match=message):
        telephone_band(np.zeros(100), **settings)
    with pytest.raises(ValueError, match=message):
        TelephoneBand(**settings).fit(np.zeros((1, 100)))
