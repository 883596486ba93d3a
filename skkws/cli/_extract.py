"""Features of recordings in a file: ``skkws extract``."""

from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer

from skkws._runtime.optional import require
from skkws.cli._messages import say
from skkws.cli._options import Duration, Group, Labels, Pad, check_output_file, check_writable, names_in
from skkws.cli._waveforms import recording_loader

_FEATURES = ("embedding", "logmel", "mfcc")


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
    labels: Labels = None,
    group: Group = None,
    duration: Duration = 1.0,
    pad: Pad = "center",
    n_jobs: Annotated[int | None, typer.Option("--n-jobs", help="Threads that read recordings (default: 1).")] = None,
):
    """Write the features of recordings, with labels and speakers, to a file for NumPy."""
    transformer, loader = _feature_transformer(features, pooling), recording_loader(duration, pad)
    check_output_file(output)
    if cache:
        check_writable(cache, "--cache")
    import numpy as np

    from skkws._runtime.files import check_room, whole_file
    from skkws.extraction import extract as extract_files

    start = perf_counter()
    files, target, groups = _recordings(sources, labels=names_in(labels), group=group)
    found = extract_files(files, transformer, loader, cache, n_jobs, verbose=1)
    for reason in found.skipped:
        say(f"left out: {reason}")
    arrays = {"labels": target, "groups": groups, "paths": files}
    check_room(output, found.features.nbytes)
    with whole_file(output) as draft, draft.open("wb") as file:
        np.savez(file, features=found.features, **{name: array[found.kept] for name, array in arrays.items()})
    n_clips, n_features = found.features.shape
    seconds = perf_counter() - start
    say(
        f"{output}: {n_clips} clips x {n_features} features in {seconds:.1f} s ({n_clips / seconds:.0f} clips/s), "
        f'{found.n_known} from the cache. In Python: numpy.load("{output}")["features"], and so labels, groups, paths.'
    )


def _recordings(sources, *, labels, group):
    """Paths, labels and speakers of what is in folders, and of single recordings; a word is a folder's name."""
    import numpy as np

    from skkws.datasets import load_keyword_folder, speaker_function

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
    if features == "mfcc":
        require("librosa", "MFCC")
    if features == "embedding":
        return SpeechEmbeddingTransformer(pooling=pooling)
    return {"logmel": LogMelTransformer, "mfcc": MFCCTransformer}[features]()
