"""Charts as SVG whose colours are variables of the page's style sheet."""

import math

from skkws.report._format import interval_text, time_text
from skkws.report._markup import element

N_COLORS = 8  # variables --series-0 to --series-7 of page.css
_WIDTH, _HEIGHT = 420, 290
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 12, 12, 56
_DASHES = ("none", "7 3", "2 3", "9 3 2 3")


def _corners(n, *, turn=0.0, inner=1.25):
    """Corners of a regular shape about the origin, every other one `inner` away from it."""
    angles = [math.tau * (k / n + turn) for k in range(n)]
    radii = (1.25, inner) * n
    return [(radius * math.sin(angle), -radius * math.cos(angle)) for radius, angle in zip(radii, angles, strict=False)]


# Markers, in radii; None is a circle. They are square, diamond, two triangles, pentagon and two stars.
_SHAPES = (
    None,
    _corners(4, turn=1 / 8),
    _corners(4),
    _corners(3),
    _corners(3, turn=1 / 2),
    _corners(5),
    _corners(8, inner=0.5),
    _corners(10, inner=0.6),
)


class _Scale:
    """Maps numbers to places along an axis, straight or logarithmically."""

    def __init__(self, low, high, start, stop, *, log=False):
        self._of = math.log if log else float
        self._low, self._high, self._start, self._stop = self._of(low), self._of(high), start, stop

    def __call__(self, value):
        share = (self._of(value) - self._low) / (self._high - self._low)
        return self._start + share * (self._stop - self._start)


def curves_chart(key, title, description, *, x_label, ticks, curves, log=False, chance=None):
    """Draw accuracy against something, a line for each model.

    Parameters
    ----------
    key : str
        Beginning of the ids in it.
    title, description : str
        What screen readers say.
    x_label : str
        Name of the horizontal axis.
    ticks : list of (float, str)
        Places on it that are named.
    curves : list of (int, str, list of (float, accuracy, interval, str))
        Number and name of a model, and its points: place, accuracy, interval and the name of the place.
    log : bool, default=False
        Whether the horizontal axis is logarithmic.
    chance : float or None, default=None
        Accuracy of guessing.

    Returns
    -------
    svg : Element
    """
    lowest = min(interval[0] for *_, points in curves for _, _, interval, _ in points)
    y, y_ticks = _accuracy_axis(lowest if chance is None else min(lowest, chance))
    places = [place for place, _ in ticks]
    x = _Scale(*_apart(min(places), max(places), log), _LEFT + 22, _WIDTH - _RIGHT - 22, log=log)
    drawn = [_frame([(x(place), text) for place, text in ticks], y, y_ticks, x_label)]
    if chance is not None:
        drawn.append(_line(_LEFT, y(chance), _WIDTH - _RIGHT, y(chance), class_="reference"))
        drawn.append(element("text", "chance", x=_WIDTH - _RIGHT - 4, y=y(chance) - 5, text_anchor="end"))
    for i, (index, name, points) in enumerate(curves):
        # Points stand a little apart, so that one model's interval does not hide another's.
        aside = min(4, 24 / len(curves)) * (i - (len(curves) - 1) / 2)
        at = [(x(place) + aside, y(accuracy)) for place, accuracy, _, _ in points]
        marks = [_polyline(at, _dashes(index))]
        for (left, top), (_, accuracy, interval, where) in zip(at, points, strict=True):
            marks.append(_line(left, y(interval[0]), left, y(interval[1]), class_="interval"))
            told = f"{name}, {where}: {accuracy:.3f} ({interval_text(interval)})"
            marks.append(_marker(index, left, top, told))
        drawn.append(_series(index, *marks))
    return _svg(key, title, description, *drawn)


