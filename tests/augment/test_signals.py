"""The functions on arrays: each does to a signal what its name says, by the amount that was asked."""

import numpy as np
import pytest
import scipy.signal

from skkws.augment import (
    active_rms,
    apply_gain,
    band_limit,
    change_speed,
    clip_peaks,
    colored_noise,
    equalize,
    limit_peak,
    mix_at_snr,
    reverberate,
    room_response,
    shift_pitch,
    shift_time,
    spec_augment,
)

RATE = 16000


def tone(frequency, seconds=1.0, rate=RATE):
    return np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate).astype(np.float32)


def main_frequency(y, rate=RATE):
    return np.abs(np.fft.rfft(y * np.hanning(len(y)))).argmax() * rate / len(y)


def db(ratio):
    return 20 * np.log10(ratio)


@pytest.mark.parametrize(
    ("color", "slope"), [("white", 0.0), ("pink", -3.01), ("blue", 3.01), ("brown", -6.02), ("violet", 6.02)]
)
def test_the_power_of_a_noise_changes_by_its_colours_slope_per_octave(color, slope):
    frequencies, power = scipy.signal.welch(colored_noise(60 * RATE, color, random_state=0), RATE, nperseg=4096)
    band = (frequencies > 60) & (frequencies < 7000)
    assert np.polyfit(np.log2(frequencies[band]), 10 * np.log10(power[band]), 1)[0] == pytest.approx(slope, abs=0.15)


def test_noise_has_level_one_and_nothing_below_20_hz():
    noise = colored_noise(4 * RATE, "brown", random_state=0)
    spectrum = np.abs(np.fft.rfft(noise)) ** 2
    assert np.sqrt(np.mean(noise**2)) == pytest.approx(1.0, abs=1e-4)
    assert spectrum[: 19 * 4].sum() < 1e-6 * spectrum.sum()


@pytest.mark.parametrize("n_samples", [1, 2, 7])
def test_noise_of_a_few_samples_has_level_one(n_samples):
    noise = colored_noise(n_samples, "brown", random_state=0)
    assert noise.shape == (n_samples,)
    assert np.mean(noise**2) == pytest.approx(1.0, abs=1e-4)


def test_noise_is_determined_by_its_seed():
    np.testing.assert_array_equal(colored_noise(100, random_state=3), colored_noise(100, random_state=3))
    assert not np.array_equal(colored_noise(100, random_state=3), colored_noise(100, random_state=4))


def test_an_unknown_colour_is_refused():
    with pytest.raises(ValueError, match=r"color must be one of 'white', 'pink'.*got 'grey'"):
        colored_noise(100, "grey")


@pytest.mark.parametrize("snr_db", [-5, 0, 12.5, 30])
def test_the_ratio_of_a_mixture_is_the_one_asked_for(speech, snr_db):
    noise = colored_noise(speech.data.shape[1], "pink", random_state=0)
    added = mix_at_snr(speech.data, noise, snr_db) - speech.data
    measured = db(active_rms(speech.data) / np.sqrt(np.mean(added.astype(float) ** 2, axis=1)))
    np.testing.assert_allclose(measured, snr_db, atol=0.1)


def test_silence_around_a_word_does_not_change_the_noise_it_gets(speech):
    word, noise = speech.data[0], colored_noise(RATE, random_state=0)
    padded = np.pad(word, 3200)
    short = mix_at_snr(word, noise, 10) - word
    long = mix_at_snr(padded, np.pad(noise, 3200, mode="wrap"), 10) - padded
    assert db(short.std() / long.std()) == pytest.approx(0.0, abs=0.3)


def test_silence_and_silent_noise_are_left_as_they_are():
    silence, y, noise = np.zeros(RATE), tone(440), colored_noise(RATE, random_state=0)
    np.testing.assert_array_equal(mix_at_snr(silence, noise, 10), silence)
    np.testing.assert_array_equal(mix_at_snr(y, np.zeros(RATE), 10), y)


