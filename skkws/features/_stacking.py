"""Frames side by side with those around them."""

from numbers import Integral
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils._param_validation import Interval, StrOptions

from skkws._engine.frame_rows import FrameRowTransformer
from skkws._engine.settings import check_settings

_EDGES = ("repeat", "zero")


_CONSTRAINTS = {
    "left": [Interval(Integral, 0, None, closed="left")],
    "right": [Interval(Integral, 0, None, closed="left")],
    "stride": [Interval(Integral, 1, None, closed="left")],
    "edges": [StrOptions(set(_EDGES))],
}


@check_settings(_CONSTRAINTS)
def stack_frames(
    frames: ArrayLike, *, left: int = 5, right: int = 5, stride: int = 1, edges: Literal["repeat", "zero"] = "repeat"
) -> NDArray:
    """Put every frame side by side with those before and after it.

    Parameters
    ----------
    frames : array-like of shape (..., frames, bands)
        Frames in time, such as log-mel energies.
    left, right : int, default=5, 5
        Number of frames before and after to take in.
    stride : int, default=1
        Distance between two frames that get their neighbours, in frames: the frames 0, `stride`, 2 `stride`, ...
    edges : {"repeat", "zero"}, default="repeat"
        What stands for frames before the first and after the last: these, or zeros.

    Returns
    -------
    stacked : ndarray of shape (..., ceil(frames / stride), (left + 1 + right) * bands)
        Neighbours in the order of time, in the dtype of `frames`.

    Raises
    ------
    ValueError
        If there are no frames or `edges` is neither of the two.

    Examples
    --------
    >>> from skkws.features import stack_frames
    >>> stack_frames([[1, 10], [2, 20], [3, 30]], left=1, right=0, stride=2)
    array([[ 1, 10,  1, 10],
           [ 2, 20,  3, 30]])
    """
    frames = np.asarray(frames)
    if frames.ndim < 2 or frames.shape[-2] == 0:
        raise ValueError(f"frames needs at least one frame on its last axis but one, got shape {frames.shape}.")
    sides = [(0, 0)] * (frames.ndim - 2) + [(left, right), (0, 0)]
    padded = np.pad(frames, sides, mode="edge" if edges == "repeat" else "constant")
    taken = np.add.outer(np.arange(0, frames.shape[-2], stride), np.arange(left + 1 + right))
    return padded[..., taken, :].reshape(*frames.shape[:-2], len(taken), -1)


class FrameStacker(FrameRowTransformer):
    """Feature rows whose frames have their neighbours at their side.

    The context of a frame, for classifiers that see a frame at a time or rows of fewer, wider frames. The computation
    is :func:`skkws.features.stack_frames`.

    Parameters
    ----------
    n_bands : int or None, default=None
        Columns of a frame in the input rows: the last of `output_shape_` of the transformer that made them. None
        takes a row as a single frame.
    left, right : int, default=5, 5
        Number of frames before and after to take in.
    stride : int, default=1
        Distance between two frames that get their neighbours, in frames.
    edges : {"repeat", "zero"}, default="repeat"
        What stands for frames before the first and after the last: these, or zeros.

    Attributes
    ----------
    output_shape_ : tuple of (int, int)
        Frames and columns of a row, ``(ceil(frames / stride), (left + 1 + right) * n_bands)``. Rows are flattened
        frame-major: ``row.reshape(output_shape_)``.
    n_features_in_ : int
        Columns of an input row.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the input columns, where `X` has names.

    Notes
    -----
    Output columns are called after frame, neighbour and band: ``stacked_t012_-5_b07`` is band 7 of five frames before
    the thirteenth.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws import FrameStacker, LogMelTransformer
    >>> clips = np.random.RandomState(0).uniform(-0.1, 0.1, (2, 16000))
    >>> logmel = LogMelTransformer().fit_transform(clips)
    >>> stacker = FrameStacker(n_bands=32, left=10, right=5, stride=3).fit(logmel)
    >>> stacker.transform(logmel).shape, stacker.output_shape_
    ((2, 16896), (33, 512))
    """

    _parameter_constraints = {
        **FrameRowTransformer._parameter_constraints,
        **_CONSTRAINTS,
    }

    def __init__(self, n_bands=None, *, left=5, right=5, stride=1, edges="repeat"):
        self.n_bands = n_bands
        self.left = left
        self.right = right
        self.stride = stride
        self.edges = edges

    def _shape_for(self, n_features):
        frames, n_bands = self._input_shape(n_features)
        return -(-frames // self.stride), (self.left + 1 + self.right) * n_bands

    def _frames(self, X):
        return stack_frames(self._split(X), left=self.left, right=self.right, stride=self.stride, edges=self.edges)

    def _output_names(self):
        frames = self.output_shape_[0]
        n_bands = self._input_shape(self.n_features_in_)[1]
        wide, high = len(str(frames - 1)), len(str(n_bands - 1))
        return [
            f"stacked_t{t:0{wide}d}_{neighbour:+d}_b{b:0{high}d}"
            for t in range(frames)
            for neighbour in range(-self.left, self.right + 1)
            for b in range(n_bands)
        ]
