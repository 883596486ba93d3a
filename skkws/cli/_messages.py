"""What a command says, and how it ends where something is wrong."""

import inspect
import traceback
import unicodedata
import warnings
from contextlib import contextmanager
from functools import wraps
from typing import Annotated

import typer
from rich.console import Console

from skkws.cli._process import interrupts

out = Console()
err = Console(stderr=True)

_Debug = Annotated[bool, typer.Option("--debug", help="Show where an error comes from, for a report.")]


def mendable(command):
    """End a command with one line for what its user can mend (exit code 1) or an interrupt (130).

    It gets the option ``--debug``, with which errors come with their traceback.
    """

    @wraps(command)
    def run(*args, debug=False, **kwargs):
        try:
            with said_warnings():
                command(*args, **kwargs)
        except (BrokenPipeError, typer.Exit, typer.BadParameter):
            raise  # a reader that has seen enough (`skkws predict ... | head`) is no error; the others explain
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt) or interrupts.came:  # which other errors may come from
                fail("interrupted; nothing half-written is left.")
                raise typer.Exit(130) from error
            if not isinstance(error, Exception):
                raise
            if debug:
                traceback.print_exc()
            fail(reason(error))
            raise typer.Exit(1) from error

    option = inspect.Parameter("debug", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=_Debug)
    signature = inspect.signature(command)
    run.__signature__ = signature.replace(parameters=[*signature.parameters.values(), option])
    run.__annotations__ = command.__annotations__ | {"debug": _Debug}
    return run


def reason(error):
    """Say in a line what is wrong."""
    if isinstance(error, OSError) and error.strerror:
        place = "the standard output stream" if error.filename is None else error.filename
        return f"{place}: {error.strerror}."
    if isinstance(error, ImportError | OSError | RuntimeError | ValueError):
        return str(error)
    return f"{type(error).__name__}: {error}. This is a fault of skkws; please report what --debug shows."


@contextmanager
def said_warnings():
    """Tell each warning once, in plain words, when it comes."""
    said = set()

    def show(message, category, filename, lineno, file=None, line=None):
        if str(message) not in said:
            said.add(str(message))
            say(f"Note: {message}")

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = show
        yield


def say(message):
    """Tell on the standard error stream."""
    err.print(printable(message, "\n"), highlight=False, markup=False, soft_wrap=True)


def fail(message):
    """Tell what is wrong."""
    err.print(printable(f"skkws: {message}", "\n"), style="red", highlight=False, markup=False, soft_wrap=True)


def printable(text, kept=""):
    """Write characters that would break a line, or steer a terminal, as escapes; all but those that are kept."""
    return "".join(
        c.encode("unicode_escape").decode() if unicodedata.category(c) == "Cc" and c not in kept else c
        for c in str(text)
    )
