"""One look for every progress bar."""

from contextlib import contextmanager


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
