"""The command ``skkws``."""

import json
import os
import sys
import warnings
from contextlib import nullcontext
from functools import wraps
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer
from rich.console import Console

import skkws

app = typer.Typer(
    name="skkws",
    help="Keyword spotting with scikit-learn's verbs, on Google's speech embedding.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_out = Console()
_err = Console(stderr=True)

_DEMO_WORDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
_DEMO_CLIPS_PER_WORD = 48
# Models that give probabilities and can be saved without trusting more than our own types.
_TRAINABLE = ("embedding+head", "embedding+logreg", "mfcc+logreg")
_PREDICTED_AT_ONCE = 256
_FEATURES = ("embedding", "logmel", "mfcc")
# Folder in --output that keeps what a comparison has finished.
_CHECKPOINTS = ".finished"

_Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder that holds a folder of recordings for each word.")]
_Group = Annotated[
    str | None,
    typer.Option(metavar="REGEX", help="Finds the speaker in a file name (default: what precedes the first _)."),
]
_Labels = Annotated[str | None, typer.Option(help="Words to take, parted by commas (default: all).")]
_Limit = Annotated[int | None, typer.Option(min=1, help="Recordings per word at the most, drawn at random.")]
_Duration = Annotated[float, typer.Option(min=0.1, help="Seconds that each clip is cropped or padded to.")]
_Seed = Annotated[int, typer.Option(min=0, help="Seed of everything random.")]
_Jobs = Annotated[int | None, typer.Option("--n-jobs", help="Processes; each fit already uses all cores.")]
_Models = Annotated[
    str | None,
    typer.Option(
        help="What to compare, parted by commas: names (default: all), or module:object for pipelines of yours."
    ),
]
_Repeats = Annotated[int, typer.Option(min=1, help="Times that the folds are drawn anew.")]
_Folds = Annotated[
    int | None, typer.Option(min=2, help="Folds (default: one speaker at a time up to 10 speakers, otherwise 5).")
]
_Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="Folder for results as JSON and CSV, and pictures.")
]


def _mendable(command):
    """End a command with one line for what its user can mend (exit code 1) or an interrupt (130)."""

    @wraps(command)
    def run(*args, **kwargs):
        try:
            command(*args, **kwargs)
        except (BrokenPipeError, typer.Exit):
            raise  # a reader that has seen enough (`skkws predict ... | head`) is no error; an exit has been explained
        except (ImportError, OSError, RuntimeError, ValueError) as error:
            _fail(str(error))
            raise typer.Exit(1) from error
        except KeyboardInterrupt as interrupt:
            _fail("interrupted; nothing half-written is left.")
            raise typer.Exit(130) from interrupt

    return run


@app.command()
@_mendable
def compare(
    folder: _Folder,
    models: _Models = None,
    folds: _Folds = None,
    repeats: _Repeats = 1,
    labels: _Labels = None,
    limit: _Limit = None,
    group: _Group = None,
    duration: _Duration = 1.0,
    noise: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of recorded noise to test in (default: pink noise).")
    ] = None,
    seed: _Seed = 0,
    n_jobs: _Jobs = None,
    output: _Output = None,
):
    """Cross-validate deep against classical on a folder of recordings, no speaker on both sides.

    With --output a comparison that was interrupted goes on where it stopped when it is run again.
    """
    names = _check_options(models, output)
    X, data = _load(folder, labels=labels, limit=limit, group=group, duration=duration, seed=seed, n_jobs=n_jobs)
    settings = {"folder": str(folder), "labels": _parted(labels), "limit": limit, "group": group, "duration": duration}
    settings["noise"] = noise and str(noise)
    data.names = [os.path.relpath(path, folder) for path in data.filenames]
    how = {"folds": folds, "n_repeats": repeats, "random_state": seed, "n_jobs": n_jobs}
    _compare(X, data, names, output, settings, noise=noise, **how)


@app.command()
@_mendable
def demo(models: _Models = None, folds: _Folds = None, seed: _Seed = 0, n_jobs: _Jobs = None, output: _Output = None):
    """Compare deep against classical on synthesized speech, with no recordings and no network."""
    from skkws.datasets import synthesize_keywords

    names = _check_options(models, output)
    speech = synthesize_keywords(
        _DEMO_WORDS, _DEMO_CLIPS_PER_WORD, engines=["espeak-ng"], random_state=seed, n_jobs=n_jobs, verbose=1
    )
    _out.print(
        f"\n[bold]Synthesized speech, not recordings of people:[/bold] {len(speech.data)} clips of {len(_DEMO_WORDS)} "
        f"words spoken by {len(set(speech.groups))} voices of espeak-ng. The voices are the speakers. For figures on "
        "people run [bold]skkws compare DIR[/bold] on a folder of recordings.\n"
    )
    settings = {"synthesized": True, "words": _DEMO_WORDS, "clips_per_word": _DEMO_CLIPS_PER_WORD}
    how = {"folds": folds, "random_state": seed, "n_jobs": n_jobs, "n_examples": (1, 5, 20), "snr_db": (10,)}
    _compare(speech.data, speech, names, output, settings, **how)


