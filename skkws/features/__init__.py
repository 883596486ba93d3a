"""Waveform rows to feature rows."""

from skkws.features._logmel import LogMelTransformer, log_mel, mel_filterbank
from skkws.features._mfcc import MFCCTransformer, mfcc

__all__ = ["LogMelTransformer", "MFCCTransformer", "log_mel", "mel_filterbank", "mfcc"]
