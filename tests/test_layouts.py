"""Every public estimator, over every type, order and layout of its rows."""

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from test_common import ESTIMATORS, fitted, name_of, outputs

CLIPS = np.round(np.random.default_rng(0).normal(scale=20, size=(12, 640))).clip(-100, 100)
LABELS = np.tile(["no", "yes"], 6)


def strided(X):
    """Every second column of a wider array."""
    wide = np.full((len(X), 2 * X.shape[1]), 77, dtype=X.dtype)
    wide[:, ::2] = X
    return wide[:, ::2]


def backwards(X):
    """Rows and columns that are counted from their ends."""
    return np.ascontiguousarray(X[::-1, ::-1])[::-1, ::-1]


def read_only(X):
    X = X.copy()
    X.flags.writeable = False
    return X


def unaligned(X):
    """Numbers that begin at odd addresses."""
    raw = np.zeros(X.nbytes + 1, dtype=np.uint8)
    out = raw[1:].view(X.dtype).reshape(X.shape)
    out[:] = X
    return out


def on_disk(X, folder):
    np.save(folder / "rows.npy", X)
    return np.load(folder / "rows.npy", mmap_mode="r")


LAYOUTS = {
    "Fortran": np.asfortranarray,
    "strided": strided,
    "backwards": backwards,
    "read-only": read_only,
    "unaligned": unaligned,
    "list": lambda X: X.tolist(),
}
DTYPES = ["float16", "float64", ">f4", "int16", "int64", "bool"]
DTYPES += [pytest.param(dtype, marks=pytest.mark.slow) for dtype in ("float32", ">f8", "int32", "uint8")]


def answer(estimator, X):
    if hasattr(estimator, "fit_resample"):
        return clone(estimator).set_params(random_state=0).fit_resample(X, LABELS)[0]
    return np.asarray(outputs(fitted(estimator, (X, LABELS)), X))


def rows(dtype):
    if dtype == "bool":
        return CLIPS > 0
    kind = np.dtype(dtype)
    return (CLIPS + 100 if kind.kind == "u" else CLIPS / 128 if kind.kind == "f" else CLIPS).astype(kind)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=name_of)
def test_the_answer_does_not_depend_on_how_rows_lie_in_memory(estimator, tmp_path):
    for dtype in ("float32", "float64"):
        X = rows(dtype)
        expected = answer(estimator, X)
        assert np.isfinite(expected).all()
        for name, lay in LAYOUTS.items():
            if (name, dtype) != ("list", "float32"):  # a list is of Python's floats, of 64 bits
                np.testing.assert_allclose(answer(estimator, lay(X)), expected, atol=1e-4, err_msg=f"{name} {dtype}")
        np.testing.assert_allclose(answer(estimator, on_disk(X, tmp_path)), expected, atol=1e-4)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=name_of)
def test_rows_of_any_type_are_the_numbers_that_they_are_or_refused(estimator, dtype):
    X = rows(dtype)
    if name_of(estimator) == "AudioLoader" and X.dtype.kind in "iub":
        pcm = X.dtype.kind in "iu" and X.dtype.itemsize < 8
        if not pcm:
            with pytest.raises(ValueError, match=r"dtype int64|got ndarray"):
                answer(estimator, X)
            return
        full_scale = 2.0 ** (8 * X.dtype.itemsize - 1)
        expected = (X.astype(float) - (full_scale if X.dtype.kind == "u" else 0)) / full_scale
        padded = answer(clone(estimator).set_params(duration=0.04, on_error="raise"), X)
        np.testing.assert_allclose(padded, expected, atol=1e-6)
        return
    found = answer(estimator, X)
    double = X.astype(np.float64)
    assert np.isfinite(found).all()
    # Of single precision and of double; networks are trained in that of their rows.
    for native in (double, double.astype(np.float32)):
        expected = answer(estimator, native)
        if np.allclose(found, expected, atol=0.02 if is_classifier(estimator) else 2e-3, rtol=1e-3):
            return
    raise AssertionError(np.abs(found - expected).max())
