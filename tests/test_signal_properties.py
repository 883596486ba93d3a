"""Signal functions at any of their settings, against references that are written out in double precision."""

import numpy as np
import pytest
from scipy.signal import get_window

from skkws._runtime.optional import is_installed
from skkws.audio import fit_length, resample
from skkws.features import cmvn, log_mel, log_spectrogram, mel_filterbank, mfcc, stack_frames
from skkws.preparation import keep_speech, loudness, normalize_loudness, normalize_peak, telephone_band, trim_silence

hypothesis = pytest.importorskip("hypothesis")
given, st = hypothesis.given, hypothesis.strategies

# The same settings in every run: what is found is found everywhere.
many = hypothesis.settings(
    max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=list(hypothesis.HealthCheck)
)
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

RATES = [8000, 16000, 32000]
SIDES = ["center", "start", "end"]
WINDOWS = ["hann", "hamming", "boxcar", "blackman", ("kaiser", 8.6)]


@st.composite
def signals(draw, longest=2500):
    """Noise, silence, a click or full scale, of any length and number, as any type of float."""
    n = draw(st.integers(1, longest))
    shape = (*draw(st.sampled_from([(), (1,), (2,), (2, 3)])), n)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kind = draw(st.sampled_from(["noise", "noise", "noise", "silence", "click", "full scale"]))
    y = rng.normal(scale=10.0 ** draw(st.integers(-4, 0)), size=shape)
    if kind == "silence":
        y[:] = 0
    elif kind == "click":
        y[:] = 0
        y[..., rng.integers(n)] = 1
    elif kind == "full scale":
        y = np.sign(y)
    return y.astype(draw(st.sampled_from(["f4", "f8"])))


@st.composite
def framings(draw, least=1):
    win_length = draw(st.integers(least, 600))
    n_fft = max(2, win_length + draw(st.sampled_from([0, 1, 7, 100, 512])))
    hop_length = draw(st.integers(1, 700))
    return {"win_length": win_length, "n_fft": n_fft, "hop_length": hop_length}


@st.composite
def bands(draw):
    sample_rate = draw(st.integers(2000, 48000))
    fmin = draw(st.floats(0, sample_rate / 4))
    fmax = draw(st.floats(fmin + sample_rate / 20, sample_rate / 2))
    return {"sample_rate": sample_rate, "fmin": fmin, "fmax": fmax, "n_mels": draw(st.integers(1, 50))}


@st.composite
def spectra(draw):
    return {
        "power": draw(st.sampled_from([1.0, 1.5, 2.0])),
        "log_offset": draw(st.floats(1e-4, 10)),
        "window": draw(st.sampled_from(WINDOWS)),
        "center": draw(st.booleans()),
    }


# References


def one_by_one(function, y, **settings):
    """What a function of one signal makes of each."""
    rows = [function(row, **settings) for row in y.reshape(-1, y.shape[-1]).astype(np.float64)]
    return np.array(rows).reshape(*y.shape[:-1], *rows[0].shape)