def speed_chart(key, title, description, points):
    """Draw accuracy against the time per clip, a marker for each model.

    Parameters
    ----------
    key, title, description : str
        As for :func:`curves_chart`.
    points : list of (int, str, float, float, tuple)
        Number and name of a model, seconds per clip, accuracy and its interval.

    Returns
    -------
    svg : Element
    """
    y, y_ticks = _accuracy_axis(min(interval[0] for *_, interval in points))
    seconds = [s for _, _, s, _, _ in points]
    low, high = _apart(min(seconds) / 1.3, max(seconds) * 1.3, log=True)
    x = _Scale(low, high, _LEFT, _WIDTH - _RIGHT, log=True)
    ticks = _time_ticks(low, high)
    drawn = [_frame([(x(tick), time_text(tick)) for tick in ticks], y, y_ticks, "time per clip (logarithmic)")]
    for index, name, duration, accuracy, interval in points:
        told = f"{name}: {time_text(duration)}, {accuracy:.3f} ({interval_text(interval)})"
        stem = _line(x(duration), y(interval[0]), x(duration), y(interval[1]), class_="interval")
        drawn.append(_series(index, stem, _marker(index, x(duration), y(accuracy), told, radius=6)))
    return _svg(key, title, description, *drawn)


def reliability_chart(key, title, description, index, reliability):
    """Draw the share that is right against the probability of what was predicted.

    Parameters
    ----------
    key, title, description : str
        As for :func:`curves_chart`.
    index : int
        Number of the model.
    reliability : skkws.compare.Reliability
        What to draw.

    Returns
    -------
    svg : Element
    """
    side, left, top, bottom = 210, 44, 8, 42
    x = _Scale(0, 1, left, side - 8)
    y = _Scale(0, 1, side - bottom, top)
    drawn = [_line(x(0), y(0), x(1), y(1), class_="reference")]
    for tick in (0, 0.5, 1):
        drawn += [
            _line(x(0), y(tick), x(1), y(tick), class_="grid"),
            element("text", f"{tick:g}", x=left - 6, y=y(tick) + 4, text_anchor="end"),
            element("text", f"{tick:g}", x=x(tick), y=side - bottom + 15, text_anchor="middle"),
        ]
    drawn.append(element("text", "probability", x=x(0.5), y=side - 6, text_anchor="middle"))
    drawn.append(_turned("share right", 12, y(0.5)))
    points = list(zip(reliability.confidence, reliability.accuracy, reliability.n_clips, strict=True))
    most = max(reliability.n_clips)
    marks = [_polyline([(x(p), y(share)) for p, share, _ in points], "none")]
    for p, share, n in points:
        told = element("title", f"probability {p:.2f}, right {share:.2f}, answers: {n}")
        marks.append(element("circle", told, cx=x(p), cy=y(share), r=2 + 5 * math.sqrt(n / most), class_="marker"))
    return _svg(key, title, description, *drawn, _series(index, *marks), size=(side, side))


def interval_bar(value, interval, low, high, *, zero=None, muted=False):
    """Draw an interval as a small bar with a line at its value, between `low` and `high`; the numbers stand beside it.

    Parameters
    ----------
    value : float
        The value.
    interval : tuple of (float, float)
        Its interval.
    low, high : float
        Ends of the scale.
    zero : float or None, default=None
        Where to draw a line of reference.
    muted : bool, default=False
        Draw it in grey.

    Returns
    -------
    svg : Element
    """
    x = _Scale(low, high, 6, 134)
    start, stop = x(max(low, interval[0])), x(min(high, interval[1]))
    drawn = [_line(6, 9, 134, 9, class_="track")]
    if zero is not None:
        drawn.append(_line(x(zero), 1, x(zero), 17, class_="reference"))
    drawn.append(element("rect", x=start, y=5, width=max(1.0, stop - start), height=8, rx=4, class_="reach"))
    drawn.append(element("rect", x=x(value) - 1.25, y=2, width=2.5, height=14, rx=1, class_="value"))
    return element("svg", *drawn, viewBox="0 0 140 18", class_="bar muted" if muted else "bar", aria_hidden="true")


