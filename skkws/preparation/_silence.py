"""Silence before and after a word, by energy."""

from numbers import Integral, Real
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils._param_validation import Interval, StrOptions

from skkws._engine.limits import LONGEST
from skkws._engine.settings import check_settings
from skkws._engine.waveform_rows import WaveformTransformer, each_signal
from skkws.audio import PADS, as_signals, fit_length

_CONSTRAINTS = {
    "threshold_db": [Interval(Real, None, 0, closed="right")],
    "frame_length": [Interval(Integral, 1, LONGEST, closed="both")],
    "hop_length": [Interval(Integral, 1, LONGEST, closed="both")],
    "margin": [Interval(Integral, 0, None, closed="left")],
    "pad": [StrOptions(set(PADS))],
}


@check_settings(_CONSTRAINTS)
def trim_silence(
    y: ArrayLike,
    *,
    threshold_db: float = -40.0,
    frame_length: int = 400,
    hop_length: int = 160,
    margin: int = 0,
    pad: Literal["center", "start", "end"] = "center",
) -> NDArray[np.float32]:
    """Replace the silence at both ends of signals by zeros, and move what remains to its place.

    Silent is a frame whose mean power is more than ``-threshold_db`` below that of the loudest frame of the same
    signal. What lies from the first to the last frame that is not silent is kept, silence within included.

    Parameters
    ----------
    y : array-like of shape (..., n_samples)
        Signals in [-1, 1].
    threshold_db : float, default=-40.0
        Level below which a frame is silent, in decibels relative to the loudest frame of the signal; not above 0.
    frame_length, hop_length : int, default=400, 160
        Length of a frame and distance between two, in samples. Frames begin at the first sample, and the last one is
        completed with zeros. The ends are found as exactly as frames are long; frames that do not overlap
        (``hop_length=frame_length``) find them on a grid.
    margin : int, default=0
        Samples to keep before and after.
    pad : {"center", "start", "end"}, default="center"
        Where the zeros go, as in :class:`~skkws.AudioLoader`: both sides, the start (the sound ends the row) or the
        end (the sound begins the row).

    Returns
    -------
    trimmed : ndarray of shape (..., n_samples), dtype float32
        As long as before. A signal of zeros stays one.

    Raises
    ------
    ValueError
        If `hop_length` exceeds `frame_length`, which would leave samples unheard, or `pad` is none of the three.

    See Also
    --------
    librosa.effects.trim : The same rule for one signal whose length may change.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws.preparation import trim_silence
    >>> y = np.r_[np.full(2, 0.0001), 0.5, -0.4, np.zeros(4)]
    >>> trim_silence(y, frame_length=1, hop_length=1, pad="end")
    array([ 0.5, -0.4,  0. ,  0. ,  0. ,  0. ,  0. ,  0. ], dtype=float32)
    """
    _check_frames(frame_length, hop_length)
    y = as_signals(y)
    n_samples = y.shape[-1]

    def trim(row):
        start, stop = _ends(row, threshold_db, frame_length, hop_length)
        return fit_length(row[max(0, start - margin) : stop + margin], n_samples, pad=pad)

    return each_signal(trim, y)


def _ends(row, threshold_db, frame_length, hop_length):
    """First sample, and the one after the last, of the frames that are not silent."""
    starts = np.arange(0, max(1, len(row) - frame_length + hop_length), hop_length)
    energy = np.concatenate([[0.0], np.cumsum(row.astype(np.float64) ** 2)])
    energies = energy[np.minimum(starts + frame_length, len(row))] - energy[starts]
    # Of a silent row all frames are as loud as the loudest, and the row stays as it is.
    loud = starts[energies >= 10.0 ** (threshold_db / 10.0) * energies.max()]
    return loud[0], min(loud[-1] + frame_length, len(row))


def _check_frames(frame_length, hop_length):
    if hop_length > frame_length:
        raise ValueError(
            f"hop_length must not exceed frame_length, got hop_length={hop_length} and frame_length={frame_length}; "
            "samples between two frames would go unheard."
        )


class TrimSilence(WaveformTransformer):
    """Waveform rows without the silence at their ends, by energy.

    What is trimmed is replaced by zeros, so that rows keep their length; words end up in the same place of every
    row, and the noise before and after them is gone. The computation is :func:`skkws.preparation.trim_silence`.

    Parameters
    ----------
    threshold_db : float, default=-40.0
        Level below which a frame is silent, in decibels relative to the loudest frame of the clip; not above 0.
    frame_length, hop_length : int, default=400, 160
        Length of a frame and distance between two, in samples; the distance not above the length.
    margin : int, default=0
        Samples to keep before and after.
    pad : {"center", "start", "end"}, default="center"
        Where the zeros go, as in :class:`~skkws.AudioLoader`: both sides, the start (the sound ends the row) or the
        end (the sound begins the row).

    Attributes
    ----------
    output_shape_ : tuple of (int,)
        Samples of a row, as many as before.
    n_features_in_ : int
        Samples of a clip.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the input columns, where `X` has names.

    See Also
    --------
    VoiceActivityFilter : By the sound of speech, for recordings with noise.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws import TrimSilence
    >>> clips = np.zeros((1, 16000))
    >>> clips[0, 1600:3200] = np.sin(np.arange(1600))
    >>> trimmed = TrimSilence(hop_length=400, pad="end").fit_transform(clips)
    >>> np.flatnonzero(trimmed[0])[[0, -1]].tolist()
    [1, 1599]
    """

    _parameter_constraints = _CONSTRAINTS

    def __init__(self, threshold_db=-40.0, *, frame_length=400, hop_length=160, margin=0, pad="center"):
        self.threshold_db = threshold_db
        self.frame_length = frame_length
        self.hop_length = hop_length
        self.margin = margin
        self.pad = pad

    def _shape_for(self, n_features):
        _check_frames(self.frame_length, self.hop_length)
        return super()._shape_for(n_features)

    def _frames(self, X):
        return trim_silence(X, **self.get_params(deep=False))