@pytest.mark.parametrize(
    ("noise", "message"),
    [
        (np.ones(10), "noise must be as long as speech, got 10 and 16000 samples"),
        (np.ones(0), "noise needs at least one sample"),
        (np.full(RATE, np.nan), "noise: sample 0 is nan"),
    ],
)
def test_noise_that_cannot_be_mixed_is_refused(noise, message):
    with pytest.raises(ValueError, match=message):
        mix_at_snr(tone(440), noise, 10)


@pytest.mark.parametrize("n", [-20, -3, 0, 3, 20])
def test_a_shift_moves_by_exactly_n_samples(n):
    y = np.arange(1.0, 11.0)
    expected = [y[i - n] if 0 <= i - n < len(y) else 0.0 for i in range(len(y))]
    np.testing.assert_array_equal(shift_time(y, n), expected)
    np.testing.assert_array_equal(shift_time(y, n, wrap=True), [y[(i - n) % len(y)] for i in range(len(y))])


def test_speed_2_doubles_the_frequency_and_halves_the_duration():
    faster = change_speed(tone(440), 2.0)
    assert faster.shape == (RATE,)
    assert main_frequency(faster) == pytest.approx(880, abs=2)
    assert np.abs(faster[:3900]).max() < 1e-3
    assert np.abs(faster[4100:11900]).max() > 0.9
    assert np.abs(faster[12100:]).max() < 1e-3


