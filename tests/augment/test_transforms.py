"""The transforms: parameters drawn from ranges, all chance from the generator, and bad ones refused."""

import copy
import pickle

import numpy as np
import pytest
import soundfile as sf

from skkws.augment import (
    BackgroundNoise,
    BandLimit,
    Clipping,
    ColoredNoise,
    Equalizer,
    Gain,
    ImpulseResponse,
    PeakLimit,
    PitchShift,
    Reverberation,
    SpecAugment,
    SpeedChange,
    TimeShift,
    active_rms,
    default_transforms,
)

HUM = 0.1 * np.sin(2 * np.pi * 50 * np.arange(48000) / 16000)
ECHO = np.r_[1.0, np.zeros(1000), 0.5]
WAVEFORM_TRANSFORMS = [
    BackgroundNoise(HUM),
    BandLimit(),
    Clipping(),
    ColoredNoise(),
    Equalizer(),
    Gain(),
    ImpulseResponse(ECHO),
    PeakLimit((0.001, 0.002)),
    PitchShift(),
    Reverberation(),
    SpeedChange(),
    TimeShift(),
]
TRANSFORMS = [*WAVEFORM_TRANSFORMS, SpecAugment()]


def name_of(transform):
    return type(transform).__name__


@pytest.fixture
def rows(speech):
    return speech.data[:3, :8000].copy()


@pytest.mark.parametrize("transform", TRANSFORMS, ids=name_of)
def test_rows_keep_shape_and_dtype_and_the_given_ones_stay_unchanged(transform, rows):
    before = rows.copy()
    for dtype in (np.float32, np.float64):
        varied = transform(rows.astype(dtype), np.random.default_rng(0))
        assert (varied.shape, varied.dtype) == (rows.shape, dtype)
        assert np.isfinite(varied).all()
        assert (varied != rows).any(axis=1).all()
    np.testing.assert_array_equal(rows, before)


