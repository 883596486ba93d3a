"""Augmented copies of training rows, as a sampler."""

import hashlib
import os
from collections.abc import Sequence
from numbers import Integral

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, _fit_context
from sklearn.utils import _safe_indexing, check_consistent_length, check_random_state
from sklearn.utils._param_validation import Interval

from skkws._engine.rows import validate_rows
from skkws._runtime.progress import progress
from skkws.augment._filters import Equalizer
from skkws.augment._level import Gain, PeakLimit
from skkws.augment._noise import BackgroundNoise, ColoredNoise
from skkws.augment._room import Reverberation
from skkws.augment._time import SpeedChange, TimeShift
from skkws.augment._transform import Transform


def default_transforms(
    *, noise: str | os.PathLike[str] | ArrayLike | Sequence | None = None, sample_rate: int = 16000
) -> list[Transform]:
    """Return transforms for keyword spotting: another speed, moment, room, background, microphone and level.

    The ranges were chosen on the Free Spoken Digit Dataset in noise, and tried on Google Speech Commands; what they
    bring is in ``benchmarks/README.md``. A pitch shift is left out: the change of speed moves the pitch too, at a
    small part of its cost.

    Parameters
    ----------
    noise : path, array-like, list of paths and arrays, or None, default=None
        Recorded noise, as for :class:`BackgroundNoise`. Rows then get it more often than coloured noise.
    sample_rate : int, default=16000
        Samples per second of the rows.

    Returns
    -------
    transforms : list of Transform
        In the order in which sound meets them.

    Examples
    --------
    >>> from skkws.augment import default_transforms
    >>> [type(transform).__name__ for transform in default_transforms()]
    ['SpeedChange', 'TimeShift', 'Reverberation', 'ColoredNoise', 'Equalizer', 'Gain', 'PeakLimit']
    """
    rate = {"sample_rate": sample_rate}
    recorded = [] if noise is None else [BackgroundNoise(noise, (-3.0, 15.0), **rate, probability=0.8)]
    return [
        SpeedChange((0.85, 1.18), probability=0.7),
        TimeShift((-0.1, 0.1), **rate),
        Reverberation((0.1, 0.5), **rate, probability=0.3),
        *recorded,
        ColoredNoise((0.0, 20.0), **rate, probability=0.3 if recorded else 0.8),
        Equalizer((-6.0, 6.0), **rate, probability=0.5),
        Gain((-10.0, 6.0)),
        PeakLimit(1.0),
    ]


class AudioAugmenter(BaseEstimator):
    """Make varied copies of training rows.

    A copy is a function of the seed, its number and the clip alone: of the clip's content, not of its place or the
    rows around it. So a clip has the same copies in every fold of a cross-validation, in any order and process, and
    :class:`skkws.CachedTransformer` finds their features again. Equal rows have equal copies.

    `fit_resample` is the protocol of imbalanced-learn, whose pipelines call it in `fit` and never on rows to predict.
    scikit-learn's own pipelines cannot change the number of rows: for them there is :class:`AugmentedClassifier`.

    Parameters
    ----------
    transforms : list of callables or None, default=None
        Applied one after another: transforms of :mod:`skkws.augment`, or functions ``(rows, rng)`` that return rows
        of the same shape and take all chance from `rng`. None means :func:`default_transforms`, which expects
        waveforms at 16 kHz.
    n_copies : int, default=3
        Varied copies of each row. 0 makes none.
    keep_original : bool, default=True
        Whether the rows themselves come first, unchanged.
    random_state : int, RandomState instance or None, default=None
        Seeds the copies. Pass an int for the same copies in every call.
    verbose : bool or int, default=0
        Whether to draw a progress bar on the standard error stream.

    Attributes
    ----------
    sample_indices_ : ndarray of shape (n_rows_out,)
        The row that each row of the latest `fit_resample` comes from.
    n_features_in_ : int
        Columns of a row.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where `X` has names.

    See Also
    --------
    AugmentedClassifier : Trains a classifier on the copies.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws import AudioAugmenter
    >>> clips = np.random.RandomState(0).uniform(-0.1, 0.1, (2, 16000)).astype(np.float32)
    >>> X, y = AudioAugmenter(n_copies=2, random_state=0).fit_resample(clips, ["yes", "no"])
    >>> X.shape, y
    ((6, 16000), ['yes', 'no', 'yes', 'no', 'yes', 'no'])
    """

    _parameter_constraints = {
        "transforms": [list, tuple, None],
        "n_copies": [Interval(Integral, 0, None, closed="left")],
        "keep_original": ["boolean"],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(self, transforms=None, *, n_copies=3, keep_original=True, random_state=None, verbose=0):
        self.transforms = transforms
        self.n_copies = n_copies
        self.keep_original = keep_original
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Check the parameters and the rows; nothing is learnt.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_features)
            One clip a row.
        y : None
            Ignored.

        Returns
        -------
        self : AudioAugmenter
        """
        self._validate(X)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_resample(self, X, y):
        """Make the copies.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_features)
            One clip a row, most often waveforms in [-1, 1].
        y : array-like of shape (n_clips,)
            Labels.

        Returns
        -------
        X_out : ndarray of shape (n_rows_out, n_features)
            The rows (if they are kept), the first copy of each, the second of each, and so on; float32 or float64 as
            `X` is, and float32 for integers.
        y_out : of shape (n_rows_out,)
            The labels of these rows, of the type that `y` has.

        Raises
        ------
        ValueError
            If parameters contradict each other, rows are not finite, or a transform gives what it may not.
        """
        X = self._validate(X)
        check_consistent_length(X, y)
        n_kept = int(self.keep_original)
        seed = check_random_state(self.random_state).randint(2**31 - 1)
        transforms = default_transforms() if self.transforms is None else self.transforms
        blocks = np.empty((n_kept + self.n_copies, *X.shape), dtype=X.dtype)
        if self.keep_original:
            blocks[0] = X
        with progress("Augmenting", len(X), verbose=self.verbose) as advance:
            for i, row in enumerate(X):
                content = _digest(row)
                for copy in range(self.n_copies):
                    blocks[n_kept + copy, i] = _varied(row, transforms, np.random.default_rng([seed, copy, *content]))
                advance()
        self.sample_indices_ = np.tile(np.arange(len(X)), len(blocks))
        return blocks.reshape(-1, X.shape[1]), _safe_indexing(y, self.sample_indices_)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "n_features_in_")

    def _validate(self, X):
        for i, transform in enumerate(self.transforms or ()):
            if not callable(transform):
                raise ValueError(
                    f"transforms must be a list of callables (rows, rng), got {transform!r} at position {i}. See "
                    "skkws.augment for those at hand."
                )
        if not self.n_copies and not self.keep_original:
            raise ValueError("n_copies=0 with keep_original=False leaves no row; raise n_copies or keep the originals.")
        return validate_rows(self, X, dtype=[np.float32, np.float64])


def _digest(row):
    """Two integers that stand for the content of a row."""
    digest = hashlib.blake2b(np.ascontiguousarray(row, dtype="<f4"), digest_size=16).digest()
    return np.frombuffer(digest, dtype="<u8").tolist()


def _varied(row, transforms, rng):
    rows = row[None]
    for transform in transforms:
        shape = rows.shape
        rows = np.asarray(transform(rows.copy(), rng))
        if rows.shape != shape or not np.isfinite(rows).all():
            fault = f"the shape {rows.shape}" if rows.shape != shape else "NaN or infinity"
            raise ValueError(
                f"transforms must return finite rows of the same shape {shape}, and {transform!r} gave {fault}."
            )
    return rows[0]
