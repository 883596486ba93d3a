"""From many recordings to feature rows: all at once, into a file, or batch by batch."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_consistent_length, check_random_state, column_or_1d

from skkws._runtime.files import whole_file
from skkws._runtime.npy_file import NpyWriter, usable_npy_path
from skkws.audio import AudioError
from skkws.extraction._file_rows import FileRows, check_on_error

if TYPE_CHECKING:
    from sklearn.base import TransformerMixin

    from skkws.audio import AudioLoader


def extract_features(
    files: Sequence[str | os.PathLike],
    transformer: TransformerMixin | None = None,
    *,
    loader: AudioLoader | None = None,
    cache_dir: str | os.PathLike | None = None,
    out: str | os.PathLike | None = None,
    n_jobs: int | None = None,
    batch_size: int = 256,
    verbose: int = 0,
) -> NDArray:
    """Compute the feature rows of recordings, as ``transformer.transform(loader.transform(files))`` does.

    Files are read, decoded and resampled in threads while the batch before is transformed, and only some batches of
    waveforms are in memory at once. With `cache_dir` every row is kept as soon as its batch is done and found again
    by the bytes of its file, wherever this lies and whatever its name: a second run reads and hashes the files, and
    decodes nothing; a run that was interrupted, or killed, is taken up where it stopped. With `out` the rows are in
    memory batch by batch too, and what is returned lies on disk.

    Parameters
    ----------
    files : list of str or path-like
        Recordings, in any 1-D collection.
    transformer : transformer or None, default=None
        From waveform rows to feature rows, each from its like alone; a `Pipeline` too. It is not changed: an unfitted
        one is cloned and fitted to the length of the rows, which is possible where `fit` learns nothing from the
        values, as in all feature transformers of skkws. None means ``SpeechEmbeddingTransformer()``.
    loader : AudioLoader or None, default=None
        How a recording becomes a row: sample rate, duration, padding. Its own `n_jobs` and `verbose` are not used.
        None means ``AudioLoader()``.
    cache_dir : str, path-like or None, default=None
        Folder in which rows are kept, the same for any files, transformers and processes. None keeps nothing.
    out : str, path-like or None, default=None
        A ``.npy`` file for the rows, which is there when all of them are, and replaces one of this name. None returns
        them in memory.
    n_jobs : int or None, default=None
        The number of threads that read and decode, as in `AudioLoader`: None means 1 unless in a
        `joblib.parallel_config` context, -1 all cores. Short clips take so little that one is enough.
    batch_size : int, default=256
        Clips transformed, kept and written at a time.
    verbose : bool or int, default=0
        Whether to draw a progress bar, with clips per second, on the standard error stream.

    Returns
    -------
    X : ndarray of shape (n_files, n_features)
        Row i is that of file i, in the dtype of the transformer: float32 for those of skkws. With `out` a
        `numpy.memmap` of the file, read-only, as of ``np.load(out, mmap_mode="r")``.

    Raises
    ------
    AudioError, FileNotFoundError
        If a file cannot be used; the message names it. The batches before it are in the cache.
    OSError
        If `cache_dir`, or the folder of `out`, is no writable folder, or there is no room for `out`. In a full
        `cache_dir` rows are, with a warning, not kept.
    ValueError
        If `files` is empty or a parameter does not fit, or if the transformer is to be fitted to data first.

    See Also
    --------
    iter_batches : The same rows batch by batch, in any order.
    CachedTransformer : The same cache for waveform rows, inside a pipeline.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np, soundfile as sf
    >>> from skkws import MFCCTransformer, extract_features
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = [Path(folder, name) for name in ("low.wav", "high.flac")]
    ...     for file, pitch in zip(files, (300, 3000)):
    ...         sf.write(file, 0.1 * np.sin(2 * np.pi * pitch * np.arange(8000) / 8000), 8000)
    ...     X = extract_features(files, MFCCTransformer(), cache_dir=Path(folder, "cache"))
    >>> X.shape, X.dtype
    ((2, 156), dtype('float32'))

    More rows than memory holds: ``X = extract_features(files, out="features.npy")``, then
    ``KeywordHeadClassifier().fit(X, y)``, which takes them batch by batch.
    """
    check_on_error(loader)
    rows = FileRows(files, transformer, loader, cache_dir, n_jobs, batch_size)
    if out is None:
        return _in_memory(rows, verbose).features
    out = usable_npy_path(out)
    with whole_file(out) as draft, NpyWriter(draft, out, len(rows)) as writer:
        for batch in rows.batches(verbose=verbose):
            writer.write(batch.rows)
    return np.load(out, mmap_mode="r")


def iter_batches(
    files: Sequence[str | os.PathLike],
    y: ArrayLike | None = None,
    transformer: TransformerMixin | None = None,
    *,
    loader: AudioLoader | None = None,
    batch_size: int = 256,
    shuffle: bool = False,
    random_state: int | np.random.RandomState | None = None,
    cache_dir: str | os.PathLike | None = None,
    n_jobs: int | None = None,
) -> Iterator[NDArray] | Iterator[tuple[NDArray, NDArray]]:
    """Iterate over the feature rows of recordings, batch by batch, as `extract_features` computes them.

    While a batch is used, the next ones are read and decoded in threads. Only these batches are in memory. With
    `cache_dir` the first pass over the files keeps the rows, and those that follow decode nothing.

    Parameters
    ----------
    files : list of str or path-like
        Recordings, in any 1-D collection.
    y : array-like of shape (n_files,) or None, default=None
        Labels, handed on with the rows.
    transformer : transformer or None, default=None
        From waveform rows to feature rows, as in `extract_features`. None means ``SpeechEmbeddingTransformer()``.
    loader : AudioLoader or None, default=None
        How a recording becomes a row. None means ``AudioLoader()``.
    batch_size : int, default=256
        Rows in a batch; in the last one what is left.
    shuffle : bool, default=False
        Whether the files are taken in an order that is drawn over all of them, and otherwise as they come.
    random_state : int, RandomState instance or None, default=None
        Draws the order. An instance draws another one in each call, as epochs want it.
    cache_dir : str, path-like or None, default=None
        Folder in which rows are kept, that of `extract_features` too. None keeps nothing.
    n_jobs : int or None, default=None
        The number of threads that read and decode, as in `extract_features`.

    Yields
    ------
    X : ndarray of shape (n_rows, n_features)
        Rows of the next files; with `y` a tuple of these and an ndarray of their labels.

    Raises
    ------
    AudioError, FileNotFoundError
        If a file cannot be used, when its turn comes.
    OSError, TypeError, ValueError
        If a parameter does not fit, as in `extract_features`, or `y` has another length: in the call, before the
        first batch is asked for.

    See Also
    --------
    skkws.extraction.FeaturePyDataset : The same for ``keras.Model.fit``.

    Examples
    --------
    Three epochs, each in another order; the first one computes the features.

    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np, soundfile as sf
    >>> from skkws import KeywordHeadClassifier, iter_batches
    >>> order, head = np.random.RandomState(0), KeywordHeadClassifier(random_state=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = [Path(folder, f"{pitch}.wav") for pitch in (300, 310, 2900, 3000)]
    ...     for file in files:
    ...         sf.write(file, 0.1 * np.sin(2 * np.pi * int(file.stem) * np.arange(16000) / 16000), 16000)
    ...     y = ["low", "low", "high", "high"]
    ...     for epoch in range(3):
    ...         batches = iter_batches(
    ...             files, y, batch_size=2, shuffle=True, random_state=order, cache_dir=Path(folder, "cache")
    ...         )
    ...         for X, labels in batches:
    ...             head = head.partial_fit(X, labels, classes=["high", "low"])
    >>> head.n_iter_, X.shape
    (6, (2, 1248))
    """
    check_on_error(loader)
    rows = FileRows(files, transformer, loader, cache_dir, n_jobs, batch_size)
    order = np.arange(len(rows))
    if shuffle:
        order = check_random_state(random_state).permutation(len(rows))
    if y is None:
        return (batch.rows for batch in rows.batches(order))
    check_consistent_length(rows.paths, y)
    y = column_or_1d(y)
    return ((batch.rows, y[batch.indices]) for batch in rows.batches(order))


@dataclass(frozen=True)
class Extract:
    """What became of some files."""

    features: np.ndarray
    """The rows of the files in `kept`."""
    kept: np.ndarray
    """Indices of the files that could be used."""
    skipped: list
    """Errors of the others, which name them."""
    n_known: int
    """Number of rows that were in the cache."""


def extract(
    files: Sequence[str | os.PathLike],
    transformer: TransformerMixin | str | None = None,
    loader: AudioLoader | None = None,
    cache_dir: str | os.PathLike | None = None,
    n_jobs: int | None = None,
    batch_size: int = 256,
    verbose: int = 0,
    description: str = "Extracting features",
) -> Extract:
    """Extract features as `extract_features` does, and leave bad files out if the loader says so.

    The transformer may be ``"passthrough"``: waveforms.

    Returns
    -------
    extract : Extract
    """
    return _in_memory(FileRows(files, transformer, loader, cache_dir, n_jobs, batch_size), verbose, description)


def _in_memory(file_rows, verbose, description="Extracting features"):
    rows, kept, skipped, n_known = None, [], [], 0
    for batch in file_rows.batches(verbose=verbose, description=description):
        skipped += batch.errors
        n_known += batch.n_known
        if len(batch.indices):
            if rows is None:
                rows = np.empty((len(file_rows), batch.rows.shape[1]), dtype=batch.rows.dtype)
            rows[len(kept) : len(kept) + len(batch.rows)] = batch.rows
            kept.extend(batch.indices)
    if not kept:
        raise AudioError(f"none of the {len(file_rows)} files can be used; the first one: {skipped[0]}")
    return Extract(rows[: len(kept)], np.array(kept), skipped, n_known)
