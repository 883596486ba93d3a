"""From many files to feature rows: reading, resampling and computing at the same time, and remembering on disk."""

import io
import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from time import perf_counter

import numpy as np
from joblib import effective_n_jobs
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import check_consistent_length, check_random_state, column_or_1d
from sklearn.utils.validation import check_is_fitted

from skkws._feature_store import FeatureStore, content_key
from skkws._files import whole_file
from skkws._fingerprint import fingerprint
from skkws._progress import progress
from skkws._recording import AudioError, read_bytes
from skkws.audio import AudioLoader, _load_clip
from skkws.caching import compute_rows
from skkws.embedding import SpeechEmbeddingTransformer

__all__ = ["extract_features", "iter_batches"]


def extract_features(
    files, transformer=None, *, loader=None, cache_dir=None, out=None, n_jobs=None, batch_size=256, verbose=0
):
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
        If `cache_dir`, or the folder of `out`, is no writable folder, or full.
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
    out = _usable_file(out)
    with whole_file(out) as draft, _NpyWriter(draft, out, len(rows)) as writer:
        for batch in rows.batches(verbose=verbose):
            writer.write(batch.rows)
    return np.load(out, mmap_mode="r")


def iter_batches(
    files,
    y=None,
    transformer=None,
    *,
    loader=None,
    batch_size=256,
    shuffle=False,
    random_state=None,
    cache_dir=None,
    n_jobs=None,
):
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
    skkws.keras_dataset.FeaturePyDataset : The same for ``keras.Model.fit``.

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


def extract(files, transformer=None, loader=None, cache_dir=None, n_jobs=None, batch_size=256, verbose=0):
    """Extract features as `extract_features` does, and leave bad files out if the loader says so.

    Returns
    -------
    extract : Extract
    """
    return _in_memory(FileRows(files, transformer, loader, cache_dir, n_jobs, batch_size), verbose)


def _in_memory(file_rows, verbose):
    rows, kept, skipped, n_known = None, [], [], 0
    for batch in file_rows.batches(verbose=verbose):
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


@dataclass(frozen=True)
class Batch:
    """What became of some files."""

    indices: np.ndarray
    """Of the files that could be used."""
    rows: np.ndarray
    """Their rows; None if there are none."""
    errors: list
    """Why the others are left out."""
    n_known: int
    """Number of rows that were in the cache."""


class FileRows:
    """Feature rows of files, computed or found in the cache batch by batch.

    Parameters
    ----------
    files, transformer, loader, cache_dir, n_jobs, batch_size
        As in `extract_features`, and checked here; the loader may skip bad files.

    Attributes
    ----------
    paths : list of str
        The files.
    transformer : transformer
        Fitted.
    """

    def __init__(self, files, transformer=None, loader=None, cache_dir=None, n_jobs=None, batch_size=256):
        self.batch_size = check_batch_size(batch_size)
        self.paths = _as_paths(files)
        self._skip = isinstance(loader, AudioLoader) and loader.on_error == "skip"
        loader = _ready_loader(loader, self.paths)
        self.transformer = _ready_transformer(transformer, loader.n_samples_)
        self._options = loader._options()
        setting = None if cache_dir is None else fingerprint(loader, self.transformer)
        self._store = None if cache_dir is None else FeatureStore(cache_dir, setting)
        self._n_threads = effective_n_jobs(n_jobs)

    def __len__(self):
        return len(self.paths)

    def batches(self, order=None, verbose=0):
        """Iterate over batches of files, of which the next ones are read meanwhile.

        Parameters
        ----------
        order : ndarray of int or None, default=None
            Indices of the files, as they shall come. None takes all of them in turn.
        verbose : bool or int, default=0
            Whether to draw a progress bar.

        Yields
        ------
        batch : Batch
        """
        order = np.arange(len(self)) if order is None else order
        if self._store:
            self._store.refresh()
        with (
            _threads(self._n_threads) as pool,
            progress("Extracting features", len(order), verbose=verbose) as advance,
        ):
            start, n_done = perf_counter(), 0
            for clips in self._read_ahead(pool, order):
                yield self._batch(clips)
                n_done += len(clips)
                advance(f"{n_done / (perf_counter() - start):.0f} clips/s", len(clips))

    def _read_ahead(self, pool, order):
        """Yield what `_read` makes of the files, batch by batch, and have two more batches read meanwhile."""

        def read(batch):
            parts = [part.tolist() for part in np.array_split(batch, self._n_threads) if len(part)]
            return [pool.submit(lambda part: [self._read(i) for i in part], part) for part in parts]

        starts = range(0, len(order), self.batch_size)
        batches = (read(order[i : i + self.batch_size]) for i in starts)
        reading = deque(islice(batches, 2))
        while reading:
            reading.extend(islice(batches, 1))
            yield [clip for part in reading.popleft() for clip in part.result()]

    def _read(self, index):
        """Return index, key and waveform of a file; None for the waveform if the row is known.

        A file that cannot be used has no key and the error in place of the waveform, if bad files are skipped.
        """
        path = self.paths[index]
        try:
            content = read_bytes(path, path)
            key = content_key(content) if self._store else None
            if self._store and key in self._store:
                return index, key, None
            return index, key, _load_clip(content, path, **self._options)
        except (AudioError, OSError) as error:
            if not self._skip:
                raise
            return index, None, error

    def _batch(self, clips):
        """Find or compute the rows of what has been read."""
        rows, known = None, np.zeros(len(clips), dtype=bool)
        if self._store:
            rows, known = self._store.read([key for _, key, _ in clips])
            # A row that is known and yet not found was in a damaged shard, which is not known any more.
            clips = [
                clip if found or clip[2] is not None else self._read(clip[0])
                for clip, found in zip(clips, known, strict=True)
            ]
        errors = [clip for _, _, clip in clips if isinstance(clip, Exception)]
        usable = np.array([not isinstance(clip, Exception) for _, _, clip in clips])
        missing = np.flatnonzero(usable & ~known)
        if len(missing):
            computed = compute_rows(self.transformer, np.stack([clips[i][2] for i in missing]))
            if self._store:
                self._store.write([clips[i][1] for i in missing], computed)
            if rows is None:
                rows = np.empty((len(clips), computed.shape[1]), dtype=computed.dtype)
            rows[missing] = computed
        indices = np.array([index for index, _, _ in clips])
        if errors:
            indices, rows = indices[usable], None if rows is None else rows[usable]
        return Batch(indices, rows, errors, int(known.sum()))


