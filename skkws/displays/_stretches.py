"""What excites a dimension of the embedding, as a row of spectrograms."""

import numpy as np

from skkws._runtime.optional import require
from skkws._runtime.text import drawn_text
from skkws.features import log_mel
from skkws.inspection import exciting_stretches

_HOP = 0.01  # seconds from a frame to the next one


class StretchesDisplay:
    """Spectrograms of the stretches of sound that a dimension of the embedding answers to most.

    Make it by :meth:`from_estimator`.

    Parameters
    ----------
    clips : list of ndarray
        Log-mel frames of each clip that a stretch lies in.
    stretches : list of Stretch
        The stretches, in the same order.
    dimension : int
        The dimension.
    names : list of str
        What to write above each.

    Attributes
    ----------
    axes_ : list of matplotlib Axes
        One for each stretch.
    figure_ : matplotlib Figure
        The figure.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws import SpeechEmbeddingTransformer
    >>> from skkws.displays import StretchesDisplay
    >>> clips = np.random.RandomState(0).uniform(-0.1, 0.1, (3, 16000))
    >>> len(StretchesDisplay.from_estimator(SpeechEmbeddingTransformer(), clips, 7, n_stretches=2).axes_)
    2
    """

    def __init__(self, clips, stretches, dimension, names):
        self.clips = clips
        self.stretches = stretches
        self.dimension = dimension
        self.names = names

    @classmethod
    def from_estimator(cls, embedding, X, dimension, *, names=None, n_stretches=5):
        """Find the stretches and draw them.

        Parameters
        ----------
        embedding : SpeechEmbeddingTransformer
            With ``input="audio"``.
        X : array-like of shape (n_clips, n_samples)
            Waveform rows at 16 kHz.
        dimension : int
            One of 96, from 0.
        names : list of str or None, default=None
            What is said in each clip. None numbers them.
        n_stretches : int, default=5
            How many.

        Returns
        -------
        display : StretchesDisplay
        """
        found = exciting_stretches(embedding, X, dimension, n_stretches=n_stretches)
        names = [f"clip {s.clip}" if names is None else str(names[s.clip]) for s in found]
        clips = [log_mel(np.asarray(X[s.clip], dtype=np.float32)) for s in found]
        return cls(clips, found, dimension, names).plot()

    def plot(self):
        """Draw them.

        Returns
        -------
        display : StretchesDisplay
        """
        require("matplotlib", "StretchesDisplay")
        import matplotlib.pyplot as plt

        n = len(self.stretches)
        self.figure_, axes = plt.subplots(
            1, n, figsize=(1 + 1.9 * n, 2.8), layout="constrained", sharey=True, squeeze=False
        )
        self.axes_ = list(axes[0])
        low, high = min(c.min() for c in self.clips), max(c.max() for c in self.clips)
        for ax, frames, stretch, name in zip(self.axes_, self.clips, self.stretches, self.names, strict=True):
            extent = (0, len(frames) * _HOP, 0, frames.shape[1])
            ax.imshow(frames.T, origin="lower", aspect="auto", cmap="magma", extent=extent, vmin=low, vmax=high)
            for start, stop in ((0, stretch.start), (stretch.stop, extent[1])):
                ax.axvspan(start, max(start, stop), color="white", alpha=0.6, linewidth=0)
            ax.set(xlim=extent[:2], xlabel="time (s)", title=f"{drawn_text(name)}\n{stretch.value:.1f}")
        self.axes_[0].set_ylabel("band")
        self.figure_.suptitle(f"What excites dimension {self.dimension} most")
        return self
