"""What every transformer from waveform rows to frames of columns shares."""

import os
import warnings
from abc import abstractmethod

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted, validate_data

from skkws._engine.limits import check_features
from skkws._engine.settings import check_parameters


def validate_rows(estimator, X, *args, **kwargs):
    """Do what scikit-learn's `validate_data` does, and refuse names of files and numbers too large to compute with."""
    first = X.iloc[0] if getattr(X, "ndim", 0) == 1 and hasattr(X, "iloc") and len(X) else None
    if isinstance(X, list | tuple) or (isinstance(X, np.ndarray) and X.ndim == 1):
        first = X[0] if len(X) else None
    if isinstance(first, str | os.PathLike | bytes):
        name = type(estimator).__name__
        raise TypeError(
            f"{name} takes an array of rows, and X holds names of files, {str(first)!r} the first one. Read them in "
            f"front of it: make_pipeline(AudioLoader(), {name}(), ...)."
        )
    with np.errstate(over="ignore"):  # what overflows is refused as infinite
        valid = validate_data(estimator, X, *args, **kwargs)
    check_features(valid[0] if isinstance(valid, tuple) else valid, "X")
    return valid


class FrameTransformer(TransformerMixin, BaseEstimator):
    """A stateless transformer whose output rows are frames x columns, flattened frame-major.

    A subclass says which shape comes out for rows of a given length (`_shape_for`) and computes it (`_frames`);
    `_axis_names` are the words its output feature names are made of. `fit` learns nothing from the values: it
    checks the parameters and fixes the lengths.
    """

    _parameter_constraints: dict = {}
    learns_from_data = False  # see skkws._runtime.stateless

    @abstractmethod
    def _shape_for(self, n_features):
        """Shape of one output row as (frames, columns) for input rows of `n_features`."""

    @abstractmethod
    def _frames(self, X):
        """Output of every row: float32 (n_clips, *output_shape_) for float rows (n_clips, n_features)."""

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Check the parameters and fix the lengths of the rows; nothing is learnt.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_features)
            One clip a row.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted transformer.
        """
        X = self._validate(X, reset=True)
        self.output_shape_ = self._shape_for(X.shape[1])
        return self

    def transform(self, X):
        """Compute the feature rows.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_features)
            One clip a row, as long as in `fit`.

        Returns
        -------
        X_out : ndarray of shape (n_clips, frames * columns), dtype float32
            Rows of `output_shape_ = (frames, columns)`, flattened frame-major.
        """
        check_is_fitted(self)
        check_parameters(self)
        X = self._validate(X, reset=False)
        frames = self._frames(X)
        if frames.shape[1:] != self.output_shape_:
            raise ValueError(
                f"{type(self).__name__} was fitted for rows of shape {self.output_shape_} and now gives "
                f"{frames.shape[1:]}: its parameters were changed after fit. Fit it again."
            )
        return frames.reshape(len(X), -1)

    def get_feature_names_out(self, input_features=None):
        """Names of the output columns, which say the frame and the column of each.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Ignored but for scikit-learn's check against the names seen in `fit`.

        Returns
        -------
        names : ndarray of shape (frames * columns,), dtype object
            The names, such as ``logmel_t012_b07``, ``embedding_v03_d17`` and ``embedding_mean_d17``, or
            ``mfcc_mean_delta_c07``.
        """
        check_is_fitted(self)
        _check_feature_names_in(self, input_features)
        return np.array(self._output_names(), dtype=object)

    def _output_names(self):
        frames, columns = self.output_shape_
        first, second = self._axis_names
        wide, high = len(str(frames - 1)), len(str(columns - 1))
        return [f"{first}{t:0{wide}d}{second}{c:0{high}d}" for t in range(frames) for c in range(columns)]

    def _validate(self, X, reset):
        X = validate_rows(self, X, reset=reset, dtype="numeric", ensure_min_features=1)
        if X.dtype.kind in "iu":
            warnings.warn(
                f"{type(self).__name__} got integer rows ({X.dtype}) and takes the numbers as they are; float samples "
                "in [-1, 1] are expected. Read integer PCM through skkws.audio.AudioLoader, which scales it.",
                UserWarning,
                stacklevel=4,  # past fit or transform and what scikit-learn wraps round them
            )
        return X if X.dtype == np.float32 else X.astype(np.float32)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
