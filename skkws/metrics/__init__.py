"""Figures to judge a spotter or a denoiser by, with their uncertainty."""

from skkws.metrics._figures import accuracy_interval, signal_to_noise_ratio

__all__ = ["accuracy_interval", "signal_to_noise_ratio"]