def swatch(index):
    """Draw the line and the marker of a model, for a legend."""
    line = element("line", x1=1, y1=8, x2=33, y2=8, stroke_dasharray=_dashes(index), class_="curve")
    drawn = _series(index, line, _marker(index, 17, 8))
    return element("svg", drawn, viewBox="0 0 34 16", class_="swatch", aria_hidden="true")


def floor_of(lowest):
    """Round an accuracy down to where an axis may begin, with room below it."""
    return max(0.0, math.floor((lowest - 0.01) * 20) / 20)


def _accuracy_axis(lowest):
    low = floor_of(lowest)
    span = 1 - low
    step = next(step for step in (0.02, 0.05, 0.1, 0.2) if span / step <= 6)
    first = math.ceil(low / step - 1e-9)
    ticks = [k * step for k in range(first, round(1 / step) + 1)]
    return _Scale(low, 1, _HEIGHT - _BOTTOM, _TOP), ticks


def _apart(low, high, log):
    """Move the ends of an axis apart where they are one."""
    if low < high:
        return low, high
    return (low / 2, high * 2) if log else (low - 1, high + 1)


def _time_ticks(low, high):
    steps = (1,) if high / low > 60 else (1, 2, 5) if high / low > 5 else (1, 1.5, 2, 3, 5, 7)
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [step * 10.0**k for k in decades for step in steps if low <= step * 10.0**k <= high]


def _frame(x_ticks, y, y_ticks, x_label):
    bottom = _HEIGHT - _BOTTOM
    drawn = []
    decimals = 2 if len(y_ticks) > 1 and y_ticks[1] - y_ticks[0] < 0.09 else 1
    for tick in y_ticks:
        drawn.append(_line(_LEFT, y(tick), _WIDTH - _RIGHT, y(tick), class_="grid"))
        drawn.append(element("text", f"{tick:.{decimals}f}", x=_LEFT - 8, y=y(tick) + 4, text_anchor="end"))
    for place, text in x_ticks:
        drawn.append(_line(place, bottom, place, bottom + 4, class_="tick"))
        drawn.append(element("text", text, x=place, y=bottom + 19, text_anchor="middle"))
    drawn.append(_line(_LEFT, bottom, _WIDTH - _RIGHT, bottom, class_="tick"))
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    drawn.append(element("text", x_label, x=middle, y=_HEIGHT - 8, text_anchor="middle", class_="axis"))
    drawn.append(_turned("accuracy", 14, (_TOP + bottom) / 2))
    return element("g", *drawn)


def _turned(text, x, y):
    return element("text", text, transform=f"translate({x} {y:.1f}) rotate(-90)", text_anchor="middle", class_="axis")


def _line(x1, y1, x2, y2, class_):
    return element("line", x1=float(x1), y1=float(y1), x2=float(x2), y2=float(y2), class_=class_)


def _polyline(points, dashes):
    places = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return element("polyline", points=places, stroke_dasharray=dashes, class_="curve")


def _dashes(index):
    return _DASHES[index % len(_DASHES)]


def _marker(index, x, y, told=None, radius=4.5):
    title = [element("title", told)] if told else []
    # Models of one colour, from the ninth on, differ in their markers.
    shape = _SHAPES[(index + index // N_COLORS) % len(_SHAPES)]
    if shape is None:
        return element("circle", *title, cx=float(x), cy=float(y), r=float(radius), class_="marker")
    corners = " ".join(f"{x + radius * dx:.1f},{y + radius * dy:.1f}" for dx, dy in shape)
    return element("polygon", *title, points=corners, class_="marker")


def _series(index, *marks):
    return element("g", *marks, style=f"color: var(--series-{index % N_COLORS})")


def _svg(key, title, description, *drawn, size=(_WIDTH, _HEIGHT)):
    named = [element("title", title, id=f"{key}-title"), element("desc", description, id=f"{key}-desc")]
    return element(
        "svg",
        *named,
        *drawn,
        viewBox=f"0 0 {size[0]} {size[1]}",
        role="img",
        aria_labelledby=f"{key}-title {key}-desc",
        class_="chart",
    )
