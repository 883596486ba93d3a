"""Speech in a recording, by the voice activity detector of WebRTC."""

from numbers import Integral, Real
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import maximum_filter1d
from sklearn.utils._param_validation import Interval, Options, StrOptions

from skkws._engine.settings import check_settings
from skkws._engine.waveform_rows import WaveformTransformer, each_signal
from skkws.audio import PADS, as_signals, fit_length

# What the detector is made for.
_RATES = (8000, 16000, 32000, 48000)
_FRAME_DURATIONS = (0.01, 0.02, 0.03)


_CONSTRAINTS = {
    "sample_rate": [Options(Integral, set(_RATES))],
    "aggressiveness": [Options(Integral, {0, 1, 2, 3})],
    "frame_duration": [Options(Real, set(_FRAME_DURATIONS))],
    "margin": [Interval(Integral, 0, None, closed="left")],
    "drop_pauses": ["boolean"],
    "pad": [StrOptions(set(PADS))],
}


@check_settings(_CONSTRAINTS)
def keep_speech(
    y: ArrayLike,
    *,
    sample_rate: int = 16000,
    aggressiveness: int = 2,
    frame_duration: float = 0.03,
    margin: int = 800,
    drop_pauses: bool = False,
    pad: Literal["center", "start", "end"] = "center",
) -> NDArray[np.float32]:
    """Replace what is not speech by zeros, and move the speech to its place.

    The detector of WebRTC [1]_ decides frame by frame, from the energies of six bands between 80 and 4000 Hz and
    what it has learnt of their background. It is made for calls and takes the first noise that it hears for speech;
    a clip is over before it knows better. Hence it hears each signal twice, and is asked the second time.

    Parameters
    ----------
    y : array-like of shape (..., n_samples)
        Signals in [-1, 1]; the detector hears them clipped to it and in 16 bits.
    sample_rate : {8000, 16000, 32000, 48000}, default=16000
        Samples per second.
    aggressiveness : {0, 1, 2, 3}, default=2
        How readily a frame is taken for no speech, from 0 (seldom) to 3 (often).
    frame_duration : {0.01, 0.02, 0.03}, default=0.03
        Length of a frame in seconds. The last frame is completed with zeros.
    margin : int, default=800
        Samples to keep before and after speech; where two such stretches meet they become one.
    drop_pauses : bool, default=False
        Whether to leave out the pauses between the first and the last speech too. Stops such as the ``p`` of "stop"
        have pauses of their own.
    pad : {"center", "start", "end"}, default="center"
        Where the zeros go, as in :class:`~skkws.AudioLoader`: both sides, the start (the speech ends the row) or the
        end (the speech begins the row).

    Returns
    -------
    speech : ndarray of shape (..., n_samples), dtype float32
        As long as before; zeros where there is no speech at all.

    Raises
    ------
    ImportError
        If the package webrtcvad-wheels is not installed.
    ValueError
        If the detector does not know the sample rate, the aggressiveness or the length of the frames, or `pad` is
        none of the three.

    References
    ----------
    .. [1] The WebRTC project, ``common_audio/vad``; in Python by the package webrtcvad-wheels.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws.preparation import keep_speech
    >>> keep_speech(np.zeros(16000)).any()
    np.False_
    """
    vad = _webrtcvad()
    y = as_signals(y)
    n_samples, frame_length = y.shape[-1], round(frame_duration * sample_rate)

    def keep(row):
        speech = np.repeat(_is_speech(vad.Vad(aggressiveness), row, sample_rate, frame_length), frame_length)
        kept = maximum_filter1d(speech[:n_samples].astype(np.uint8), 2 * margin + 1, mode="constant").astype(bool)
        if kept.any() and not drop_pauses:
            first, last = np.flatnonzero(kept)[[0, -1]]
            kept[first:last] = True
        return fit_length(row[kept], n_samples, pad=pad)

    return each_signal(keep, y)


def _is_speech(detector, row, sample_rate, frame_length):
    """Say of each frame whether it is speech, with a detector that has heard nothing but this row before."""
    pcm = np.round(32767 * np.clip(row, -1.0, 1.0)).astype(np.int16)
    frames = np.pad(pcm, (0, -len(pcm) % frame_length)).reshape(-1, frame_length)
    for _ in range(2):  # the first time it gets to know the background
        speech = [detector.is_speech(frame.tobytes(), sample_rate) for frame in frames]
    return speech


def _webrtcvad():
    try:
        import webrtcvad
    except ImportError as error:
        raise ImportError(
            'voice activity detection needs the package webrtcvad-wheels: pip install "skkws[vad]". TrimSilence, which '
            "goes by energy, needs nothing."
        ) from error
    return webrtcvad


class VoiceActivityFilter(WaveformTransformer):
    """Waveform rows of which the speech remains, by the voice activity detector of WebRTC.

    What is not speech is replaced by zeros, so that rows keep their length and words end up in the same place of
    every row. The computation is :func:`skkws.preparation.keep_speech`; ``pip install "skkws[vad]"`` brings the
    detector.

    Parameters
    ----------
    sample_rate : {8000, 16000, 32000, 48000}, default=16000
        Samples per second of the rows; :class:`~skkws.Resample` gets them there.
    aggressiveness : {0, 1, 2, 3}, default=2
        How readily a frame is taken for no speech, from 0 (seldom) to 3 (often).
    frame_duration : {0.01, 0.02, 0.03}, default=0.03
        Length of a frame in seconds.
    margin : int, default=800
        Samples to keep before and after speech.
    drop_pauses : bool, default=False
        Whether to leave out the pauses between the first and the last speech too.
    pad : {"center", "start", "end"}, default="center"
        Where the zeros go, as in :class:`~skkws.AudioLoader`: both sides, the start (the speech ends the row) or the
        end (the speech begins the row).

    Attributes
    ----------
    output_shape_ : tuple of (int,)
        Samples of a row, as many as before.
    n_features_in_ : int
        Samples of a clip.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the input columns, where `X` has names.

    Notes
    -----
    A clip without speech becomes a row of zeros. Each clip is heard on its own, so that rows do not depend on their
    order, and twice, so that the noise at its beginning is not taken for speech.

    See Also
    --------
    TrimSilence : By energy alone.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws import VoiceActivityFilter
    >>> clips = np.zeros((1, 16000))
    >>> clips[0, 8000:12000] = 0.3 * np.sign(np.sin(2 * np.pi * 150 * np.arange(4000) / 16000))  # a buzz, as of a voice
    >>> speech = VoiceActivityFilter(pad="end").fit_transform(clips)
    >>> bool(np.flatnonzero(speech[0])[0] < 1600)
    True
    """

    _parameter_constraints = _CONSTRAINTS

    def __init__(
        self,
        sample_rate=16000,
        *,
        aggressiveness=2,
        frame_duration=0.03,
        margin=800,
        drop_pauses=False,
        pad="center",
    ):
        self.sample_rate = sample_rate
        self.aggressiveness = aggressiveness
        self.frame_duration = frame_duration
        self.margin = margin
        self.drop_pauses = drop_pauses
        self.pad = pad

    def _shape_for(self, n_features):
        _webrtcvad()  # missing is better said before the first clip
        return super()._shape_for(n_features)

    def _frames(self, X):
        return keep_speech(X, **self.get_params(deep=False))
