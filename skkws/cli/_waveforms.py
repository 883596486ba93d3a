"""The recordings of a folder as waveforms."""

import warnings

from skkws.cli._messages import say
from skkws.cli._options import parted


def load_waveforms(folder, *, labels, limit, group, duration, seed, n_jobs):
    """Waveform rows of a folder and its labels and speakers, without the files that cannot be read."""
    from skkws.audio import AudioLoader
    from skkws.datasets import load_keyword_folder

    data = load_keyword_folder(folder, labels=parted(labels), group=group, max_per_label=limit, random_state=seed)
    loader = AudioLoader(duration=duration, on_error="skip", n_jobs=n_jobs, verbose=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # said in our own words below
        X = loader.fit(data.filenames).transform(data.filenames)
    for _, _, reason in loader.skipped_:
        say(f"left out: {reason}")
    for name in ("filenames", "target", "groups"):
        data[name] = data[name][loader.kept_]
    return X, data
