"""What a command says, and how it ends where something is wrong."""

from functools import wraps

import typer
from rich.console import Console

out = Console()
err = Console(stderr=True)


def mendable(command):
    """End a command with one line for what its user can mend (exit code 1) or an interrupt (130)."""

    @wraps(command)
    def run(*args, **kwargs):
        try:
            command(*args, **kwargs)
        except (BrokenPipeError, typer.Exit):
            raise  # a reader that has seen enough (`skkws predict ... | head`) is no error; an exit has been explained
        except (ImportError, OSError, RuntimeError, ValueError) as error:
            fail(str(error))
            raise typer.Exit(1) from error
        except KeyboardInterrupt as interrupt:
            fail("interrupted; nothing half-written is left.")
            raise typer.Exit(130) from interrupt

    return run


def say(message):
    """Tell on the standard error stream."""
    err.print(message, highlight=False, markup=False, soft_wrap=True)


def fail(message):
    """Tell what is wrong."""
    err.print(f"skkws: {message}", style="red", highlight=False, markup=False, soft_wrap=True)
