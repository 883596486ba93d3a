"""Feature rows of files: reading, resampling and computing at the same time, and remembering on disk."""

import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from time import perf_counter

import numpy as np
from joblib import delayed, effective_n_jobs
from sklearn.base import clone
from sklearn.preprocessing import FunctionTransformer

from skkws._runtime.fingerprint import content_key, fingerprint
from skkws._runtime.parallel import in_order, shares_memory
from skkws._runtime.progress import progress
from skkws._runtime.stateless import fitted_without_data, is_fitted, noise_rows, taken_for_fitted
from skkws.audio import AudioError, AudioLoader, Clip, ClipReport, load_clip, read_bytes
from skkws.embedding import SpeechEmbeddingTransformer
from skkws.extraction._caching import compute_rows
from skkws.extraction._store import FeatureStore


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
    report: ClipReport
    """On the files that were decoded."""


class FileRows:
    """Feature rows of files, computed or found in the cache batch by batch.

    Parameters
    ----------
    files, transformer, loader, cache_dir, n_jobs, batch_size
        As in `extract_features`, and checked here; the loader may skip bad files, and the transformer may be
        ``"passthrough"``, which leaves waveforms as they are.

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
        self._options, self._duration = loader._options(), loader.duration
        setting = None if cache_dir is None else fingerprint(loader, self.transformer)
        self._store = None if cache_dir is None else FeatureStore(cache_dir, setting)
        # Files are decoded by threads; where the user has named processes or a cluster, whole batches go there.
        self._elsewhere = not shares_memory()
        self._n_jobs = n_jobs

    def __len__(self):
        return len(self.paths)

    def batches(self, order=None, verbose=0, description="Extracting features"):
        """Iterate over batches of files, of which the next ones are read meanwhile.

        Parameters
        ----------
        order : ndarray of int or None, default=None
            Indices of the files, as they shall come. None takes all of them in turn.
        verbose : bool or int, default=0
            Whether to draw a progress bar.
        description : str, default="Extracting features"
            What is in front of the bar.

        Yields
        ------
        batch : Batch
        """
        order = np.arange(len(self)) if order is None else order
        with progress(description, len(order), verbose=verbose) as advance:
            start, n_done, report = perf_counter(), 0, ClipReport()
            for batch in self._computed_elsewhere(order) if self._elsewhere else self._computed(order):
                yield batch
                report.merge(batch.report)
                n_now = len(batch.indices) + len(batch.errors)
                n_done += n_now
                advance(f"{n_done / (perf_counter() - start):.0f} clips/s", n_now)
        report.warn(self._duration, stacklevel=3)

    def _computed(self, order):
        """Yield batches that are computed here."""
        if self._store:
            self._store.refresh()
        n_threads = effective_n_jobs(self._n_jobs)
        with _threads(n_threads) as pool:
            for clips in self._read_ahead(pool, n_threads, order):
                yield self._batch(clips)

    def _computed_elsewhere(self, order):
        """Yield batches that are computed by the processes of joblib's backend."""
        parts = [order[i : i + self.batch_size] for i in range(0, len(order), self.batch_size)]
        tasks = (delayed(_whole_batch)(self._only([self.paths[i] for i in part])) for part in parts)
        batches = in_order(tasks, self._n_jobs)
        for part, batch in zip(parts, batches, strict=True):
            yield replace(batch, indices=part[batch.indices])

    def _only(self, paths):
        """Return the same for some of the files."""
        some = copy(self)
        some.paths = paths
        return some

    def _read_ahead(self, pool, n_threads, order):
        """Yield what `_read` makes of the files, batch by batch, and have two more batches read meanwhile."""

        def read(batch):
            parts = [part.tolist() for part in np.array_split(batch, n_threads) if len(part)]
            return [pool.submit(lambda part: [self._read(i) for i in part], part) for part in parts]

        starts = range(0, len(order), self.batch_size)
        batches = (read(order[i : i + self.batch_size]) for i in starts)
        reading = deque(islice(batches, 2))
        while reading:
            reading.extend(islice(batches, 1))
            yield [clip for part in reading.popleft() for clip in part.result()]

    def _read(self, index):
        """Return index, key and clip of a file; None for the clip if the row is known.

        A file that cannot be used has no key and the error in place of the clip, if bad files are skipped.
        """
        path = self.paths[index]
        try:
            content = read_bytes(path, path)
            key = content_key(content) if self._store else None
            if self._store and key in self._store:
                return index, key, None
            return index, key, load_clip(content, path, **self._options)
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
        report = ClipReport()
        for clip in (clip for _, _, clip in clips if isinstance(clip, Clip)):
            report.add(clip, self._duration, self._options["pad"])
        usable = np.array([not isinstance(clip, Exception) for _, _, clip in clips])
        missing = np.flatnonzero(usable & ~known)
        if len(missing):
            computed = compute_rows(self.transformer, np.stack([clips[i][2].y for i in missing]))
            if self._store:
                self._store.write([clips[i][1] for i in missing], computed)
            if rows is None:
                rows = np.empty((len(clips), computed.shape[1]), dtype=computed.dtype)
            rows[missing] = computed
        indices = np.array([index for index, _, _ in clips])
        if errors:
            indices, rows = indices[usable], None if rows is None else rows[usable]
        return Batch(indices, rows, errors, int(known.sum()), report)


def _whole_batch(file_rows):
    """Compute all rows as one batch, in another process, which learns once what is in the cache."""
    if file_rows._store:
        file_rows._store = _store_in(file_rows._store.folder)
        file_rows._store.refresh()
    return file_rows._batch([file_rows._read(i) for i in range(len(file_rows))])


@lru_cache(1)
def _store_in(folder):
    return FeatureStore(folder.parent, folder.name)


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
    if isinstance(transformer, str) and transformer == "passthrough":
        transformer = FunctionTransformer().set_output(transform="default")
    if is_fitted(transformer):
        return taken_for_fitted(transformer)
    fitted = fitted_without_data(transformer, noise_rows(n_samples))
    if fitted is None:
        raise ValueError(
            "transformer must be fitted, or be one whose fit learns nothing from the data, and this "
            f"{type(transformer).__name__} is neither. Fit it first, to waveform rows from AudioLoader, or put "
            "what learns behind the features."
        )
    return fitted


@contextmanager
def _threads(n_threads):
    """Give a pool that, after an error or an interrupt, drops what it has not begun."""
    pool = ThreadPoolExecutor(n_threads)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
