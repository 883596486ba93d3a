"""One look for every progress bar."""

import sys
from contextlib import contextmanager
from time import monotonic

from skkws._runtime.optional import is_installed

# Seconds between two states of a line.
_PAUSE = 0.2


@contextmanager
def progress(description, total, *, verbose=1):
    """Progress bar on the standard error stream; gives a function that moves it on.

    Parameters
    ----------
    description : str
        What is going on.
    total : int
        Number of steps.
    verbose : int, default=1
        0 shows nothing.

    Yields
    ------
    advance : callable
        Called after each step; ``advance(note)`` also shows a short text behind the bar, ``advance(note, steps)``
        moves on by some steps at once.
    """
    if not verbose:
        yield lambda note="", steps=1: None
        return
    from rich.console import Console

    if Console().is_jupyter and not is_installed("ipywidgets"):  # without which rich would show nothing
        with _line(description, total) as advance:
            yield advance
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(description, total=total, note="")
        yield lambda note="", steps=1: bar.update(task, advance=steps, note=note)


@contextmanager
def _line(description, total):
    """Show the same as a line that is written over and over."""
    done, shown_at, width = 0, -_PAUSE, 0

    def show(note):
        nonlocal width
        text = f"{description} {done:.0f}{'' if total is None else f'/{total:.0f}'} {note}"
        sys.stderr.write("\r" + text.ljust(width))
        sys.stderr.flush()
        width = len(text)

    def advance(note="", steps=1):
        nonlocal done, shown_at
        done += steps
        if monotonic() - shown_at >= _PAUSE or done == total:
            shown_at = monotonic()
            show(note)

    show("")
    try:
        yield advance
    finally:
        sys.stderr.write("\n")
