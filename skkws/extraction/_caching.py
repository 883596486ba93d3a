"""A transformer that remembers on disk what it has computed."""

import os
import time
from functools import lru_cache

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context, clone
from sklearn.utils import _safe_indexing, get_tags
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from skkws._engine.spec import SAMPLE_RATE
from skkws._runtime.files import FoldersStay, usable_folder
from skkws._runtime.fingerprint import content_key, fingerprint
from skkws._runtime.stateless import fitted_without_data, learns_from_data, noise_rows, taken_for_fitted
from skkws.audio import as_clip_list, clip_names, is_source, read_bytes
from skkws.embedding import SpeechEmbeddingTransformer
from skkws.extraction._store import FeatureStore, distinct

# Files whose keys a process remembers.
_MOST_FILES = 2**18
# Nanoseconds after a change in which another one may bear the same time.
_SETTLED = 2 * 10**9
# Samples of a clip of noise that an AudioLoader makes a row of.
_NOISE_LENGTH = SAMPLE_RATE


def _names_its_features(self):
    return hasattr(self._unfitted(), "get_feature_names_out")


class CachedTransformer(FoldersStay, TransformerMixin, BaseEstimator):
    """Compute the rows of a transformer once, and read them from disk ever after.

    Each row is looked up by its content: `transform` computes the rows that are not known, in one call, and keeps
    them. In a cross-validation or a grid search a clip so passes the transformer once for each of its settings, not
    once for each fold and classifier, in all processes and later runs together. The rows equal the transformer's own
    bit by bit.

    With an :class:`AudioLoader` in front, ``CachedTransformer(make_pipeline(AudioLoader(), ...), cache_dir)``, it goes
    from files to rows, and a file whose row is known is not even decoded.

    A row is found again where its values, their dtype and the *setting* are equal: the class of the transformer, its
    parameters, its fitted state, the content of the files that its parameters name (weights), and the versions of the
    packages. Of classes and functions of your own the compiled code counts, with that of all that they name, and the
    values of the variables of a module that they use: one that changes while rows are computed, such as a counter,
    makes every call another setting.

    So a transformer that learns from the data is cached correctly too, yet for each fit anew: this serves those whose
    `fit` learns nothing, as all feature transformers of skkws. These declare it, and so can one of your own, by the
    class attribute ``learns_from_data = False``; of one that declares nothing, fits to noise find it out. What learns
    nothing is not fitted to the data, so that no clip is computed for it.

    Parameters
    ----------
    transformer : transformer or None, default=None
        What computes the rows: 2-D arrays, or clips that an :class:`AudioLoader` takes, to 2-D arrays of numbers, each
        row from its like alone. None means ``SpeechEmbeddingTransformer()``.
    cache_dir : str, path-like or None, default=None
        Folder for the rows; made if need be, and shared by any number of transformers, processes and machines. None
        keeps nothing, like ``memory=None`` in a `Pipeline`.

    Attributes
    ----------
    transformer_ : transformer
        The fitted clone of `transformer`.
    n_features_in_ : int
        Columns of a row in `fit`, where rows have columns.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the input columns, where `X` has names.

    See Also
    --------
    extract_features : From files to rows, with the same cache.

    Notes
    -----
    A file is known by its bytes. Within a process its bytes are not read again while its size and its time of change
    stay the same.

    Nothing is ever deleted: delete the folder to make room, and also after changes to the code of a transformer of
    your own, whose version does not tell. Processes that meet the same unknown row at the same moment both compute
    it, which does no harm. A model that is given to others best holds `transformer_` in place of this.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from skkws import CachedTransformer, MFCCTransformer
    >>> clips = np.random.RandomState(0).uniform(-0.1, 0.1, (2, 16000))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cached = CachedTransformer(MFCCTransformer(), folder).fit(clips)
    ...     computed = cached.transform(clips)
    ...     read = cached.transform(clips)
    >>> read.shape, np.array_equal(read, computed)
    ((2, 156), True)
    """

    _parameter_constraints = {
        "transformer": [HasMethods(["fit", "transform"]), None],
        "cache_dir": [str, os.PathLike, None],
    }

    _folders = ("cache_dir",)

    def __init__(self, transformer=None, cache_dir=None):
        self.transformer = transformer
        self.cache_dir = cache_dir

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        """Fit a clone of the transformer.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_features), or list of clips
            One clip a row; clips where the transformer begins with an :class:`AudioLoader`.
        y : array-like of shape (n_clips,) or None, default=None
            Handed on.

        Returns
        -------
        self : CachedTransformer
        """
        if self.cache_dir is not None:
            usable_folder(self.cache_dir)
        rows = as_clip_list(X)
        if rows is None:
            rows = self._validate(X, reset=True)
        else:  # a list has no columns, and a refit forgets those of an earlier array
            vars(self).pop("n_features_in_", None)
            vars(self).pop("feature_names_in_", None)
        fitted = self._fitted_without(X, rows)
        self.transformer_ = taken_for_fitted(clone(self._unfitted()).fit(X, y)) if fitted is None else fitted
        return self

    def transform(self, X):
        """Read the rows that are known, and compute and keep the others.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_features), or list of clips
            As in `fit`.

        Returns
        -------
        X_out : ndarray of shape (n_clips, n_features_out)
            The transformer's rows, in its dtype.

        Raises
        ------
        OSError
            If `cache_dir` is no writable folder. On a full disk rows are computed and, with a warning, not kept.
        """
        check_is_fitted(self)
        clips = as_clip_list(X)
        if clips is None:
            rows = self._validate(X, reset=False)
            X = X if hasattr(X, "columns") else rows  # a frame's columns have names
        if self.cache_dir is None:
            return compute_rows(self.transformer_, X)
        keys = _row_keys(rows) if clips is None else _clip_keys(clips)
        store = FeatureStore(self.cache_dir, fingerprint(self.transformer_))
        found, known = store.read(keys)
        missing = np.flatnonzero(~known)
        if len(missing):
            first, inverse = distinct([keys[i] for i in missing])
            new = missing[first]
            computed = compute_rows(self.transformer_, _safe_indexing(X, new))
            store.write([keys[i] for i in new], computed)
            if found is None:
                found = np.empty((len(keys), computed.shape[1]), dtype=computed.dtype)
            found[missing] = computed[inverse]
        return found

    @available_if(_names_its_features)
    def get_feature_names_out(self, input_features=None):
        """Names of the output columns, as the transformer gives them.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Handed on.

        Returns
        -------
        names : ndarray of shape (n_features_out,), dtype object
        """
        check_is_fitted(self)
        return self.transformer_.get_feature_names_out(input_features)

    @property
    def output_shape_(self):
        """The transformer's, where it has one: ``row.reshape(output_shape_)``."""
        return self.transformer_.output_shape_

    def __sklearn_tags__(self):
        tags = get_tags(self._unfitted())
        tags.requires_fit = True
        tags.input_tags.sparse = tags.array_api_support = False
        return tags

    def _unfitted(self):
        return SpeechEmbeddingTransformer() if self.transformer is None else self.transformer

    @property
    def learns_from_data(self):
        """Whether the transformer's `fit` learns from the data; None if it does not declare it."""
        return learns_from_data(self._unfitted())

    def _fitted_without(self, X, rows):
        """Return what any data would make of the transformer; None if they matter, or might."""
        if self.cache_dir is None or hasattr(X, "columns"):
            return None
        if isinstance(rows, list):
            noises = [list(noise) for noise in noise_rows(_NOISE_LENGTH)]
        elif rows.dtype.kind == "f" and np.isfinite(rows).all():
            noises = noise_rows(rows.shape[1], rows.dtype)
        else:
            return None
        return fitted_without_data(self._unfitted(), noises)

    def _validate(self, X, reset):
        # What the values may be is for the transformer to say; rows that it refuses never get into the cache.
        return validate_data(self, X, reset=reset, dtype="numeric", ensure_all_finite=False)


