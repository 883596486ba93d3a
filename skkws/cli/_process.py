"""The process around a command: its streams, its interrupts, and how it ends.

Nothing heavy is imported here, so that an interrupt is taken care of from the first moment on.
"""

import os
import signal
import sys
import time

# Seconds in which further interrupts are taken for the same one.
_SAME = 2.0


class Interrupts:
    """Ctrl-C, answered once: what is under way cleans up behind itself, and is not interrupted in that.

    Attributes
    ----------
    came : bool
        Whether there was one.
    """

    def __init__(self):
        self._since = None

    @property
    def came(self):
        """Whether there was one."""
        return self._since is not None

    def answer(self, *_):
        """Interrupt, at first; end the process at once if somebody still wants so after some time."""
        if self._since is None:
            self._since = time.monotonic()
            raise KeyboardInterrupt
        if time.monotonic() - self._since > _SAME:
            os._exit(130)


interrupts = Interrupts()


def run():
    """Run the command line in this process, and end it."""
    signal.signal(signal.SIGINT, interrupts.answer)
    _open_streams()
    # XGBoost's threads otherwise wait for each other at full speed, many times as long where the cores are shared.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    code = 1
    try:
        from skkws.cli._app import app

        app()
    except KeyboardInterrupt:
        print("skkws: interrupted.", file=sys.stderr)
        code = 130
    except OSError as error:  # what commands say themselves is elsewhere; this is help that cannot be printed
        _say_unwritten(error)
    except SystemExit as end:
        code = end.code
    finally:
        code = _flush(said=bool(code)) or code
    sys.exit(code)


def _open_streams():
    """Have all three streams, which print any name in any encoding."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            # Its number is free, and files to come must not get it. Nothing can be written to the standard output
            # stream then, which is an error where there is something to write.
            flags = os.O_RDWR if name == "stderr" else os.O_RDONLY
            opened = os.open(os.devnull, flags)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 - to the very end
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")


def _flush(*, said):
    """Write what is left to be written; return an exit code if that cannot be done, and tell unless it was said."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        code = 1
    except OSError as error:
        if not said:
            _say_unwritten(error)
        code = 1
    else:
        return 0
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python would try again, and complain
    return code


def _say_unwritten(error):
    print(f"skkws: the standard output stream cannot be written to: {error.strerror or error}.", file=sys.stderr)
