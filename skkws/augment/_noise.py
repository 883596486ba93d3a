"""Coloured and recorded noise, and mixing at a signal-to-noise ratio."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import scipy.fft
from numpy.typing import ArrayLike, NDArray

from skkws.audio import as_signals
from skkws.augment._recordings import as_recordings, excerpt, samples_of
from skkws.augment._transform import Transform, as_generator, draw

# Exponent of the frequency in the amplitude spectrum; one unit is 6.02 dB per octave.
COLORS = {"white": 0.0, "pink": -0.5, "blue": 0.5, "brown": -1.0, "violet": 1.0}
# Below the limit of hearing brown noise would hold most of its power, and decide a signal-to-noise ratio unheard.
_LOWEST = 20.0
# Frames of 20 ms are active where they are at most 20 dB quieter than the loudest.
_ACTIVE_FRAME = 0.02
_ACTIVE_MARGIN = 20.0


def colored_noise(
    n_samples: int,
    color: Literal["white", "pink", "blue", "brown", "violet"] = "white",
    *,
    sample_rate: int = 16000,
    random_state: int | np.random.RandomState | np.random.Generator | None = None,
) -> NDArray[np.float32]:
    """Gaussian noise whose power spectrum is a power of the frequency.

    Per octave the power density changes by 0 dB (white), -3 dB (pink), +3 dB (blue), -6 dB (brown) or +6 dB (violet).
    It is made in the frequency domain [1]_, from 20 Hz to half the sample rate.

    Parameters
    ----------
    n_samples : int
        Length, in samples.
    color : {"white", "pink", "blue", "brown", "violet"}, default="white"
        Colour.
    sample_rate : int, default=16000
        Samples per second.
    random_state : int, RandomState, Generator or None, default=None
        Seeds the noise.

    Returns
    -------
    noise : ndarray of shape (n_samples,), dtype float32
        With a root mean square of 1.

    References
    ----------
    .. [1] Timmer, Koenig (1995), "On generating power law noise", Astronomy and Astrophysics 300.

    Examples
    --------
    >>> from skkws.augment import colored_noise
    >>> noise = colored_noise(16000, "pink", random_state=0)
    >>> noise.shape, float((noise**2).mean().round(3))
    ((16000,), 1.0)
    """
    if color not in COLORS:
        raise ValueError(f"color must be one of {', '.join(map(repr, COLORS))}, got {color!r}.")
    if n_samples < 1:
        raise ValueError(f"n_samples must be at least 1, got {n_samples!r}.")
    rng = as_generator(random_state)
    # Long enough to hold a period of the lowest frequency.
    n_fft = scipy.fft.next_fast_len(max(n_samples, int(2 * sample_rate / _LOWEST)), real=True)
    frequencies = np.fft.rfftfreq(n_fft, 1.0 / sample_rate)
    first = np.searchsorted(frequencies, _LOWEST)
    spectrum = rng.standard_normal(2 * len(frequencies), dtype=np.float32).view(np.complex64)
    spectrum[:first] = 0.0
    if COLORS[color]:
        spectrum[first:] *= (frequencies[first:] / frequencies[-1]).astype(np.float32) ** np.float32(COLORS[color])
    noise = scipy.fft.irfft(spectrum, n_fft)[:n_samples]
    return noise / _rms(noise)[..., None].astype(np.float32)


def active_rms(y: ArrayLike, *, sample_rate: int = 16000) -> NDArray[np.floating]:
    """Root mean square of the active parts of signals.

    Active are the frames of 20 ms that are at most 20 dB quieter than the loudest, a simple form of the active speech
    level of ITU-T P.56. So the level of a word does not depend on the silence around it.

    Parameters
    ----------
    y : array-like of shape (..., n_samples)
        Signals.
    sample_rate : int, default=16000
        Samples per second.

    Returns
    -------
    level : ndarray of shape (...)
        0 for digital silence.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws.augment import active_rms
    >>> word = np.full(8000, 0.5)
    >>> float(active_rms(word)), float(active_rms(np.pad(word, 3200)))
    (0.5, 0.5)
    """
    y = as_signals(y, "y", dtype=None)
    starts = np.arange(0, y.shape[-1], max(1, round(_ACTIVE_FRAME * sample_rate)))
    lengths = np.diff(starts, append=y.shape[-1])
    energies = np.add.reduceat(np.square(y, dtype=np.float64), starts, axis=-1)
    powers = energies / lengths
    active = powers >= 10 ** (-_ACTIVE_MARGIN / 10) * powers.max(axis=-1, keepdims=True)
    return np.sqrt((energies * active).sum(axis=-1) / (lengths * active).sum(axis=-1))


def mix_at_snr(
    speech: ArrayLike, noise: ArrayLike, snr_db: ArrayLike, *, sample_rate: int = 16000
) -> NDArray[np.floating]:
    """Add noise to speech at a signal-to-noise ratio.

    The ratio is that of :func:`active_rms` of the speech to the root mean square of the whole noise. The speech keeps
    its level.

    Parameters
    ----------
    speech : array-like of shape (..., n_samples)
        Signals. To digital silence nothing is added, as no ratio is defined.
    noise : array-like of shape (n_samples,) or (..., n_samples)
        Noise as long as the speech. Silent noise adds nothing.
    snr_db : float or array-like of shape (...)
        The ratio, in dB.
    sample_rate : int, default=16000
        Samples per second.

    Returns
    -------
    mixture : ndarray of shape (..., n_samples)
        In the dtype of `speech`. It may exceed full scale; :func:`limit_peak` scales it back.

    Raises
    ------
    ValueError
        If the lengths differ, there is no sample, or something is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws.augment import colored_noise, mix_at_snr
    >>> tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    >>> mixture = mix_at_snr(tone, colored_noise(16000, random_state=0), 20)
    >>> float(np.round(10 * np.log10(np.mean(tone**2) / np.mean((mixture - tone) ** 2)), 2))
    20.0
    """
    speech, noise = as_signals(speech, "speech", dtype=None), as_signals(noise, "noise", dtype=None)
    if noise.shape[-1] != speech.shape[-1]:
        raise ValueError(
            f"noise must be as long as speech, got {noise.shape[-1]} and {speech.shape[-1]} samples; take an excerpt "
            "of it, or repeat it with np.resize."
        )
    snr_db = np.asarray(snr_db, dtype=np.float64)
    if np.isnan(snr_db).any():
        raise ValueError("snr_db must be a number of dB, got NaN.")
    noise_level = _rms(noise)
    wanted = active_rms(speech, sample_rate=sample_rate) / 10 ** (snr_db / 20)
    scale = np.where(noise_level > 0, wanted / np.where(noise_level > 0, noise_level, 1.0), 0.0)
    return speech + scale[..., None].astype(speech.dtype) * noise.astype(speech.dtype, copy=False)


def _rms(y):
    return np.sqrt(np.square(y, dtype=np.float64).mean(axis=-1))


@dataclass(frozen=True, eq=False)
class ColoredNoise(Transform):
    """Add coloured noise.

    Parameters
    ----------
    snr_db : float or (low, high), default=(5.0, 30.0)
        Signal-to-noise ratio, in dB, as in :func:`mix_at_snr`.
    colors : tuple of str, default=("white", "pink", "blue", "brown", "violet")
        Colours of :func:`colored_noise` to choose from.
    sample_rate : int, default=16000
        Samples per second.
    probability : float, default=1.0
        How likely a row is varied.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws.augment import ColoredNoise
    >>> ColoredNoise(20.0, colors=("pink",))(np.ones((2, 16000)), np.random.default_rng(0)).shape
    (2, 16000)
    """

    snr_db: float | tuple = (5.0, 30.0)
    colors: tuple = tuple(COLORS)
    sample_rate: int = 16000

    def _check(self):
        self._check_range("snr_db")
        self._check_count("sample_rate", 1)
        unknown = [color for color in self.colors if color not in COLORS]
        if isinstance(self.colors, str) or not self.colors or unknown:
            raise ValueError(
                f"ColoredNoise: colors must be a tuple of some of {', '.join(map(repr, COLORS))}, got {self.colors!r}."
            )

    def _vary(self, y, rng):
        color = self.colors[rng.integers(len(self.colors))]
        noise = colored_noise(len(y), color, sample_rate=self.sample_rate, random_state=rng)
        return mix_at_snr(y, noise, draw(rng, self.snr_db), sample_rate=self.sample_rate)


@dataclass(frozen=True, eq=False)
class BackgroundNoise(Transform):
    """Add a random excerpt of recorded noise.

    Parameters
    ----------
    noise : path, array-like, or list of paths and arrays
        A folder (all audio files in it and below, listed when the transform is made), a file, samples at
        `sample_rate` of shape (n_samples,) or (n_clips, n_samples), or a list of files and samples. Files are read
        as by :func:`skkws.audio.read_audio` when they are first needed, and a pickle holds their paths alone.
    snr_db : float or (low, high), default=(5.0, 30.0)
        Signal-to-noise ratio, in dB, as in :func:`mix_at_snr`; the noise level is that of the excerpt.
    sample_rate : int, default=16000
        Samples per second of the rows. Files are resampled to it.
    probability : float, default=1.0
        How likely a row is varied.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws.augment import BackgroundNoise
    >>> hum = 0.1 * np.sin(2 * np.pi * 50 * np.arange(48000) / 16000)
    >>> BackgroundNoise(hum, 10.0)(np.ones((2, 16000)), np.random.default_rng(0)).shape
    (2, 16000)
    """

    noise: tuple = field(repr=False)
    snr_db: float | tuple = (5.0, 30.0)
    sample_rate: int = 16000

    def _check(self):
        self._check_range("snr_db")
        self._check_count("sample_rate", 1)
        object.__setattr__(self, "noise", as_recordings(self.noise, "BackgroundNoise"))

    def _vary(self, y, rng):
        noise = samples_of(self.noise[rng.integers(len(self.noise))], self.sample_rate)
        return mix_at_snr(y, excerpt(noise, len(y), rng), draw(rng, self.snr_db), sample_rate=self.sample_rate)
