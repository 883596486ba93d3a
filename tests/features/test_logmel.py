import pickle
import warnings
from pathlib import Path

import librosa
import numpy as np
import pytest
import tensorflow as tf
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skkws.features import LogMelTransformer, log_mel, mel_filterbank

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "synthetic.npz")
RATE = 16000


def noise(*shape, seed=0):
    return np.random.default_rng(seed).uniform(-0.5, 0.5, shape).astype(np.float32)


def tone(frequency, *, rate=RATE):
    return 0.5 * np.sin(2 * np.pi * frequency * np.arange(rate) / rate)


# log_mel


@pytest.mark.parametrize("i", range(len(GOLDEN["names"])), ids=GOLDEN["names"])
def test_defaults_equal_the_front_end_of_the_original_embedding(i):
    np.testing.assert_allclose(log_mel(GOLDEN[f"audio_{i}"]), GOLDEN[f"logmel_{i}"], rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    ("sample_rate", "n_fft", "n_mels", "fmin", "fmax"),
    [(16000, 512, 32, 60.0, 3800.0), (22050, 1024, 64, 20.0, 11025.0), (8000, 256, 20, 0.0, 3500.0)],
)
def test_filterbank_equals_that_of_tensorflow(sample_rate, n_fft, n_mels, fmin, fmax):
    weights = mel_filterbank(sample_rate=sample_rate, n_fft=n_fft, n_mels=n_mels, fmin=fmin, fmax=fmax)
    expected = tf.signal.linear_to_mel_weight_matrix(
        n_mels, 1 + n_fft // 2, sample_rate, fmin, fmax, dtype=tf.float64
    ).numpy()
    np.testing.assert_allclose(weights, expected, atol=1e-6)
    assert weights.dtype == np.float32


def test_a_filterbank_changed_in_place_changes_no_later_result():
    before = log_mel(noise(RATE))
    mel_filterbank()[:] = 0.0
    np.testing.assert_array_equal(log_mel(noise(RATE)), before)


@pytest.mark.parametrize("power", [1.0, 2.0, 0.5])
@pytest.mark.parametrize("window", ["hamming", ("kaiser", 8.0)])
def test_general_settings_equal_spectra_of_librosa(power, window):
    y = noise(20000)
    settings = {"n_fft": 1024, "hop_length": 200, "win_length": 600, "window": window}
    spectrum = librosa.stft(y, center=True, **settings)
    bands = {"sample_rate": 22050, "n_mels": 50, "fmin": 100.0, "fmax": 9000.0}
    expected = np.log(np.abs(spectrum.T) ** power @ mel_filterbank(n_fft=1024, **bands) + 0.01)
    result = log_mel(y, power=power, log_offset=0.01, center=True, **settings, **bands)
    np.testing.assert_allclose(result, expected, atol=1e-4)


@pytest.mark.parametrize(
    ("n_samples", "center", "n_frames"),
    [
        (16000, False, 98),
        (400, False, 1),
        (559, False, 1),
        (560, False, 2),
        (3, False, 1),
        (16000, True, 101),
        (159, True, 1),
        (160, True, 2),
        (1, True, 1),
    ],
)
def test_frame_count(n_samples, center, n_frames):
    y = noise(n_samples)
    assert log_mel(y, center=center).shape == (n_frames, 32)
    assert LogMelTransformer(center=center).fit(y[None]).output_shape_ == (n_frames, 32)


def test_centred_frames_are_those_of_the_signal_between_zeros():
    y = noise(RATE)
    np.testing.assert_array_equal(log_mel(y, center=True), log_mel(np.pad(y, 200)))


def test_short_signal_is_padded_at_its_end_to_one_frame():
    y = noise(150)
    np.testing.assert_array_equal(log_mel(y), log_mel(np.pad(y, (0, 250))))


@pytest.mark.parametrize("frequency", [200.0, 1000.0, 3500.0])
def test_a_tone_is_loudest_in_its_band(frequency):
    mel = 1127 * np.log1p(np.array([60.0, 3800.0, frequency]) / 700)
    band = round((mel[2] - mel[0]) / (mel[1] - mel[0]) * 33) - 1
    assert set(log_mel(tone(frequency)).argmax(axis=1)) == {band}


def test_silence_gives_the_logarithm_of_the_offset():
    np.testing.assert_allclose(log_mel(np.zeros(RATE)), np.log(0.001), rtol=1e-6)


def test_long_signal_and_many_clips_equal_their_parts():
    long = noise(40 * RATE)  # about four blocks of frames
    parts = [log_mel(long[t * 160 : (t + 99) * 160 + 400]) for t in range(0, 3900, 100)]
    np.testing.assert_allclose(log_mel(long)[:3900], np.concatenate(parts), atol=1e-5)
    clips = noise(25, RATE)  # more than two blocks of clips
    np.testing.assert_allclose(log_mel(clips), [log_mel(clip) for clip in clips], atol=1e-5)


def test_leading_axes_are_kept():
    clips = noise(2, 3, 4000)
    energies = log_mel(clips)
    assert energies.shape == (2, 3, 23, 32)
    np.testing.assert_allclose(energies[1, 2], log_mel(clips[1, 2]), atol=1e-5)


def test_result_is_float32_whatever_the_input():
    y = noise(4000)
    for dtype in (np.float32, np.float64):
        assert log_mel(y.astype(dtype)).dtype == np.float32
        assert LogMelTransformer().fit_transform(y[None].astype(dtype)).dtype == np.float32