@pytest.mark.parametrize("transform", TRANSFORMS, ids=name_of)
def test_the_generator_decides_everything(transform, rows):
    first, second = (transform(rows, np.random.default_rng(1)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("transform", TRANSFORMS, ids=name_of)
def test_pickles_and_copies_do_the_same(transform, rows):
    expected = transform(rows, np.random.default_rng(1))
    for other in (pickle.loads(pickle.dumps(transform)), copy.deepcopy(transform)):
        np.testing.assert_array_equal(other(rows, np.random.default_rng(1)), expected)


@pytest.mark.parametrize("transform", WAVEFORM_TRANSFORMS, ids=name_of)
@pytest.mark.parametrize("n_samples", [1, 3, 300])
def test_short_rows_pass(transform, n_samples):
    assert np.isfinite(transform(np.full((2, n_samples), 0.5), np.random.default_rng(0))).all()


@pytest.mark.parametrize("transform", WAVEFORM_TRANSFORMS, ids=name_of)
def test_digital_silence_stays_silent(transform):
    np.testing.assert_array_equal(transform(np.zeros((1, 8000)), np.random.default_rng(0)), np.zeros((1, 8000)))


def test_probability_is_the_share_of_rows_that_are_varied():
    varied = Gain(-6.0, probability=0.3)(np.ones((2000, 1)), np.random.default_rng(0)) != 1.0
    assert varied.mean() == pytest.approx(0.3, abs=0.04)


def test_values_are_drawn_from_all_of_a_range():
    gains = 20 * np.log10(Gain((-10.0, 6.0))(np.ones((2000, 1)), np.random.default_rng(0)))
    assert -10.0 <= gains.min() < -9.9
    assert 5.9 < gains.max() <= 6.0


def test_noise_from_a_folder_is_read_resampled_and_mixed_at_the_ratio(rows, tmp_path):
    (tmp_path / "street").mkdir()
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, 12000)
    sf.write(tmp_path / "street" / "cars.wav", noise, 8000)
    transform = BackgroundNoise(tmp_path, 15.0)
    added = transform(rows, np.random.default_rng(0)) - rows
    measured = 20 * np.log10(active_rms(rows) / np.sqrt(np.mean(added**2, axis=1)))
    np.testing.assert_allclose(measured, 15.0, atol=0.1)
    power = np.abs(np.fft.rfft(added[0])) ** 2  # a file at 8 kHz holds nothing above 4 kHz
    assert power[2100:].sum() < 1e-3 * power.sum()
    assert len(pickle.dumps(transform)) < 1000


def test_noise_excerpts_differ_and_a_short_noise_is_repeated(rows):
    same = np.repeat(rows[:1], 2, axis=0)
    added = BackgroundNoise(np.random.default_rng(0).normal(size=100), 10.0)(same, np.random.default_rng(0)) - same
    np.testing.assert_allclose(added[0, :100], added[0, 100:200], atol=1e-6)
    assert not np.allclose(added[0], added[1])


def test_random_excerpts_of_a_long_noise_are_taken(rows):
    same = np.repeat(rows[:1], 2, axis=0)
    added = BackgroundNoise(np.random.default_rng(0).normal(size=48000), 10.0)(same, np.random.default_rng(0)) - same
    assert abs(np.corrcoef(added)[0, 1]) < 0.1


def test_impulse_responses_are_read_from_files(tmp_path):
    sf.write(tmp_path / "room.flac", ECHO, 16000)
    click = np.zeros((1, 4000))
    click[0, 10] = 1.0
    heard = ImpulseResponse(str(tmp_path / "room.flac"))(click, np.random.default_rng(0))[0]
    assert heard[1011] / heard[10] == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Gain(probability=-0.1), r"Gain: probability must be a number from 0 to 1, got -0\.1"),
        (lambda: Gain((6, -6)), r"Gain: gain_db must be a number or a range \(low, high\).*got \(6, -6\)"),
        (lambda: Gain(float("nan")), "Gain: gain_db must be a number or a range"),
        (lambda: SpeedChange((0.0, 1.1)), r"SpeedChange: factor must be above 0, got \(0\.0, 1\.1\)"),
        (lambda: Clipping((0.5, 1.5)), r"Clipping: fraction must be at least 0 and at most 1"),
        (lambda: Reverberation(0), "Reverberation: rt60 must be above 0, got 0"),
        (lambda: BandLimit(high=(3000, 9000)), r"BandLimit: high must be above 0 and below 8000"),
        (lambda: BandLimit((50, 4000), (3000, 5000)), "BandLimit: all of low must lie below all of high"),
        (lambda: ColoredNoise(colors=("grey",)), r"ColoredNoise: colors must be a tuple of some of .*got \('grey',\)"),
        (lambda: ColoredNoise(colors="pink"), "ColoredNoise: colors must be a tuple"),
        (lambda: TimeShift(sample_rate=0), "TimeShift: sample_rate must be an integer, at least 1, got 0"),
        (lambda: SpecAugment(max_frames=-1), "SpecAugment: max_frames must be an integer, at least 0, got -1"),
        (lambda: SpecAugment(mask_value="max"), 'SpecAugment: mask_value must be "mean", "min" or a finite number'),
        (lambda: BackgroundNoise([]), "BackgroundNoise: got no recording. Pass a folder, files or arrays"),
        (lambda: BackgroundNoise(np.zeros(0)), "BackgroundNoise: recording 0: holds no samples"),
        (lambda: BackgroundNoise(np.array([0.0, np.nan])), "BackgroundNoise: recording 0: sample 1 is nan"),
    ],
)
def test_parameters_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_an_empty_or_missing_noise_folder_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"BackgroundNoise: .* holds no audio file"):
        BackgroundNoise(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"BackgroundNoise: no file or folder .*nowhere. Check the path"):
        BackgroundNoise(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.array([[0.0], [np.nan]]), "Gain: sample 0 of signal 1 is nan; samples must be finite"),
        (np.zeros(5), r"Gain: expected rows .* got an array of shape \(5,\).*Pass a single row as row\[None\]"),
    ],
)
def test_rows_that_are_none_are_refused(rows, message):
    with pytest.raises(ValueError, match=message):
        Gain()(rows, np.random.default_rng(0))


def test_masks_need_whole_frames():
    with pytest.raises(ValueError, match="SpecAugment: rows must be frames x 32 bands, got 33 columns"):
        SpecAugment()(np.zeros((1, 33)), np.random.default_rng(0))


def test_the_defaults_keep_to_full_scale_and_take_recorded_noise(rows):
    loud = rows / np.abs(rows).max(axis=1, keepdims=True)
    rng = np.random.default_rng(0)
    for transforms in (default_transforms(), default_transforms(noise=HUM, sample_rate=8000)):
        varied = loud
        for transform in transforms:
            varied = transform(varied, rng)
        assert np.abs(varied).max() <= 1.0 + 1e-6
    assert "BackgroundNoise" in {name_of(transform) for transform in transforms}
