"""What charts of a comparison show, and in which colours: one description, which pictures and pages draw."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from skkws._runtime.text import plural

if TYPE_CHECKING:
    from skkws.compare import Comparison

# On white and on black ground. Each stands out from its ground by a contrast of 3, and any two of them differ for
# readers with any colour vision; markers and dashes differ, too.
PALETTE = (
    ("#0b5cad", "#79b8ff"),
    ("#e1711b", "#f85e19"),
    ("#1da56c", "#45a16a"),
    ("#89245d", "#c312a0"),
    ("#644810", "#ebc57d"),
    ("#2483be", "#bedbe3"),
    ("#848fa3", "#838995"),
    ("#eb2f54", "#d31131"),
)
# Circle, square, diamond, two triangles, pentagon and two stars, as matplotlib writes them: corners, whether it is a
# star, and degrees by which it is turned to the left.
_MARKERS = ("o", (4, 0, 45), (4, 0, 0), (3, 0, 0), (3, 0, 180), (5, 0, 0), (4, 1, 0), (5, 1, 0))
_DASHES = ("-", "--", ":", "-.")


@dataclass(frozen=True)
class Series:
    """A model in a chart.

    Attributes
    ----------
    name : str
        The model.
    index : int
        Its place in the order of the models, which chooses colour, marker and dashes.
    x : ndarray of shape (n_points,)
        Where its points stand.
    y : ndarray of shape (n_points,)
        Its accuracy there.
    interval : ndarray of shape (n_points, 2)
        95 % confidence interval of it.
    x_names : list of str
        What each `x` is in words, such as ``"5 examples"``.
    """

    name: str
    index: int
    x: np.ndarray
    y: np.ndarray
    interval: np.ndarray
    x_names: list[str]

    @property
    def color(self) -> int:
        """Its colour: an index into `PALETTE`."""
        return self.index % len(PALETTE)

    @property
    def marker(self) -> str | tuple[int, int, float]:
        """Its marker, as matplotlib writes it."""
        # Models of one colour, from the ninth on, differ in their markers.
        return _MARKERS[(self.index + self.index // len(PALETTE)) % len(_MARKERS)]

    @property
    def dashes(self) -> str:
        """How its line is dashed, as matplotlib writes it."""
        return _DASHES[self.index % len(_DASHES)]


@dataclass(frozen=True)
class Chart:
    """Accuracy of models against something.

    Attributes
    ----------
    series : list of Series
        The models, the most accurate one first.
    x_label : str
        Name of the horizontal axis.
    ticks : list of (float, str)
        Places on it that are named.
    log : bool
        Whether it is logarithmic.
    chance : float or None
        Accuracy of guessing, to be drawn as a line.
    title : str
        What else there is to say.
    """

    series: list[Series]
    x_label: str
    ticks: list[tuple[float, str]]
    log: bool = False
    chance: float | None = None
    title: str = ""

    @property
    def x_limits(self) -> tuple[float, float]:
        """Ends of the horizontal axis, with room beside the first and the last point."""
        return _limits([place for series in self.series for place in series.x], self.log)

    @property
    def y_limits(self) -> tuple[float, float]:
        """Ends of the axis of accuracy, from a multiple of 0.05 with room below all that is drawn."""
        lowest = min(series.interval[:, 0].min() for series in self.series)
        lowest = lowest if self.chance is None else min(lowest, self.chance)
        return max(0.0, math.floor((lowest - 0.01) * 20) / 20), 1.0


def few_shot_chart(comparison: Comparison) -> Chart:
    """Describe the learning curves of a comparison, which end at all examples.

    Parameters
    ----------
    comparison : skkws.compare.Comparison
        What to show.

    Returns
    -------
    chart : Chart

    Raises
    ------
    ValueError
        If nothing was trained with few examples.
    """
    if not comparison.few_shot:
        raise ValueError("comparison.few_shot is empty; compare with n_examples=(1, 5, 20), say.")
    counts = sorted({scores.n_examples for scores in comparison.few_shot})
    # All examples stand at the number of clips per label, and no nearer than half as far again as the last number.
    most = max(1.5 * counts[-1], len(comparison.target) / len(comparison.labels))
    points = [(s.n_examples, plural(s.n_examples, "example"), s) for s in comparison.few_shot]
    points += [(most, "all examples", scores) for scores in comparison.models]
    return Chart(
        _series(comparison, points),
        x_label="training examples per label",
        ticks=[*((k, str(k)) for k in counts), (most, "all")],
        log=True,
        chance=1 / len(comparison.labels),
    )


def noise_chart(comparison: Comparison) -> Chart:
    """Describe how accurate the models of a comparison are in noise, and without.

    Parameters
    ----------
    comparison : skkws.compare.Comparison
        What to show.

    Returns
    -------
    chart : Chart

    Raises
    ------
    ValueError
        If nothing was tested in noise.
    """
    if not comparison.noise:
        raise ValueError("comparison.noise is empty; compare with snr_db=(20, 10, 0), say.")
    levels = sorted({scores.snr_db for scores in comparison.noise})
    # Clips without noise stand where the next step would be.
    clean = levels[-1] + (np.ptp(levels) / (len(levels) - 1) if len(levels) > 1 else 10)
    points = [(s.snr_db, f"{s.snr_db:g} dB", s) for s in comparison.noise]
    points += [(clean, "clean", scores) for scores in comparison.models]
    return Chart(
        _series(comparison, points),
        x_label="signal-to-noise ratio (dB)",
        ticks=[*((snr, f"{snr:g}".replace("-", "\N{MINUS SIGN}")) for snr in levels), (clean, "clean")],
        title=comparison.noise_name,
    )


def speed_chart(comparison: Comparison) -> Chart:
    """Describe the accuracy of the models of a comparison against the time that each takes for a clip.

    Parameters
    ----------
    comparison : skkws.compare.Comparison
        What to show.

    Returns
    -------
    chart : Chart
    """
    points = [(1e3 * s.predict_seconds, f"{1e3 * s.predict_seconds:.3g} ms", s) for s in comparison.models]
    ticks = _log_ticks(*_limits([place for place, _, _ in points], log=True))
    return Chart(_series(comparison, points), x_label="time per clip (ms)", ticks=ticks, log=True)


def _series(comparison, points):
    """Points, each a place, its name and the scores there, of each model: in the order of ranks and along the axis."""
    series = []
    for index, model in enumerate(comparison.ranked):
        own = sorted((point for point in points if point[2].name == model.name), key=lambda point: point[0])
        x, names, scores = zip(*own, strict=True)
        y, interval = np.array([s.accuracy for s in scores]), np.array([s.interval for s in scores])
        series.append(Series(model.name, index, np.array(x, dtype=float), y, interval, list(names)))
    return series


def _limits(places, log):
    low, high = min(places), max(places)
    if log:
        room = max(1.3, (high / low) ** 0.07)
        return low / room, high * room
    room = max(1.0, 0.07 * (high - low))
    return low - room, high + room


def _log_ticks(low, high):
    """Round numbers along a logarithmic axis."""
    steps = (1,) if high / low > 60 else (1, 2, 5) if high / low > 5 else (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8)
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    numbers = [step * 10.0**k for k in decades for step in steps]
    return [(number, f"{number:g}") for number in numbers if low <= number <= high]
