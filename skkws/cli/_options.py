"""Options that several commands share."""

import os
from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder that holds a folder of recordings for each word.")]
Group = Annotated[
    str | None,
    typer.Option(metavar="REGEX", help="Finds the speaker in a file name (default: what precedes the first _)."),
]
Labels = Annotated[str | None, typer.Option(help="Words to take, separated by commas (default: all).")]
Limit = Annotated[int | None, typer.Option(min=1, help="Recordings per word at the most, drawn at random.")]
Duration = Annotated[float, typer.Option(min=0.1, max=3600, help="Seconds that each clip is cropped or padded to.")]
Pad = Annotated[
    str,
    typer.Option(
        help="Where longer recordings are cut and shorter ones padded: center, start, end, or loudest to keep the "
        "loudest stretch."
    ),
]
Seed = Annotated[int, typer.Option(min=0, help="Seed of everything random.")]
Jobs = Annotated[int | None, typer.Option("--n-jobs", help="Processes; each fit already uses all cores.")]


def names_in(names):
    """Names between commas as a tuple, None for none."""
    return tuple(name.strip() for name in names.split(",")) if names else None


def check_output_file(output):
    """Find out before the work whether its result can be written to this file."""
    check_writable(output.parent, "--output")
    if output.is_dir():
        raise typer.BadParameter(f"{output} is a folder; name a file in it.", param_hint="--output")


def check_writable(folder, option):
    """Find out before the work whether its result can be kept."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise typer.BadParameter(f"{folder} cannot be made: {error.strerror}.", param_hint=option) from error
    if not os.access(folder, os.W_OK):
        raise typer.BadParameter(f"{folder} is not writable.", param_hint=option)
