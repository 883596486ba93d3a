"""Deep against classical: ``skkws compare`` and ``skkws demo``."""

import os
from pathlib import Path
from typing import Annotated

import typer

from skkws.cli._messages import out, say
from skkws.cli._options import Duration, Folder, Group, Jobs, Labels, Limit, Pad, Seed, check_writable, names_in
from skkws.cli._waveforms import load_waveforms, recording_loader

_DEMO_WORDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
_DEMO_CLIPS_PER_WORD = 48
# Folder in --output that keeps features, and the outcome of each fit.
_CHECKPOINTS = ".checkpoints"

_Models = Annotated[
    str | None,
    typer.Option(
        help="What to compare, separated by commas: names (default: all), or module:object for pipelines of yours."
    ),
]
_Repeats = Annotated[int, typer.Option(min=1, help="Times that the folds are drawn anew.")]
_Folds = Annotated[
    int | None, typer.Option(min=2, help="Folds (default: one speaker at a time up to 10 speakers, otherwise 5).")
]
_OUTPUT = typer.Option("--output", "-o", help="Folder for report.html, results as JSON and CSV, and pictures.")


def compare(
    folder: Folder,
    models: _Models = None,
    folds: _Folds = None,
    repeats: _Repeats = 1,
    labels: Labels = None,
    limit: Limit = None,
    group: Group = None,
    duration: Duration = 1.0,
    pad: Pad = "center",
    noise: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of recorded noise to test in (default: pink noise).")
    ] = None,
    seed: Seed = 0,
    n_jobs: Jobs = None,
    output: Annotated[Path | None, _OUTPUT] = None,
):
    """Cross-validate deep against classical on a folder of recordings, no speaker on both sides.

    With --output a comparison that was interrupted goes on where it stopped when it is run again.
    """
    names, loader = _check_options(models, output), recording_loader(duration, pad)
    X, data = load_waveforms(folder, labels=labels, limit=limit, group=group, loader=loader, seed=seed, n_jobs=n_jobs)
    settings = {"folder": str(folder), "labels": names_in(labels), "limit": limit, "group": group, "duration": duration}
    settings |= {"pad": pad, "noise": noise and str(noise)}
    data.names = [os.path.relpath(path, folder) for path in data.filenames]
    _compare(
        X,
        data,
        names,
        output,
        settings,
        f"Recordings in {folder.resolve()}",
        noise=noise,
        folds=folds,
        n_repeats=repeats,
        random_state=seed,
        n_jobs=n_jobs,
    )


def demo(
    models: _Models = None,
    folds: _Folds = None,
    seed: Seed = 0,
    n_jobs: Jobs = None,
    output: Annotated[Path, _OUTPUT] = Path("skkws-demo"),
):
    """Compare deep against classical on synthesized speech, with no recordings and no network; write a report."""
    from skkws.synthesis import synthesize_keywords

    names = _check_options(models or ",".join(_usable_models()), output)
    speech = synthesize_keywords(
        _DEMO_WORDS, _DEMO_CLIPS_PER_WORD, engines=["espeak-ng"], random_state=seed, n_jobs=n_jobs, verbose=1
    )
    out.print(
        f"\n[bold]Synthesized speech, not recordings of people:[/bold] {len(speech.data)} clips of {len(_DEMO_WORDS)} "
        f"words spoken by {len(set(speech.groups))} voices of espeak-ng. The voices are the speakers. For figures on "
        "people run [bold]skkws compare DIR[/bold] on a folder of recordings.\n"
    )
    settings = {"synthesized": True, "words": _DEMO_WORDS, "clips_per_word": _DEMO_CLIPS_PER_WORD}
    _compare(
        speech.data,
        speech,
        names,
        output,
        settings,
        "Synthesized speech, not recordings of people",
        folds=folds,
        random_state=seed,
        n_jobs=n_jobs,
        n_examples=(1, 5, 20),
        snr_db=(10,),
    )


def _usable_models():
    """Names of the models whose packages are installed; of each other one it says what it lacks."""
    from skkws.compare import MODEL_NAMES, make_model

    usable = []
    for name in MODEL_NAMES:
        try:
            make_model(name)
            usable.append(name)
        except ImportError as error:
            say(f"left out: {error}")
    return usable


def _check_options(models, output):
    """Model names to compare, after a look at what would otherwise go wrong at the end of the work."""
    from skkws.compare import MODEL_NAMES, resolve_models

    names = names_in(models) or MODEL_NAMES
    try:
        resolve_models(names)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--models") from error
    if output:
        check_writable(output, "--output")
    return names


def _compare(X, data, names, output, settings, source, **options):
    from skkws.compare import compare_classifiers
    from skkws.report import can_draw, print_tables, write_report

    checkpoints = output and output / _CHECKPOINTS
    try:
        comparison = compare_classifiers(
            X,
            data.target,
            data.groups,
            models=names,
            cache_dir=checkpoints and checkpoints / "features",
            checkpoint_dir=checkpoints,
            verbose=1,
            **options,
        )
    except KeyboardInterrupt:
        if output:
            say(f"The fits that are done are kept in {checkpoints}; the same command goes on there.")
        raise
    print_tables(comparison, out)
    if output:
        settings = options | {"models": names} | settings
        clips = {"waveforms": X, "names": data.get("names")}
        files = write_report(comparison, output, settings=settings, source=source, **clips)
        say(f"\nWritten to {output}: {', '.join(file.name for file in files)}")
        say(f"Open {output / 'report.html'} in a browser.")
        if not can_draw():
            say("No pictures without matplotlib: pip install matplotlib.")
