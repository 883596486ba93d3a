"""Rows that are frames, flattened: their shape, and what the transformers from such rows to such rows share."""

from dataclasses import dataclass
from numbers import Integral

import numpy as np
from sklearn.preprocessing import StandardScaler
from sklearn.utils._param_validation import Interval

from skkws._engine.row_names import describe_rows, read_names
from skkws._engine.rows import FrameTransformer, validate_rows
from skkws._engine.spec import N_BANDS, N_DIMS

# Rows whose statistics are added up at once: few enough that their copies in double precision are small.
_ROWS_SCALED = 256
_FRAMES = ("logmel", "spectrogram", "mfcc", "stacked", "embedding")


@dataclass(frozen=True)
class RowKind:
    """What rows an estimator was made for.

    Parameters
    ----------
    kind : str
        One of :class:`skkws._engine.row_names.NamedRows`.
    width : int or None
        Columns of a frame, where nothing else tells. None: a row is one frame.
    source : str
        What makes such rows.
    accepted : tuple of str
        Kinds that it takes, by the names of their columns.
    """

    kind: str
    width: int | None
    source: str
    accepted: tuple = _FRAMES

    def shape(self, n_features, names, explicit, *, who, parameter):
        """Find out what a row is.

        What is set holds, and names of columns must not contradict it. Without, the names tell. Without both, a row is
        frames of `width`, unless it may as well be vectors of the embedding: a multiple of 96 columns that is refused.
        A row that is shorter than a frame is one frame.

        Parameters
        ----------
        n_features : int
            Columns of a row.
        names : sequence of str
            Their names; empty where they have none.
        explicit : tuple of (int, int) or None
            What is set by a parameter.
        who : str
            Whose rows these are.
        parameter : {"input_shape", "n_vectors"}
            What sets the shape.

        Returns
        -------
        shape : tuple of (int, int)
            Frames and columns.

        Raises
        ------
        ValueError
            If the row is something else, or might be.
        """

        def setting(shape):
            return f"{parameter}={shape[0] if parameter == 'n_vectors' else shape}"

        named = read_names(names)
        if explicit is not None:
            if named and named.shape not in (None, explicit):
                raise ValueError(
                    f"{setting(explicit)} contradicts the names of the columns, by which a row is {named}; set "
                    f"{setting(named.shape)}, or leave it at None."
                )
            return explicit
        if self.width is None and not (named and named.shape and named.kind in self.accepted):
            return 1, n_features
        if named:
            return self._named_shape(named, who, setting)
        if n_features < self.width:
            return 1, n_features
        readings = self._readings(n_features)
        shapes = " or ".join(setting(shape) for shape in readings.values())
        what = " or ".join(describe_rows(kind, shape) for kind, shape in readings.items())
        if self.kind not in readings:
            raise ValueError(
                f"Rows of {n_features} columns are no frames of {self.width} columns, for which {who} was made"
                f"{f', but may be {what}' if readings else ''}; pass the rows of {self.source}, or set "
                f"{shapes or f'{parameter} to what output_shape_ of the transformer says'}."
            )
        if "embedding" in readings and self.kind not in ("embedding", "sample"):
            raise ValueError(
                f"Rows of {n_features} columns may be {what}, and {who} cannot tell which; set {shapes}, or let the "
                'names of the columns tell by set_output(transform="pandas").'
            )
        return readings[self.kind]

    def _named_shape(self, named, who, setting):
        if named.shape is None:
            raise ValueError(
                f"{who} takes whole frames, got {named}; choose frames or bands by the parameters of the transformer, "
                "not columns of its rows."
            )
        if named.kind not in self.accepted:
            raise ValueError(
                f"{who} takes {describe_rows(self.kind, ('', self.width)).strip()}, got {named}; pass the rows of "
                f"{self.source}, or set {setting(named.shape)} to train on these."
            )
        return named.shape

    def _readings(self, n_features):
        """Return what so many columns may be, by kind."""
        widths = {self.kind: self.width, "embedding": N_DIMS, "logmel": N_BANDS}
        return {kind: (n_features // width, width) for kind, width in widths.items() if n_features % width == 0}


LOG_MEL_FRAMES = RowKind("logmel", N_BANDS, "LogMelTransformer()")
EMBEDDING_VECTORS = RowKind("embedding", N_DIMS, "SpeechEmbeddingTransformer()", accepted=("embedding",))


def checked_input_shape(input_shape, n_features):
    """Return the parameter `input_shape` as a tuple, or None; it must fit rows of so many columns."""
    if input_shape is None:
        return None
    shape = tuple(input_shape)
    if len(shape) != 2 or not all(isinstance(n, Integral) and n > 0 for n in shape):
        raise ValueError(f"input_shape must be two integers above 0, frames and bands, got {shape}.")
    if shape[0] * shape[1] != n_features:
        raise ValueError(
            f"input_shape={shape} does not fit rows of {n_features} columns; set it to the transformer's output_shape_."
        )
    return shape


def band_scaler(X, shape, rows=None, sample_weight=None):
    """Fit a StandardScaler of the bands of rows of this shape, of which only some may count."""
    scaler = StandardScaler()
    rows = np.arange(len(X)) if rows is None else rows
    sample_weight = np.ones(len(rows)) if sample_weight is None else sample_weight
    for i in range(0, len(rows), _ROWS_SCALED):
        some = slice(i, i + _ROWS_SCALED)
        bands = X[rows[some]].reshape(-1, shape[1])
        scaler.partial_fit(bands, sample_weight=np.repeat(sample_weight[some], shape[0]))
    return scaler


class FrameRowTransformer(FrameTransformer):
    """A transformer of feature rows, frames x `n_bands` flattened frame-major.

    A subclass has the parameter `n_bands`, the columns of a frame; None takes a row as a single frame.
    """

    _parameter_constraints = {"n_bands": [Interval(Integral, 1, None, closed="left"), None]}

    def _input_shape(self, n_features):
        """Return the shape of an input row as (frames, bands)."""
        n_bands = n_features if self.n_bands is None else self.n_bands
        if n_features % n_bands:
            raise ValueError(
                f"n_bands={n_bands} does not divide rows of {n_features} columns evenly; set it to the last of "
                "output_shape_ of the transformer that made the rows."
            )
        return n_features // n_bands, n_bands

    def _split(self, X):
        """Return the frames of rows, as (n_clips, frames, bands)."""
        return X.reshape(len(X), *self._input_shape(X.shape[1]))

    def _validate(self, X, reset):
        return validate_rows(self, X, reset=reset, dtype=np.float32)
