"""The recordings of a folder as waveforms."""

import typer

from skkws.cli._messages import say
from skkws.cli._options import names_in

_MOST_NAMED = 4


def load_waveforms(folder, *, labels, limit, group, loader, seed, n_jobs, speakers=True):
    """Waveform rows of a folder and its labels and speakers, without the files that cannot be read."""
    from skkws.datasets import load_keyword_folder
    from skkws.extraction import extract

    data = load_keyword_folder(folder, labels=names_in(labels), group=group, max_per_label=limit, random_state=seed)
    if speakers:
        say(speakers_in_words(data.groups, group))
    found = extract(
        data.filenames,
        "passthrough",
        loader,
        n_jobs=n_jobs,
        verbose=1,
        description="Loading audio",
    )
    for reason in found.skipped:
        say(f"left out: {reason}")
    for name in ("filenames", "target", "groups"):
        data[name] = data[name][found.kept]
    return found.features, data


def recording_loader(duration, pad):
    """Make what turns recordings into rows, and leaves out those that it cannot read."""
    from skkws.audio import CROPS, AudioLoader

    if pad not in CROPS:
        raise typer.BadParameter(f"{pad!r} is none of {', '.join(CROPS)}.", param_hint="--pad")
    return AudioLoader(duration=duration, pad=pad, on_error="skip")


def speakers_in_words(groups, group):
    """Say how speakers were told apart, and what looks wrong about it."""
    names = list(dict.fromkeys(map(str, groups)))
    shown = ", ".join(names[:_MOST_NAMED]) + (", ..." if len(names) > _MOST_NAMED else "")
    rule = "by what precedes the first _ of a file name" if group is None else f"by --group {group}"
    if len(names) == len(groups) > 1:
        return (
            f"Each of the {len(groups)} recordings has a speaker of its own, told {rule}: {shown}. If people speak in "
            "several of them, say how to tell them apart: --group REGEX."
        )
    if len(names) == 1:
        return (
            f"All {len(groups)} recordings are of one speaker, told {rule}: {shown}. If there are more, say how "
            "to tell them apart: --group REGEX."
        )
    return f"{len(names)} speakers, told apart {rule}: {shown}"
