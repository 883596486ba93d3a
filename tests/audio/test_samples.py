"""One gate for samples: whatever is computed on a signal refuses the same ones, in the same words."""

import re

import numpy as np
import pytest

from skkws.audio import AudioError, as_signals
from skkws.augment import band_limit, clip_peaks, mix_at_snr, reverberate, shift_time
from skkws.features import log_mel, log_spectrogram, mfcc
from skkws.preparation import keep_speech, loudness, normalize_peak, telephone_band, trim_silence

RATE = 16000
FUNCTIONS = {
    "band_limit": lambda y: band_limit(y, 300.0, 3000.0),
    "clip_peaks": lambda y: clip_peaks(y, 0.5),
    "keep_speech": keep_speech,
    "log_mel": log_mel,
    "log_spectrogram": log_spectrogram,
    "loudness": loudness,
    "mfcc": mfcc,
    "mix_at_snr": lambda y: mix_at_snr(y, np.ones(RATE), 10.0),
    "normalize_peak": normalize_peak,
    "reverberate": lambda y: reverberate(y, np.ones(8)),
    "shift_time": lambda y: shift_time(y, 100),
    "telephone_band": telephone_band,
    "trim_silence": trim_silence,
}


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
@pytest.mark.parametrize(
    ("bad", "rule"), [(np.nan, "finite"), (-np.inf, "finite"), (1e20, r"no larger than 2\*\*32"), (-1e40, "no larger")]
)
def test_a_signal_with_what_is_no_sample_is_refused_with_the_place(function, bad, rule):
    y = np.zeros(RATE)
    y[7] = bad
    with pytest.raises(AudioError, match=rf": sample 7 is {re.escape(str(bad))}; samples must be {rule}"):
        function(y)


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
@pytest.mark.parametrize("loudest", [1e-38, 2.0**31, 2.0**32])
def test_what_is_let_in_gives_numbers(function, loudest):
    y = loudest * np.random.RandomState(0).uniform(-1, 1, RATE)
    assert (function(y) < np.inf).all()  # minus infinity is the loudness of silence


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
@pytest.mark.parametrize("nothing", [np.float32(0.5), np.zeros(0), np.array(["word"])], ids=["scalar", "empty", "text"])
def test_a_signal_needs_samples(function, nothing):
    with pytest.raises(AudioError, match="needs at least one sample on its last axis, got an array of shape"):
        function(nothing)


def test_the_signal_of_many_is_named():
    y = np.zeros((2, 3, 5))
    y[1, 2, 4] = np.nan
    with pytest.raises(AudioError, match="rows: sample 4 of signal 1, 2 is nan"):
        as_signals(y, "rows")


def test_floats_keep_their_precision_where_that_is_asked_for():
    assert as_signals(np.zeros(2), dtype=None).dtype == np.float64
    assert as_signals(np.zeros(2, np.int16), dtype=None).dtype == np.float32
    assert as_signals(np.zeros(2)).dtype == np.float32
