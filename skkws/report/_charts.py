"""Charts as SVG whose colours are variables of the page's style sheet."""

import math

from skkws._runtime.markup import element
from skkws._runtime.text import interval_text

_WIDTH, _HEIGHT = 420, 290
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 12, 12, 56
# As SVG writes what matplotlib calls so.
_DASHES = {"-": "none", "--": "7 3", ":": "2 3", "-.": "9 3 2 3"}


class _Scale:
    """Maps numbers to places along an axis, straight or logarithmically."""

    def __init__(self, low, high, start, stop, *, log=False):
        self._of = math.log if log else float
        self._low, self._high, self._start, self._stop = self._of(low), self._of(high), start, stop

    def __call__(self, value):
        share = (self._of(value) - self._low) / (self._high - self._low)
        return self._start + share * (self._stop - self._start)


def chart(key, title, description, shown):
    """Draw accuracy against something, a line for each model.

    Parameters
    ----------
    key : str
        Beginning of the ids in it.
    title, description : str
        What screen readers say.
    shown : skkws.displays.Chart
        What to draw.

    Returns
    -------
    svg : Element
    """
    low, high = shown.y_limits
    y = _Scale(low, high, _HEIGHT - _BOTTOM, _TOP)
    x = _Scale(*shown.x_limits, _LEFT, _WIDTH - _RIGHT, log=shown.log)
    drawn = [_frame([(x(place), text) for place, text in shown.ticks], y, _accuracy_ticks(low), shown.x_label)]
    if shown.chance is not None:
        chance = y(shown.chance)
        drawn.append(_line(_LEFT, chance, _WIDTH - _RIGHT, chance, class_="reference"))
        drawn.append(element("text", "chance", x=_WIDTH - _RIGHT - 4, y=chance - 5, text_anchor="end"))
    n = len(shown.series)
    for series in shown.series:
        # Points of a place stand a little apart, so that one model's interval does not hide another's.
        aside = min(4, 24 / n) * (series.index - (n - 1) / 2) if len(series.x) > 1 else 0
        at = [(x(place) + aside, y(accuracy)) for place, accuracy in zip(series.x, series.y, strict=True)]
        marks = [_polyline(at, _DASHES[series.dashes])]
        points = zip(at, series.y, series.interval, series.x_names, strict=True)
        for (left, top), accuracy, interval, where in points:
            marks.append(_line(left, y(interval[0]), left, y(interval[1]), class_="interval"))
            told = f"{series.name}, {where}: {accuracy:.3f} ({interval_text(interval)})"
            marks.append(_marker(series.marker, left, top, told))
        drawn.append(_colored(series.color, *marks))
    return _svg(key, title, description, *drawn)


def reliability_chart(key, title, description, color, reliability):
    """Draw the share of right predictions against their probability.

    Parameters
    ----------
    key, title, description : str
        As for :func:`chart`.
    color : int
        Colour of the model.
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
    drawn.append(_turned("share correct", 12, y(0.5)))
    points = list(zip(reliability.confidence, reliability.accuracy, reliability.n_clips, strict=True))
    most = max(reliability.n_clips)
    marks = [_polyline([(x(p), y(share)) for p, share, _ in points], "none")]
    for p, share, n in points:
        told = element("title", f"probability {p:.2f}, correct {share:.2f}, predictions: {n}")
        marks.append(element("circle", told, cx=x(p), cy=y(share), r=2 + 5 * math.sqrt(n / most), class_="marker"))
    return _svg(key, title, description, *drawn, _colored(color, *marks), size=(side, side))


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


def swatch(series):
    """Draw the line and the marker of a model, for a legend."""
    line = element("line", x1=1, y1=8, x2=33, y2=8, stroke_dasharray=_DASHES[series.dashes], class_="curve")
    drawn = _colored(series.color, line, _marker(series.marker, 17, 8))
    return element("svg", drawn, viewBox="0 0 34 16", class_="swatch", aria_hidden="true")


def _accuracy_ticks(low):
    step = next(step for step in (0.02, 0.05, 0.1, 0.2) if (1 - low) / step <= 6)
    return [k * step for k in range(math.ceil(low / step - 1e-9), round(1 / step) + 1)]


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


def _marker(marker, x, y, told=None, radius=5.0):
    title = [element("title", told)] if told else []
    if marker == "o":
        return element("circle", *title, cx=float(x), cy=float(y), r=0.9 * radius, class_="marker")
    n, star, turn = marker
    # Corners about the centre, from the top to the left; between those of a star lie others, half as far away.
    angles = [math.tau * (k / (2 * n if star else n) + turn / 360) for k in range(2 * n if star else n)]
    radii = [1.15 * radius * (0.5 if star and k % 2 else 1) for k in range(len(angles))]
    corners = zip(radii, angles, strict=True)
    points = " ".join(f"{x - r * math.sin(angle):.1f},{y - r * math.cos(angle):.1f}" for r, angle in corners)
    return element("polygon", *title, points=points, class_="marker")


def _colored(color, *marks):
    return element("g", *marks, style=f"color: var(--series-{color})")


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
