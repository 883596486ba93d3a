"""What decides the rows that a transformer computes, as a short text."""

import hashlib
import os
import sys
from pathlib import Path

import joblib
import numpy as np

import skkws
from skkws._runtime.code import describe_code, is_function, is_versioned
from skkws._runtime.public import public_module

KEY_BYTES = 16
# Parameters that say how a result is come by or where it is kept, and have no effect on what it is.
_NO_EFFECT = {"cache_dir", "memory", "n_jobs", "verbose"}


def fingerprint(*estimators):
    """Fingerprint of fitted transformers: equal where they compute equal rows from equal rows.

    It covers classes, parameters (`n_jobs`, `verbose`, `memory` and `cache_dir` aside) and the fitted state, of steps
    and nested estimators as well, the content of the files that parameters name, the version of skkws and those of
    the packages that the classes come from. It is the same in every process and on every run. The code of an installed
    package is covered by its version alone, that of classes and functions of a user's own by what it does.

    Parameters
    ----------
    *estimators : estimator
        Fitted, in the order in which they follow each other.

    Returns
    -------
    fingerprint : str
        32 hexadecimal digits.

    Raises
    ------
    ValueError
        If a parameter or a part of the fitted state cannot be pickled, such as a lock.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws import MFCCTransformer
    >>> from skkws._runtime.fingerprint import fingerprint
    >>> rows = np.zeros((1, 16000))
    >>> fingerprint(MFCCTransformer().fit(rows)) == fingerprint(MFCCTransformer().fit(rows + 1))
    True
    >>> fingerprint(MFCCTransformer().fit(rows)) == fingerprint(MFCCTransformer(deltas=1).fit(rows))
    False
    """
    description = repr([skkws.__version__, *map(_describe, estimators)])
    return hashlib.blake2b(description.encode(), digest_size=16).hexdigest()


def _describe(value):
    """Describe a value in nested lists of strings that depend on nothing but what it is."""
    if isinstance(value, np.generic):
        value = value.item()  # parameters out of a grid made by NumPy are no others
    if hasattr(value, "get_params") and not isinstance(value, type):
        return _describe_estimator(value)
    if isinstance(value, str | os.PathLike):
        return _describe_text(os.fspath(value))
    if is_function(value):
        return describe_code(value, _describe)
    if isinstance(value, dict):
        return ["dict", sorted(([_describe(key), _describe(value[key])] for key in value), key=repr)]
    if isinstance(value, list | tuple):
        return [type(value).__name__, [_describe(item) for item in value]]
    try:
        digest = joblib.hash(value)
    except Exception as error:  # whatever an object's own way of pickling may raise
        raise ValueError(
            f"{value!r} cannot be pickled, so features that depend on it cannot be cached: {error}. "
            "Leave it out, or do without the cache."
        ) from error
    return digest if is_versioned(type(value).__module__) else [digest, describe_code(type(value), _describe)]


def _describe_estimator(estimator):
    kind = type(estimator)
    package = sys.modules.get(kind.__module__.partition(".")[0])
    params = estimator.get_params(deep=False)
    state = {name: item for name, item in vars(estimator).items() if name not in params}
    state.pop("_sklearn_output_config", None)  # the look of the output
    return [
        f"{public_module(kind)}.{kind.__qualname__}",
        str(getattr(package, "__version__", "")) if is_versioned(kind.__module__) else describe_code(kind, _describe),
        _describe({name: item for name, item in params.items() if name not in _NO_EFFECT}),
        _describe(state),
    ]


def _describe_text(text):
    """Describe a text, and the file of this name if there is one."""
    path = os.path.expanduser(text)
    if not os.path.isfile(path):
        return ["text", text]
    return ["file", text, hashlib.blake2b(Path(path).read_bytes()).hexdigest()]


def content_key(*contents):
    """Key of a row: the digest of the bytes that it is computed from.

    Parameters
    ----------
    *contents : bytes-like
        Contiguous; hashed one after the other.

    Returns
    -------
    key : bytes of length 16
    """
    digest = hashlib.blake2b(digest_size=KEY_BYTES)
    for content in contents:
        digest.update(content)
    return digest.digest()
