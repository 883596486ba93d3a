"""What a function computes with is checked before it computes, from whatever side it comes."""

import pickle
import subprocess
import sys

import numpy as np
import pytest

import skkws
from skkws.features import cmvn, log_mel, log_spectrogram, mel_filterbank, mfcc, stack_frames
from skkws.preparation import keep_speech, loudness, normalize_loudness, normalize_peak, telephone_band, trim_silence

CLIP = np.random.RandomState(0).uniform(-0.1, 0.1, 16000).astype(np.float32)
FUNCTIONS = {
    log_mel: skkws.LogMelTransformer,
    log_spectrogram: skkws.LogSpectrogramTransformer,
    mfcc: skkws.MFCCTransformer,
    keep_speech: skkws.VoiceActivityFilter,
    normalize_loudness: skkws.LoudnessNormalizer,
    normalize_peak: skkws.PeakNormalizer,
    telephone_band: skkws.TelephoneBand,
    trim_silence: skkws.TrimSilence,
}
# Setting, and values that no function has a meaning for.
NONSENSE = {
    "win_length": [400.0, 0, -1, 2**40, "400", None],
    "hop_length": [160.0, 0, -160, 2**40, [160], np.nan],
    "n_fft": [512.0, 0, 2**40],
    "n_mels": [0, 32.0, -1, 10**9],
    "n_mfcc": [0, 13.0],
    "deltas": [3, 1.0],
    "fmin": [-1.0, np.nan, np.inf],
    "fmax": [0.0, np.nan, np.inf],
    "power": [0.0, -1.0, np.nan, np.inf, 1e9],
    "log_offset": [0.0, -1e-3, np.nan, np.inf, 1e-300],
    "center": ["yes"],
    "sample_rate": [0, 16000.0, np.nan],
    "frame_length": [0, 400.0],
    "threshold_db": [1.0, np.nan],
    "margin": [-1, 0.5],
    "pad": ["left"],
    "peak_db": [np.nan, np.inf, 1e6],
    "target": [np.nan, -np.inf, 1e6],
    "order": [0, 4.0, 1000],
    "aggressiveness": [4, 2.5],
    "frame_duration": [0.025],
}
CASES = [
    pytest.param(function, name, value, id=f"{function.__name__}-{name}-{value}")
    for function, estimator in FUNCTIONS.items()
    for name in estimator().get_params()
    for value in NONSENSE.get(name, [])
]


@pytest.mark.parametrize(("function", "name", "value"), CASES)
def test_nonsense_is_refused_by_function_and_transformer(function, name, value):
    with pytest.raises(ValueError, match=f"The '{name}' parameter of {function.__name__} must be .* Got"):
        function(CLIP, **{name: value})
    transformer = FUNCTIONS[function]().fit([CLIP]).set_params(**{name: value})
    kept = pickle.loads(pickle.dumps(transformer))
    for changed in (transformer, kept):
        with pytest.raises(ValueError, match=f"The '{name}' parameter of {type(changed).__name__} must be .* Got"):
            changed.transform([CLIP])


@pytest.mark.parametrize("setting", [{"n_fft": 0}, {"n_mels": 0}, {"fmin": -1.0}, {"fmax": 9000.0}, {"fmin": 5000.0}])
def test_filters_refuse_nonsense(setting):
    with pytest.raises(ValueError, match=next(iter(setting))):
        mel_filterbank(**setting)


@pytest.mark.parametrize(
    ("function", "setting"),
    [(loudness, {"sample_rate": 0}), (cmvn, {"with_mean": "no"}), (stack_frames, {"stride": 0, "left": -1})],
)
def test_other_functions_refuse_nonsense(function, setting):
    with pytest.raises(ValueError, match="parameter of"):
        function(np.zeros((4, 8000)), **setting)


@pytest.mark.parametrize(
    ("transformer", "setting"),
    [
        (skkws.LogMelTransformer(), {"hop_length": 80}),
        (skkws.LogSpectrogramTransformer(), {"fmax": 4000.0}),
        (skkws.MFCCTransformer(), {"n_mfcc": 20}),
        (skkws.Resample(), {"target_rate": 4000}),
        (skkws.SpeechEmbeddingTransformer(), {"pooling": "mean"}),
        (skkws.SpeechEmbeddingTransformer(), {"padding": 0}),
    ],
    ids=str,
)
def test_settings_changed_after_fit_are_an_error_that_says_so(transformer, setting):
    transformer.fit([CLIP]).set_params(**setting)
    with pytest.raises(ValueError, match=r"its parameters were changed after fit\. Fit it again"):
        transformer.transform([CLIP])


def test_numbers_of_numpy_are_numbers():
    np.testing.assert_array_equal(log_mel(CLIP, hop_length=np.int64(160), fmin=np.float32(60)), log_mel(CLIP))


def test_what_has_been_checked_once_is_not_taken_for_what_it_equals():
    log_mel(CLIP, hop_length=160)
    with pytest.raises(ValueError, match="'hop_length' parameter of log_mel must be an int"):
        log_mel(CLIP, hop_length=160.0)


def test_the_process_outlives_a_length_that_is_no_integer():
    code = "import skkws\ntry: skkws.log_mel([0.0] * 16000, hop_length=160.0)\nexcept ValueError: print(1)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "1\n"
