import pickle
import sys

import numpy as np
import pytest

from skkws import Resample, VoiceActivityFilter
from skkws.preparation import keep_speech


def energy(rows):
    return np.sum(np.square(rows, dtype=np.float64), axis=-1)


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(0, 0.002, shape).astype(np.float32)


@pytest.mark.parametrize("rate", [8000, 16000, 32000, 48000])
@pytest.mark.parametrize("frame_duration", [0.01, 0.02, 0.03])
def test_words_are_kept_at_every_rate_and_frame(speech, rate, frame_duration):
    rows = Resample(16000, rate).fit_transform(speech.data[::4])
    kept = VoiceActivityFilter(rate, frame_duration=frame_duration, margin=rate // 20).fit_transform(rows)
    assert kept.shape == rows.shape
    assert kept.dtype == np.float32
    assert np.median(energy(kept) / energy(rows)) > 0.95


def test_noise_before_and_after_a_word_goes(speech):
    noisy = speech.data + noise(*speech.data.shape)
    kept = VoiceActivityFilter(aggressiveness=3, pad="end").fit_transform(noisy)
    words = [len(np.trim_zeros(row)) for row in speech.data]
    lengths = [len(np.trim_zeros(row)) for row in kept]
    assert np.median(np.subtract(lengths, words)) < 2 * 800 + 480  # margins and a frame
    assert np.median(energy(kept) / energy(speech.data)) > 0.95


def test_what_is_kept_is_the_recording_itself_moved_to_its_place(speech):
    noisy = speech.data[0] + noise(16000)  # no sample is 0
    rows = {pad: keep_speech(noisy, aggressiveness=3, pad=pad) for pad in ("start", "center", "end")}
    n_kept = np.count_nonzero(rows["end"])
    assert 0 < n_kept < 16000
    speech_part = rows["end"][:n_kept]
    assert any(np.array_equal(noisy[i : i + n_kept], speech_part) for i in range(16001 - n_kept))
    np.testing.assert_array_equal(rows["start"][-n_kept:], speech_part)
    before = (16000 - n_kept) // 2
    np.testing.assert_array_equal(rows["center"][before : before + n_kept], speech_part)


def test_silence_and_noise_alone_leave_nothing():
    clips = np.concatenate([np.zeros((1, 16000)), noise(5, 16000)])
    assert not VoiceActivityFilter().fit_transform(clips).any()


def test_pauses_go_only_where_asked(speech):
    row = np.concatenate([speech.data[0], np.zeros(8000, np.float32), speech.data[1]]) + noise(40000)
    whole, parts = (np.count_nonzero(keep_speech(row, aggressiveness=3, drop_pauses=drop)) for drop in (False, True))
    assert whole - parts > 8000 - 2 * 800 - 480


def test_a_margin_only_adds(speech):
    row = speech.data[0] + noise(16000)
    lengths = [np.count_nonzero(keep_speech(row, aggressiveness=3, margin=margin)) for margin in (0, 500, 20000)]
    assert lengths[0] + 500 <= lengths[1] <= lengths[0] + 1000
    assert lengths[2] == 16000


def test_more_aggressive_keeps_less(speech):
    noisy = speech.data + 2 * noise(*speech.data.shape)
    kept = [np.count_nonzero(keep_speech(noisy, aggressiveness=level, drop_pauses=True)) for level in (0, 3)]
    assert kept[1] < kept[0]


def test_a_clip_does_not_depend_on_the_others(speech):
    noisy = speech.data[:4] + noise(4, 16000)
    vad = VoiceActivityFilter().fit(noisy)
    rows = vad.transform(noisy)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(vad)).transform(noisy[::-1])[::-1], rows)


def test_a_row_shorter_than_a_frame_is_heard():
    assert keep_speech(np.zeros((2, 100))).shape == (2, 100)


def test_without_the_detector_fit_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "webrtcvad", None)
    with pytest.raises(ImportError, match=r'webrtcvad-wheels: pip install "skkws\[vad\]"'):
        VoiceActivityFilter().fit(np.zeros((1, 16000)))


@pytest.mark.parametrize(
    "settings", [{"sample_rate": 44100}, {"aggressiveness": 4}, {"frame_duration": 0.025}, {"pad": "left"}]
)
def test_what_the_detector_does_not_know_is_refused(settings):
    name = next(iter(settings))
    with pytest.raises(ValueError, match=f"The '{name}' parameter of VoiceActivityFilter must be"):
        VoiceActivityFilter(**settings).fit(np.zeros((1, 16000)))
    with pytest.raises(ValueError, match=f"The '{name}' parameter of keep_speech must be"):
        keep_speech(np.zeros(16000), **settings)
