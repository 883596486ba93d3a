"""SpecAugment: masks over frames and bands of log-mel rows."""

from dataclasses import dataclass
from numbers import Real
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skkws.augment._transform import Transform, as_generator

_VALUES = {"mean": np.mean, "min": np.min}


def spec_augment(
    frames: ArrayLike,
    *,
    n_time_masks: int = 2,
    max_frames: int = 10,
    n_band_masks: int = 2,
    max_bands: int = 4,
    mask_value: Literal["mean", "min"] | float = "mean",
    random_state: int | np.random.RandomState | np.random.Generator | None = None,
) -> NDArray:
    """Mask blocks of frames and of bands [1]_ (without time warping).

    Parameters
    ----------
    frames : array-like of shape (n_frames, n_bands)
        Log-mel energies.
    n_time_masks, n_band_masks : int, default=2
        Number of blocks of frames and of bands; they may overlap.
    max_frames, max_bands : int, default=10, 4
        The most frames or bands a block has; its size is drawn from 0 to this.
    mask_value : {"mean", "min"} or float, default="mean"
        What masked energies become: the clip's mean, as in the paper, its minimum, or this value.
    random_state : int, RandomState, Generator or None, default=None
        Seeds the blocks.

    Returns
    -------
    masked : ndarray of shape (n_frames, n_bands)
        In the dtype of `frames`.

    References
    ----------
    .. [1] Park et al. (2019), "SpecAugment: A Simple Data Augmentation Method for Automatic Speech Recognition",
       arXiv:1904.08779.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws.augment import spec_augment
    >>> frames = np.ones((98, 32))
    >>> masked = spec_augment(frames, mask_value=0.0, random_state=0)
    >>> bool(0 < np.sum(masked == 0) <= 2 * 10 * 32 + 2 * 4 * 98)
    True
    """
    rng = as_generator(random_state)
    masked = np.array(frames)
    value = _VALUES[mask_value](masked) if isinstance(mask_value, str) else mask_value
    for view, n_masks, most in ((masked, n_time_masks, max_frames), (masked.T, n_band_masks, max_bands)):
        for _ in range(n_masks):
            size = rng.integers(min(most, len(view)) + 1)
            start = rng.integers(len(view) - size + 1)
            view[start : start + size] = value
    return masked


@dataclass(frozen=True, eq=False)
class SpecAugment(Transform):
    """Mask blocks of frames and bands of log-mel rows, as :func:`spec_augment` does.

    It takes the rows of a :class:`skkws.LogMelTransformer`, not waveforms.

    Parameters
    ----------
    n_bands : int, default=32
        Bands of a frame; rows are frames x bands, frame-major.
    n_time_masks, n_band_masks : int, default=2
        Number of blocks of frames and of bands.
    max_frames, max_bands : int, default=10, 4
        The most frames or bands a block has.
    mask_value : {"mean", "min"} or float, default="mean"
        What masked energies become.
    probability : float, default=1.0
        How likely a row is varied.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws.augment import SpecAugment
    >>> SpecAugment()(np.ones((2, 98 * 32)), np.random.default_rng(0)).shape
    (2, 3136)
    """

    n_bands: int = 32
    n_time_masks: int = 2
    max_frames: int = 10
    n_band_masks: int = 2
    max_bands: int = 4
    mask_value: str | float = "mean"

    def _check(self):
        self._check_count("n_bands", 1)
        for name in ("n_time_masks", "max_frames", "n_band_masks", "max_bands"):
            self._check_count(name, 0)
        if not (self.mask_value in _VALUES or (isinstance(self.mask_value, Real) and np.isfinite(self.mask_value))):
            raise ValueError(
                f'SpecAugment: mask_value must be "mean", "min" or a finite number, got {self.mask_value!r}.'
            )

    def _vary(self, y, rng):
        if len(y) % self.n_bands:
            raise ValueError(
                f"SpecAugment: rows must be frames x {self.n_bands} bands, got {len(y)} columns; pass the rows of a "
                "LogMelTransformer and its number of bands as n_bands."
            )
        masked = spec_augment(
            y.reshape(-1, self.n_bands),
            n_time_masks=self.n_time_masks,
            max_frames=self.max_frames,
            n_band_masks=self.n_band_masks,
            max_bands=self.max_bands,
            mask_value=self.mask_value,
            random_state=rng,
        )
        return masked.reshape(-1)
