"""Waveform rows to feature rows."""

from skkws.features._framing import periodic_window
from skkws.features._logmel import LogMelTransformer, log_mel, mel_filterbank
from skkws.features._mfcc import MFCCTransformer, mfcc
from skkws.features._scaling import BandScaler, cmvn
from skkws.features._spectrogram import LogSpectrogramTransformer, log_spectrogram
from skkws.features._stacking import FrameStacker, stack_frames

__all__ = [
    "BandScaler",
    "FrameStacker",
    "LogMelTransformer",
    "LogSpectrogramTransformer",
    "MFCCTransformer",
    "cmvn",
    "log_mel",
    "log_spectrogram",
    "mel_filterbank",
    "mfcc",
    "periodic_window",
    "stack_frames",
]
