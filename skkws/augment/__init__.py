"""Variations of recordings to train on: noise, shift, gain, speed, pitch, filters, rooms, clipping, masks.

Three layers: functions on arrays, transforms that draw the parameters of a function from ranges, and two estimators
that make copies of training rows with transforms.
"""

from skkws.augment._augmenter import AudioAugmenter, default_transforms
from skkws.augment._classifier import AugmentedClassifier
from skkws.augment._filters import BandLimit, Equalizer, band_limit, equalize
from skkws.augment._level import Clipping, Gain, PeakLimit, apply_gain, clip_peaks, limit_peak
from skkws.augment._masking import SpecAugment, spec_augment
from skkws.augment._noise import BackgroundNoise, ColoredNoise, active_rms, colored_noise, mix_at_snr
from skkws.augment._room import ImpulseResponse, Reverberation, reverberate, room_response
from skkws.augment._time import PitchShift, SpeedChange, TimeShift, change_speed, shift_pitch, shift_time
from skkws.augment._transform import Transform

__all__ = [
    "AudioAugmenter",
    "AugmentedClassifier",
    "BackgroundNoise",
    "BandLimit",
    "Clipping",
    "ColoredNoise",
    "Equalizer",
    "Gain",
    "ImpulseResponse",
    "PeakLimit",
    "PitchShift",
    "Reverberation",
    "SpecAugment",
    "SpeedChange",
    "TimeShift",
    "Transform",
    "active_rms",
    "apply_gain",
    "band_limit",
    "change_speed",
    "clip_peaks",
    "colored_noise",
    "default_transforms",
    "equalize",
    "limit_peak",
    "mix_at_snr",
    "reverberate",
    "room_response",
    "shift_pitch",
    "shift_time",
    "spec_augment",
]
