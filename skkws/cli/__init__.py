"""The command ``skkws``."""

__all__ = ["app", "main"]


def main():
    """Run the command."""
    from skkws.cli._process import run

    run()


def __getattr__(name):
    # Not loaded before `main` has seen to interrupts.
    if name == "app":
        from skkws.cli._app import app

        return app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
