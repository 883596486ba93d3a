"""Ready-made spotters: from typed words, and from a few recordings."""

from skkws.spotting._pipeline import UNKNOWN, make_keyword_pipeline, mean_and_maximum
from skkws.spotting._spotter import SILENCE, SYNTHESIZED_WORTH, Spotter, train_keyword_spotter

__all__ = [
    "SILENCE",
    "SYNTHESIZED_WORTH",
    "UNKNOWN",
    "Spotter",
    "make_keyword_pipeline",
    "mean_and_maximum",
    "train_keyword_spotter",
]
