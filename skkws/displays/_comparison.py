"""What a comparison of classifiers found: learning curves, noise, speed, differences."""

import numpy as np

from skkws._runtime.optional import require

# Colours that people with any colour vision tell apart: Okabe and Ito (2008), "Color Universal Design".
_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKERS = "osD^vP*X"
_DASHES = ("-", "--", "-.", ":")


class FewShotDisplay:
    """Learning curves: accuracy against the number of training examples.

    Make it by :meth:`from_comparison`.

    Parameters
    ----------
    names : list of str
        The models.
    n_examples : ndarray of shape (n_points,)
        Training examples per label.
    accuracy : ndarray of shape (n_models, n_points)
        Accuracy of each model.
    interval : ndarray of shape (n_models, n_points, 2)
        95 % confidence interval of it.
    chance : float
        Accuracy of guessing.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What was drawn on.
    figure_ : matplotlib Figure
        The figure that it is part of.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws.displays import FewShotDisplay
    >>> accuracy = np.array([[0.6, 0.8, 0.9]])
    >>> interval = np.stack([accuracy - 0.1, accuracy + 0.1], axis=-1)
    >>> FewShotDisplay(["mfcc+svm"], np.array([1, 5, 20]), accuracy, interval, chance=0.1).plot().ax_.get_xlabel()
    'examples per label'
    """

    def __init__(self, names, n_examples, accuracy, interval, chance):
        self.names = names
        self.n_examples = n_examples
        self.accuracy = accuracy
        self.interval = interval
        self.chance = chance

    @classmethod
    def from_comparison(cls, comparison, *, ax=None):
        """Draw the learning curves of a comparison.

        Parameters
        ----------
        comparison : skkws.compare.Comparison
            What to draw.
        ax : matplotlib Axes or None, default=None
            What to draw on; None makes a figure.

        Returns
        -------
        display : FewShotDisplay

        Raises
        ------
        ValueError
            If nothing was trained with few examples.
        """
        if not comparison.few_shot:
            raise ValueError("comparison.few_shot is empty; compare with n_examples=(1, 5, 20), say.")
        points = [(s.name, s.n_examples, s) for s in comparison.few_shot]
        return cls(*_curves(points), chance=1 / len(comparison.labels)).plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw it.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            What to draw on; None makes a figure.

        Returns
        -------
        display : FewShotDisplay
        """
        self.ax_ = _axes(ax)
        self.figure_ = self.ax_.figure
        self.ax_.axhline(self.chance, color="grey", linestyle=":", label="chance")
        # Points stand a little apart, so that one model's interval does not hide another's.
        places = [self.n_examples * 1.03**i for i in range(len(self.names))]
        _draw_curves(self.ax_, places, self)
        self.ax_.set(xscale="log", xlabel="examples per label")
        self.ax_.set_xticks(self.n_examples, [str(k) for k in self.n_examples])
        self.ax_.minorticks_off()
        _add_legend(self.ax_)
        return self


class NoiseDisplay:
    """Accuracy against the level of the noise in the test clips.

    Make it by :meth:`from_comparison`.

    Parameters
    ----------
    names : list of str
        The models.
    snr_db : ndarray of shape (n_points,)
        Signal-to-noise ratios, in dB.
    accuracy : ndarray of shape (n_models, n_points)
        Accuracy of each model.
    interval : ndarray of shape (n_models, n_points, 2)
        95 % confidence interval of it.
    noise_name : str
        What noise that was.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What was drawn on.
    figure_ : matplotlib Figure
        The figure that it is part of.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws.displays import NoiseDisplay
    >>> accuracy = np.array([[0.6, 0.8, 0.9]])
    >>> interval = np.stack([accuracy - 0.1, accuracy + 0.1], axis=-1)
    >>> display = NoiseDisplay(["mfcc+svm"], np.array([0.0, 10.0, 20.0]), accuracy, interval, "pink noise")
    >>> display.plot().ax_.get_title()
    'pink noise'
    """

    def __init__(self, names, snr_db, accuracy, interval, noise_name):
        self.names = names
        self.snr_db = snr_db
        self.accuracy = accuracy
        self.interval = interval
        self.noise_name = noise_name

    @classmethod
    def from_comparison(cls, comparison, *, ax=None):
        """Draw how the models of a comparison do in noise.

        Parameters
        ----------
        comparison : skkws.compare.Comparison
            What to draw.
        ax : matplotlib Axes or None, default=None
            What to draw on; None makes a figure.

        Returns
        -------
        display : NoiseDisplay

        Raises
        ------
        ValueError
            If nothing was tested in noise.
        """
        if not comparison.noise:
            raise ValueError("comparison.noise is empty; compare with snr_db=(20, 10, 0), say.")
        points = [(s.name, s.snr_db, s) for s in comparison.noise]
        return cls(*_curves(points), noise_name=comparison.noise_name).plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw it.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            What to draw on; None makes a figure.

        Returns
        -------
        display : NoiseDisplay
        """
        self.ax_ = _axes(ax)
        self.figure_ = self.ax_.figure
        step = np.ptp(self.snr_db) / 150
        _draw_curves(self.ax_, [self.snr_db + step * i for i in range(len(self.names))], self)
        self.ax_.set(xlabel="signal-to-noise ratio (dB)", title=self.noise_name)
        self.ax_.set_xticks(self.snr_db, [f"{snr:g}" for snr in self.snr_db])
        _add_legend(self.ax_)
        return self