@app.command()
@_mendable
def train(
    output: Annotated[Path, typer.Option("--output", "-o", metavar="MODEL", help="File to save the model to.")],
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="Folder that holds a folder of recordings for each word.")
    ] = None,
    words: Annotated[
        str | None,
        typer.Option(
            help="Train on synthesized speech of these words instead, parted by commas; "
            "zoofi=[[z'u:fi]] gives a word with its sound."
        ),
    ] = None,
    add: Annotated[
        Path | None, typer.Option(metavar="DIR", help="With --words: folder with a few recordings of them, as in DIR.")
    ] = None,
    engines: Annotated[
        str | None, typer.Option(help="With --words: speech engines, parted by commas (default: all that are found).")
    ] = None,
    language: Annotated[str, typer.Option(help="With --words: their language or accent, such as de or en-us.")] = "en",
    word_list: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="With --words: other words to let pass, a line each (default: English)."),
    ] = None,
    model: Annotated[str, typer.Option(help=f"With DIR: one of {', '.join(_TRAINABLE)}.")] = _TRAINABLE[0],
    labels: _Labels = None,
    limit: _Limit = None,
    duration: _Duration = 1.0,
    noise: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of recorded noise: train on varied copies, most of them in it, too."),
    ] = None,
    seed: _Seed = 0,
    n_jobs: _Jobs = None,
):
    """Train a spotter on a folder of recordings, or on typed words alone, and save it."""
    if (folder is None) == (words is None):
        raise typer.BadParameter("give either a folder of recordings or --words, and not both.", param_hint="DIR")
    if words is None and (add or engines or word_list):
        raise typer.BadParameter("goes with --words alone.", param_hint="--add, --engines, --word-list")
    if words is not None:
        if model != _TRAINABLE[0] or labels or limit:
            raise typer.BadParameter("goes with DIR alone.", param_hint="--model, --labels, --limit")
        _check_output_file(output)
        _train_on_words(words, add, engines, language, word_list, duration, noise, seed, n_jobs, output)
        return
    if model not in _TRAINABLE:
        raise typer.BadParameter(f"{model!r} is none of {', '.join(_TRAINABLE)}.", param_hint="--model")
    _check_output_file(output)
    from sklearn.pipeline import make_pipeline

    from skkws.audio import AudioLoader
    from skkws.augment import AudioAugmenter, AugmentedClassifier, default_transforms
    from skkws.compare import make_model
    from skkws.persistence import save_model

    estimator = make_model(model, seed)
    if noise:
        augmenter = AudioAugmenter(default_transforms(noise=noise), random_state=seed, verbose=1)
        estimator = AugmentedClassifier(estimator, augmenter)
    X, data = _load(folder, labels=labels, limit=limit, group=None, duration=duration, seed=seed, n_jobs=n_jobs)
    start = perf_counter()
    with nullcontext() if noise else _err.status(f"Training {model}"):  # copies have a progress bar of their own
        fitted = estimator.fit(X, data.target)
        fitted = fitted.estimator_ if noise else fitted
        # The saved pipeline begins at files, as `predict` gets them; with a duration the loader learns nothing.
        whole = make_pipeline(AudioLoader(duration=duration).fit(data.filenames), *(step for _, step in fitted.steps))
        save_model(whole, output)
    _say(
        f"{output}: {model}, {len(whole.classes_)} words from {len(X)} recordings, {perf_counter() - start:.1f} s. How "
        f"well it does on people it has not heard, skkws compare {folder} tells."
    )


@app.command()
@_mendable
def predict(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="File that skkws train saved.")],
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Recordings.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print an object a line: file, label, probability.")] = False,
):
    """Print label, probability and name of each recording, a line each."""
    from skkws.audio import AudioLoader
    from skkws.persistence import load_model

    pipeline = load_model(model)
    steps = getattr(pipeline, "steps", [("", pipeline)])
    if not isinstance(steps[0][1], AudioLoader) or not hasattr(pipeline, "predict_proba"):
        raise ValueError(f"{model} does not go from recordings to probabilities; make a model with skkws train.")
    n_bad = 0
    for i in range(0, len(files), _PREDICTED_AT_ONCE):
        results, bad = _predict(pipeline, files[i : i + _PREDICTED_AT_ONCE])
        for file, label, probability in results:
            if as_json:
                print(json.dumps({"file": str(file), "label": label, "probability": probability}, ensure_ascii=False))
            else:
                print(f"{label}\t{probability:.4f}\t{file}")
        sys.stdout.flush()
        for message in bad:
            _fail(message)
        n_bad += len(bad)
    if n_bad:
        raise typer.Exit(1)


