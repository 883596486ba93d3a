"""What every transformer from waveform rows to waveform rows shares."""

import numpy as np

from skkws._engine.rows import FrameTransformer


class WaveformTransformer(FrameTransformer):
    """A stateless transformer whose output rows are waveforms: of one axis, samples.

    A subclass computes the rows (`_frames`), and says their length where it changes (`_shape_for`).
    """

    def _shape_for(self, n_features):
        return (n_features,)

    def _output_names(self):
        return [f"sample_{i:05d}" for i in range(self.output_shape_[0])]  # as AudioLoader calls them


def each_signal(function, y):
    """Apply a function from 1-D signals to 1-D signals of one length along the last axis of `y`."""
    rows = [function(row) for row in y.reshape(-1, y.shape[-1])]
    return np.stack(rows).reshape(*y.shape[:-1], -1)