def test_a_slower_signal_keeps_its_middle():
    assert main_frequency(change_speed(tone(440), 0.5)) == pytest.approx(220, abs=2)
    click = np.zeros(RATE)
    click[RATE // 2] = 1.0
    assert np.abs(change_speed(click, 0.7)).argmax() == pytest.approx(RATE // 2, abs=2)


def test_twelve_semitones_double_the_frequency_and_keep_the_duration():
    y = np.zeros(RATE, dtype=np.float32)
    y[4000:12000] = tone(440, 0.5)
    higher = shift_pitch(y, 12)
    assert higher.dtype == np.float32
    assert main_frequency(higher) == pytest.approx(880, abs=3)
    loud = np.flatnonzero(np.abs(higher) > 0.3)
    assert loud[[0, -1]] == pytest.approx([4000, 12000], abs=600)
    np.testing.assert_array_equal(shift_pitch(y, 0), y)


@pytest.mark.parametrize("semitones", [-12, -2, 2, 12])
def test_the_pitch_of_a_short_signal_shifts_without_a_warning(semitones, recwarn):
    assert shift_pitch(tone(440, 0.01), semitones).shape == (160,)
    assert not recwarn.list


def test_a_band_limit_removes_tones_outside_and_keeps_those_inside():
    for frequency, low, high in ((100, 400, None), (6000, None, 3000), (100, 400, 3000), (6000, 400, 3000)):
        assert np.abs(band_limit(tone(frequency), low, high)[8000:]).max() < 0.02
    assert np.abs(band_limit(tone(1000), 400, 3000)[8000:]).max() == pytest.approx(1.0, abs=0.02)


def test_a_band_limit_takes_3_db_away_at_its_edges():
    for frequency in (400, 3000):
        assert db(np.std(band_limit(tone(frequency), 400, 3000)[8000:]) * np.sqrt(2)) == pytest.approx(-3.01, abs=0.1)


@pytest.mark.parametrize("edges", [(0, 3000), (300, 8000), (3000, 300), (300, 300)])
def test_a_band_that_is_none_is_refused(edges):
    with pytest.raises(ValueError, match=r"0 < low < high < 8000 Hz"):
        band_limit(tone(440), *edges)


@pytest.mark.parametrize(("frequency", "gain_db"), [(60, -6), (125, -6), (1000, 4), (2000, 0), (1414.2, 2), (6000, 0)])
def test_an_equalizer_gives_each_frequency_its_gain(frequency, gain_db):
    y = tone(frequency)
    equalized = equalize(y, [125, 1000, 2000], [-6, 4, 0])
    assert db(np.std(equalized[4000:12000]) / np.std(y[4000:12000])) == pytest.approx(gain_db, abs=0.15)


def test_equalizer_points_must_rise():
    with pytest.raises(ValueError, match="frequencies must rise"):
        equalize(tone(440), [1000, 500], [0, 0])


@pytest.mark.parametrize("rt60", [0.15, 0.3, 0.8])
def test_a_room_lengthens_the_tail_to_its_reverberation_time(rt60):
    click = np.zeros(2 * RATE)
    click[100] = 1.0
    tail = reverberate(click, room_response(rt60, random_state=0))[101:]
    decay = 10 * np.log10(np.cumsum(tail[::-1] ** 2)[::-1] / np.sum(tail**2) + 1e-12)
    start, stop = np.argmax(decay < -5), np.argmax(decay < -25)  # T20 of ISO 3382
    assert 3 * (stop - start) / RATE == pytest.approx(rt60, rel=0.1)


@pytest.mark.parametrize("ratio", [0.0, 12.0])
def test_a_room_has_the_ratio_of_direct_to_reverberant_energy_asked_for(ratio):
    response = room_response(0.3, direct_to_reverberant_db=ratio, random_state=0)
    assert db(response[0] / np.linalg.norm(response[1:])) == pytest.approx(ratio, abs=0.01)
    assert np.linalg.norm(response) == pytest.approx(1.0, abs=1e-4)


def test_reverberation_does_not_delay_the_direct_sound():
    click = np.zeros(1000)
    click[300] = 1.0
    assert np.abs(reverberate(click, np.r_[np.zeros(50), 1.0, 0.5])).argmax() == 300


def test_a_silent_response_is_refused():
    with pytest.raises(ValueError, match="hold a sample other than 0"):
        reverberate(tone(440), np.zeros(10))


def test_gain_is_in_db():
    assert db(apply_gain(tone(440), -6.0).max() / tone(440).max()) == pytest.approx(-6.0, abs=1e-3)


def test_clipping_bounds_the_peaks_and_leaves_the_rest():
    y = 0.8 * tone(440)
    clipped, inside = clip_peaks(y, 0.5), np.abs(y) < 0.39
    assert np.abs(clipped).max() == pytest.approx(0.4, abs=1e-4)
    np.testing.assert_array_equal(clipped[inside], y[inside])


def test_a_peak_limit_scales_loud_rows_alone():
    rows = np.stack([0.5 * tone(440), 3.0 * tone(440)])
    limited = limit_peak(rows)
    np.testing.assert_array_equal(limited[0], rows[0])
    np.testing.assert_allclose(limited[1], rows[1] / np.abs(rows[1]).max(), rtol=1e-5)


def test_masks_are_no_larger_than_they_may_be_and_hold_the_value():
    rng = np.random.default_rng(0)
    frames = rng.uniform(1.0, 2.0, (98, 32))
    sizes = []
    for seed in range(200):
        options = {"n_time_masks": 1, "max_frames": 10, "n_band_masks": 0, "mask_value": -7.0, "random_state": seed}
        masked = spec_augment(frames, **options)
        gone = (masked == -7.0).all(axis=1)
        np.testing.assert_array_equal(masked[~gone], frames[~gone])
        assert np.ptp(np.flatnonzero(gone)) == gone.sum() - 1 if gone.any() else True  # one block
        sizes.append(gone.sum())
    assert (min(sizes), max(sizes)) == (0, 10)
    bands = [
        (spec_augment(frames, n_time_masks=0, n_band_masks=2, max_bands=4, mask_value=-7.0, random_state=seed) == -7.0)
        .all(axis=0)
        .sum()
        for seed in range(200)
    ]
    assert max(bands) == 8


@pytest.mark.parametrize(("how", "function"), [("mean", np.mean), ("min", np.min)])
def test_masks_can_hold_the_mean_or_the_minimum(how, function):
    frames = np.random.default_rng(0).uniform(1.0, 2.0, (98, 32))
    masked = spec_augment(frames, mask_value=how, random_state=0)
    changed = masked[masked != frames]
    assert len(changed)
    np.testing.assert_allclose(changed, function(frames))
