"""What every transformer from waveform rows to waveform rows shares."""

from abc import abstractmethod

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skkws.features._base import FrameTransformer


class WaveformTransformer(FrameTransformer):
    """A stateless transformer whose output rows are waveforms: of one axis, samples.

    A subclass computes the rows (`_prepare`), and says their length where it changes (`_shape_for`).
    """

    @abstractmethod
    def _prepare(self, X):
        """Waveforms (n_clips, n_samples_out) of float32 rows (n_clips, n_samples)."""

    def transform(self, X):
        """Prepare the rows.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_samples)
            One clip a row, as long as in `fit`.

        Returns
        -------
        X_out : ndarray of shape (n_clips, output_shape_[0]), dtype float32
            Row i is clip i.
        """
        check_is_fitted(self)
        return self._prepare(self._validate(X, reset=False))

    def _shape_for(self, n_features):
        return (n_features,)

    def _output_names(self):
        return [f"sample_{i:05d}" for i in range(self.output_shape_[0])]  # as AudioLoader calls them


def as_signals(y):
    """Return `y` as float32 signals along the last axis."""
    y = np.asarray(y, dtype=np.float32)
    if y.ndim == 0 or y.shape[-1] == 0:
        raise ValueError(f"y needs at least one sample on its last axis, got an array of shape {y.shape}.")
    return y


def each_signal(function, y):
    """Apply a function from 1-D signals to 1-D signals of one length along the last axis of `y`."""
    rows = [function(row) for row in y.reshape(-1, y.shape[-1])]
    return np.stack(rows).reshape(*y.shape[:-1], -1)
