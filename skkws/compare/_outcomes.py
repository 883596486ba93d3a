"""Outcomes of fits on disk, so that a comparison that was interrupted goes on."""

import warnings

import numpy as np

from skkws._runtime.files import is_full, usable_folder, whole_file
from skkws._runtime.fingerprint import content_key, fingerprint
from skkws._runtime.npz import read_npz
from skkws.compare._tasks import Outcome

_NUMBERS = {"fit_seconds": float, "predict_seconds": float, "n_bytes": int, "multiply_adds": int}
# Bytes of the headers and numbers of a file, beside its predictions and probabilities of 8 bytes each.
_REST = 10_000


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
        self._is_full = False
        self._n_classes, self._n_conditions = int(codes.max()) + 1, len(conditions)
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

    def read(self, key, task):
        """Outcome of a task; None if there is none, or, with a warning, if it is damaged."""
        path = self._path(key)
        if path is None or not path.is_file():
            return None
        n_rows = 1 if task.n_examples else self._n_conditions
        most = 8 * len(task.test) * (n_rows + self._n_classes) + _REST
        try:
            return _checked(read_npz(path, max_bytes=most), (n_rows, len(task.test)), self._n_classes)
        except (OSError, ValueError) as error:
            warnings.warn(
                f"{path} is no outcome of {task.name} that a comparison can go on from ({error}); the fit is done "
                "again, and the file written anew.",
                stacklevel=3,
            )
            return None

    def write(self, key, outcome):
        """Keep an outcome; on a full disk, with a warning, this and further ones are not kept."""
        path = self._path(key)
        if path is None or self._is_full:
            return
        arrays = {name: value for name, value in vars(outcome).items() if value is not None}
        try:
            with whole_file(path) as draft:
                np.savez(draft, **arrays)
        except OSError as error:
            if not is_full(error):
                raise
            self._is_full = True
            warnings.warn(
                f"outcomes of fits are not kept any more, as there is no room in {self._folder} ({error}).",
                UserWarning,
                stacklevel=3,
            )

    def _path(self, key):
        return self._folder and self._folder / f"{key}.npz"


def _checked(arrays, shape, n_classes):
    """Return an outcome, if the arrays are one of `shape` conditions and clips."""
    if wrong := (arrays.keys() - {"probabilities"}) ^ {"predicted", *_NUMBERS}:
        raise ValueError(f"missing or unknown {sorted(wrong)[:4]}")
    predicted, probabilities = arrays["predicted"], arrays.get("probabilities")
    if predicted.shape != shape or predicted.dtype.kind != "i":
        raise ValueError(f"predictions must be integers of the shape {shape}, got {predicted.dtype} {predicted.shape}")
    if predicted.size and not 0 <= predicted.min() <= predicted.max() < n_classes:
        raise ValueError(f"predictions must be less than {n_classes}, got {predicted.min()} to {predicted.max()}")
    if probabilities is not None:
        right = probabilities.shape == (shape[1], n_classes) and probabilities.dtype.kind == "f"
        if not right or not ((probabilities >= 0) & (probabilities <= 1 + 1e-3)).all():
            raise ValueError(f"probabilities must be numbers from 0 to 1 of the shape {(shape[1], n_classes)}")
    numbers = {}
    for name, kind in _NUMBERS.items():
        value = arrays[name]
        if value.shape != () or value.dtype.kind not in "iuf" or not 0 <= value < np.inf:
            raise ValueError(f"{name} must be a number from 0 up, got {value.dtype} {value.shape}")
        numbers[name] = kind(value)
    return Outcome(predicted, probabilities, **numbers)