@pytest.mark.parametrize("y", [np.float32(0.5), np.zeros((3, 0))], ids=["scalar", "empty"])
def test_a_signal_needs_samples(y):
    with pytest.raises(ValueError, match=r"y needs at least one sample on its last axis, got an array of shape \("):
        log_mel(y)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_fft": 256}, r"n_fft must not be less than win_length, got n_fft=256 and win_length=400; raise n_fft"),
        ({"fmax": 9000.0}, r"fmax must not exceed half the sample rate, got fmax=9000.0 Hz at sample_rate=16000"),
        ({"sample_rate": 7000}, r"got fmax=3800.0 Hz at sample_rate=7000; lower it to 3500 Hz or less"),
        ({"fmin": 4000.0}, r"fmin must be less than fmax, got fmin=4000.0 and fmax=3800.0 Hz"),
        ({"fmin": 3800.0}, r"fmin must be less than fmax, got fmin=3800.0 and fmax=3800.0 Hz"),
    ],
)
def test_contradicting_settings_are_refused_by_function_and_fit(settings, message):
    with pytest.raises(ValueError, match=message):
        log_mel(noise(RATE), **settings)
    with pytest.raises(ValueError, match=message):
        LogMelTransformer(**settings).fit(noise(1, RATE))


def test_bands_without_a_bin_are_warned_of():
    message = r"\d+ of n_mels=128 bands hold no FFT bin at n_fft=512 and stay constant; lower n_mels"
    with pytest.warns(UserWarning, match=message):
        energies = log_mel(noise(RATE), n_mels=128)
    with pytest.warns(UserWarning, match=message):
        LogMelTransformer(n_mels=128).fit(noise(1, RATE))
    counted = np.count_nonzero(np.ptp(energies, axis=0) == 0)
    with pytest.warns(UserWarning, match=f"^{counted} of"):
        log_mel(noise(RATE), n_mels=128)


# LogMelTransformer


def test_rows_are_the_flattened_frames():
    clips = noise(3, RATE)
    transformer = LogMelTransformer(n_mels=20, hop_length=200).fit(clips)
    rows = transformer.transform(clips)
    assert transformer.output_shape_ == (79, 20)
    np.testing.assert_array_equal(rows.reshape(3, 79, 20), log_mel(clips, n_mels=20, hop_length=200))


def test_feature_names_follow_the_columns():
    transformer = LogMelTransformer().fit(noise(1, RATE))
    names = transformer.get_feature_names_out()
    assert names.shape == (98 * 32,)
    assert list(names[[0, 31, 32, -1]]) == ["logmel_t00_b00", "logmel_t00_b31", "logmel_t01_b00", "logmel_t97_b31"]
    long = LogMelTransformer(n_mels=8).fit(noise(1, 2 * RATE)).get_feature_names_out()
    assert long[12 * 8 + 7] == "logmel_t012_b7"


def test_feature_names_check_the_input_names():
    with pytest.raises(NotFittedError):
        LogMelTransformer().get_feature_names_out()
    transformer = LogMelTransformer().fit(noise(1, 500))
    with pytest.raises(ValueError, match=r"number of features \(500\), got 2"):
        transformer.get_feature_names_out(["a", "b"])


def test_output_may_be_a_pandas_frame():
    clips = noise(2, 1000)
    frame = LogMelTransformer().set_output(transform="pandas").fit_transform(clips)
    assert list(frame.columns[:2]) == ["logmel_t0_b00", "logmel_t0_b01"]
    np.testing.assert_array_equal(frame.to_numpy(), LogMelTransformer().fit_transform(clips))


def test_clone_and_pickle_keep_parameters_and_results():
    clips = noise(2, RATE)
    transformer = LogMelTransformer(power=2.0, window=("kaiser", 5.0), center=True).fit(clips)
    assert clone(transformer).get_params() == transformer.get_params()
    copy = pickle.loads(pickle.dumps(transformer))
    np.testing.assert_array_equal(copy.transform(clips), transformer.transform(clips))


def test_integer_rows_are_warned_of_and_floats_are_not():
    pcm = (32767 * noise(2, RATE)).astype(np.int16)
    transformer = LogMelTransformer().fit(noise(2, RATE))
    with pytest.warns(UserWarning, match=r"got integer rows \(int16\).*skkws\.audio\.AudioLoader") as record:
        transformer.transform(pcm)
    assert record[0].filename == __file__  # the line of the caller
    with pytest.warns(UserWarning, match=r"LogMelTransformer got integer rows \(int16\)"):
        LogMelTransformer().fit(pcm)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        transformer.fit_transform(noise(2, RATE))


def test_rows_must_be_as_long_as_in_fit():
    with pytest.raises(ValueError, match="X has 8000 features, but LogMelTransformer is expecting 16000"):
        LogMelTransformer().fit(noise(1, RATE)).transform(noise(1, 8000))


@pytest.mark.parametrize(
    ("name", "value"),
    [("sample_rate", 0), ("hop_length", 0), ("n_mels", 2.5), ("fmin", -1.0), ("power", 0.0), ("center", "yes")],
)
def test_a_parameter_out_of_range_is_named(name, value):
    with pytest.raises(ValueError, match=f"The '{name}' parameter of LogMelTransformer must be"):
        LogMelTransformer(**{name: value}).fit(noise(1, RATE))
