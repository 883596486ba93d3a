"""Who is trained on and who is tested on: no speaker on both sides."""

import numpy as np
from sklearn.model_selection import LeaveOneGroupOut, StratifiedGroupKFold, StratifiedKFold

# Few speakers are left out one by one, many in folds.
_MOST_SINGLE_SPEAKERS = 10
_MANY_SPEAKERS_FOLDS = 5


def draw_examples(codes, splits, n_examples, n_draws, random_state):
    """``{k: [(chosen, test), ...]}``: k examples of each label out of the training part of every fold and draw."""
    fewest = min(np.bincount(codes[train]).min() for train, _ in splits)
    rng = np.random.RandomState(random_state)
    drawn = {}
    for k in n_examples:
        if k > fewest:
            continue
        drawn[k] = []
        for train, test in splits:
            for _ in range(n_draws):
                of_label = [np.flatnonzero(codes[train] == label) for label in np.unique(codes)]
                chosen = np.concatenate([rng.choice(train[rows], k, replace=False) for rows in of_label])
                drawn[k].append((chosen, test))
    return drawn


def split(codes, labels, groups, folds, random_state):
    """Train and test rows of each fold, and how they were split in words."""
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
            "more people, lower the number of folds, or say how to tell speakers apart."
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
                f"With its speakers left out, nobody says {labels[missing].tolist()}; record these by more speakers or "
                "leave them out."
            )
    return splits, words
