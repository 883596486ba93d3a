import numpy as np
import pytest

from skkws import TrimSilence
from skkws.preparation import trim_silence

PADS = {"start": 800, "center": 400, "end": 0}  # zeros before 800 samples of sound in a row of 1600


def tone_between(start, stop, n_samples=1600):
    """A tone from `start` to `stop`, of which no sample is 0."""
    y = np.zeros(n_samples, np.float32)
    y[start:stop] = np.cos(np.arange(stop - start)) + 1.5
    return y


@pytest.mark.parametrize(("pad", "before"), PADS.items())
def test_exactly_the_silence_at_the_ends_goes_and_the_sound_moves_to_its_place(pad, before):
    y = tone_between(320, 1120)
    y += np.where(y == 0, 1e-4, 0).astype(np.float32)  # silent, but not zero
    expected = np.zeros(1600, np.float32)
    expected[before : before + 800] = y[320:1120]
    np.testing.assert_array_equal(trim_silence(y, frame_length=80, hop_length=80, pad=pad), expected)


@pytest.mark.parametrize("start", [0, 1, 333, 700])
def test_no_sound_is_lost_and_less_than_a_frame_of_silence_stays_at_any_place(start):
    stop = start + 900
    kept = trim_silence(tone_between(start, stop), frame_length=100, hop_length=30, pad="end")
    first = np.flatnonzero(kept)[0]
    np.testing.assert_array_equal(kept[first : first + 900], tone_between(0, 900)[:900])
    assert first < 100


def test_silence_within_the_sound_stays():
    y = tone_between(320, 480) + tone_between(960, 1120)
    trimmed = trim_silence(y, frame_length=80, hop_length=80, pad="end")
    np.testing.assert_array_equal(trimmed[:800], y[320:1120])


def test_the_threshold_is_relative_to_the_loudest_frame_of_the_clip():
    y = tone_between(0, 800) + 0.05 * tone_between(800, 1600)  # the second half 26 dB below the first
    for threshold_db, expected in ((-20, 800), (-40, 1600)):
        for gain in (1, 1e-3):
            trimmed = trim_silence(gain * y, threshold_db=threshold_db, frame_length=80, hop_length=80, pad="end")
            assert np.count_nonzero(trimmed) == expected


def test_a_margin_is_kept_as_far_as_the_row_goes():
    y = tone_between(80, 880) + np.float32(1e-4)
    trimmed = trim_silence(y, frame_length=80, hop_length=80, margin=200, pad="end")
    np.testing.assert_array_equal(trimmed[:1080], y[:1080])
    assert not trimmed[1080:].any()


def test_silence_stays_silence():
    np.testing.assert_array_equal(trim_silence(np.zeros((2, 1000))), np.zeros((2, 1000)))


def test_synthetic_words_are_trimmed_to_the_word(speech):
    trimmed = TrimSilence(pad="end").fit_transform(speech.data)
    assert trimmed.shape == speech.data.shape
    assert trimmed.dtype == np.float32
    for clip, row in zip(speech.data, trimmed, strict=True):
        assert np.flatnonzero(clip)[0] > 400  # the word began later
        assert np.flatnonzero(row)[0] < 400
        assert np.sum(row**2) > 0.99 * np.sum(clip**2)


def test_leading_axes_are_kept():
    y = np.stack([tone_between(i, i + 500) for i in (0, 100, 200, 300, 400, 500)]).reshape(2, 3, 1600)
    np.testing.assert_array_equal(trim_silence(y)[1, 2], trim_silence(y[1, 2]))


def test_frames_with_gaps_are_refused():
    with pytest.raises(ValueError, match="hop_length must not exceed frame_length, got hop_length=200 and frame_leng"):
        TrimSilence(frame_length=100, hop_length=200).fit(np.ones((2, 1000)))


@pytest.mark.parametrize("settings", [{"threshold_db": 3.0}, {"frame_length": 0}, {"margin": -1}, {"pad": "left"}])
def test_bad_parameters_are_named(settings):
    with pytest.raises(ValueError, match=f"The '{next(iter(settings))}' parameter of TrimSilence must be"):
        TrimSilence(**settings).fit(np.ones((2, 1000)))


def test_bad_rows_are_refused():
    trimmer = TrimSilence().fit(np.ones((2, 1000)))
    with pytest.raises(ValueError, match="contains NaN"):
        trimmer.transform(np.full((1, 1000), np.nan))
    with pytest.raises(ValueError, match="X has 999 features, but TrimSilence is expecting 1000"):
        trimmer.transform(np.ones((1, 999)))
