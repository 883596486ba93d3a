"""Pictures, in the manner of scikit-learn's displays; they need matplotlib."""

from skkws.displays._comparison import DifferencesDisplay, FewShotDisplay, NoiseDisplay, SpeedAccuracyDisplay
from skkws.displays._relevance import RelevanceDisplay
from skkws.displays._stretches import StretchesDisplay

__all__ = [
    "DifferencesDisplay",
    "FewShotDisplay",
    "NoiseDisplay",
    "RelevanceDisplay",
    "SpeedAccuracyDisplay",
    "StretchesDisplay",
]
