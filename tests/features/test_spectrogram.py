import numpy as np
import pytest
import scipy.signal

from skkws import LogSpectrogramTransformer
from skkws.features import log_spectrogram

RATE = 16000


def noise(*shape, seed=0):
    return np.random.default_rng(seed).uniform(-0.5, 0.5, shape).astype(np.float32)


def reference(y, *, win_length, hop_length, n_fft, power=1.0, log_offset=1e-3):
    """Frame by frame, in double precision."""
    taper = scipy.signal.get_window("hann", win_length)
    starts = range(0, len(y) - win_length + 1, hop_length)
    spectra = [np.abs(np.fft.rfft(y[i : i + win_length].astype(np.float64) * taper, n_fft)) for i in starts]
    return np.log(np.array(spectra) ** power + log_offset)


def test_defaults_are_20_ms_every_10_ms():
    y = noise(RATE)
    spectra = log_spectrogram(y)
    assert spectra.shape == (99, 161)
    assert spectra.dtype == np.float32
    np.testing.assert_allclose(spectra, reference(y, win_length=320, hop_length=160, n_fft=320), atol=1e-3)


@pytest.mark.parametrize("power", [1.0, 2.0, 0.5])
def test_general_settings_equal_the_definition(power):
    y = noise(9000)
    common = {"win_length": 400, "hop_length": 333, "n_fft": 601, "power": power, "log_offset": 0.1}
    np.testing.assert_allclose(log_spectrogram(y, **common), reference(y, **common), atol=1e-3)


def test_a_tone_stands_in_its_bin():
    y = np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)
    assert (log_spectrogram(y).argmax(axis=1) * 50 == 1000).all()


def test_the_top_frequency_cuts_the_bins_and_changes_no_other():
    y = noise(8000)
    np.testing.assert_array_equal(log_spectrogram(y, fmax=4000), log_spectrogram(y)[:, :81])
    assert log_spectrogram(y, fmax=3999).shape[1] == 80


def test_centred_windows_stand_on_their_hop():
    click = np.zeros(4000)
    click[1600] = 1
    assert log_spectrogram(click, center=True).mean(axis=1).argmax() == 10


def test_many_and_long_signals_equal_their_parts():
    clips = noise(50, RATE)  # more than two blocks of clips
    np.testing.assert_array_equal(log_spectrogram(clips), [log_spectrogram(clip) for clip in clips])
    long = noise(25 * RATE)  # more than one block of frames
    np.testing.assert_array_equal(log_spectrogram(long)[2100:2199], log_spectrogram(long[2100 * 160 :][:RATE]))


def test_leading_axes_are_kept_and_short_signals_padded():
    clips = noise(2, 3, 100)
    spectra = log_spectrogram(clips)
    assert spectra.shape == (2, 3, 1, 161)
    padded = np.pad(clips[1, 2], (0, 220))
    np.testing.assert_array_equal(spectra[1, 2], log_spectrogram(padded))


def test_rows_hold_the_frames_one_after_the_other():
    clips = noise(3, 8000)
    transformer = LogSpectrogramTransformer(fmax=2000.0).fit(clips)
    rows = transformer.transform(clips)
    np.testing.assert_array_equal(rows.reshape(3, *transformer.output_shape_), log_spectrogram(clips, fmax=2000.0))
    names = transformer.get_feature_names_out()
    assert names[41 * 12 + 7] == "spectrogram_t12_f07"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_fft": 256}, "n_fft must not be less than win_length, got n_fft=256 and win_length=320"),
        ({"fmax": 9000.0}, "fmax must not exceed half the sample rate, got fmax=9000.0 Hz at sample_rate=16000"),
    ],
)
def test_contradicting_settings_are_refused_by_function_and_fit(settings, message):
    with pytest.raises(ValueError, match=message):
        log_spectrogram(noise(1000), **settings)
    with pytest.raises(ValueError, match=message):
        LogSpectrogramTransformer(**settings).fit(noise(1, 1000))


def test_bad_parameters_and_rows_are_refused():
    with pytest.raises(ValueError, match="The 'log_offset' parameter of LogSpectrogramTransformer must be"):
        LogSpectrogramTransformer(log_offset=0).fit(noise(1, 1000))
    with pytest.raises(ValueError, match="contains NaN"):
        LogSpectrogramTransformer().fit(np.full((1, 1000), np.nan))
    with pytest.raises(ValueError, match="X has 999 features, but LogSpectrogramTransformer is expecting 1000"):
        LogSpectrogramTransformer().fit(noise(1, 1000)).transform(noise(1, 999))
