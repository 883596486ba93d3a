"""From many files to feature rows: reading, resampling and computing at the same time, and remembering on disk."""

import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from time import perf_counter

import numpy as np
from joblib import effective_n_jobs
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from skkws._feature_store import FeatureStore, content_key
from skkws._fingerprint import fingerprint
from skkws._progress import progress
from skkws._recording import AudioError, read_bytes
from skkws.audio import AudioLoader, _load_clip
from skkws.caching import compute_rows
from skkws.embedding import SpeechEmbeddingTransformer

__all__ = ["extract_features"]

# Files hashed in one go.
_HASHED_AT_ONCE = 64


def extract_features(files, transformer=None, *, loader=None, cache_dir=None, n_jobs=None, batch_size=256, verbose=0):
    """Compute the feature rows of recordings, as ``transformer.transform(loader.transform(files))`` does.

    Files are read, decoded and resampled in threads while the batch before is transformed, and only some batches of
    waveforms are in memory at once. With `cache_dir` every row is kept as soon as its batch is done and found again
    by the bytes of its file, wherever this lies and whatever its name: a second run reads and hashes the files, and
    decodes nothing; a run that was interrupted, or killed, is taken up where it stopped.

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
    n_jobs : int or None, default=None
        The number of threads that read and decode, as in `AudioLoader`: None means 1 unless in a
        `joblib.parallel_config` context, -1 all cores. Short clips take so little that one is enough.
    batch_size : int, default=256
        Clips transformed, and kept, at a time.
    verbose : bool or int, default=0
        Whether to draw a progress bar, with clips per second, on the standard error stream.

    Returns
    -------
    X : ndarray of shape (n_files, n_features)
        Row i is that of file i, in the dtype of the transformer: float32 for those of skkws.

    Raises
    ------
    AudioError, FileNotFoundError
        If a file cannot be used; the message names it. The batches before it are in the cache.
    OSError
        If `cache_dir` is no writable folder, or full.
    ValueError
        If `files` is empty or a parameter does not fit, or if the transformer is to be fitted to data first.

    See Also
    --------
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
    """
    if isinstance(loader, AudioLoader) and loader.on_error != "raise":
        raise ValueError(
            f"loader must have on_error='raise', got {loader.on_error!r}: row i is that of file i. Set it, and leave "
            "bad files out of files."
        )
    return extract(files, transformer, loader, cache_dir, n_jobs, batch_size, verbose).features


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
    if batch_size < 1:
        raise ValueError(f"batch_size must be 1 or more, got {batch_size!r}.")
    paths = _as_paths(files)
    skip = isinstance(loader, AudioLoader) and loader.on_error == "skip"
    loader = _ready_loader(loader, paths)
    transformer = _ready_transformer(transformer, loader.n_samples_)
    store = None if cache_dir is None else FeatureStore(cache_dir, fingerprint(loader, transformer))
    n_threads = effective_n_jobs(n_jobs)
    rows, known, errors = None, np.zeros(len(paths), dtype=bool), {}
    with _threads(n_threads) as pool:
        if store:
            rows, known = store.read(_keys(pool, paths))
        kept, missing = known.copy(), np.flatnonzero(~known)
        with progress("Extracting features", len(missing), verbose=verbose and len(missing)) as advance:
            start, n_done = perf_counter(), 0
            for batch in _batches(pool, _Reader(loader, paths, skip), missing, batch_size, n_threads):
                errors |= {i: result for i, _, result in batch if isinstance(result, Exception)}
                good = [clip for clip in batch if clip[0] not in errors]
                if good:
                    indices, keys, clips = zip(*good, strict=True)
                    computed = compute_rows(transformer, np.stack(clips))
                    if store:
                        store.write(keys, computed)
                    if rows is None:
                        rows = np.empty((len(paths), computed.shape[1]), dtype=computed.dtype)
                    rows[list(indices)] = computed
                    kept[list(indices)] = True
                n_done += len(batch)
                advance(f"{n_done / (perf_counter() - start):.0f} clips/s", len(batch))
    if not kept.any():
        raise AudioError(f"none of the {len(paths)} files can be used; the first one: {errors[0]}")
    return Extract(rows if kept.all() else rows[kept], np.flatnonzero(kept), list(errors.values()), int(known.sum()))


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


class _Reader:
    """From the index of a file to index, key and waveform; or to index, None and error if these are skipped."""

    def __init__(self, loader, paths, skip):
        self.paths = paths
        self.options = loader._options()
        self.skip = skip

    def __call__(self, index):
        path = self.paths[index]
        try:
            content = read_bytes(path, path)
            return index, content_key(content), _load_clip(content, path, **self.options)
        except (AudioError, OSError) as error:
            if not self.skip:
                raise
            return index, None, error


def _keys(pool, paths):
    """Return the key of each file; None for one that cannot be read, which says why when its turn comes."""

    def keys(some):
        found = []
        for path in some:
            try:
                found.append(content_key(read_bytes(path, path)))
            except (AudioError, OSError):
                found.append(None)
        return found

    parts = [paths[i : i + _HASHED_AT_ONCE] for i in range(0, len(paths), _HASHED_AT_ONCE)]
    return list(chain.from_iterable(pool.map(keys, parts)))


def _batches(pool, read, indices, batch_size, n_threads):
    """Yield what `read` makes of the indices, batch by batch, and have two more batches read meanwhile."""
    size = -(-batch_size // n_threads)  # a batch is shared out among the threads
    parts = (indices[i : i + size].tolist() for i in range(0, len(indices), size))
    running = deque()

    def start(n_parts):
        running.extend(pool.submit(lambda part: [read(i) for i in part], part) for part in islice(parts, n_parts))

    start(3 * n_threads)
    while running:
        batch = [clip for _ in range(min(n_threads, len(running))) for clip in running.popleft().result()]
        start(n_threads)
        yield batch


@contextmanager
def _threads(n_threads):
    """Give a pool that, after an error or an interrupt, drops what it has not begun."""
    pool = ThreadPoolExecutor(n_threads)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
