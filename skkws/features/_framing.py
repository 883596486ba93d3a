"""Signals in frames: what log-mel energies and log-spectrograms share."""

from importlib import resources

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from skkws._runtime.threads import available_threads, run_threads
from skkws.audio import as_signals

# Bounds of the settings: more bands than there are bins, and the least that single precision keeps all digits of.
MOST_BANDS, LEAST_OFFSET = 2**12, float(np.finfo(np.float32).tiny)
# Frames that a thread transforms at once.
_BLOCK_FRAMES = 2048


def count_frames(n_samples, win_length, hop_length, center):
    """Frames of a signal of this length."""
    padded = n_samples + (2 * (win_length // 2) if center else 0)
    return 1 + max(0, padded - win_length) // hop_length


def periodic_window(window: str | tuple, win_length: int) -> NDArray[np.float32]:
    """Return a window in its periodic form.

    Parameters
    ----------
    window : str or tuple
        As in :func:`scipy.signal.get_window`.
    win_length : int
        Its length, in samples.

    Returns
    -------
    ndarray of shape (win_length,), dtype float32
    """
    if (window, win_length) == ("hann", 400):
        # The original's window to the last bit. Single precision moves some of its samples by a rounding or two, and
        # next to a loud tone that decides the energy of the quiet bands: up to 0.003 in their logarithm.
        with resources.files("skkws.features").joinpath("google_hann_400.npy").open("rb") as file:
            return np.load(file)
    from scipy.signal import get_window  # loads slowly, and the defaults need none of it

    return get_window(window, win_length, fftbins=True).astype(np.float32)


def check_fft(sample_rate, win_length, n_fft, fmax):
    """Refuse lengths and frequencies that are fine alone and wrong together."""
    if n_fft < win_length:
        raise ValueError(
            f"n_fft must not be less than win_length, got n_fft={n_fft} and win_length={win_length}; raise n_fft, to "
            "the next power of two for speed, or shorten the window."
        )
    if fmax > sample_rate / 2:
        raise ValueError(
            f"fmax must not exceed half the sample rate, got fmax={fmax} Hz at sample_rate={sample_rate}; lower it to "
            f"{sample_rate / 2:g} Hz or less."
        )


def log_of_frames(y, compute, n_columns, *, win_length, hop_length, center, log_offset):
    """Logarithms (..., frames, n_columns) of what is computed from the frames of signals.

    Parameters
    ----------
    y : array-like of shape (..., n_samples)
        Signals.
    compute : callable
        ``compute(samples, starts, out)`` writes the columns of the frames that start there.
    n_columns : int
        Columns of a frame.
    win_length, hop_length, center, log_offset
        As in :func:`skkws.features.log_mel`.
    """
    y = as_signals(y)
    side = win_length // 2 if center else 0
    missing = max(0, win_length - y.shape[-1] - 2 * side)  # up to one whole window
    signals = np.ascontiguousarray(np.pad(y.reshape(-1, y.shape[-1]), ((0, 0), (side, side + missing))))
    n_frames = count_frames(y.shape[-1], win_length, hop_length, center)
    starts = np.add.outer(np.arange(len(signals)) * signals.shape[1], np.arange(n_frames) * hop_length).ravel()
    out = np.empty((len(starts), n_columns), dtype=np.float32)

    def fill(blocks):
        for block in blocks:
            rows = out[block]
            compute(signals.reshape(-1), starts[block], rows)
            rows += np.float32(log_offset)
            np.log(rows, out=rows)

    # Blocks of frames bound the memory, and threads share them out.
    run_threads(fill, [slice(i, i + _BLOCK_FRAMES) for i in range(0, len(starts), _BLOCK_FRAMES)], available_threads())
    return out.reshape(*y.shape[:-1], n_frames, n_columns)


def fft_magnitudes(samples, starts, taper, n_fft, n_bins, power):
    """Magnitudes (n_frames, n_bins) of the frames that start there, raised to a power, by SciPy's FFT."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, len(taper))[starts]
    frames *= taper
    magnitudes = np.abs(scipy.fft.rfft(frames, n_fft)[:, :n_bins])
    return magnitudes if power == 1 else magnitudes**power