class SpeedAccuracyDisplay:
    """Accuracy of each model against the time that it takes for a clip.

    Make it by :meth:`from_comparison`.

    Parameters
    ----------
    names : list of str
        The models.
    predict_seconds : ndarray of shape (n_models,)
        Time to predict one clip.
    accuracy : ndarray of shape (n_models,)
        Accuracy.
    interval : ndarray of shape (n_models, 2)
        95 % confidence interval of it.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What was drawn on.
    figure_ : matplotlib Figure
        The figure that it is part of.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws.displays import SpeedAccuracyDisplay
    >>> interval = np.array([[0.9, 1.0], [0.6, 0.8]])
    >>> display = SpeedAccuracyDisplay(["deep", "classical"], np.array([3e-3, 1e-3]), np.array([0.95, 0.7]), interval)
    >>> display.plot().ax_.get_xscale()
    'log'
    """

    def __init__(self, names, predict_seconds, accuracy, interval):
        self.names = names
        self.predict_seconds = predict_seconds
        self.accuracy = accuracy
        self.interval = interval

    @classmethod
    def from_comparison(cls, comparison, *, ax=None):
        """Draw the speed and the accuracy of the models of a comparison.

        Parameters
        ----------
        comparison : skkws.compare.Comparison
            What to draw.
        ax : matplotlib Axes or None, default=None
            What to draw on; None makes a figure.

        Returns
        -------
        display : SpeedAccuracyDisplay
        """
        rows = [(s.name, s.predict_seconds, s.accuracy, s.interval) for s in comparison.models]
        names, *numbers = zip(*rows, strict=True)
        return cls(list(names), *map(np.array, numbers)).plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw it.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            What to draw on; None makes a figure.

        Returns
        -------
        display : SpeedAccuracyDisplay
        """
        from matplotlib.ticker import LogLocator

        self.ax_ = _axes(ax)
        self.figure_ = self.ax_.figure
        points = zip(self.names, self.predict_seconds, self.accuracy, self.interval, strict=True)
        for i, (name, seconds, accuracy, interval) in enumerate(points):
            style = _style(i) | {"linestyle": "none"}
            self.ax_.errorbar(1e3 * seconds, accuracy, yerr=_reach(accuracy, interval), capsize=3, label=name, **style)
        self.ax_.set(xscale="log", xlabel="time per clip (ms)", ylabel="accuracy")
        # Numbers instead of powers, and more of them than decades: most times lie in one.
        self.ax_.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        self.ax_.xaxis.set_major_formatter("{x:g}")
        self.ax_.minorticks_off()
        self.ax_.grid(alpha=0.3)
        _add_legend(self.ax_)
        return self


class DifferencesDisplay:
    """How much more accurate one model of each pair is than the other.

    Make it by :meth:`from_comparison`.

    Parameters
    ----------
    differences : list of skkws.compare.Difference
        The pairs.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What was drawn on.
    figure_ : matplotlib Figure
        The figure that it is part of.

    Examples
    --------
    >>> from skkws.compare import Difference
    >>> from skkws.displays import DifferencesDisplay
    >>> display = DifferencesDisplay([Difference("deep", "classical", 0.25, (0.2, 0.3), 0.001)]).plot()
    >>> display.ax_.get_yticklabels()[0].get_text()
    'deep \N{MINUS SIGN} classical'
    """

    def __init__(self, differences):
        self.differences = differences

    @classmethod
    def from_comparison(cls, comparison, *, ax=None):
        """Draw the differences of the models of a comparison.

        Parameters
        ----------
        comparison : skkws.compare.Comparison
            What to draw.
        ax : matplotlib Axes or None, default=None
            What to draw on; None makes a figure.

        Returns
        -------
        display : DifferencesDisplay

        Raises
        ------
        ValueError
            If there is one model alone.
        """
        differences = comparison.differences()
        if not differences:
            raise ValueError("comparison.models holds no two models; compare with models=MODEL_NAMES, say.")
        return cls(differences).plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw it, filled where the difference is significant.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            What to draw on; None makes a figure.

        Returns
        -------
        display : DifferencesDisplay
        """
        self.ax_ = _axes(ax, height=1.2 + 0.3 * len(self.differences))
        self.figure_ = self.ax_.figure
        for i, pair in enumerate(self.differences):
            color = _COLORS[0] if pair.significant else "grey"
            fill = color if pair.significant else "white"
            reach = _reach(pair.difference, pair.interval)
            self.ax_.errorbar(pair.difference, i, xerr=reach, marker="o", color=color, markerfacecolor=fill, capsize=3)
        pairs = [f"{pair.first} \N{MINUS SIGN} {pair.second}" for pair in self.differences]
        self.ax_.set_yticks(range(len(pairs)), pairs)
        self.ax_.set(xlabel="difference of accuracy, 95 % interval (filled: significant)")
        self.ax_.invert_yaxis()
        self.ax_.axvline(0, color="grey", linestyle=":")
        self.ax_.grid(alpha=0.3, axis="x")
        return self


