"""Labelled rows to train on, which of them are copies of one clip, and how an epoch draws among them."""

from dataclasses import dataclass, fields

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


@dataclass(frozen=True)
class LabelledRows:
    """Rows of an array that are trained on, or held out.

    Parameters
    ----------
    rows : ndarray of shape (n_rows,)
        Their indices.
    labels : ndarray of shape (n_rows,)
        Index of the class of each.
    weights : ndarray of shape (n_rows,)
        Weight of each.
    clip_of : ndarray of shape (n_rows,)
        An integer for each row, equal where rows are copies of one clip.
    """

    rows: np.ndarray
    labels: np.ndarray
    weights: np.ndarray
    clip_of: np.ndarray

    def __getitem__(self, some):
        """Return some of them, by a mask, indices or a slice."""
        return LabelledRows(*(getattr(self, column.name)[some] for column in fields(self)))


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


class EpochBatches:
    """Draws the batches of an epoch: one row of each clip in random order, in the fewest batches of nearly equal size.

    Parameters
    ----------
    clip_of : ndarray of shape (n_rows,)
        An integer for each row, equal where rows are copies of one clip.
    batch_size : int
        Most rows of a batch.
    random_state : RandomState
        Draws the order of the clips.
    seed : int
        Seeds the choice among copies.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws._engine.copies import EpochBatches
    >>> batches = EpochBatches(np.arange(7), 3, np.random.RandomState(0), seed=0)
    >>> [len(batch) for batch in batches()], batches.largest
    ([2, 2, 3], 3)
    """

    def __init__(self, clip_of, batch_size, random_state, seed):
        self._copies = Copies(clip_of)
        n_clips = len(self._copies)
        self._edges = np.linspace(0, n_clips, -(-n_clips // batch_size) + 1).astype(int)
        self._random_state, self._choice = random_state, np.random.default_rng(seed)

    @property
    def largest(self):
        """Rows of the largest batch."""
        return int(np.diff(self._edges).max())

    def __call__(self):
        """Return the batches of an epoch, arrays of positions in `clip_of`."""
        order = self._copies.draw(self._random_state.permutation(len(self._copies)), self._choice)
        return np.split(order, self._edges[1:-1])

    def state(self):
        """Return how far the draws are, as numbers that JSON can hold."""
        drawn = self._random_state.get_state(legacy=False)
        drawn["state"] = {name: np.asarray(value).tolist() for name, value in drawn["state"].items()}
        return {"random_state": drawn, "choice": self._choice.bit_generator.state}

    def restore(self, state):
        """Go on from such a state."""
        self._random_state.set_state(state["random_state"])
        self._choice.bit_generator.state = state["choice"]
