"""From recordings to waveform rows: read, scale, mix down, resample, fit to length.

This is the one door at which files, sample rates, channels, PCM integers and ragged lengths end. The functions work
on one recording; `AudioLoader` applies them to many, as the first step of a scikit-learn pipeline.
"""

from skkws.audio._clips import Clip, ClipReport, as_clip_list, clip_names, load_clip
from skkws.audio._formats import AUDIO_EXTENSIONS, audio_extensions, unread_extensions
from skkws.audio._loader import AudioLoader
from skkws.audio._recording import CROPS, PADS, fit_length, read_audio, resample
from skkws.audio._samples import AudioError, as_signals, check_samples, level_doubt, pcm_to_float
from skkws.audio._source import is_source, read_bytes

__all__ = [
    "AUDIO_EXTENSIONS",
    "CROPS",
    "PADS",
    "AudioError",
    "AudioLoader",
    "Clip",
    "ClipReport",
    "as_clip_list",
    "as_signals",
    "audio_extensions",
    "check_samples",
    "clip_names",
    "fit_length",
    "is_source",
    "level_doubt",
    "load_clip",
    "pcm_to_float",
    "read_audio",
    "read_bytes",
    "resample",
    "unread_extensions",
]
