"""A spotter from recordings, or from typed words: ``skkws train``."""

from contextlib import nullcontext
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer

from skkws.cli._messages import err, say
from skkws.cli._options import Duration, Jobs, Labels, Limit, Pad, Seed, check_output_file, names_in
from skkws.cli._waveforms import load_waveforms, recording_loader

# Models that give probabilities.
TRAINABLE = ("embedding+head", "embedding+logreg", "mfcc+logreg")


def train(
    output: Annotated[Path, typer.Option("--output", "-o", metavar="MODEL", help="File to save the model to.")],
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="Folder that holds a folder of recordings for each word.")
    ] = None,
    words: Annotated[
        str | None,
        typer.Option(
            help="Train on synthesized speech of these words instead, separated by commas; "
            r"zoofi=[\[z'u:fi]] gives a word with its sound."
        ),
    ] = None,
    add: Annotated[
        Path | None, typer.Option(metavar="DIR", help="With --words: folder with a few recordings of them, as in DIR.")
    ] = None,
    engines: Annotated[
        str | None,
        typer.Option(help="With --words: speech engines, separated by commas (default: all there are)."),
    ] = None,
    language: Annotated[str, typer.Option(help="With --words: their language or accent, such as de or en-us.")] = "en",
    word_list: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="With --words: other words to let pass, a line each (default: English)."),
    ] = None,
    model: Annotated[str, typer.Option(help=f"With DIR: one of {', '.join(TRAINABLE)}.")] = TRAINABLE[0],
    labels: Labels = None,
    limit: Limit = None,
    duration: Duration = 1.0,
    pad: Pad = "center",
    noise: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of recorded noise: train on varied copies, most of them in it, too."),
    ] = None,
    seed: Seed = 0,
    n_jobs: Jobs = None,
):
    """Train a spotter on a folder of recordings, or on typed words alone, and save it."""
    if (folder is None) == (words is None):
        raise typer.BadParameter("give either a folder of recordings or --words, and not both.", param_hint="DIR")
    if words is None and (add or engines or word_list):
        raise typer.BadParameter("goes with --words alone.", param_hint="--add, --engines, --word-list")
    if words is not None:
        if model != TRAINABLE[0] or labels or limit:
            raise typer.BadParameter("goes with DIR alone.", param_hint="--model, --labels, --limit")
        _check_model_file(output)
        loader = recording_loader(duration, pad)
        _train_on_words(words, add, engines, language, word_list, loader, noise, seed, n_jobs, output)
        return
    if model not in TRAINABLE:
        raise typer.BadParameter(f"{model!r} is none of {', '.join(TRAINABLE)}.", param_hint="--model")
    _check_model_file(output)
    from sklearn.pipeline import make_pipeline

    from skkws.augment import AudioAugmenter, AugmentedClassifier, default_transforms
    from skkws.compare import make_model
    from skkws.persistence import save_model

    estimator, loader = make_model(model, seed), recording_loader(duration, pad)
    if noise:
        augmenter = AudioAugmenter(default_transforms(noise=noise), random_state=seed, verbose=1)
        estimator = AugmentedClassifier(estimator, augmenter)
    X, data = load_waveforms(
        folder, labels=labels, limit=limit, group=None, loader=loader, seed=seed, n_jobs=n_jobs, speakers=False
    )
    start = perf_counter()
    with nullcontext() if noise else err.status(f"Training {model}"):  # copies have a progress bar of their own
        fitted = estimator.fit(X, data.target)
        fitted = fitted.estimator_ if noise else fitted
        # The saved pipeline begins at files, as `predict` gets them; with a duration the loader learns nothing.
        loader = loader.set_params(on_error="raise").fit(data.filenames)
        whole = make_pipeline(loader, *(step for _, step in fitted.steps))
        save_model(whole, output)
    say(
        f"{output}: {model}, {len(whole.classes_)} words from {len(X)} recordings, {perf_counter() - start:.1f} s. How "
        f"well it does on people it has not heard, skkws compare {folder} tells."
    )


def _check_model_file(output):
    """Find out before the work whether a model can be saved to this file."""
    from skkws.persistence import check_model_path

    try:
        check_model_path(output)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--output") from error
    check_output_file(output)


def _train_on_words(words, add, engines, language, word_list, loader, noise, seed, n_jobs, output):
    """Train on synthesized speech of typed words, and say how well it should do."""
    from skkws.persistence import save_model
    from skkws.spotting import train_keyword_spotter

    start = perf_counter()
    recordings = None
    if add:
        X, data = load_waveforms(add, labels=None, limit=None, group=None, loader=loader, seed=seed, n_jobs=n_jobs)
        recordings = X, data.target, data.groups
    spotter = train_keyword_spotter(
        _spellings(words),
        recordings=recordings,
        noise=noise,
        language=language,
        engines=names_in(engines) or "auto",
        word_list=_lines(word_list) if word_list else None,
        duration=loader.duration,
        random_state=seed,
        n_jobs=n_jobs,
        verbose=1,
    )
    save_model(spotter.pipeline().set_params(audioloader__pad=loader.pad), output)
    for voice, word in spotter.unspoken:
        say(f"{voice} could not speak {word!r}; other voices did.")
    trained = ", ".join(f"{n} of {kind}" for kind, n in spotter.n_clips.items())
    say(f"{output}: {', '.join(_spellings(words))}; {perf_counter() - start:.0f} s. Clips: {trained}.")
    say("Named rightly, of what was left out of training (95 % interval):")
    for kind, (share, (low, high), n_clips) in spotter.estimates.items():
        say(f"  {kind:12} {share:.3f} ({low:.3f}-{high:.3f}) of {n_clips}")
    if not add:
        say(
            "The voices are synthetic, so this says little about people; a third of the other words were chosen for "
            "sounding like a keyword. With a few recordings, --add DIR, both the spotter and this get better."
        )


def _lines(path):
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _spellings(words):
    """Labels and their spelling: ``"stop,zoofi=[[z'u:fi]]"`` as a dict."""
    pairs = [word.partition("=") for word in words.split(",")]
    found = [(label.strip(), (spelling if equals else label).strip()) for label, equals, spelling in pairs]
    if not all(label and spelling for label, spelling in found) or len(dict(found)) < len(found):
        raise ValueError(f'--words must be distinct words, separated by commas, got {words!r}. Write "lights on,stop".')
    return dict(found)
