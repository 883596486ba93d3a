"""A transformer that remembers on disk what it has computed."""

import os

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context, clone
from sklearn.utils import _safe_indexing, get_tags
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from skkws._feature_store import FeatureStore, content_key, distinct, usable_folder
from skkws._fingerprint import fingerprint
from skkws.embedding import SpeechEmbeddingTransformer

__all__ = ["CachedTransformer"]


def _names_its_features(self):
    return hasattr(self._unfitted(), "get_feature_names_out")


class CachedTransformer(TransformerMixin, BaseEstimator):
    """Compute the rows of a transformer once, and read them from disk ever after.

    Each row is looked up by its content: `transform` computes the rows that are not known, in one call, and keeps
    them. In a cross-validation or a grid search a clip so passes the transformer once for each of its settings, not
    once for each fold and classifier, in all processes and later runs together. The rows equal the transformer's own
    bit by bit.

    A row is found again where its values, their dtype and the *setting* are equal: the class of the transformer, its
    parameters, its fitted state, the content of the files that its parameters name (weights), and the versions of the
    packages. So a transformer that learns from the data is cached correctly too, yet for each fit anew: this serves
    those whose `fit` learns nothing, as all feature transformers of skkws.

    Parameters
    ----------
    transformer : transformer or None, default=None
        What computes the rows: 2-D arrays to 2-D arrays of numbers, each row from its like alone. None means
        ``SpeechEmbeddingTransformer()``.
    cache_dir : str, path-like or None, default=None
        Folder for the rows; made if need be, and shared by any number of transformers, processes and machines. None
        keeps nothing, like ``memory=None`` in a `Pipeline`.

    Attributes
    ----------
    transformer_ : transformer
        The fitted clone of `transformer`.
    n_features_in_ : int
        Columns of a row in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the input columns, where `X` has names.

    See Also
    --------
    extract_features : From files to rows, with the same cache.

    Notes
    -----
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

    def __init__(self, transformer=None, cache_dir=None):
        self.transformer = transformer
        self.cache_dir = cache_dir

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        """Fit a clone of the transformer.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_features)
            One clip a row.
        y : array-like of shape (n_clips,) or None, default=None
            Handed on.

        Returns
        -------
        self : CachedTransformer
        """
        if self.cache_dir is not None:
            usable_folder(self.cache_dir)
        self._validate(X, reset=True)
        self.transformer_ = clone(self._unfitted()).fit(X, y)
        return self

    def transform(self, X):
        """Read the rows that are known, and compute and keep the others.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_features)
            One clip a row.

        Returns
        -------
        X_out : ndarray of shape (n_clips, n_features_out)
            The transformer's rows, in its dtype.

        Raises
        ------
        OSError
            If `cache_dir` is no writable folder, or full.
        """
        check_is_fitted(self)
        clips = self._validate(X, reset=False)
        X = X if hasattr(X, "columns") else clips  # a frame's columns have names
        if self.cache_dir is None:
            return compute_rows(self.transformer_, X)
        kind = clips.dtype.str.encode()
        keys = [content_key(kind, clip) for clip in np.ascontiguousarray(clips)]
        store = FeatureStore(self.cache_dir, fingerprint(self.transformer_))
        rows, known = store.read(keys)
        missing = np.flatnonzero(~known)
        if len(missing):
            first, inverse = distinct([keys[i] for i in missing])
            new = missing[first]
            computed = compute_rows(self.transformer_, _safe_indexing(X, new))
            store.write([keys[i] for i in new], computed)
            if rows is None:
                rows = np.empty((len(keys), computed.shape[1]), dtype=computed.dtype)
            rows[missing] = computed[inverse]
        return rows

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