@app.command()
@_mendable
def extract(
    sources: Annotated[
        list[Path],
        typer.Argument(metavar="DIR_OR_FILE...", help="Folders that hold a folder for each word, and recordings."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="NPZ", help="File to write the features to.")],
    features: Annotated[str, typer.Option(help=f"One of {', '.join(_FEATURES)}.")] = _FEATURES[0],
    pooling: Annotated[
        str | None,
        typer.Option(help="How the vectors of an embedding become one: mean, max or mean_max (default: not at all)."),
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder that keeps features; what is in it is not computed again."),
    ] = None,
    labels: _Labels = None,
    group: _Group = None,
    duration: _Duration = 1.0,
    n_jobs: Annotated[int | None, typer.Option("--n-jobs", help="Threads that read recordings (default: 1).")] = None,
):
    """Write the features of recordings, with labels and speakers, to a file for NumPy."""
    transformer = _feature_transformer(features, pooling)
    _check_output_file(output)
    if cache:
        _check_writable(cache, "--cache")
    import numpy as np

    from skkws._files import whole_file
    from skkws.audio import AudioLoader
    from skkws.extraction import extract as extract_files

    start = perf_counter()
    files, target, groups = _recordings(sources, labels=_parted(labels), group=group)
    loader = AudioLoader(duration=duration, on_error="skip")
    found = extract_files(files, transformer, loader, cache, n_jobs, verbose=1)
    for reason in found.skipped:
        _say(f"left out: {reason}")
    arrays = {"labels": target, "groups": groups, "paths": files}
    with whole_file(output) as draft, draft.open("wb") as file:
        np.savez(file, features=found.features, **{name: array[found.kept] for name, array in arrays.items()})
    n_clips, n_features = found.features.shape
    seconds = perf_counter() - start
    _say(
        f"{output}: {n_clips} clips x {n_features} features in {seconds:.1f} s ({n_clips / seconds:.0f} clips/s), "
        f'{found.n_known} from the cache. In Python: numpy.load("{output}")["features"], and so labels, groups, paths.'
    )


@app.command()
@_mendable
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

    from skkws.datasets._engines import list_voices

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
    _out.print(table, markup=False, highlight=False)


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False):
    if version:
        print(skkws.__version__)
        raise typer.Exit