class _NpyWriter:
    """Writes rows to a draft of a ``.npy`` file one batch after the other.

    Not through a memory map: on a full disk that would end the process, and not with an error.
    """

    def __init__(self, draft, path, n_rows):
        self._draft, self._path, self._n_rows = draft, path, n_rows

    def __enter__(self):
        self._file = self._draft.open("wb", buffering=0)
        return self

    def __exit__(self, *_):
        self._file.close()

    def write(self, rows):
        """Write rows, in front of the first ones the header."""
        if not self._file.tell():
            header = io.BytesIO()
            shape, descr = (self._n_rows, rows.shape[1]), np.lib.format.dtype_to_descr(rows.dtype)
            contents = {"descr": descr, "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(header, contents)
            self._write(header.getbuffer())
        self._write(np.ascontiguousarray(rows).data.cast("B"))

    def _write(self, content):
        try:
            while len(content):
                content = content[self._file.write(content) :]
        except OSError as error:
            raise OSError(
                f"features cannot be written to {self._path}: {error}. Make room there, or name another out."
            ) from error


def _usable_file(path):
    """Return the path of the file to write, after finding out before the work whether it can be written."""
    path = Path(path).expanduser()
    if path.suffix != ".npy":
        raise ValueError(f"out must be a file that ends in .npy, got {str(path)!r}. Rename it.")
    if path.is_dir():
        raise IsADirectoryError(f"out must be a file, and {path} is a folder. Name a file in it.")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"out is to be written to the folder {path.parent}, and there is none. Make it.")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise PermissionError(
            f"out is to be written to {path.parent}, which is not writable. Change its permissions, or name another "
            "folder."
        )
    return path


def check_batch_size(batch_size):
    """Return the number of clips in a batch if it is one."""
    if batch_size < 1:
        raise ValueError(f"batch_size must be 1 or more, got {batch_size!r}.")
    return batch_size


def check_on_error(loader):
    """Refuse a loader that would leave files out."""
    if isinstance(loader, AudioLoader) and loader.on_error != "raise":
        raise ValueError(
            f"loader must have on_error='raise', got {loader.on_error!r}: row i is that of file i. Set it, and leave "
            "bad files out of files."
        )


def _as_paths(files):
    if isinstance(files, str | os.PathLike):
        raise ValueError(f"files must be a collection of paths, got a single {type(files).__name__}. Pass a list.")
    paths = list(files)
    for index, path in enumerate(paths):
        if not isinstance(path, str | os.PathLike):
            raise TypeError(
                f"files must hold paths, str or path-like, got {type(path).__name__} at {index}. Arrays of samples go "
                "through AudioLoader and the transformer, or CachedTransformer."
            )
    if not paths:
        raise ValueError("files holds no path (0 samples); a minimum of 1 is required.")
    return [os.fspath(path) for path in paths]


def _ready_loader(loader, paths):
    """Return a fitted copy that differs only in what does not change the rows."""
    if loader is None:
        loader = AudioLoader()
    if not isinstance(loader, AudioLoader):
        raise TypeError(f"loader must be an AudioLoader or None, got {type(loader).__name__}.")
    if loader.duration is None:
        raise ValueError("loader must have a duration, which says how long a row is, got duration=None. Set it.")
    return clone(loader).set_params(on_error="raise", source_rate=None, n_jobs=None, verbose=0).fit(paths)


def _ready_transformer(transformer, n_samples):
    """Return the transformer if it is fitted, or else a fitted clone, provided that `fit` learns nothing from data."""
    if transformer is None:
        transformer = SpeechEmbeddingTransformer()
    try:
        check_is_fitted(transformer)
    except NotFittedError:
        noises = np.random.default_rng(0).uniform(-0.1, 0.1, (2, 2, n_samples)).astype(np.float32)
        fits = [clone(transformer).fit(rows) for rows in noises]
        if fingerprint(fits[0]) != fingerprint(fits[1]):
            raise ValueError(
                "transformer must be fitted, or be one whose fit learns nothing from the data, and this "
                f"{type(transformer).__name__} is neither. Fit it first, to waveform rows from AudioLoader, or put "
                "what learns behind the features."
            ) from None
        return fits[0]
    return transformer


@contextmanager
def _threads(n_threads):
    """Give a pool that, after an error or an interrupt, drops what it has not begun."""
    pool = ThreadPoolExecutor(n_threads)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
