"""Deep against classical on one set of recordings: the main job."""

from skkws.compare._models import MODEL_NAMES, make_model, resolve_models
from skkws.compare._result import Comparison, FailedFit, FewShotScores, ModelScores, NoiseScores
from skkws.compare._run import compare_classifiers
from skkws.compare._splits import draw_examples, speaker_folds
from skkws.compare._statistics import Difference, Reliability, paired_differences
from skkws.compare._tables import Table, leaderboard

__all__ = [
    "MODEL_NAMES",
    "Comparison",
    "Difference",
    "FailedFit",
    "FewShotScores",
    "ModelScores",
    "NoiseScores",
    "Reliability",
    "Table",
    "compare_classifiers",
    "draw_examples",
    "leaderboard",
    "make_model",
    "paired_differences",
    "resolve_models",
    "speaker_folds",
]