def _load(folder, *, labels, limit, group, duration, seed, n_jobs):
    """Waveform rows of a folder and its labels and speakers, without the files that cannot be read."""
    from skkws.audio import AudioLoader
    from skkws.datasets import load_keyword_folder

    data = load_keyword_folder(folder, labels=_parted(labels), group=group, max_per_label=limit, random_state=seed)
    loader = AudioLoader(duration=duration, on_error="skip", n_jobs=n_jobs, verbose=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # said in our own words below
        X = loader.fit(data.filenames).transform(data.filenames)
    for _, _, reason in loader.skipped_:
        _say(f"left out: {reason}")
    for name in ("filenames", "target", "groups"):
        data[name] = data[name][loader.kept_]
    return X, data


def _train_on_words(words, add, engines, language, word_list, duration, noise, seed, n_jobs, output):
    """Train on synthesized speech of typed words, and say how well it should do."""
    from sklearn.pipeline import make_pipeline

    from skkws.audio import AudioLoader
    from skkws.persistence import save_model
    from skkws.spotter import train_keyword_spotter

    start = perf_counter()
    recordings = None
    if add:
        X, data = _load(add, labels=None, limit=None, group=None, duration=duration, seed=seed, n_jobs=n_jobs)
        recordings = X, data.target, data.groups
    spotter = train_keyword_spotter(
        _spellings(words),
        recordings=recordings,
        noise=noise,
        language=language,
        engines=_parted(engines) or "auto",
        word_list=_lines(word_list) if word_list else None,
        duration=duration,
        random_state=seed,
        n_jobs=n_jobs,
        verbose=1,
    )
    # With a duration the loader learns nothing; it is fitted to the name of a file that need not exist.
    loader = AudioLoader(duration=duration).fit(["clip.wav"])
    save_model(make_pipeline(loader, *(step for _, step in spotter.model.steps)), output)
    for voice, word in spotter.unspoken:
        _say(f"{voice} could not speak {word!r}; other voices did.")
    trained = ", ".join(f"{n} of {kind}" for kind, n in spotter.n_clips.items())
    _say(f"{output}: {', '.join(_spellings(words))}; {perf_counter() - start:.0f} s. Clips: {trained}.")
    _say("Named rightly, of what was left out of training (95 % interval):")
    for kind, (share, (low, high), n_clips) in spotter.estimates.items():
        _say(f"  {kind:12} {share:.3f} ({low:.3f}-{high:.3f}) of {n_clips}")
    if not add:
        _say(
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
        raise ValueError(f'--words must be distinct words, parted by commas, got {words!r}. Write "lights on,stop".')
    return dict(found)


def _recordings(sources, *, labels, group):
    """Paths, labels and speakers of what is in folders, and of single recordings; a word is a folder's name."""
    import numpy as np

    from skkws.datasets import load_keyword_folder
    from skkws.datasets._folder import speaker_function

    speaker_of = speaker_function(group)
    found = []
    for source in sources:
        if source.is_dir():
            data = load_keyword_folder(source, labels=labels, group=group)
            found += zip(data.filenames, data.target, data.groups, strict=True)
        elif source.exists():
            found.append((str(source), source.absolute().parent.name, speaker_of(source)))
        else:
            raise FileNotFoundError(f"{source}: no such file or folder. Check the path.")
    return tuple(np.array(column) for column in zip(*found, strict=True))


def _feature_transformer(features, pooling):
    from skkws import LogMelTransformer, MFCCTransformer, SpeechEmbeddingTransformer

    if features not in _FEATURES:
        raise typer.BadParameter(f"{features!r} is none of {', '.join(_FEATURES)}.", param_hint="--features")
    if pooling is not None and features != "embedding":
        raise typer.BadParameter(f"only embeddings are pooled, not {features}.", param_hint="--pooling")
    if pooling not in (None, "mean", "max", "mean_max"):
        raise typer.BadParameter(f"{pooling!r} is none of mean, max, mean_max.", param_hint="--pooling")
    if features == "embedding":
        return SpeechEmbeddingTransformer(pooling=pooling)
    return {"logmel": LogMelTransformer, "mfcc": MFCCTransformer}[features]()


def _parted(names):
    """Names between commas as a tuple, None for none."""
    return tuple(name.strip() for name in names.split(",")) if names else None


def _check_options(models, output):
    """Model names to compare, after a look at what would otherwise go wrong at the end of the work."""
    from skkws.compare import MODEL_NAMES, resolve_models

    names = _parted(models) or MODEL_NAMES
    try:
        resolve_models(names)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--models") from error
    if output:
        _check_writable(output, "--output")
    return names


def _compare(X, data, names, output, settings, **how):
    from skkws.compare import compare_classifiers
    from skkws.report import can_draw, print_tables, write_report

    checkpoints = output and output / _CHECKPOINTS
    how |= {"models": names, "checkpoint_dir": checkpoints}
    try:
        comparison = compare_classifiers(X, data.target, data.groups, verbose=1, **how)
    except KeyboardInterrupt:
        if output:
            _say(f"What is finished is kept in {checkpoints}; the same command goes on there.")
        raise
    print_tables(comparison, _out)
    if output:
        settings = {name: value for name, value in how.items() if name != "checkpoint_dir"} | settings
        files = write_report(comparison, output, settings=settings, waveforms=X, names=data.get("names"))
        _say(f"\nWritten to {output}: {', '.join(file.name for file in files)}")
        if not can_draw():
            _say('No pictures without matplotlib: pip install "skkws[plot]".')


def _predict(pipeline, files):
    """``(file, label, probability)`` of each readable file, and a message for each other one."""
    rows, readable, bad = [], [], []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        for file in files:
            try:
                rows.append(pipeline[0].transform([file])[0])
                readable.append(file)
            except (ValueError, OSError) as error:
                bad.append(str(error))
    if not rows:
        return [], bad
    probabilities = pipeline[1:].predict_proba(rows)
    labels = pipeline.classes_[probabilities.argmax(axis=1)]
    return [
        (file, str(label), float(p)) for file, label, p in zip(readable, labels, probabilities.max(axis=1), strict=True)
    ], bad


def _check_output_file(output):
    _check_writable(output.parent, "--output")
    if output.is_dir():
        raise typer.BadParameter(f"{output} is a folder; name a file in it.", param_hint="--output")


def _check_writable(folder, option):
    """Find out before the work whether its result can be kept."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise typer.BadParameter(f"{folder} cannot be made: {error.strerror}.", param_hint=option) from error
    if not os.access(folder, os.W_OK):
        raise typer.BadParameter(f"{folder} is not writable.", param_hint=option)


def _say(message):
    _err.print(message, highlight=False, markup=False, soft_wrap=True)


def _fail(message):
    _err.print(f"skkws: {message}", style="red", highlight=False, markup=False, soft_wrap=True)


def main():
    """Run the command."""
    # XGBoost's threads otherwise wait for each other at full speed, many times as long where the cores are shared.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    app()


if __name__ == "__main__":
    main()
