"""A comparison as tables in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skkws._runtime.text import interval_text, plural
from skkws.compare import leaderboard

if TYPE_CHECKING:
    from rich.console import Console

    from skkws.compare import Comparison

# Of numbers alone, eight columns fit into 80 characters beside the names; with intervals, three.
_MOST_NUMBERS = 8
_MOST_INTERVALS = 3


def print_tables(comparison: Comparison, console: Console) -> None:
    """Print the leaderboard, and accuracy with few examples and in noise where they were measured.

    Models that do not differ significantly share a rank, written ``1=``. Tables fit into 80 columns; where there are
    more than three numbers of examples or levels of noise their intervals are left out.

    Parameters
    ----------
    comparison : skkws.compare.Comparison
        What to show.
    console : rich.console.Console
        Where to.

    Examples
    --------
    >>> import numpy as np
    >>> from rich.console import Console
    >>> from skkws.compare import Comparison, ModelScores
    >>> from skkws.report import print_tables
    >>> target, speakers = np.array(["no", "yes"] * 2), np.array(list("aabb"))
    >>> scores = ModelScores("mfcc+svm", 1.0, (0.4, 1.0), [1.0, 1.0], 1.0, 0.5, 0.001, 20_000, target[None])
    >>> print_tables(Comparison(["no", "yes"], target, speakers, "2 folds", [scores], []), Console(width=80))
    4 clips, 2 labels, 2 speakers; 2 folds
    ...
    """
    n = len(comparison.target)
    console.print(
        f"{n} clips, {len(comparison.labels)} labels, {comparison.n_speakers} speakers; {comparison.validation}\n",
        highlight=False,
        markup=False,
    )
    _print_leaderboard(comparison, console)
    names = [scores.name for scores in comparison.ranked]
    if comparison.few_shot:
        console.print("\nAccuracy with few examples per label\n", highlight=False)
        counts = sorted({scores.n_examples for scores in comparison.few_shot})
        cells = {(scores.name, scores.n_examples): scores for scores in comparison.few_shot}
        shown = _print_curves(console, names, counts, cells, lambda k: f"{k} example{'s' if k > 1 else ''}")
        intervals = ", 95% intervals by Student's t over the folds" if shown else ""
        guesses = ("mfcc+xgboost", 1) in cells
        console.print(
            f"\nMeans over {len(comparison.few_shot[0].accuracies)} folds and draws{intervals}."
            + ("\nXGBoost cannot split single rows at its defaults: with 1 example it guesses." if guesses else ""),
            style="dim",
            highlight=False,
        )
    for name, k, n_fits, where, error in comparison.table("failures").rows:
        examples = f" with {plural(k, 'example')} per label" if k else ""
        times = f"{n_fits} times, first in {where}" if n_fits > 1 else where
        console.print(f"\nFailed: {name}{examples}, {times}: {error}", highlight=False, markup=False)
    if comparison.noise:
        console.print(f"\nAccuracy in noise: {comparison.noise_name}\n", highlight=False, markup=False)
        levels = sorted({scores.snr_db for scores in comparison.noise}, reverse=True)
        cells = {(scores.name, scores.snr_db): scores for scores in comparison.noise}
        _print_curves(console, names, levels, cells, lambda snr: f"{snr:g} dB")
        console.print(
            "\nSignal-to-noise ratio of the test clips; no noise was added in training.", style="dim", highlight=False
        )


def _print_leaderboard(comparison, console):
    columns, rows = leaderboard(comparison)
    table = _table(*columns[1:])
    for row in rows:
        _add_row(table, *row)
    console.print(table)
    console.print(
        "\nRank: 1 plus the number of significantly better models; = marks a tie. Intervals\n"
        "(95%) are clustered by speaker. F1 is the mean over labels. The time to fit and\n"
        "to predict a clip includes the features, the size includes pretrained weights.",
        style="dim",
        highlight=False,
    )


def _print_curves(console, names, places, cells, title):
    """Print accuracies, with intervals where there is room for them, and tell whether there was."""
    with_intervals = len(places) <= _MOST_INTERVALS
    for start in range(0, len(places), _MOST_NUMBERS):
        part = places[start : start + _MOST_NUMBERS]
        # Written out, the last of many titles would not fit; the first one says what the others count.
        table = _table(*(title(place) if with_intervals or place == part[0] else f"{place:g}" for place in part))
        for name in names:
            _add_row(table, name, *(_accuracy(cells.get((name, place)), with_intervals) for place in part))
        if start:
            console.print()
        console.print(table)
    return with_intervals


def _accuracy(scores, with_interval):
    if scores is None:  # where a fit failed
        return "\N{EN DASH}"
    interval = f" [dim]{interval_text(scores.interval)}[/dim]" if with_interval else ""
    return f"{scores.accuracy:.3f}{interval}"


def _table(*columns):
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, collapse_padding=True)
    # A long name goes on in the next line, so that the numbers stay whole.
    table.add_column("model", overflow="fold")
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def _add_row(table, name, *cells):
    from rich.text import Text

    table.add_row(Text(name), *cells)
