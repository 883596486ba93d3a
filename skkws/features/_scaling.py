"""Mean and variance of bands: CMVN, cepstral or spectral."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import OneToOneFeatureMixin, _fit_context
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_array, check_is_fitted

from skkws._engine.frame_rows import FrameRowTransformer
from skkws._engine.limits import check_features
from skkws._engine.settings import check_settings

_CONSTRAINTS = {"with_mean": ["boolean"], "with_std": ["boolean"]}


@check_settings(_CONSTRAINTS)
def cmvn(frames: ArrayLike, *, with_mean: bool = True, with_std: bool = True) -> NDArray[np.float32]:
    """Give each band of each signal mean 0 and variance 1 over its frames.

    Known as cepstral mean and variance normalisation (CMVN) [1]_: what a microphone or a room does to all frames of a
    recording alike is taken out.

    Parameters
    ----------
    frames : array-like of shape (..., frames, bands)
        Frames in time, such as MFCCs or log-mel energies.
    with_mean : bool, default=True
        Whether to subtract the mean.
    with_std : bool, default=True
        Whether to divide by the standard deviation, where there is one: a constant band is not divided.

    Returns
    -------
    normalised : ndarray of shape (..., frames, bands), dtype float32

    Raises
    ------
    ValueError
        If there are no frames, or one holds NaN, infinity or numbers beyond 1e12.

    References
    ----------
    .. [1] Viikki and Laurila (1998), "Cepstral domain segmental feature vector normalization for noise robust speech
       recognition", Speech Communication 25.

    Examples
    --------
    >>> from skkws.features import cmvn
    >>> cmvn([[1.0, 5.0], [3.0, 5.0]])
    array([[-1.,  0.],
           [ 1.,  0.]], dtype=float32)
    """
    frames = check_features(np.asarray(frames), "frames").astype(np.float32, copy=False)
    if frames.ndim < 2 or frames.shape[-2] == 0:
        raise ValueError(f"frames needs at least one frame on its last axis but one, got shape {frames.shape}.")
    mean, scale = _statistics(frames, -2, with_mean, with_std)
    return ((frames - mean) / scale).astype(np.float32)


def _statistics(frames, axis, with_mean, with_std):
    """Mean and scale over `axis`, which stays; 0 and 1 where not wanted, and 1 where there is no deviation."""
    mean = frames.mean(axis=axis, keepdims=True, dtype=np.float64)
    std = frames.std(axis=axis, keepdims=True, dtype=np.float64)
    # Of equal numbers in single precision double precision takes the exact mean: a constant band has exactly 0.
    constant = std == 0.0
    return mean if with_mean else np.zeros_like(mean), np.where(constant, 1.0, std) if with_std else np.ones_like(std)


def _over_dataset(self):
    if self.over != "dataset":
        raise AttributeError(
            f"inverse_transform needs over='dataset', got over={self.over!r}: the statistics of single clips are not "
            "kept."
        )
    return True


class BandScaler(OneToOneFeatureMixin, FrameRowTransformer):
    """Feature rows whose bands have mean 0 and variance 1, over the data set or over each clip (CMVN).

    What :class:`~sklearn.preprocessing.StandardScaler` does per column is done per band: all frames of a band share a
    mean and a deviation, so that a keyword counts the same wherever in the clip it is spoken.

    Parameters
    ----------
    n_bands : int or None, default=None
        Columns of a frame: the last of `output_shape_` of the transformer that made the rows. None takes a row as a
        single frame, and is a StandardScaler.
    over : {"dataset", "clip"}, default="dataset"
        The frames that statistics are taken over.

        - "dataset": all frames of all clips in `fit`; other clips are scaled by the same numbers;
        - "clip": those of the clip itself, by :func:`skkws.features.cmvn`; `fit` learns nothing. What a microphone
          adds to all frames alike disappears, and so does how loud the clip is.
    with_mean : bool, default=True
        Whether to subtract the mean.
    with_std : bool, default=True
        Whether to divide by the standard deviation; a constant band is not divided.

    Attributes
    ----------
    mean_, scale_ : ndarray of shape (n_bands,), dtype float64, or None
        What is subtracted and then divided by; None with ``over="clip"``.
    output_shape_ : tuple of (int, int)
        Frames and bands of a row, as before.
    n_features_in_ : int
        Columns of a row.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the input columns, where `X` has names.

    See Also
    --------
    cmvn : The scaling over each clip as a function.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws import BandScaler
    >>> rows = np.array([[1.0, 10.0, 3.0, 10.0], [1.0, 30.0, 3.0, 30.0]])  # two clips of two frames of two bands
    >>> scaler = BandScaler(n_bands=2).fit(rows)
    >>> scaler.mean_, scaler.scale_
    (array([ 2., 20.]), array([ 1., 10.]))
    >>> scaler.transform(rows)
    array([[-1., -1.,  1., -1.],
           [-1.,  1.,  1.,  1.]], dtype=float32)
    """

    _parameter_constraints = {
        **FrameRowTransformer._parameter_constraints,
        "over": [StrOptions({"dataset", "clip"})],
        **_CONSTRAINTS,
    }

    def __init__(self, n_bands=None, *, over="dataset", with_mean=True, with_std=True):
        self.n_bands = n_bands
        self.over = over
        self.with_mean = with_mean
        self.with_std = with_std

    @property
    def learns_from_data(self):
        """Whether `fit` learns from the rows: only with ``over="dataset"``."""
        return self.over == "dataset"

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Learn mean and deviation of every band, unless they are taken over each clip.

        Parameters
        ----------
        X : array-like of shape (n_clips, frames * n_bands)
            One clip a row.
        y : None
            Ignored.

        Returns
        -------
        self : BandScaler
            The fitted transformer.
        """
        X = self._validate(X, reset=True)
        self.output_shape_ = self._shape_for(X.shape[1])
        self.mean_ = self.scale_ = None
        if self.over == "dataset":
            frames = self._split(X).reshape(-1, self.output_shape_[1])
            mean, scale = _statistics(frames, 0, self.with_mean, self.with_std)
            self.mean_, self.scale_ = mean[0], scale[0]
        return self

    @available_if(_over_dataset)
    def inverse_transform(self, X):
        """Undo the scaling; only with ``over="dataset"``.

        Parameters
        ----------
        X : array-like of shape (n_clips, frames * n_bands)
            Scaled rows.

        Returns
        -------
        X_original : ndarray of shape (n_clips, frames * n_bands), dtype float32
            The rows before.
        """
        check_is_fitted(self)
        X = check_array(X, dtype=np.float32)
        if X.shape[1] != self.n_features_in_:
            raise ValueError(
                f"X has {X.shape[1]} features, but BandScaler is expecting {self.n_features_in_} features as input."
            )
        return (self._split(X) * self.scale_ + self.mean_).astype(np.float32).reshape(len(X), -1)

    def _shape_for(self, n_features):
        return self._input_shape(n_features)

    def _frames(self, X):
        frames = self._split(X)
        if self.mean_ is None:
            return cmvn(frames, with_mean=self.with_mean, with_std=self.with_std)
        return ((frames - self.mean_) / self.scale_).astype(np.float32)
