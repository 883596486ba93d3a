"""The pipeline that generalises best from synthesized speech to people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skkws._engine.spec import N_DIMS
from skkws.classifiers import KeywordHeadClassifier, PrototypeClassifier, RescoringClassifier
from skkws.embedding import SpeechEmbeddingTransformer, pool_vectors

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

UNKNOWN = "_unknown_"
# The maximum of the vectors says more about noise and voice than their mean does: it counts for less.
_WEIGHT_OF_MAXIMUM = 0.5


def make_keyword_pipeline(
    keywords: Sequence[str] | None = None,
    *,
    threshold: float = 0.5,
    rescored: bool = False,
    random_state: int | np.random.RandomState | None = None,
) -> Pipeline:
    """Make the pipeline that generalises best from synthesized speech to people.

    Mean and maximum of the embedding's vectors, each column scaled, and a :class:`PrototypeClassifier`: it has too
    little freedom to learn synthetic voices by heart, as the paper's head does. What each part brings is in
    ``benchmarks/README.md``. :func:`train_keyword_spotter` trains it.

    Parameters
    ----------
    keywords : list of str or None, default=None
        Labels to tell apart; rows with all other labels are words to let pass, which are predicted as ``"_unknown_"``.
        None takes every label as a keyword.
    threshold : float, default=0.5
        How far a keyword has to stand out from the words to let pass, in standard deviations. Higher means fewer
        false alarms and more misses.
    rescored : bool, default=False
        Whether a :class:`KeywordHeadClassifier` looks again at what the prototypes take for a keyword. Pass
        ``rescoringclassifier__rescored=is_recording`` to `fit`: the head is to learn from recordings of people alone.
    random_state : int, RandomState instance or None, default=None
        Seeds the head.

    Returns
    -------
    pipeline : Pipeline
        From waveform rows at 16 kHz to labels, not yet fitted.

    Examples
    --------
    >>> from skkws import make_keyword_pipeline
    >>> from skkws.synthesis import synthesize_keywords
    >>> speech = synthesize_keywords(["yes", "no", "house"], n_per_word=8, random_state=0)
    >>> pipeline = make_keyword_pipeline(["yes", "no"]).fit(speech.data, speech.target)
    >>> pipeline.classes_.tolist()
    ['_unknown_', 'no', 'yes']
    """
    scale = ColumnTransformer(
        [
            ("mean", StandardScaler(), slice(0, N_DIMS)),
            ("max", StandardScaler(), slice(N_DIMS, 2 * N_DIMS)),
        ],
        transformer_weights={"mean": 1.0, "max": _WEIGHT_OF_MAXIMUM},
    )
    prototypes = PrototypeClassifier(keywords, other_label=UNKNOWN, threshold=threshold)
    if not rescored:
        return make_pipeline(SpeechEmbeddingTransformer(pooling="mean_max"), scale, prototypes)
    # Several recordings of one word beside one of another must not make it the likelier one.
    head = KeywordHeadClassifier(class_weight="balanced", random_state=random_state)
    pool = FunctionTransformer(mean_and_maximum)
    return make_pipeline(
        SpeechEmbeddingTransformer(), RescoringClassifier(make_pipeline(pool, scale, prototypes), head)
    )


def mean_and_maximum(rows: NDArray[np.floating]) -> NDArray[np.floating]:
    """Pool rows of a :class:`SpeechEmbeddingTransformer` as its ``pooling="mean_max"`` does.

    Parameters
    ----------
    rows : ndarray of shape (n_clips, n_vectors * 96)
        Vectors of each clip, one after another.

    Returns
    -------
    pooled : ndarray of shape (n_clips, 192)
        Their mean and their maximum.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws.spotting import mean_and_maximum
    >>> mean_and_maximum(np.zeros((2, 13 * 96))).shape
    (2, 192)
    """
    return pool_vectors(rows.reshape(len(rows), -1, N_DIMS), "mean_max")
