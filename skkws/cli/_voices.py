"""Speech engines and their voices: ``skkws voices``."""

from pathlib import Path
from typing import Annotated

import typer

from skkws.cli._messages import out


def voices(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE...", help="Files of voices: .onnx (piper), .flitevox (flite).")
    ] = None,
    language: Annotated[
        str | None, typer.Option(help="Language of the voices, such as en, or accent, such as en-us (default: all).")
    ] = None,
    names: Annotated[bool, typer.Option("--names", help="Print the name of every voice instead, a line each.")] = False,
):
    """List the speech engines and voices that synthesize_keywords finds, and how to get more."""
    from rich import box
    from rich.table import Table

    from skkws.synthesis import list_voices

    rows = list(list_voices(language, files or ()))
    if names:
        print(*(voice for _, _, found, _ in rows for voice in found), sep="\n")
        return
    table = Table("engine", "version", box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, collapse_padding=True)
    table.add_column("voices", justify="right")
    table.add_column("such as", overflow="fold")
    table.add_column("how to get it, and more voices", overflow="fold")
    for name, version, found, get in rows:
        table.add_row(name, "not found" if version is None else version, str(len(found)), " ".join(found[:3]), get)
    out.print(table, markup=False, highlight=False)
