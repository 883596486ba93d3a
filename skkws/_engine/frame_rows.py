"""Rows that are frames, flattened: their shape, and what the transformers from such rows to such rows share."""

import re
from numbers import Integral

import numpy as np
from sklearn.preprocessing import StandardScaler
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import validate_data

from skkws._engine.rows import FrameTransformer

# Rows whose statistics are added up at once: few enough that their copies in double precision are small.
_ROWS_SCALED = 256
_LAST_COLUMN = re.compile(r".*_\D+(\d+)_\D+(\d+)")


def row_shape(estimator, n_features, bands, what):
    """Frames and bands of the rows that an estimator gets.

    They are its parameter `input_shape`, or what the names of the columns tell, or frames of `bands`, for which `what`
    was made; None takes a row as a single frame.
    """
    if estimator.input_shape is not None:
        shape = tuple(estimator.input_shape)
        if len(shape) != 2 or not all(isinstance(n, Integral) and n > 0 for n in shape):
            raise ValueError(f"input_shape must be two integers above 0, frames and bands, got {shape}.")
        if shape[0] * shape[1] != n_features:
            raise ValueError(
                f"input_shape={shape} does not fit rows of {n_features} columns; set it to the transformer's "
                "output_shape_."
            )
        return shape
    last = _LAST_COLUMN.fullmatch(getattr(estimator, "feature_names_in_", [""])[-1])
    if last:
        shape = int(last[1]) + 1, int(last[2]) + 1
        if shape[0] * shape[1] == n_features:
            return shape
    bands = bands or n_features
    if n_features % bands == 0:
        return n_features // bands, bands
    if n_features < bands:
        return 1, n_features
    raise ValueError(
        f"Rows of {n_features} columns are no frames of {bands} bands, for which {what} was made; set input_shape to "
        'the output_shape_ of the transformer, or let its names tell by set_output(transform="pandas").'
    )


def band_scaler(X, shape, rows=None, sample_weight=None):
    """Fit a StandardScaler of the bands of rows of this shape, of which only some may count."""
    scaler = StandardScaler()
    rows = np.arange(len(X)) if rows is None else rows
    sample_weight = np.ones(len(rows)) if sample_weight is None else sample_weight
    for i in range(0, len(rows), _ROWS_SCALED):
        some = slice(i, i + _ROWS_SCALED)
        bands = X[rows[some]].reshape(-1, shape[1])
        scaler.partial_fit(bands, sample_weight=np.repeat(sample_weight[some], shape[0]))
    return scaler


class FrameRowTransformer(FrameTransformer):
    """A transformer of feature rows, frames x `n_bands` flattened frame-major.

    A subclass has the parameter `n_bands`, the columns of a frame; None takes a row as a single frame.
    """

    _parameter_constraints = {"n_bands": [Interval(Integral, 1, None, closed="left"), None]}

    def _input_shape(self, n_features):
        """Return the shape of an input row as (frames, bands)."""
        n_bands = n_features if self.n_bands is None else self.n_bands
        if n_features % n_bands:
            raise ValueError(
                f"n_bands={n_bands} does not part rows of {n_features} columns evenly; set it to the last of "
                "output_shape_ of the transformer that made the rows."
            )
        return n_features // n_bands, n_bands

    def _split(self, X):
        """Return the frames of rows, as (n_clips, frames, bands)."""
        return X.reshape(len(X), *self._input_shape(X.shape[1]))

    def _validate(self, X, reset):
        return validate_data(self, X, reset=reset, dtype=np.float32)