def _axes(ax, height=4.5):
    if ax is not None:
        return ax
    require("matplotlib", "A display")
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=(8, height), layout="constrained")[1]


def _curves(points):
    """Names, places on the x-axis, and an accuracy and interval for each of both; NaN where there is none."""
    names = list(dict.fromkeys(name for name, _, _ in points))
    places = sorted({place for _, place, _ in points})
    accuracy = np.full((len(names), len(places)), np.nan)
    interval = np.full((*accuracy.shape, 2), np.nan)
    for name, place, scores in points:
        at = names.index(name), places.index(place)
        accuracy[at], interval[at] = scores.accuracy, scores.interval
    return names, np.array(places), accuracy, interval


def _draw_curves(ax, places, display):
    for i, (x, name, accuracy, interval) in enumerate(
        zip(places, display.names, display.accuracy, display.interval, strict=True)
    ):
        ax.errorbar(x, accuracy, yerr=_reach(accuracy, interval), capsize=3, label=name, **_style(i))
    ax.set(ylabel="accuracy", ylim=(None, 1.0))
    ax.grid(alpha=0.3)


def _style(i):
    return {
        "color": _COLORS[i % len(_COLORS)],
        "marker": _MARKERS[i % len(_MARKERS)],
        "linestyle": _DASHES[i % len(_DASHES)],
        "markersize": 6,
    }


def _reach(value, interval):
    """From a value to the ends of its interval, as matplotlib wants it: (2, n)."""
    low, high = np.moveaxis(np.asarray(interval), -1, 0)
    # An interval that ends at the value may miss it by a rounding error.
    return np.maximum(0, [np.atleast_1d(value - low), np.atleast_1d(high - value)])


def _add_legend(ax):
    # Beside the axes, where it covers no point.
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
