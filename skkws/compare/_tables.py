"""A comparison as tables: columns and rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from skkws._runtime.text import figure_text, interval_text, rank_texts, size_text

if TYPE_CHECKING:
    from skkws.compare._result import Comparison
    from skkws.compare._statistics import Difference


class Table(NamedTuple):
    """A table.

    Attributes
    ----------
    columns : tuple of str
        Names of the columns.
    rows : list of tuple
        A value for each column.
    """

    columns: tuple[str, ...]
    rows: list[tuple]


def _results(comparison, differences):
    ranks = comparison.ranks(differences)
    rows = [
        (
            s.name,
            ranks[s.name],
            s.accuracy,
            *s.interval,
            s.macro_f1,
            s.fit_seconds,
            s.predict_seconds,
            s.n_bytes,
            s.multiply_adds,
        )
        for s in comparison.ranked
    ]
    costs = ("fit_seconds", "predict_seconds", "n_bytes", "multiply_adds")
    return Table(("model", "rank", "accuracy", "low", "high", "macro_f1", *costs), rows)


def _few_shot(comparison, _):
    rows = [(s.name, s.n_examples, s.accuracy, *s.interval) for s in _by_rank(comparison, comparison.few_shot)]
    return Table(("model", "n_examples", "accuracy", "low", "high"), rows)


def _noise(comparison, _):
    rows = [(s.name, s.snr_db, s.accuracy, *s.interval) for s in _by_rank(comparison, comparison.noise)]
    return Table(("model", "snr_db", "accuracy", "low", "high"), rows)


def _differences(comparison, differences):
    differences = comparison.differences() if differences is None else differences
    rows = [(d.first, d.second, d.difference, *d.interval, d.p_value) for d in differences]
    return Table(("first", "second", "difference", "low", "high", "p_value"), rows)


def _confusions(comparison, _):
    rows = [(s.name, *pair) for s in comparison.ranked for pair in comparison.confusions(s.name)]
    return Table(("model", "true", "predicted", "share"), rows)


def _failures(comparison, _):
    alike = {}
    for failed in comparison.failures:
        alike.setdefault((failed.name, failed.n_examples or None, failed.error), []).append(failed.where)
    rows = [(name, k, len(where), where[0], error) for (name, k, error), where in alike.items()]
    return Table(("model", "n_examples", "fits", "first_in", "error"), rows)


TABLES = {
    "results": _results,
    "few_shot": _few_shot,
    "noise": _noise,
    "differences": _differences,
    "confusions": _confusions,
    "failures": _failures,
}


def leaderboard(comparison: Comparison, differences: list[Difference] | None = None) -> Table:
    """Write the leaderboard as people read it, with units, and models that do not differ sharing a rank.

    Parameters
    ----------
    comparison : Comparison
        What to show.
    differences : list of Difference or None, default=None
        What :meth:`Comparison.differences` returned; None computes it.

    Returns
    -------
    table : Table
        Of texts, the most accurate model first.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws.compare import Comparison, ModelScores, leaderboard
    >>> target, speakers = np.array(["no", "yes"] * 2), np.array(list("aabb"))
    >>> scores = ModelScores("mfcc+svm", 1.0, (0.4, 1.0), [1.0, 1.0], 1.0, 0.5, 0.001, 20_000, target[None])
    >>> leaderboard(Comparison(["no", "yes"], target, speakers, "2 folds", [scores], [])).rows
    [('mfcc+svm', '1', '1.000', '0.400\N{EN DASH}1.000', '1.000', '0.5 s', '1.00 ms', '20 kB')]
    """
    ranks = rank_texts(comparison.ranks(differences))
    rows = [
        (
            s.name,
            ranks[s.name],
            f"{s.accuracy:.3f}",
            interval_text(s.interval),
            f"{s.macro_f1:.3f}",
            figure_text(s.fit_seconds, 1, "s"),
            figure_text(s.predict_seconds * 1e3, 2, "ms"),
            size_text(s.n_bytes),
        )
        for s in comparison.ranked
    ]
    return Table(("model", "rank", "accuracy", "interval", "F1", "fit", "per clip", "size"), rows)


def _by_rank(comparison, points):
    return [point for model in comparison.ranked for point in points if point.name == model.name]
