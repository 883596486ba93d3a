"""The command ``skkws``."""


def main():
    """Run the command."""
    from skkws.cli._process import run

    run()