def compute_rows(transformer, X):
    """Return what the transformer makes of `X`, if it is what a cache can keep: a dense 2-D array of numbers."""
    rows = transformer.transform(X)
    if not issparse(rows):
        rows = np.asarray(rows)
        if rows.ndim == 2 and len(rows) == len(X) and rows.dtype.kind in "biuf":
            return rows
    raise ValueError(
        f"{type(transformer).__name__} gave a {type(rows).__name__} of dtype {rows.dtype} and shape {rows.shape}, and "
        f"features are cached as dense 2-D arrays of numbers, {len(X)} rows here. Have it give these."
    )


def _row_keys(rows):
    kind = rows.dtype.str.encode()
    return [content_key(kind, row) for row in np.ascontiguousarray(rows)]


def _clip_keys(clips):
    return [_clip_key(clip, name) for clip, name in zip(clips, clip_names(clips), strict=True)]


def _clip_key(clip, name):
    if isinstance(clip, str | os.PathLike):
        try:
            about = os.stat(clip)
        except OSError:
            about = None  # reading it says what is wrong
        path = os.fspath(clip)
        if about is None or time.time_ns() - about.st_ctime_ns < _SETTLED:
            return content_key(read_bytes(path, path))
        # Unlike the time of the last write, that of the last change of any kind cannot be put back.
        return _file_key(path, (about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns))
    if is_source(clip):
        return content_key(read_bytes(clip, name))
    if isinstance(clip, tuple | list):  # a rate and samples
        return content_key(str(clip[0]).encode(), _row_keys(np.asarray(clip[1])[None])[0])
    return _row_keys(np.asarray(clip)[None])[0]


@lru_cache(_MOST_FILES)
def _file_key(path, about):
    return content_key(read_bytes(path, path))
