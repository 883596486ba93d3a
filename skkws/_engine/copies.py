"""Which training rows are copies of one clip."""

import numpy as np
from sklearn.utils import check_consistent_length, column_or_1d


def first_copies(copy_of, X, rows, y):
    """Find for each of these rows the first one of the same clip.

    Parameters
    ----------
    copy_of : array-like of shape (n_clips,)
        For each row of `X` a value that stands for its clip.
    X : ndarray of shape (n_clips, n_features)
        All rows.
    rows : ndarray of shape (n_rows,)
        Indices of those that are used.
    y : ndarray of shape (n_rows,)
        Their labels.

    Returns
    -------
    clip_of : ndarray of shape (n_rows,)
        Positions in `rows`.

    Raises
    ------
    ValueError
        If the lengths differ, or copies of a clip differ in their labels.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws._engine.copies import first_copies
    >>> first_copies(["b", "a", "b"], np.zeros((3, 2)), np.arange(3), np.array([0, 1, 0]))
    array([0, 1, 0])
    """
    check_consistent_length(X, copy_of)
    clips, first, inverse = np.unique(column_or_1d(copy_of)[rows], return_index=True, return_inverse=True)
    clip_of = first[inverse]
    other = np.flatnonzero(y != y[clip_of])
    if other.size:
        labels = y[[clip_of[other[0]], other[0]]].tolist()
        raise ValueError(
            f"copy_of says that rows of the labels {labels} are copies of one clip, "
            f"{clips.tolist()[inverse[other[0]]]!r}; copies have the label of their clip. Correct copy_of or y."
        )
    return clip_of


class Copies:
    """The rows that are copies of each clip.

    Parameters
    ----------
    clip_of : ndarray of shape (n_rows,)
        An integer for each row, equal where rows are copies of one clip.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws._engine.copies import Copies
    >>> copies = Copies(np.array([0, 1, 0]))
    >>> len(copies), copies.draw(np.array([1]), np.random.default_rng(0))
    (2, array([1]))
    """

    def __init__(self, clip_of):
        self._rows = np.argsort(clip_of, kind="stable")
        _, self._starts, self._counts = np.unique(clip_of[self._rows], return_index=True, return_counts=True)

    def __len__(self):
        """Count the clips."""
        return len(self._starts)

    def draw(self, clips, rng):
        """Return the index of one row of each of these clips."""
        return self._rows[self._starts[clips] + rng.integers(self._counts[clips])]
