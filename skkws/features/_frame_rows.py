"""What the transformers from frames in a row to frames in a row share."""

from numbers import Integral

import numpy as np
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import validate_data

from skkws.features._base import FrameTransformer


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
