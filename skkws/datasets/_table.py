"""Recordings that a CSV file labels."""

import csv
import io
import os
from pathlib import Path

from sklearn.utils import Bunch

from skkws.datasets._archive import MAX_BYTES, local_folder
from skkws.datasets._bunch import clip_bunch

__all__ = ["load_audio_csv", "load_esc50"]


def load_audio_csv(
    path: str | os.PathLike[str],
    *,
    file_column: str = "file",
    label_column: str = "label",
    group_column: str | None = None,
    folder: str | os.PathLike[str] | None = None,
) -> Bunch:
    r"""List the recordings that a CSV file names and labels.

    Nothing is decoded: the file names are the `X` of a pipeline that starts with `skkws.audio.AudioLoader`.

    Parameters
    ----------
    path : str or path-like
        A comma-separated table in UTF-8, with the names of the columns in its first line and a recording in each
        further line.
    file_column : str, default="file"
        The column of the recordings' paths.
    label_column : str, default="label"
        The column of the labels.
    group_column : str, default=None
        The column of what must not be both trained and tested on, such as the speaker. None makes every recording
        its own group.
    folder : str or path-like, default=None
        What relative paths start from. None takes the folder of the table.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        filenames : ndarray of shape (n_clips,), dtype str
            Paths, in the order of the table.
        target : ndarray of shape (n_clips,), dtype str
            The label of every recording.
        target_names : list of str
            The labels, sorted.
        groups : ndarray of shape (n_clips,), dtype str
            The group of every recording.
        DESCR : str
            What was loaded, in words.

    Raises
    ------
    FileNotFoundError
        If the table or a recording does not exist.
    ValueError
        If the table is empty, is not UTF-8, lacks a column, has an empty or a surplus field, or names a recording
        twice. The message names the line.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from skkws.datasets import load_audio_csv
    >>> with TemporaryDirectory() as root:
    ...     for name in ("a.wav", "b.wav"):
    ...         Path(root, name).touch()
    ...     table = Path(root, "labels.csv")
    ...     _ = table.write_text("file,label,speaker\na.wav,yes,ann\nb.wav,no,ann\n")
    ...     data = load_audio_csv(table, group_column="speaker")
    >>> data.target.tolist(), data.groups.tolist()
    (['yes', 'no'], ['ann', 'ann'])
    """
    path = Path(path)
    folder = path.parent if folder is None else Path(folder)
    columns = [file_column, label_column, *([] if group_column is None else [group_column])]
    filenames, target, groups, lines = [], [], [], {}
    for line, row in _read_rows(path, columns):
        name, label, *group = (row[column] for column in columns)
        filename = os.fspath(folder / name)
        if filename in lines:
            raise ValueError(f"{path}, line {line}: {name!r} was in line {lines[filename]} already. Remove one.")
        if not os.path.isfile(filename):
            raise FileNotFoundError(f"{path}, line {line}: no file {filename}. Correct the line, or pass folder.")
        lines[filename] = line
        filenames.append(filename)
        target.append(label)
        groups.append(group[0] if group else filename)
    return clip_bunch(filenames, target, groups, source=path, noun="labels", grouped="in {} groups")


def load_esc50(
    path: str | os.PathLike[str],
    *,
    data_home: str | os.PathLike[str] | None = None,
    max_bytes: int = MAX_BYTES,
    verbose: int = 1,
) -> Bunch:
    r"""List the recordings of ESC-50: 2,000 clips of 5 s, 50 classes of environmental sounds.

    Parameters
    ----------
    path : str or path-like
        A local copy: the folder that holds ``meta/esc50.csv`` and ``audio/``, or the archive ``ESC-50-master.zip``,
        which is unpacked into the data home once.
    data_home : str or path-like, default=None
        The folder that keeps unpacked corpora, as in `get_data_home`.
    max_bytes : int, default=2**34
        Most bytes that an archive may unpack to.
    verbose : int, default=1
        Above 0 shows a progress bar while unpacking.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        As from `load_audio_csv`. The groups are the official folds, "1" to "5": clips cut from one recording are in
        one fold. Cross-validate with ``LeaveOneGroupOut``.

    Raises
    ------
    FileNotFoundError
        If the path, the table or a recording does not exist.
    ValueError
        If the archive is damaged, unsafe or larger than `max_bytes` allows, or the table is no such table.

    References
    ----------
    K. J. Piczak, "ESC: Dataset for Environmental Sound Classification", ACM Multimedia 2015,
    https://github.com/karolpiczak/ESC-50. Licence: CC BY-NC 3.0.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from skkws.datasets import load_esc50
    >>> with TemporaryDirectory() as root:
    ...     Path(root, "meta").mkdir()
    ...     Path(root, "audio").mkdir()
    ...     Path(root, "audio", "1-100032-A-0.wav").touch()
    ...     table = "filename,fold,target,category\n1-100032-A-0.wav,1,0,dog\n"
    ...     _ = Path(root, "meta", "esc50.csv").write_text(table)
    ...     data = load_esc50(root)
    >>> data.target.tolist(), data.groups.tolist()
    (['dog'], ['1'])
    """
    folder = local_folder(path, data_home=data_home, max_bytes=max_bytes, verbose=verbose)
    tables = sorted([*folder.glob("meta/esc50.csv"), *folder.glob("*/meta/esc50.csv")])
    if not tables:
        raise FileNotFoundError(f"{path}: holds no meta/esc50.csv. Pass the folder or the archive of ESC-50.")
    root = tables[0].parents[1]
    return load_audio_csv(
        tables[0], file_column="filename", label_column="category", group_column="fold", folder=root / "audio"
    )


def _read_rows(path, columns):
    """Yield (line number, row) of a table that has the columns, none of them empty."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such table. Check the path.")
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ValueError(f"{path}, line {line}: not UTF-8 ({error.reason}). Save the table as UTF-8.") from error
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        header = reader.fieldnames or []
        if wrong := [column for column in columns if header.count(column) != 1]:
            raise ValueError(
                f"{path}, line 1: must have each of the columns {columns} once, but not so {wrong}; got {header}. "
                "Pass the names of its columns, and separate them by commas."
            )
        empty = True
        for row in reader:
            empty = False
            line = reader.line_num
            if None in row:
                raise ValueError(f"{path}, line {line}: more fields than columns. Put a field with commas in quotes.")
            if blank := [column for column in columns if not (row[column] or "").strip()]:
                raise ValueError(f"{path}, line {line}: nothing in the columns {blank}. Fill them, or remove the line.")
            yield line, row
    except csv.Error as error:
        raise ValueError(f"{path}, line {reader.reader.line_num}: {error}. Correct the line.") from error
    if empty:
        raise ValueError(f"{path}: no line after the header. Add a line per recording.")