def reference_filterbank(sample_rate, n_fft, n_mels, fmin, fmax):
    def mel(f):
        return 1127 * np.log(1 + f / 700)

    edges = [mel(fmin) + i * (mel(fmax) - mel(fmin)) / (n_mels + 1) for i in range(n_mels + 2)]
    weights = np.zeros((n_fft // 2 + 1, n_mels))
    for k in range(1, n_fft // 2 + 1):
        m = mel(k * sample_rate / n_fft)
        for band in range(n_mels):
            low, middle, high = edges[band : band + 3]
            if low < m < high:
                weights[k, band] = (m - low) / (middle - low) if m <= middle else (high - m) / (high - middle)
    return weights


def reference_magnitudes(y, win_length, hop_length, n_fft, window, center):
    taper = get_window(window, win_length, fftbins=True)
    if center:
        y = np.pad(y, win_length // 2)
    frames, start = [], 0
    while not frames or start + win_length <= len(y):
        frame = y[start : start + win_length]
        frames.append(np.abs(np.fft.rfft(np.pad(frame, (0, win_length - len(frame))) * taper, n_fft)))
        start += hop_length
    return np.array(frames)


def assert_close_logarithms(logs, energies, log_offset, power, magnitudes):
    """Compare energies, whose error in single precision is a share of the loudest bin of the frame."""
    loudest = magnitudes.max(axis=-1, keepdims=True)
    exact = energies + log_offset
    # What single precision leaves of a bin, at its power, where it is faint and where it is not.
    reach = 3e-5 * exact + 60 * (2e-7 * loudest) * np.maximum(loudest, 1e-30) ** (power - 1)
    assert logs.dtype == np.float32
    assert logs.shape == exact.shape
    assert (np.abs(np.exp(logs.astype(np.float64)) - exact) <= reach + 1e-5 * log_offset).all()


# Features


@many
@given(signals(), framings(), bands(), spectra())
def test_log_mel(y, framing, band, spectrum):
    logs = log_mel(y, **framing, **band, **spectrum)
    power, log_offset = spectrum.pop("power"), spectrum.pop("log_offset")
    magnitudes = one_by_one(reference_magnitudes, y, **framing, **spectrum)
    weights = reference_filterbank(n_fft=framing["n_fft"], **band)
    np.testing.assert_allclose(mel_filterbank(n_fft=framing["n_fft"], **band), weights, atol=1e-5)
    assert_close_logarithms(logs, magnitudes**power @ weights, log_offset, power, magnitudes)


@many
@given(signals(), framings(least=2), spectra(), st.none() | st.floats(100, 4000))
def test_log_spectrogram(y, framing, spectrum, fmax):
    logs = log_spectrogram(y, sample_rate=8000, **framing, fmax=fmax, **spectrum)
    power, log_offset = spectrum.pop("power"), spectrum.pop("log_offset")
    magnitudes = one_by_one(reference_magnitudes, y, **framing, **spectrum)
    n_bins = sum(k * 8000 / framing["n_fft"] <= (fmax or 4000) for k in range(framing["n_fft"] // 2 + 1))
    assert_close_logarithms(logs, magnitudes[..., :n_bins] ** power, log_offset, power, magnitudes)


def reference_mfcc(y, sample_rate, n_mfcc, win_length, hop_length, n_fft, n_mels, fmin):
    def hertz(mel):  # of Slaney's scale, as librosa's
        return 200 / 3 * mel if mel < 15 else 1000 * 6.4 ** ((mel - 15) / 27)

    def mel(f):
        return 3 * f / 200 if f < 1000 else 15 + 27 * np.log(f / 1000) / np.log(6.4)

    taper = np.zeros(n_fft)
    begin = (n_fft - win_length) // 2
    taper[begin : begin + win_length] = get_window("hann", win_length, fftbins=True)
    padded = np.pad(y, n_fft // 2)
    starts = range(0, len(padded) - n_fft + 1, hop_length)
    power = np.array([np.abs(np.fft.rfft(padded[s : s + n_fft] * taper)) ** 2 for s in starts])
    low, high = mel(fmin), mel(sample_rate / 2)
    edges = [hertz(low + i * (high - low) / (n_mels + 1)) for i in range(n_mels + 2)]
    bins = np.arange(n_fft // 2 + 1) * sample_rate / n_fft
    energies = np.empty((len(power), n_mels))
    for b in range(n_mels):
        left, middle, right = edges[b : b + 3]
        triangle = np.maximum(0, np.minimum((bins - left) / (middle - left), (right - bins) / (right - middle)))
        energies[:, b] = power @ (triangle * 2 / (right - left))
    decibels = 10 * np.log10(np.maximum(1e-10, energies))
    decibels = np.maximum(decibels, decibels.max() - 80)
    i, k = np.arange(n_mels), np.arange(n_mfcc)[:, None]
    basis = np.cos(np.pi * k * (2 * i + 1) / (2 * n_mels)) * np.sqrt(2 / n_mels)
    basis[0] /= np.sqrt(2)
    return decibels @ basis.T


@pytest.mark.skipif(not is_installed("librosa"), reason="needs librosa")
@many
@given(signals(longest=4000), st.integers(2, 300), st.integers(50, 700), st.integers(1, 40), st.data())
def test_mfcc(y, win_length, hop_length, n_mels, data):
    hypothesis.assume(np.abs(y).max() > 0)
    settings = {
        "sample_rate": data.draw(st.integers(4000, 48000)),
        "n_mfcc": data.draw(st.integers(1, n_mels)),
        "win_length": win_length,
        "hop_length": hop_length,
        "n_fft": 2 * ((win_length + data.draw(st.integers(1, 200))) // 2 + 1),
        "n_mels": n_mels,
        "fmin": data.draw(st.floats(0, 1000)),
    }
    coefficients = mfcc(y, **settings, deltas=0)
    np.testing.assert_allclose(coefficients, one_by_one(reference_mfcc, y, **settings), atol=0.05)


@many
@given(st.integers(1, 12), st.integers(1, 4), st.integers(0, 6), st.integers(0, 6), st.integers(1, 5), st.booleans())
def test_stack_frames(n_frames, n_bands, left, right, stride, repeat):
    frames = np.random.default_rng(n_frames).normal(size=(2, n_frames, n_bands))
    stacked = stack_frames(frames, left=left, right=right, stride=stride, edges="repeat" if repeat else "zero")
    for clip, out in zip(frames, stacked, strict=True):
        for row, t in enumerate(range(0, n_frames, stride)):
            for place, s in enumerate(range(t - left, t + right + 1)):
                inside = 0 <= s < n_frames
                expected = clip[min(max(s, 0), n_frames - 1)] if inside or repeat else np.zeros(n_bands)
                np.testing.assert_array_equal(out[row, place * n_bands : (place + 1) * n_bands], expected)
    assert stacked.shape == (2, -(-n_frames // stride), (left + right + 1) * n_bands)


@many
@given(signals(longest=60), st.integers(1, 5), st.booleans(), st.booleans())
def test_cmvn(y, n_bands, with_mean, with_std):
    frames = np.repeat(y[..., None], n_bands, axis=-1) * np.arange(n_bands) + np.arange(n_bands) ** 2
    out = cmvn(frames, with_mean=with_mean, with_std=with_std)
    single = frames.astype(np.float32).astype(np.float64)
    mean, std = single.mean(axis=-2, keepdims=True), single.std(axis=-2, keepdims=True)
    expected = (single - mean * with_mean) / np.where(std == 0, 1, std if with_std else 1)
    np.testing.assert_allclose(out, expected, rtol=1e-5, atol=1e-4)


# Levels, silence and rates


@many
@given(signals(), st.floats(-120, 60))
def test_normalize_peak(y, peak_db):
    scaled = normalize_peak(y, peak_db=peak_db)
    for row, out in zip(y.reshape(-1, y.shape[-1]), scaled.reshape(-1, y.shape[-1]), strict=True):
        peak = np.abs(row.astype(np.float64)).max()
        np.testing.assert_allclose(out, row * (10 ** (peak_db / 20) / peak if peak else 0), rtol=1e-6)


@many
@given(signals(longest=12000), st.integers(4000, 48000), st.floats(-60, 0), st.floats(0.1, 10))
def test_loudness_follows_the_gain_and_is_what_is_asked_for(y, sample_rate, target, gain):
    before, louder = loudness(y, sample_rate=sample_rate), loudness(gain * y, sample_rate=sample_rate)
    audible = (before > -45) & (louder > -45)  # far from the gate of silence
    np.testing.assert_allclose((louder - before)[audible], 20 * np.log10(gain), atol=1e-3)
    normal = loudness(normalize_loudness(y, sample_rate=sample_rate, target=target), sample_rate=sample_rate)
    # Not near the gate, where blocks come and go.
    np.testing.assert_allclose(normal[(before > -45) & (target > -45)], target, atol=0.01)


@many
@given(st.integers(8000, 48000), st.floats(0.01, 1), st.floats(0.5, 1.5))
def test_a_tone_has_the_loudness_of_the_recommendation(sample_rate, amplitude, seconds):
    tone = amplitude * np.sin(2 * np.pi * 997 * np.arange(round(seconds * sample_rate)) / sample_rate)
    assert loudness(tone, sample_rate=sample_rate) == pytest.approx(-3.01 + 20 * np.log10(amplitude), abs=0.15)


def reference_trim(y, threshold_db, frame_length, hop_length, margin, pad):
    starts = list(range(0, max(1, len(y) - frame_length + hop_length), hop_length))
    energies = [float(np.sum(y[s : s + frame_length] ** 2)) for s in starts]
    loud = [s for s, e in zip(starts, energies, strict=True) if e >= 10 ** (threshold_db / 10) * max(energies)]
    first, last = max(0, loud[0] - margin), min(loud[-1] + frame_length, len(y)) + margin
    return fit_length(y[first:last], len(y), pad=pad)


@many
@given(signals(), st.floats(-60, -1), st.integers(1, 500), st.integers(0, 300), st.sampled_from(SIDES), st.data())
def test_trim_silence(y, threshold_db, frame_length, margin, pad, data):
    hop_length = data.draw(st.integers(1, frame_length))
    quiet = np.linspace(0, 1, y.shape[-1]) < data.draw(st.floats(0, 0.8))
    y = np.where(quiet, 0, y)
    settings = {"frame_length": frame_length, "hop_length": hop_length, "margin": margin, "pad": pad}
    trimmed = trim_silence(y, threshold_db=threshold_db, **settings)
    expected = one_by_one(reference_trim, y.astype(np.float32), threshold_db=threshold_db, **settings)
    np.testing.assert_allclose(trimmed, expected, rtol=1e-6)


@many
@given(st.integers(2000, 48000), st.integers(2000, 48000), st.floats(0.05, 0.4), st.floats(0.01, 1))
def test_resampling_keeps_tones(orig_sr, target_sr, place, amplitude):
    frequency = place * min(orig_sr, target_sr)
    y = amplitude * np.sin(2 * np.pi * frequency * np.arange(round(0.3 * orig_sr)) / orig_sr)
    out = resample(y, orig_sr=orig_sr, target_sr=target_sr)
    assert len(out) == (2 * len(y) * target_sr + orig_sr) // (2 * orig_sr)
    expected = amplitude * np.sin(2 * np.pi * frequency * np.arange(len(out)) / target_sr)
    inside = slice(len(out) // 4, -len(out) // 4)
    np.testing.assert_allclose(out[inside], expected[inside], atol=1e-3 * amplitude)


@many
@given(signals(longest=8000), st.integers(1, 8), st.floats(50, 1500), st.floats(1.3, 4), st.floats(0.01, 100))
def test_the_telephone_band_is_linear_and_keeps_its_place(y, order, fmin, width, gain):
    settings = {"sample_rate": 16000, "fmin": fmin, "fmax": min(7900, fmin * width), "order": order}
    out = telephone_band(y, **settings)
    assert out.shape == y.shape
    reach = 1e-5 * gain * np.abs(y).max()
    np.testing.assert_allclose(telephone_band(gain * y, **settings), gain * out, rtol=1e-3, atol=reach)
    middle = np.sqrt(settings["fmin"] * settings["fmax"])
    tone = np.sin(2 * np.pi * middle * np.arange(16000) / 16000)
    inside = slice(6000, 10000)
    np.testing.assert_allclose(telephone_band(tone, **settings)[inside], tone[inside], atol=0.02)


@pytest.mark.skipif(not is_installed("webrtcvad"), reason="needs webrtcvad")
@many
@given(
    signals(longest=12000),
    st.sampled_from([8000, 16000, 32000]),
    st.integers(0, 3),
    st.sampled_from([0.01, 0.02, 0.03]),
)
def test_voice_activity_keeps_samples_as_they_are(y, sample_rate, aggressiveness, seconds):
    out = keep_speech(y, sample_rate=sample_rate, aggressiveness=aggressiveness, frame_duration=seconds)
    assert out.shape == y.shape
    for row, kept in zip(y.reshape(-1, y.shape[-1]), out.reshape(-1, y.shape[-1]), strict=True):
        assert np.isin(kept[kept != 0], row.astype(np.float32)).all()
