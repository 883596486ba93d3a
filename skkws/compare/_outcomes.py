"""Outcomes of fits on disk, so that a comparison that was interrupted goes on."""

import zipfile
from dataclasses import fields

import numpy as np

from skkws._runtime.files import usable_folder, whole_file
from skkws._runtime.fingerprint import content_key, fingerprint
from skkws.compare._tasks import Outcome


class OutcomeStore:
    """Outcomes of fits, found again by the data, the model and the split that they came from.

    Parameters
    ----------
    folder : str, path-like or None
        Where they are kept, a file each; None keeps nothing.
    X, codes : ndarray
        The clips and their labels.
    conditions : Conditions
        What is tested.
    """

    def __init__(self, folder, X, codes, conditions):
        self._folder = None if folder is None else usable_folder(folder, "checkpoint_dir")
        if self._folder:
            # Two clips in noise tell it from other noise.
            noisy = (np.ascontiguousarray(conditions.rows(i, 2)) for i in range(1, len(conditions)))
            self._data = content_key(X, np.ascontiguousarray(codes), *noisy)

    def key(self, model, task):
        """Key of a task; None if nothing is kept."""
        if self._folder is None:
            return None
        about = f"{fingerprint(model)} {task.n_examples > 0} {task.repeat}".encode()
        return content_key(
            self._data, about, np.ascontiguousarray(task.train), b"|", np.ascontiguousarray(task.test)
        ).hex()

    def read(self, key):
        """Outcome of this key; None if there is none, or it is damaged."""
        path = self._path(key)
        if path is None or not path.is_file():
            return None
        try:
            with np.load(path) as arrays:
                return Outcome(**{f.name: arrays[f.name][()] if f.name in arrays else None for f in fields(Outcome)})
        except (OSError, ValueError, EOFError, zipfile.BadZipFile):
            return None

    def write(self, key, outcome):
        """Keep an outcome."""
        path = self._path(key)
        if path is None:
            return
        arrays = {name: value for name, value in vars(outcome).items() if value is not None}
        with whole_file(path) as draft:
            np.savez(draft, **arrays)

    def _path(self, key):
        return self._folder and self._folder / f"{key}.npz"
