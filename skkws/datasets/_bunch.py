"""The one form in which every loader returns recordings."""

import os

import numpy as np
from sklearn.utils import Bunch


def clip_bunch(filenames, target, groups, *, source, noun="keywords", grouped="by {} speakers", **fields):
    """Put recordings, labels and groups into a Bunch.

    Parameters
    ----------
    filenames : list of str, of length n_clips
        The recordings.
    target : sequence of str, of length n_clips
        Their labels.
    groups : sequence of length n_clips
        What must not be both trained and tested on, such as the speakers.
    source : str or path-like
        Where the recordings come from; for the description.
    noun : str
        What the labels are, in the plural; for the description.
    grouped : str
        What the groups are, with braces for their number; for the description.
    **fields : sequences of length n_clips
        Further columns.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        With `filenames`, `target`, `target_names` (sorted), `groups`, `DESCR` and `fields`.

    Examples
    --------
    >>> from skkws.datasets._bunch import clip_bunch
    >>> clip_bunch(["a.wav", "b.wav"], ["no", "yes"], ["ann", "ann"], source="here").DESCR
    '2 recordings of 2 keywords by 1 speakers from here: no, yes.'
    """
    target, groups = np.asarray(target), np.asarray(groups)
    target_names = np.unique(target).tolist()
    return Bunch(
        filenames=np.asarray(filenames),
        target=target,
        target_names=target_names,
        groups=groups,
        **{name: np.asarray(column) for name, column in fields.items()},
        DESCR=(
            f"{len(filenames)} recordings of {len(target_names)} {noun} {grouped.format(len(np.unique(groups)))} "
            f"from {os.fspath(source)}: {', '.join(target_names)}."
        ),
    )
