"""Where a clip speaks for a word."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skkws._engine.keras_networks import require_keras

if TYPE_CHECKING:
    from sklearn.base import ClassifierMixin

    from skkws.classifiers import KeywordNetClassifier

_LEAST = 1e-9


def occlusion_map(
    classifier: ClassifierMixin,
    row: ArrayLike,
    label: object = None,
    *,
    output_shape: tuple[int, int] | None = None,
    patch: tuple[int, int] = (8, 8),
    step: tuple[int, int] = (2, 2),
    fill: float | None = None,
) -> NDArray[np.floating]:
    """Cover one patch of a spectrogram after the other, and see how much less likely a word becomes.

    Works with any classifier on frames: an own network, a head, a support vector machine.

    Parameters
    ----------
    classifier : estimator
        Fitted, with `predict_proba`; or a pipeline, on rows of frames such as those of a :class:`LogMelTransformer`.
    row : array-like of shape (n_features,)
        One clip.
    label : object or None, default=None
        A class. None means the one that is predicted.
    output_shape : tuple of (int, int) or None, default=None
        Frames and bands of the row: the transformer's `output_shape_`. None takes the classifier's `input_shape_`.
    patch : tuple of (int, int), default=(8, 8)
        Frames and bands that are covered at once.
    step : tuple of (int, int), default=(2, 2)
        How far the next patch lies.
    fill : float or None, default=None
        What covers them. None means the lowest value of each band in the clip, which is silence in a log-mel row.

    Returns
    -------
    relevance : ndarray of shape (n_frames, n_bands)
        By how much the log-odds of the class fall when a patch over the place is covered, on average over the patches.
        Positive where the clip speaks for the class.

    Raises
    ------
    ValueError
        If the row has another shape, the class is unknown, or a patch is larger than the clip.

    References
    ----------
    Zeiler and Fergus (2014), "Visualizing and understanding convolutional networks".

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skkws.inspection import occlusion_map
    >>> rows = np.random.RandomState(0).normal(size=(40, 20 * 8))
    >>> classifier = LogisticRegression().fit(rows, rows[:, 3 * 8 + 2] > 0)
    >>> relevance = occlusion_map(classifier, rows[0], output_shape=(20, 8), patch=(4, 4))
    >>> relevance.shape
    (20, 8)
    """
    frames, column = _frames_and_class(classifier, row, label, output_shape)
    sizes = [(int(size), int(way)) for size, way in zip(patch, step, strict=True)]
    for (size, way), length, name in zip(sizes, frames.shape, ("frames", "bands"), strict=True):
        if not 1 <= size <= length or not 1 <= way <= size:
            raise ValueError(
                f"patch must cover 1 to {length} {name}, and step be no larger than it, got {size} and {way}; change "
                "one of them."
            )
    silence = np.broadcast_to(frames.min(axis=0) if fill is None else fill, frames.shape)
    starts = [_starts(length, *size) for length, size in zip(frames.shape, sizes, strict=True)]
    places = [np.s_[t : t + sizes[0][0], b : b + sizes[1][0]] for t in starts[0] for b in starts[1]]
    covered = np.repeat(frames[None], len(places), axis=0)
    for clip, place in zip(covered, places, strict=True):
        clip[place] = silence[place]
    odds = _log_odds(classifier, covered.reshape(len(places), -1), column)
    whole = _log_odds(classifier, frames.reshape(1, -1), column)[0]
    total, count = np.zeros(frames.shape), np.zeros(frames.shape)
    for place, value in zip(places, odds, strict=True):
        total[place] += whole - value
        count[place] += 1
    return total / count


def saliency_map(
    classifier: KeywordNetClassifier,
    row: ArrayLike,
    label: object = None,
    *,
    n_samples: int = 32,
    noise: float = 0.15,
    random_state: int | np.random.RandomState | None = 0,
) -> NDArray[np.floating]:
    """Find where the least change of a spectrogram would change the log-odds of a word the most.

    Parameters
    ----------
    classifier : KeywordNetClassifier
        Fitted.
    row : array-like of shape (n_features,)
        One clip.
    label : object or None, default=None
        A class. None means the one that is predicted.
    n_samples : int, default=32
        Noisy copies of the clip over which the map is averaged: the map of one clip alone is spotted.
    noise : float, default=0.15
        Standard deviation of the noise, in that of the clip's frames.
    random_state : int, RandomState instance or None, default=0
        Draws the noise.

    Returns
    -------
    saliency : ndarray of shape (n_frames, n_bands)
        Size of the gradient of the log-odds by what the network takes: standardised frames, or log-mel frames where it
        begins with the embedding.

    Raises
    ------
    ValueError
        If the row has another shape, or the class is unknown.

    References
    ----------
    Smilkov, Thorat, Kim, Viegas and Wattenberg (2017), "SmoothGrad: removing noise by adding noise".

    Examples
    --------
    >>> import numpy as np
    >>> from skkws import KeywordNetClassifier
    >>> from skkws.inspection import saliency_map
    >>> rows = np.random.RandomState(0).normal(size=(40, 20 * 8))
    >>> net = KeywordNetClassifier("cnn1d", input_shape=(20, 8), epochs=2, random_state=0)
    >>> saliency_map(net.fit(rows, rows[:, 3] > 0), rows[0]).shape
    (20, 8)
    """
    require_keras("saliency_map")
    import tensorflow as tf

    frames, column = _frames_and_class(classifier, row, label, None)
    if classifier.scaler_ is not None:
        frames = np.asarray(classifier.scaler_.transform(frames))
    model = classifier.to_keras()
    drawn = check_random_state(random_state).normal(0, noise * frames.std(), (n_samples, *frames.shape))
    batch = tf.constant(frames + drawn, dtype=model.inputs[0].dtype)
    with tf.GradientTape() as tape:
        tape.watch(batch)
        probability = tf.clip_by_value(model(batch, training=False)[:, column], _LEAST, 1 - 1e-6)
        odds = tf.math.log(probability) - tf.math.log(1 - probability)
    return np.abs(tape.gradient(odds, batch).numpy()).mean(axis=0)


def _frames_and_class(classifier, row, label, output_shape):
    """Frames of a row, and the column of a class in the classifier's probabilities."""
    check_is_fitted(classifier)
    row = np.asarray(row, dtype=np.float32)
    shape = classifier.input_shape_ if output_shape is None else tuple(output_shape)
    if row.shape != (int(np.prod(shape)),):
        raise ValueError(
            f"row must be one clip of {shape[0]} frames and {shape[1]} bands, got the shape {row.shape}; pass X[i], "
            "and the output_shape_ of the transformer."
        )
    labels = list(classifier.classes_)
    if label is None:
        label = classifier.predict(row[None])[0]
    if label not in labels:
        raise ValueError(f"label must be one of {[str(known) for known in labels]}, got {label!r}.")
    return row.reshape(shape), labels.index(label)


def _log_odds(classifier, rows, column):
    probability = np.clip(classifier.predict_proba(rows)[:, column].astype(float), _LEAST, 1 - _LEAST)
    return np.log(probability) - np.log(1 - probability)


def _starts(length, size, step):
    """Where patches begin, so that they cover everything."""
    return sorted({*range(0, length - size, step), length - size})
