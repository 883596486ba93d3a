"""The compiled mel energies against SciPy's FFT, to the last bit where the arithmetic is the same."""

import numpy as np
import pytest
import scipy.fft

from skkws._engine.logmel_kernel import MelKernel
from skkws.features import log_mel, mel_filterbank

LANES = pytest.mark.parametrize("lanes", [4, 8, 16])


def signal(n, seed=0):
    return np.random.default_rng(seed).normal(size=n).astype(np.float32)


def spectra(samples, starts, taper, n_fft):
    frames = np.stack([samples[start : start + len(taper)] for start in starts]) * taper
    return scipy.fft.rfft(frames, n_fft)


def energies(kernel, samples, starts, n_mels):
    out = np.full((len(starts), n_mels), np.nan, np.float32)
    kernel(samples, np.asarray(starts, np.int64), out)
    return out


@LANES
@pytest.mark.parametrize("n_fft", [2**k for k in range(2, 13)])
def test_squares_of_the_spectrum_equal_scipys_to_the_last_bit(lanes, n_fft):
    each_bin = np.eye(n_fft // 2 + 1, dtype=np.float32)[:, 1:-1]
    taper = signal(max(1, n_fft - n_fft // 5), seed=1)
    samples, starts = signal(3 * n_fft + 50), np.arange(0, 2 * n_fft, max(1, n_fft // 9))
    spectrum = spectra(samples, starts, taper, n_fft)[:, 1:-1]
    expected = spectrum.real * spectrum.real + spectrum.imag * spectrum.imag
    np.testing.assert_array_equal(
        energies(MelKernel(taper, each_bin, 2, lanes), samples, starts, n_fft // 2 - 1), expected
    )


@LANES
@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("n_frames", [1, 3, 16, 35])
def test_bands_are_weighted_sums_of_magnitudes(lanes, power, n_frames):
    weights, taper = mel_filterbank(n_mels=40, fmin=0, fmax=8000), np.hanning(401)[:400].astype(np.float32)
    samples, starts = signal(400 + 160 * n_frames), 160 * np.arange(n_frames)
    expected = np.abs(spectra(samples, starts, taper, 512)) ** power @ weights
    actual = energies(MelKernel(taper, weights, power, lanes), samples, starts, 40)
    np.testing.assert_allclose(actual, expected, rtol=1e-5)


def test_a_band_without_a_bin_is_silent():
    weights = np.zeros((129, 3), np.float32)
    weights[5:9, 1] = 1
    actual = energies(MelKernel(np.ones(200, np.float32), weights, 1), signal(900), [0, 300, 650], 3)
    np.testing.assert_array_equal(actual[:, [0, 2]], 0)
    assert (actual[:, 1] > 0).all()


@pytest.mark.parametrize("power", [1.0, 2.0])
def test_frames_and_blocks_stand_where_they_belong(power):
    clips = signal(7 * 48000).reshape(7, 48000)  # 2,086 frames: more than a block
    together = log_mel(clips, power=power)
    for clip, rows in zip(clips, together, strict=True):
        np.testing.assert_array_equal(log_mel(clip, power=power), rows)
    np.testing.assert_array_equal(log_mel(clips[2, 160 * 9 :], power=power), together[2, 9:])


@pytest.mark.parametrize("power", [1.0, 2.0])
def test_log_mel_is_the_same_by_either_fft(power):
    clip = signal(8000)
    ours = log_mel(clip, power=power)  # 2 to the ninth
    np.testing.assert_allclose(log_mel(clip, power=power * (1 - 1e-12)), ours, rtol=1e-5)


@pytest.mark.parametrize("starts", [[-1], [601], [0, 10**12]])
def test_frames_outside_of_the_samples_are_refused(starts):
    kernel = MelKernel(np.ones(400, np.float32), np.ones((257, 4), np.float32), 1)
    out = np.empty((len(starts), 4), np.float32)
    with pytest.raises(ValueError, match="do not lie within 1000 samples"):
        kernel(np.zeros(1000, np.float32), np.array(starts), out)
