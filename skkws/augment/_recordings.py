"""Recordings that transforms draw from: a folder, files or arrays."""

import os
from functools import lru_cache
from pathlib import Path

import numpy as np

from skkws.audio import audio_extensions, check_samples, pcm_to_float, read_audio


def as_recordings(recordings, owner):
    """List recordings: paths as strings, and arrays of samples.

    Parameters
    ----------
    recordings : path, array-like, or list of paths and arrays
        A folder (all audio files in it and below), a file, samples of shape (n_samples,) or (n_clips, n_samples), or
        a list of files and samples.
    owner : str
        Whom errors name.

    Returns
    -------
    recordings : tuple of str and ndarray
        Paths, whose files are read when they are needed, and float32 samples.

    Raises
    ------
    ValueError
        If there is no recording, or one has no finite samples.
    FileNotFoundError
        If a path does not exist.
    """
    if isinstance(recordings, str | os.PathLike):
        recordings = _files(Path(recordings), owner)
    elif isinstance(recordings, np.ndarray):
        recordings = list(np.atleast_2d(recordings))
    found = tuple(_as_recording(item, f"{owner}: recording {i}") for i, item in enumerate(recordings))
    if not found:
        raise ValueError(f"{owner}: got no recording. Pass a folder, files or arrays of samples.")
    return found


def samples_of(recording, sample_rate):
    """Return the samples of one of `as_recordings`; arrays are at `sample_rate` already."""
    if isinstance(recording, np.ndarray):
        return recording
    return _read(recording, os.stat(recording).st_mtime_ns, sample_rate)


def excerpt(y, n_samples, rng):
    """Draw `n_samples` in a row; a shorter recording is repeated from a random sample on."""
    if len(y) < n_samples:
        return np.take(y, rng.integers(len(y)) + np.arange(n_samples), mode="wrap")
    start = rng.integers(len(y) - n_samples + 1)
    return y[start : start + n_samples]


# The latest files stay decoded, so that a pickle holds their names alone.
@lru_cache(maxsize=256)
def _read(path, modified, sample_rate):
    y, _ = read_audio(path, sample_rate=sample_rate)
    y.setflags(write=False)
    return y


def _files(path, owner):
    if not path.exists():
        raise FileNotFoundError(f"{owner}: no file or folder {path}. Check the path.")
    if path.is_file():
        return [path]
    extensions = audio_extensions()
    files = sorted(p for p in path.rglob("*") if p.suffix.lower() in extensions and p.name[0] != ".")
    if not files:
        raise ValueError(f"{owner}: {path} holds no audio file ({', '.join(extensions)}). Add recordings to it.")
    return files


def _as_recording(item, name):
    if isinstance(item, str | os.PathLike):
        if not Path(item).is_file():
            raise FileNotFoundError(f"{name}: no file {item}. Check the path.")
        return os.fspath(item)
    y = np.asarray(item)
    if y.ndim != 1:
        raise ValueError(f"{name}: expected a path or a 1-D array of samples, got {type(item).__name__} {item!r}.")
    return check_samples(pcm_to_float(y), name)
