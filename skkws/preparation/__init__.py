"""Waveform rows to waveform rows: what recordings go through before features are taken from them.

A row stays a clip and rows stay of one length, so that every step here is a scikit-learn transformer like any other.
What a step leaves out of a clip, silence for example, is made up for with zeros.

Examples
--------
The classical chain: resample, keep the speech, take a log-spectrogram, normalise its bands, put frames side by side.
Every parameter may be searched over, as ``speech__aggressiveness`` here.

>>> import numpy as np
>>> from sklearn.linear_model import LogisticRegression
>>> from sklearn.pipeline import Pipeline
>>> from skkws import BandScaler, FrameStacker, LogSpectrogramTransformer, Resample, VoiceActivityFilter
>>> pipeline = Pipeline(
...     [
...         ("resample", Resample(16000, 8000)),
...         ("speech", VoiceActivityFilter(8000, pad="end")),
...         ("features", LogSpectrogramTransformer(8000, win_length=160, hop_length=80)),
...         ("scale", BandScaler(n_bands=81)),
...         ("stack", FrameStacker(n_bands=81, left=2, right=2, stride=5)),
...         ("classifier", LogisticRegression()),
...     ]
... )
>>> t = np.arange(16000) / 16000
>>> clips = np.stack([0.3 * np.sign(np.sin(2 * np.pi * f * t)) for f in (120, 130, 220, 230)])
>>> pipeline.fit(clips, ["low", "low", "high", "high"]).predict(clips[1:3])
array(['low', 'high'], dtype='<U4')
>>> pipeline["stack"].output_shape_
(20, 405)
"""

from skkws.preparation._level import LoudnessNormalizer, PeakNormalizer, loudness, normalize_loudness, normalize_peak
from skkws.preparation._rate import Resample, TelephoneBand, telephone_band
from skkws.preparation._silence import TrimSilence, trim_silence
from skkws.preparation._speech import VoiceActivityFilter, keep_speech

__all__ = [
    "LoudnessNormalizer",
    "PeakNormalizer",
    "Resample",
    "TelephoneBand",
    "TrimSilence",
    "VoiceActivityFilter",
    "keep_speech",
    "loudness",
    "normalize_loudness",
    "normalize_peak",
    "telephone_band",
    "trim_silence",
]
