"""Recordings in one folder per keyword."""

import os
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from sklearn.utils import Bunch, check_random_state

from skkws.audio import audio_extensions, unread_extensions
from skkws.datasets._bunch import clip_bunch


def load_keyword_folder(
    root: str | os.PathLike[str],
    *,
    labels: Iterable[str] | None = None,
    group: str | Callable[[Path], str] | None = None,
    extensions: Iterable[str] | None = None,
    max_per_label: int | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> Bunch:
    """List the recordings of a folder that holds one folder per keyword, the layout of Google's Speech Commands.

    Nothing is decoded: the file names are the `X` of a pipeline that starts with `skkws.audio.AudioLoader`. Hidden
    files and folders are left out, and so are folders that start with ``_``, such as ``_background_noise_``.

    Parameters
    ----------
    root : str or path-like
        The folder that holds the folders, as in ``root/yes/<speaker>_<n>.wav``.
    labels : iterable of str, default=None
        The keywords to load. None loads all of them.
    group : str, callable or None, default=None
        How to tell who speaks, so that no speaker is both trained and tested on. None takes the file name up to its
        first ``_``, or the name without extension where it has none. A string is a regular expression, searched in
        the file name, whose first group is the speaker. A callable maps the `pathlib.Path` of a file to the speaker.
    extensions : iterable of str, default=None
        The extensions of recordings, with the dot, in any case. Other files are left out. None takes all that
        `AudioLoader` reads here, :func:`skkws.audio.audio_extensions`, and warns of recordings of other formats.
    max_per_label : int, default=None
        The number of recordings to draw from a keyword that has more, at random without replacement. None takes all.
    random_state : int, RandomState instance or None, default=None
        Determines the draw of `max_per_label`. Pass an int for the same recordings in every call.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        filenames : ndarray of shape (n_clips,), dtype str
            Paths that start with `root`, sorted by keyword, then by file name.
        target : ndarray of shape (n_clips,), dtype str
            The keyword of every recording.
        target_names : list of str
            The keywords, sorted.
        groups : ndarray of shape (n_clips,)
            The speaker of every recording.
        left_out : ndarray of shape (n_left_out,), dtype str
            Paths of recordings in formats that cannot be read here.
        DESCR : str
            What was loaded, in words.

    Raises
    ------
    FileNotFoundError
        If `root` does not exist.
    NotADirectoryError
        If `root` is not a folder.
    ValueError
        If there is no keyword, a keyword has no recording, a label has no folder, `group` does not fit a file name,
        or a parameter is out of range.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from skkws.datasets import load_keyword_folder
    >>> with TemporaryDirectory() as root:
    ...     for name in ("no/ann_0.wav", "yes/ann_0.wav", "yes/bob_0.wav", "_noise_/pink.wav"):
    ...         path = Path(root, name)
    ...         path.parent.mkdir(exist_ok=True)
    ...         path.touch()
    ...     data = load_keyword_folder(root)
    >>> data.target.tolist(), data.groups.tolist()
    (['no', 'yes', 'yes'], ['ann', 'ann', 'bob'])
    """
    if max_per_label is not None and max_per_label < 1:
        raise ValueError(f"max_per_label must be None or at least 1, got {max_per_label!r}.")
    for name, value in (("labels", labels), ("extensions", extensions)):
        if isinstance(value, str):
            raise ValueError(f"{name} must be a list of strings, got the string {value!r}. Pass [{value!r}].")
    unread = unread_extensions() if extensions is None else {}
    extensions = {extension.lower() for extension in (audio_extensions() if extensions is None else extensions)}
    speaker_of = speaker_function(group)
    rng = check_random_state(random_state)

    folders = _label_folders(Path(root), labels)
    filenames, target, groups, left_out = [], [], [], []
    for folder in folders:
        visible = sorted(path for path in folder.iterdir() if not path.name.startswith(".") and path.is_file())
        files = [path for path in visible if path.suffix.lower() in extensions]
        others = [path for path in visible if path.suffix.lower() in unread]
        if not files:
            others = f"; {_counted(others, unread)}" if others else ""
            raise ValueError(
                f"{folder}: no audio file ({', '.join(sorted(extensions))}) for the label {folder.name!r}{others}. "
                "Add recordings, remove the folder, or list the labels to load in labels."
            )
        left_out += others
        if max_per_label is not None and len(files) > max_per_label:
            drawn = rng.choice(len(files), size=max_per_label, replace=False)
            files = [files[index] for index in sorted(drawn)]
        filenames += map(os.fspath, files)
        target += [folder.name] * len(files)
        groups += map(speaker_of, files)

    if left_out:
        warnings.warn(
            f"{root}: {len(left_out)} recordings left out, beside {len(filenames)} that are taken: "
            f"{_counted(left_out, unread)}. Their paths are in left_out.",
            UserWarning,
            stacklevel=2,
        )
    data = clip_bunch(filenames, target, groups, source=root)
    data.left_out = np.array([os.fspath(path) for path in left_out], dtype=str)
    return data


def _counted(files, unread):
    """Count files by their extensions, and say for each what to do."""
    counts = Counter(path.suffix.lower() for path in files)
    return "; ".join(f"{n} {extension} ({unread[extension]})" for extension, n in sorted(counts.items()))


def _label_folders(root, labels):
    """Return the folders to read, sorted by name."""
    if not root.exists():
        raise FileNotFoundError(f"{root}: no such folder. Check the path.")
    if not root.is_dir():
        raise NotADirectoryError(f"{root}: not a folder. Pass the folder that holds one folder per keyword.")
    folders = {path.name: path for path in sorted(root.iterdir()) if path.is_dir() and path.name[0] not in "._"}
    if not folders:
        raise ValueError(f"{root}: holds no folder. Put the recordings of each keyword in a folder named after it.")
    if labels is None:
        return list(folders.values())
    wanted = sorted(set(labels))
    if not wanted:
        raise ValueError("labels is empty. Name at least one keyword, or pass None to load all.")
    if unknown := [label for label in wanted if label not in folders]:
        raise ValueError(f"{root}: no folder for the labels {unknown}. Available: {', '.join(folders)}.")
    return [folders[label] for label in wanted]


def speaker_function(group: str | Callable[[Path], str] | None) -> Callable[[Path], str]:
    """Return the function from path to speaker that `group` stands for."""
    if group is None:
        return lambda path: path.stem.partition("_")[0] or path.stem
    if callable(group):
        return group
    try:
        pattern = re.compile(group)
    except (re.error, TypeError) as error:
        raise ValueError(f"group must be None, a callable or a regular expression, got {group!r}: {error}.") from error
    if pattern.groups == 0:
        raise ValueError(f"group={group!r} has no group. Put the speaker in parentheses, as in '^([^_]+)_'.")

    def speaker_of(path):
        match = pattern.search(path.name)
        if match is None or match[1] is None:
            raise ValueError(f"{path}: the name does not match group={group!r}. Change it, or pass a callable.")
        return match[1]

    return speaker_of
