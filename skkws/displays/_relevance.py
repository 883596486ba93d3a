"""What of a clip speaks for a word, drawn over its spectrogram."""

from functools import partial

import numpy as np

from skkws._runtime.optional import require
from skkws._runtime.text import drawn_text
from skkws.inspection import occlusion_map, saliency_map

_METHODS = {"occlusion": "drop in log-odds", "saliency": "gradient of log-odds"}


class RelevanceDisplay:
    """Spectrogram of a clip, and over it what a classifier listens to.

    Make it by :meth:`from_estimator`.

    Parameters
    ----------
    frames : ndarray of shape (n_frames, n_bands)
        The clip.
    relevance : ndarray of shape (n_frames, n_bands)
        How much each place speaks for the class.
    label : object
        The class.
    method : {"occlusion", "saliency"}
        How it was found.
    hop : float, default=0.01
        Seconds from a frame to the next one.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What was drawn on.
    figure_ : matplotlib Figure
        The figure that it is part of.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skkws.displays import RelevanceDisplay
    >>> rows = np.random.RandomState(0).normal(size=(40, 20 * 8))
    >>> classifier = LogisticRegression().fit(rows, rows[:, 3 * 8 + 2] > 0)
    >>> RelevanceDisplay.from_estimator(classifier, rows[0], output_shape=(20, 8)).ax_.get_ylabel()
    'band'
    """

    def __init__(self, frames, relevance, label, method, hop=0.01):
        self.frames = frames
        self.relevance = relevance
        self.label = label
        self.method = method
        self.hop = hop

    @classmethod
    def from_estimator(
        cls, classifier, row, label=None, *, method="occlusion", output_shape=None, hop=0.01, ax=None, **settings
    ):
        """Find what of a clip speaks for a class, and draw it.

        Parameters
        ----------
        classifier : estimator
            Fitted, on rows of frames; for ``"saliency"`` a :class:`KeywordNetClassifier`.
        row : array-like of shape (n_features,)
            One clip.
        label : object or None, default=None
            A class. None means the one that is predicted.
        method : {"occlusion", "saliency"}, default="occlusion"
            :func:`~skkws.inspection.occlusion_map` or :func:`~skkws.inspection.saliency_map`.
        output_shape : tuple of (int, int) or None, default=None
            Frames and bands, where the classifier does not tell.
        hop : float, default=0.01
            Seconds from a frame to the next one.
        ax : matplotlib Axes or None, default=None
            What to draw on; None makes a figure.
        **settings
            `patch`, `step` and `fill` of ``"occlusion"``.

        Returns
        -------
        display : RelevanceDisplay
        """
        if method not in _METHODS:
            raise ValueError(f"method must be one of {sorted(_METHODS)}, got {method!r}.")
        if label is None:
            label = classifier.predict(np.asarray(row)[None])[0]
        if method == "occlusion":
            relevance = occlusion_map(classifier, row, label, output_shape=output_shape, **settings)
        else:
            relevance = saliency_map(classifier, row, label, **settings)
        return cls(np.reshape(row, relevance.shape), relevance, label, method, hop).plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw it.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            What to draw on; None makes a figure.

        Returns
        -------
        display : RelevanceDisplay
        """
        require("matplotlib", "RelevanceDisplay")
        import matplotlib.pyplot as plt

        self.ax_ = plt.subplots(figsize=(7, 3.2), layout="constrained")[1] if ax is None else ax
        self.figure_ = self.ax_.figure
        n_frames, n_bands = self.frames.shape
        show = partial(self.ax_.imshow, origin="lower", aspect="auto", extent=(0, n_frames * self.hop, 0, n_bands))
        show(self.frames.T, cmap="gray")
        most = np.abs(self.relevance).max() or 1.0
        # What matters little is transparent, so that the sound shows.
        strength = np.clip(np.abs(self.relevance) / most, 0, 1) ** 0.7
        colors = {"cmap": "RdBu_r", "vmin": -most, "vmax": most}
        if self.method == "saliency":
            colors = {"cmap": "Reds", "vmin": 0, "vmax": most}
        drawn = show(self.relevance.T, alpha=0.85 * strength.T, **colors)
        self.figure_.colorbar(drawn, ax=self.ax_, label=_METHODS[self.method])
        self.ax_.set(xlabel="time (s)", ylabel="band", title=f'Evidence for "{drawn_text(self.label)}"')
        return self
