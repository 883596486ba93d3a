"""Pictures, in the manner of scikit-learn's displays; they need matplotlib, their descriptions do not."""

from skkws.displays._charts import PALETTE, Chart, Series, few_shot_chart, noise_chart, speed_chart
from skkws.displays._comparison import DifferencesDisplay, FewShotDisplay, NoiseDisplay, SpeedAccuracyDisplay
from skkws.displays._relevance import RelevanceDisplay
from skkws.displays._stretches import StretchesDisplay

__all__ = [
    "PALETTE",
    "Chart",
    "DifferencesDisplay",
    "FewShotDisplay",
    "NoiseDisplay",
    "RelevanceDisplay",
    "Series",
    "SpeedAccuracyDisplay",
    "StretchesDisplay",
    "few_shot_chart",
    "noise_chart",
    "speed_chart",
]
