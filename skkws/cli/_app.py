"""The commands of ``skkws``."""

from typing import Annotated

import typer

import skkws
from skkws.cli._compare import compare, demo
from skkws.cli._extract import extract
from skkws.cli._messages import mendable
from skkws.cli._predict import predict
from skkws.cli._train import train
from skkws.cli._voices import voices

app = typer.Typer(
    name="skkws",
    help="Keyword spotting with scikit-learn's verbs, on Google's speech embedding.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _command in (compare, demo, train, predict, extract, voices):
    app.command()(mendable(_command))


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False):
    if version:
        print(skkws.__version__)
        raise typer.Exit
