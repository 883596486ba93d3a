"""What the names of columns say about rows, where our transformers gave the names.

The counterpart of ``get_feature_names_out``: the one place that takes such names apart.
"""

import re
from dataclasses import dataclass

# Each kind of row, and what a frame of it is called. Where rows hold frames, the part behind the kind names the frame,
# and the rest the column in it.
_FRAMES = {
    "embedding": "vectors of {} dimensions of the speech embedding",
    "logmel": "frames of {} log-mel bands",
    "mfcc": "frames of {} MFCCs",
    "sample": "samples of a waveform",
    "spectrogram": "frames of {} bins of a spectrogram",
    "stacked": "stacked frames of {} columns",
}
_NAME = re.compile(rf"({'|'.join(_FRAMES)})_([^_]+)(?:_(.+))?")


def describe_rows(kind, shape):
    """Say in words what rows of a kind and a shape are."""
    return f"{shape[0]} {_FRAMES[kind].format(shape[1])}"


@dataclass(frozen=True)
class NamedRows:
    """What the names of columns say.

    Parameters
    ----------
    kind : {"embedding", "logmel", "mfcc", "sample", "spectrogram", "stacked"}
        What made the rows.
    shape : tuple of (int, int) or None
        Frames of a row and their columns. None where some columns of a frame are missing.
    names : tuple of (str, str)
        The first and the last name.
    """

    kind: str
    shape: tuple | None
    names: tuple

    def __str__(self):
        """Say it in words."""
        what = f"columns of {self.kind} rows, but no whole frames" if self.shape is None else self._frames
        return f"{what} (columns {self.names[0]} to {self.names[1]})"

    @property
    def _frames(self):
        return describe_rows(self.kind, self.shape)


def read_names(names):
    """Read what the names of columns say about the rows.

    Parameters
    ----------
    names : sequence of str
        The names of all columns.

    Returns
    -------
    rows : NamedRows or None
        None where they are not the names of one of our transformers.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws import LogMelTransformer
    >>> from skkws._engine.row_names import read_names
    >>> names = LogMelTransformer().fit(np.zeros((1, 16000))).get_feature_names_out()
    >>> rows = read_names(names)
    >>> rows.kind, rows.shape, str(rows)
    ('logmel', (98, 32), '98 frames of 32 log-mel bands (columns logmel_t00_b00 to logmel_t97_b31)')
    >>> read_names(names[:40]).shape, read_names(["loudness", "pitch"])
    (None, None)
    """
    parts = [_NAME.fullmatch(name) for name in names]
    if not parts or not all(parts) or len({part[1] for part in parts}) > 1:
        return None
    kind = parts[0][1]
    frames, columns = [part[2] for part in parts], [part[3] for part in parts]
    if kind == "embedding" and not frames[0].startswith("v"):
        # Pooled vectors, side by side: one frame.
        frames, columns = [""] * len(parts), names
    n_frames = len(set(frames))
    n_columns = len(parts) // n_frames
    whole = frames == [frame for frame in dict.fromkeys(frames) for _ in range(n_columns)]
    whole = whole and list(columns) == list(columns[:n_columns]) * n_frames
    return NamedRows(kind, (n_frames, n_columns) if whole else None, (names[0], names[-1]))
