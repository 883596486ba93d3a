"""Feature rows of recordings as batches for ``keras.Model.fit``."""

import keras
import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils import check_consistent_length, check_random_state, column_or_1d

from skkws.extraction._file_rows import FileRows, check_batch_size, check_on_error


class FeaturePyDataset(keras.utils.PyDataset):
    """Batches of recordings, or of feature rows, that a Keras model is trained on.

    What is in memory are the batches that are in use. Recordings become rows as in `extract_features`: with
    `cache_dir` the first epoch computes and keeps them, and those that follow decode nothing.

    Parameters
    ----------
    X : list of str or path-like, or ndarray of shape (n_clips, ...)
        Recordings; or rows that there are already, in memory or in a file (`numpy.memmap`), in the shape that the
        model takes: ``rows.reshape(len(rows), 13, 96)``.
    y : array-like of shape (n_clips,) or None, default=None
        Labels of any type. None gives batches without labels, for ``model.predict``.
    transformer : transformer or None, default=None
        From waveform rows to feature rows, as in `extract_features`. None means ``SpeechEmbeddingTransformer()``.
    sample_weight : array-like of shape (n_clips,) or None, default=None
        Weights of the clips in the loss.
    classes : array-like of shape (n_classes,) or None, default=None
        All labels there are; for validation, the `classes_` of the training. None means those in `y`.
    loader : AudioLoader or None, default=None
        How a recording becomes a row. None means ``AudioLoader()``.
    batch_size : int, default=64
        Clips in a batch; in the last one what is left.
    shuffle : bool, default=False
        Whether the clips are brought into another order at the beginning and after each epoch.
    random_state : int, RandomState instance or None, default=None
        Draws the orders.
    cache_dir : str, path-like or None, default=None
        Folder in which rows are kept, that of `extract_features` too. None keeps nothing.
    n_jobs : int or None, default=None
        The number of threads that read and decode one batch, as in `extract_features`.
    **kwargs
        `workers`, `use_multiprocessing` and `max_queue_size` of ``keras.utils.PyDataset``: by how many threads or
        processes batches are made ahead.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,) or None
        The labels, sorted; what a batch holds are indices into it.

    See Also
    --------
    iter_batches : The same for ``partial_fit``.

    Notes
    -----
    Rows of files have the shape `output_shape_` of the transformer, or of the last step of a pipeline, where there is
    one. ``keras.Model.fit`` shuffles the batches by a global seed, unless it is told ``shuffle=False``: the clips in
    a batch are drawn here. Before ``model.predict`` leave ``shuffle=False`` here, so that predictions are in order.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np, soundfile as sf
    >>> from skkws.extraction import FeaturePyDataset
    >>> from skkws.networks import keyword_head
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = [Path(folder, f"{pitch}.wav") for pitch in (300, 310, 2900, 3000)]
    ...     for file in files:
    ...         sf.write(file, 0.1 * np.sin(2 * np.pi * int(file.stem) * np.arange(16000) / 16000), 16000)
    ...     y = ["low", "low", "high", "high"]
    ...     clips = FeaturePyDataset(files, y, batch_size=2, shuffle=True, cache_dir=Path(folder, "cache"))
    ...     model = keyword_head((13, 96), len(clips.classes_))
    ...     model.compile("adam", "sparse_categorical_crossentropy")
    ...     history = model.fit(clips, epochs=2, shuffle=False, verbose=0)
    >>> clips.classes_, len(clips), len(history.history["loss"])
    (array(['high', 'low'], dtype='<U4'), 2, 2)
    """

    def __init__(
        self,
        X,
        y=None,
        transformer=None,
        *,
        sample_weight=None,
        classes=None,
        loader=None,
        batch_size=64,
        shuffle=False,
        random_state=None,
        cache_dir=None,
        n_jobs=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self._batch_size = check_batch_size(batch_size)
        if isinstance(X, np.ndarray) and X.ndim > 1:
            if not all(option is None for option in (transformer, loader, cache_dir)):
                raise ValueError(
                    "transformer, loader and cache_dir are for files, and X is an array, whose rows are used as they "
                    "are. Leave them out, or pass the files."
                )
            if not len(X):
                raise ValueError("X holds no row (0 samples); a minimum of 1 is required.")
            self._rows = X
        else:
            check_on_error(loader)
            self._rows = FileRows(X, transformer, loader, cache_dir, n_jobs, batch_size)
        self.classes_, self._targets = None, ()
        if y is not None:
            check_consistent_length(self._rows, y)
            self.classes_, labels = _as_integers(column_or_1d(y), classes)
            self._targets = (labels,)
        if sample_weight is not None:
            if y is None:
                raise ValueError("sample_weight needs labels, got y=None. Pass y as well.")
            check_consistent_length(self._rows, sample_weight)
            self._targets += (column_or_1d(sample_weight, dtype=np.float32),)
        self._shuffle, self._random_state = shuffle, check_random_state(random_state)
        self._order = np.arange(len(self._rows))
        self.on_epoch_end()

    @property
    def num_batches(self):
        """Number of batches in an epoch."""
        return -(-len(self._rows) // self._batch_size)

    def __len__(self):
        return self.num_batches

    def __getitem__(self, index):
        """Return the batch of this index, as a tuple of rows, labels and weights, as far as there are any."""
        if not 0 <= index < len(self):
            raise IndexError(f"there are {len(self)} batches, got index {index}.")
        some = self._order[index * self._batch_size : (index + 1) * self._batch_size]
        return self._take(some), *(target[some] for target in self._targets)

    def on_epoch_end(self):
        """Draw another order, if that is wanted."""
        if self._shuffle:
            self._order = self._random_state.permutation(len(self._rows))

    def _take(self, some):
        if isinstance(self._rows, np.ndarray):
            return np.asarray(self._rows[some])
        (batch,) = self._rows.batches(some)
        transformer = self._rows.transformer
        last = transformer[-1] if isinstance(transformer, Pipeline) else transformer
        return batch.rows.reshape(len(some), *getattr(last, "output_shape_", batch.rows.shape[1:]))


def _as_integers(y, classes):
    """Return the sorted classes, and the index of each label among them."""
    if classes is None:
        return np.unique(y, return_inverse=True)
    classes = np.unique(classes)
    unknown = np.setdiff1d(y, classes)
    if len(unknown):
        raise ValueError(
            f"y holds {unknown.tolist()}, which are not among the classes {classes.tolist()}. Add them to classes."
        )
    return classes, np.searchsorted(classes, y)
