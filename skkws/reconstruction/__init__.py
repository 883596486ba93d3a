"""Spectrograms in, spectrograms out: a denoiser and an autoencoder."""

from skkws.reconstruction._autoencoder import SpectrogramAutoencoder
from skkws.reconstruction._denoiser import UNetDenoiser

__all__ = ["SpectrogramAutoencoder", "UNetDenoiser"]
