"""The stretches of sound that excite a dimension of the embedding."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_array

from skkws._engine.spec import FRAMES_PER_HOP, HOP_LENGTH, MIN_SAMPLES, SAMPLE_RATE
from skkws.embedding import SpeechEmbeddingTransformer


@dataclass(frozen=True)
class Stretch:
    """A stretch of a clip, and how much it excites a dimension of the embedding.

    Attributes
    ----------
    clip : int
        Row of the clip.
    start, stop : float
        In seconds.
    value : float
        What the dimension says.
    """

    clip: int
    start: float
    stop: float
    value: float


def exciting_stretches(
    embedding: SpeechEmbeddingTransformer, X: ArrayLike, dimension: int, *, n_stretches: int = 5
) -> list[Stretch]:
    """Find the stretches of sound that a dimension of the embedding answers to most.

    Parameters
    ----------
    embedding : SpeechEmbeddingTransformer
        With ``input="audio"``; its `pooling` does not matter.
    X : array-like of shape (n_clips, n_samples)
        Waveform rows at 16 kHz.
    dimension : int
        One of 96, from 0.
    n_stretches : int, default=5
        How many at most; no two of them overlap.

    Returns
    -------
    stretches : list of Stretch
        The most exciting first. A vector covers 0.775 s of sound; what of it lies in the padding is left out.

    Raises
    ------
    ValueError
        If the embedding takes log-mel rows, or there is no such dimension.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws import SpeechEmbeddingTransformer
    >>> from skkws.inspection import exciting_stretches
    >>> clips = np.random.RandomState(0).uniform(-0.1, 0.1, (2, 16000))
    >>> found = exciting_stretches(SpeechEmbeddingTransformer(), clips, 7, n_stretches=2)
    >>> len(found), found[0].value >= found[1].value
    (2, True)
    """
    if embedding.input != "audio":
        raise ValueError('exciting_stretches takes an embedding with input="audio", as times are those of the sound.')
    X = check_array(X, dtype=np.float32)
    vectors = SpeechEmbeddingTransformer(weights=embedding.weights, padding=embedding.padding).fit(X)
    answers = np.asarray(vectors.transform(X)).reshape(len(X), *vectors.output_shape_)
    if not 0 <= dimension < answers.shape[-1]:
        raise ValueError(f"dimension must be from 0 to {answers.shape[-1] - 1}, got {dimension}.")
    answers = answers[..., dimension]
    length = MIN_SAMPLES
    in_front = max(embedding.padding, (length - X.shape[1]) // 2)
    found = []
    for place in np.argsort(-answers, axis=None):
        clip, v = np.unravel_index(place, answers.shape)
        start = v * FRAMES_PER_HOP * HOP_LENGTH - in_front
        inside = [min(max(0, edge), X.shape[1]) / SAMPLE_RATE for edge in (start, start + length)]
        stretch = Stretch(int(clip), *inside, float(answers[clip, v]))
        if not any(s.clip == clip and s.start < stretch.stop and stretch.start < s.stop for s in found):
            found.append(stretch)
        if len(found) == n_stretches:
            break
    return found
