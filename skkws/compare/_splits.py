"""Who is trained on and who is tested on: no speaker on both sides."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import LeaveOneGroupOut, StratifiedGroupKFold, StratifiedKFold

# Few speakers are left out one by one, many in folds.
_MOST_SINGLE_SPEAKERS = 10
_MANY_SPEAKERS_FOLDS = 5


def draw_examples(
    y: NDArray, rows: NDArray[np.integer], n_examples: int, rng: np.random.RandomState | np.random.Generator
) -> NDArray[np.integer]:
    """Draw some clips of each label.

    Parameters
    ----------
    y : ndarray of shape (n_clips,)
        Labels of all clips.
    rows : ndarray of int
        Indices of the clips to draw from, which have all labels.
    n_examples : int
        Clips per label, drawn without replacement.
    rng : RandomState or Generator
        Draws them.

    Returns
    -------
    chosen : ndarray of int, of length n_labels * n_examples
        Indices of the clips drawn, label by label.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws.compare import draw_examples
    >>> y = np.array(["no", "no", "yes", "yes", "yes"])
    >>> y[draw_examples(y, np.arange(5), 2, np.random.RandomState(0))].tolist()
    ['no', 'no', 'yes', 'yes']
    """
    return np.concatenate([rng.choice(rows[y[rows] == label], n_examples, replace=False) for label in np.unique(y)])


def learning_curve_splits(codes, splits, n_examples, n_draws, random_state):
    """``{k: [(chosen, test), ...]}``: k examples of each label out of the training part of every fold and draw."""
    fewest = min(np.bincount(codes[train]).min() for train, _ in splits)
    rng = np.random.RandomState(random_state)
    return {
        k: [(draw_examples(codes, train, k, rng), test) for train, test in splits for _ in range(n_draws)]
        for k in n_examples
        if k <= fewest
    }


def speaker_folds(
    y: ArrayLike, groups: ArrayLike, folds: int | None = None, random_state: int = 0
) -> tuple[list[tuple[NDArray[np.integer], NDArray[np.integer]]], str]:
    """Split clips into folds so that nobody is both trained and tested on.

    Parameters
    ----------
    y : array-like of shape (n_clips,)
        Labels.
    groups : array-like of shape (n_clips,)
        Speaker of each clip. Where every clip has a speaker of its own, the folds are stratified by label alone.
    folds : int or None, default=None
        Folds; None leaves out one speaker at a time up to 10 speakers and makes 5 folds of more.
    random_state : int, default=0
        Draws the folds.

    Returns
    -------
    splits : list of (ndarray of int, ndarray of int)
        Indices of the clips to train and to test on, for each fold.
    description : str
        How the clips were split, in words.

    Raises
    ------
    ValueError
        If there are too few labels, speakers or clips, or a label that only the speakers of one fold say.

    Examples
    --------
    >>> from skkws.compare import speaker_folds
    >>> splits, description = speaker_folds(["no", "yes"] * 3, ["ann", "ann", "bob", "bob", "eve", "eve"])
    >>> [test.tolist() for _, test in splits]
    [[0, 1], [2, 3], [4, 5]]
    >>> description
    'leaving out one of 3 speakers at a time'
    """
    labels, codes = np.unique(y, return_inverse=True)
    groups = np.asarray(groups)
    if len(labels) < 2:
        raise ValueError(
            f"A comparison needs at least two labels, got {labels.tolist()}; add recordings of another word."
        )
    n_speakers = len(np.unique(groups))
    if n_speakers == len(groups):
        folds = folds or _MANY_SPEAKERS_FOLDS
        splitter = StratifiedKFold(folds, shuffle=True, random_state=random_state)
        words = f"{folds}-fold cross-validation, every clip by a speaker of its own"
    elif folds is None and n_speakers <= _MOST_SINGLE_SPEAKERS:
        folds, splitter = n_speakers, LeaveOneGroupOut()
        words = f"leaving out one of {n_speakers} speakers at a time"
    else:
        folds = folds or _MANY_SPEAKERS_FOLDS
        splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=random_state)
        words = f"{folds}-fold cross-validation, no speaker in two folds"
    if n_speakers < max(2, folds):
        raise ValueError(
            f"{max(2, folds)} folds without a speaker in two need at least as many speakers, got {n_speakers}; record "
            "more people, lower the number of folds, or pass groups that tell the speakers apart."
        )
    few = np.flatnonzero(np.bincount(codes) < folds) if n_speakers == len(groups) else ()
    if len(few):
        raise ValueError(f"Each label needs a clip for each of the {folds} folds; {labels[few].tolist()} have fewer.")
    splits = splitter.split(np.zeros(len(codes)), codes, None if n_speakers == len(groups) else groups)
    # Where speakers differ much in their number of clips, a fold may be left without any.
    splits = [(train, test) for train, test in splits if len(test)]
    for train, _ in splits:
        missing = np.setdiff1d(np.arange(len(labels)), codes[train])
        if len(missing):
            raise ValueError(
                f"With its speakers left out, nobody says {labels[missing].tolist()}; record these by more speakers, "
                "leave them out, or pass groups that tell the speakers apart (--group)."
            )
    return splits, words
