"""What a comparison of classifiers found: learning curves, noise, speed, differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Self

import numpy as np

from skkws._runtime.optional import require
from skkws._runtime.text import drawn_text
from skkws.displays._charts import PALETTE, Chart, few_shot_chart, noise_chart, speed_chart

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from skkws.compare import Comparison, Difference


class _ChartDisplay:
    """A chart on axes of matplotlib."""

    _describe: Callable[[Comparison], Chart]

    def __init__(self, chart: Chart):
        self.chart = chart

    @classmethod
    def from_comparison(cls, comparison: Comparison, *, ax: Axes | None = None) -> Self:
        """Draw what a comparison found.

        Parameters
        ----------
        comparison : skkws.compare.Comparison
            What to draw.
        ax : matplotlib Axes or None, default=None
            What to draw on; None makes a figure.

        Returns
        -------
        display : object
            A display of this class.

        Raises
        ------
        ValueError
            If what it shows was not measured.
        """
        return cls(cls._describe(comparison)).plot(ax=ax)

    def plot(self, *, ax: Axes | None = None) -> Self:
        """Draw it.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            What to draw on; None makes a figure.

        Returns
        -------
        display : object
            This display.
        """
        chart = self.chart
        self.ax_ = _axes(ax)
        self.figure_ = self.ax_.figure
        self.ax_.set_xscale("log" if chart.log else "linear")
        self.ax_.set(xlim=chart.x_limits, ylim=chart.y_limits, title=chart.title)
        self.ax_.set(xlabel=chart.x_label, ylabel="accuracy")
        if chart.chance is not None:
            self.ax_.axhline(chart.chance, color="grey", linestyle=":", label="chance")
        for series in chart.series:
            self.ax_.errorbar(
                series.x,
                series.y,
                yerr=_reach(series.y, series.interval),
                capsize=3,
                label=drawn_text(series.name),
                color=PALETTE[series.color][0],
                marker=series.marker,
                markersize=7,
                linestyle=series.dashes,
                transform=self._aside(series),
            )
        self.ax_.set_xticks(*zip(*chart.ticks, strict=True))
        self.ax_.minorticks_off()
        self.ax_.grid(alpha=0.3)
        # Beside the axes, where it covers no point.
        self.ax_.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
        return self

    def _aside(self, series):
        """Move the points of a place a little apart, so that one model's interval does not hide another's."""
        from matplotlib.transforms import ScaledTranslation

        n = len(self.chart.series)
        points = min(3, 18 / n) * (series.index - (n - 1) / 2) if len(series.x) > 1 else 0
        return self.ax_.transData + ScaledTranslation(points / 72, 0, self.figure_.dpi_scale_trans)


class FewShotDisplay(_ChartDisplay):
    """Learning curves: accuracy against the number of training examples.

    Make it by :meth:`from_comparison`.

    Parameters
    ----------
    chart : Chart
        What to draw, see :func:`few_shot_chart`.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What was drawn on.
    figure_ : matplotlib Figure
        The figure that it is part of.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws.compare import Comparison, FewShotScores, ModelScores
    >>> from skkws.displays import FewShotDisplay
    >>> target, speakers = np.array(["no", "yes"] * 2), np.array(list("aabb"))
    >>> scores = ModelScores("mfcc+svm", 1.0, (0.4, 1.0), [1.0, 1.0], 1.0, 0.5, 0.001, 20_000, target[None])
    >>> one_shot = FewShotScores("mfcc+svm", 1, 0.75, (0.5, 1.0), [0.5, 1.0])
    >>> comparison = Comparison(["no", "yes"], target, speakers, "2 folds", [scores], [one_shot])
    >>> display = FewShotDisplay.from_comparison(comparison)
    >>> [tick.get_text() for tick in display.ax_.get_xticklabels()]
    ['1', 'all']
    """

    _describe = staticmethod(few_shot_chart)


class NoiseDisplay(_ChartDisplay):
    """Accuracy against the level of the noise in the test clips.

    Make it by :meth:`from_comparison`.

    Parameters
    ----------
    chart : Chart
        What to draw, see :func:`noise_chart`.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What was drawn on.
    figure_ : matplotlib Figure
        The figure that it is part of.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws.compare import Comparison, ModelScores, NoiseScores
    >>> from skkws.displays import NoiseDisplay
    >>> target, speakers = np.array(["no", "yes"] * 2), np.array(list("aabb"))
    >>> scores = ModelScores("mfcc+svm", 1.0, (0.4, 1.0), [1.0, 1.0], 1.0, 0.5, 0.001, 20_000, target[None])
    >>> noise = [NoiseScores("mfcc+svm", 0.0, 0.75, (0.5, 1.0))]
    >>> comparison = Comparison(["no", "yes"], target, speakers, "2 folds", [scores], [], noise, "pink noise")
    >>> NoiseDisplay.from_comparison(comparison).ax_.get_title()
    'pink noise'
    """

    _describe = staticmethod(noise_chart)


class SpeedAccuracyDisplay(_ChartDisplay):
    """Accuracy of each model against the time that it takes for a clip.

    Make it by :meth:`from_comparison`.

    Parameters
    ----------
    chart : Chart
        What to draw, see :func:`speed_chart`.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What was drawn on.
    figure_ : matplotlib Figure
        The figure that it is part of.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws.compare import Comparison, ModelScores
    >>> from skkws.displays import SpeedAccuracyDisplay
    >>> target, speakers = np.array(["no", "yes"] * 2), np.array(list("aabb"))
    >>> scores = ModelScores("mfcc+svm", 1.0, (0.4, 1.0), [1.0, 1.0], 1.0, 0.5, 0.001, 20_000, target[None])
    >>> comparison = Comparison(["no", "yes"], target, speakers, "2 folds", [scores], [])
    >>> SpeedAccuracyDisplay.from_comparison(comparison).ax_.get_xscale()
    'log'
    """

    _describe = staticmethod(speed_chart)


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

    def __init__(self, differences: list[Difference]):
        self.differences = differences

    @classmethod
    def from_comparison(cls, comparison: Comparison, *, ax: Axes | None = None) -> Self:
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

    def plot(self, *, ax: Axes | None = None) -> Self:
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
            color = PALETTE[0][0] if pair.significant else "grey"
            fill = color if pair.significant else "white"
            reach = _reach(pair.difference, pair.interval)
            self.ax_.errorbar(pair.difference, i, xerr=reach, marker="o", color=color, markerfacecolor=fill, capsize=3)
        pairs = [f"{pair.first} \N{MINUS SIGN} {pair.second}" for pair in self.differences]
        self.ax_.set_yticks(range(len(pairs)), map(drawn_text, pairs))
        self.ax_.set(xlabel="difference in accuracy, 95% interval (filled: significant)")
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


def _reach(value, interval):
    """From a value to the ends of its interval, as matplotlib wants it: (2, n)."""
    low, high = np.moveaxis(np.asarray(interval), -1, 0)
    # An interval that ends at the value may miss it by a rounding error.
    return np.maximum(0, [np.atleast_1d(value - low), np.atleast_1d(high - value)])
