"""Google's Speech Commands, with its official split and its twelve-class task."""

import hashlib
import io
import math
import os
import re
from pathlib import Path
from typing import Literal

import numpy as np
from sklearn.utils import Bunch, check_random_state

from skkws._runtime.files import whole_file
from skkws.datasets._archive import MAX_BYTES, fetch_folder, local_folder
from skkws.datasets._bunch import clip_bunch
from skkws.datasets._data_home import get_data_home
from skkws.datasets._folder import load_keyword_folder

__all__ = ["fetch_speech_commands", "speech_commands_split"]

_URL = "https://storage.googleapis.com/download.tensorflow.org/data/"

# Name of the archive and its SHA-256, as torchaudio publishes it in torchaudio/datasets/speechcommands.py. Nobody
# publishes one of the mini corpus; the CRCs inside its ZIP are checked.
_ARCHIVES = {
    1: ("speech_commands_v0.01.tar.gz", "743935421bb51cccdb6bdd152e04c5c70274e935c82119ad7faeec31780d811d"),
    2: ("speech_commands_v0.02.tar.gz", "af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58"),
    "mini": ("mini_speech_commands.zip", None),
}
_SUBSETS = {1: ("12", "30", "mini"), 2: ("12", "35", "mini")}

# From TensorFlow's examples/speech_commands: the ten words of its tutorial, the folder of noise and the labels.
_COMMANDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
_NOISE, _SILENCE, _UNKNOWN = "_background_noise_", "_silence_", "_unknown_"

# MAX_NUM_WAVS_PER_CLASS of which_set, in the README of the corpus.
_HASH_RANGE = 2**27 - 1

_SPLITS = ("train", "validation", "test")
_LISTS = {"validation": "validation_list.txt", "test": "testing_list.txt"}


def fetch_speech_commands(
    version: Literal[1, 2] = 2,
    subset: Literal["35", "30", "12", "mini"] = "35",
    *,
    split: Literal["train", "validation", "test"] | None = None,
    data_home: str | os.PathLike[str] | None = None,
    archive: str | os.PathLike[str] | None = None,
    download_if_missing: bool = True,
    unknown_percentage: float = 10.0,
    silence_percentage: float = 10.0,
    random_state: int | np.random.RandomState | None = 0,
    max_bytes: int = MAX_BYTES,
    verbose: int = 1,
) -> Bunch:
    """Load Google's Speech Commands: English words, each recorded for a second at 16 kHz by many volunteers.

    The corpus is downloaded on the first call (version 2 is 2.4 GB) and unpacked into the data home; later calls touch
    no network. Nothing is decoded: the file names are the `X` of a pipeline that starts with
    `skkws.audio.AudioLoader`.

    Parameters
    ----------
    version : {1, 2}, default=2
        The version: 30 words (2017), or 35 words and 105,829 recordings by 2,618 speakers (2018). The mini corpus has
        one version; there it is ignored.
    subset : {"35", "30", "12", "mini"}, default="35"
        The classes.

        - "35": all words of version 2; "30": all words of version 1;
        - "12": the task of TensorFlow's tutorial: ten commands, ``_unknown_`` drawn from the other words, and
          ``_silence_`` cut from the background noise;
        - "mini": the eight words of TensorFlow's ``mini_speech_commands.zip``, 1,000 recordings each.
    split : {"train", "validation", "test"} or None, default=None
        The part to load. None loads all; `data.split` tells them apart.
    data_home : str or path-like, default=None
        The folder that keeps downloaded corpora. None takes the environment variable ``SKKWS_DATA``, and
        ``~/skkws_data`` where that is not set.
    archive : str or path-like, default=None
        A copy of your own to load instead of downloading: the archive, which is unpacked into the data home once, or
        a folder with one folder per word.
    download_if_missing : bool, default=True
        Whether to download what is not in the data home. False raises an error instead.
    unknown_percentage, silence_percentage : float, default=10.0
        The number of recordings of ``_unknown_`` and ``_silence_`` in each split, in percent of those of the ten
        commands there, rounded up. Fewer unknown words are taken where there are not as many. Only for subset "12".
    random_state : int, RandomState instance or None, default=0
        Determines which recordings are ``_unknown_`` and where ``_silence_`` is cut. The draw for a split does not
        depend on `split`. Only for subset "12".
    max_bytes : int, default=2**34
        Most bytes that an archive of your own may unpack to.
    verbose : int, default=1
        Above 0 shows progress bars while downloading and unpacking.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        filenames : ndarray of shape (n_clips,), dtype str
            Paths, sorted by word, then by file name; in subset "12" by class.
        target : ndarray of shape (n_clips,), dtype str
            The word or class of every recording.
        target_names : list of str
            The words or classes, sorted.
        groups : ndarray of shape (n_clips,), dtype str
            The speaker, as the hash in the file name; for ``_silence_`` the name of the noise.
        split : ndarray of shape (n_clips,), dtype str
            "train", "validation" or "test".
        DESCR : str
            What was loaded, in words.

    Raises
    ------
    OSError
        If the corpus is missing and may not be downloaded, the download fails (`ConnectionError`; run it again to go
        on where it broke off), or the disk is full.
    ValueError
        If a parameter is out of range, the checksum is wrong, the archive is damaged, unsafe or larger than `max_bytes`
        allows, or a word or the background noise is missing.

    Notes
    -----
    The split is that of the lists ``validation_list.txt`` and ``testing_list.txt`` where the corpus has both, and of
    `speech_commands_split` otherwise. No speaker is in two splits.

    Archives of versions 1 and 2 are verified by SHA-256. For the mini corpus no checksum is published; it is verified
    by its length and by the CRC of every file in it.

    A row is a file, so silence is, too: each clip is one second of a file in ``_background_noise_``, copied bit by
    bit into a WAV file in the data home whose name tells the noise and the first sample. Equal cuts are one file,
    whatever the seed. The first 80 % of a noise are for training, the next 10 % for validation and the last for
    testing: unlike in the tutorial, no sample of noise is in two splits. With 10 % of each class, version 2 gives the
    36,923, 4,445 and 4,890 clips of the literature.

    References
    ----------
    P. Warden, "Speech Commands: A Dataset for Limited-Vocabulary Speech Recognition", 2018,
    https://arxiv.org/abs/1804.03209. Licence: CC BY 4.0.

    Examples
    --------
    A folder of the same layout stands for the corpus:

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from skkws.datasets import fetch_speech_commands
    >>> with TemporaryDirectory() as root:
    ...     for name in ("no/8b775397_nohash_0.wav", "yes/004ae714_nohash_0.wav"):
    ...         path = Path(root, name)
    ...         path.parent.mkdir()
    ...         path.touch()
    ...     data = fetch_speech_commands(archive=root)
    >>> data.target.tolist(), data.groups.tolist(), data.split.tolist()
    (['no', 'yes'], ['8b775397', '004ae714'], ['validation', 'train'])

    The corpus itself: ``data = fetch_speech_commands(subset="12", split="train")``.
    """
    _check_parameters(version, subset, split, unknown_percentage, silence_percentage)
    rng = check_random_state(random_state)
    if archive is not None:
        root = local_folder(archive, data_home=data_home, max_bytes=max_bytes, verbose=verbose)
    else:
        root = _downloaded(version, subset, data_home, download_if_missing, verbose)
    root = _folder_of_words(root)
    data = load_keyword_folder(root, group=_speaker)
    columns = [data.filenames, data.target, data.groups, _splits(data, root)]
    if subset == "12":
        _draw_unknown(columns, unknown_percentage, rng, root)
        _add_silence(columns, silence_percentage, rng, root / _NOISE, split, data_home)
    if split is not None:
        chosen = columns[-1] == split
        if not chosen.any():
            raise ValueError(f"{root}: no recording is in the split {split!r}. Pass split=None, or another corpus.")
        columns = [column[chosen] for column in columns]
    *columns, splits = columns
    return clip_bunch(*columns, source=root, split=splits)


def speech_commands_split(filename: str | os.PathLike[str]) -> Literal["train", "validation", "test"]:
    """Tell which part of the official split a recording of Speech Commands belongs to, by the hash of its speaker.

    All recordings of a speaker fall into one part, and stay there whatever is added to the corpus: about 80 % are
    training, 10 % validation and 10 % test. It is the rule `which_set` in the README of the corpus: the SHA-1 of the
    file name up to ``_nohash_``, modulo 2**27, times 100 / (2**27 - 1); below 10 is validation, below 20 test.

    Parameters
    ----------
    filename : str or path-like
        A path or name such as ``"yes/004ae714_nohash_0.wav"``. The folder does not count.

    Returns
    -------
    split : {"train", "validation", "test"}

    Examples
    --------
    >>> from skkws.datasets import speech_commands_split
    >>> speech_commands_split("yes/004ae714_nohash_0.wav")
    'train'
    >>> speech_commands_split("cat/8b775397_nohash_0.wav")
    'validation'
    """
    # The rule cuts at "_nohash_" alone: a name without it is hashed with its extension.
    speaker = re.sub(r"_nohash_.*$", "", Path(filename).name)
    percentage = int(hashlib.sha1(speaker.encode()).hexdigest(), 16) % (_HASH_RANGE + 1) * (100 / _HASH_RANGE)
    if percentage < 10:
        return "validation"
    return "test" if percentage < 20 else "train"


def _check_parameters(version, subset, split, unknown_percentage, silence_percentage):
    if version not in _SUBSETS:
        raise ValueError(f"version must be 1 or 2, got {version!r}.")
    if subset not in _SUBSETS[version]:
        raise ValueError(
            f"subset must be one of {', '.join(map(repr, _SUBSETS[version]))} for version={version}, got {subset!r}. "
            "Version 1 has 30 words, version 2 has 35."
        )
    if split is not None and split not in _SPLITS:
        raise ValueError(f"split must be None or one of {', '.join(map(repr, _SPLITS))}, got {split!r}.")
    for name, value in (("unknown_percentage", unknown_percentage), ("silence_percentage", silence_percentage)):
        if not 0 <= value < math.inf:
            raise ValueError(f"{name} must be a number from 0 up, got {value!r}. Pass one such as {name}=10.0.")


def _downloaded(version, subset, data_home, download_if_missing, verbose):
    name, sha256 = _ARCHIVES["mini" if subset == "mini" else version]
    options = {"data_home": data_home, "download_if_missing": download_if_missing, "verbose": verbose}
    return fetch_folder(_URL + name, sha256=sha256, **options)


def _folder_of_words(folder):
    """Return the folder that holds the folders of words."""
    visible = [path for path in folder.iterdir() if path.name[0] not in "._"]
    if len(visible) == 1 and any(path.is_dir() for path in visible[0].glob("*")):
        return visible[0]  # the mini archive has all words in one folder
    return folder


def _speaker(path):
    return path.name.partition("_nohash_")[0]


def _splits(data, root):
    """Return the split of every recording: by the lists of the corpus where it has both, else by the speaker."""
    lists = {part: root / name for part, name in _LISTS.items()}
    if not all(path.is_file() for path in lists.values()):
        return np.array([speech_commands_split(name) for name in data.filenames])
    listed = {
        name.strip(): part for part, path in lists.items() for name in path.read_text(encoding="utf-8").splitlines()
    }
    names = (f"{word}/{Path(name).name}" for word, name in zip(data.target, data.filenames, strict=True))
    return np.array([listed.get(name, "train") for name in names])


def _draw_unknown(columns, percentage, rng, root):
    """Keep the commands and some of the other words, drawn in each split, sorted by class."""
    _, words, _, splits = columns
    if missing := sorted(set(_COMMANDS) - set(words)):
        raise ValueError(f"{root}: no folder for the words {missing}, which subset='12' needs. Get the whole corpus.")
    is_command = np.isin(words, _COMMANDS)
    kept = [np.flatnonzero(is_command)]
    for part in _SPLITS:
        others = rng.permutation(np.flatnonzero(~is_command & (splits == part)))
        kept.append(others[: math.ceil(np.sum(is_command & (splits == part)) * percentage / 100)])
    kept = np.sort(np.concatenate(kept))
    columns[1] = np.where(is_command, words, _UNKNOWN)
    order = kept[np.argsort(columns[1][kept], kind="stable")]
    columns[:] = [column[order] for column in columns]


def _add_silence(columns, percentage, rng, folder, split, data_home):
    """Put cuts of noise before the other rows; only those of `split` are written."""
    _, words, _, splits = columns
    n_clips = {part: math.ceil(np.sum((words != _UNKNOWN) & (splits == part)) * percentage / 100) for part in _SPLITS}
    cuts = [cut for cut in _draw_silence(folder, n_clips, rng) if split in {None, cut[0]}]
    if not cuts:
        return
    rows = (
        _write_cuts(cuts, Path(get_data_home(data_home), "speech_commands_silence")),
        [_SILENCE] * len(cuts),
        [noise.stem for _, noise, _ in cuts],
        [part for part, *_ in cuts],
    )
    columns[:] = [np.append(row, column) for row, column in zip(rows, columns, strict=True)]


def _draw_silence(folder, n_clips, rng):
    """Return (split, file, first sample) of every second of silence, sorted."""
    import soundfile as sf

    if not any(n_clips.values()):
        return []
    noises = sorted(folder.glob("*.wav"))
    if not noises:
        raise ValueError(
            f"{folder}: no WAV file to cut {_SILENCE!r} from. Get the whole corpus, or pass silence_percentage=0."
        )
    stretches = {part: [] for part in _SPLITS}
    for noise in noises:
        info = sf.info(noise)
        edges = [0, info.frames * 8 // 10, info.frames * 9 // 10, info.frames]
        for part, start, stop in zip(_SPLITS, edges[:-1], edges[1:], strict=True):
            if stop - start >= info.samplerate:
                stretches[part].append((noise, start, stop - info.samplerate + 1))
    cuts = []
    for part, n in n_clips.items():
        if n and not stretches[part]:
            raise ValueError(
                f"{folder}: no noise has a second for the split {part!r}; training takes 80 % of each, validation and "
                "test 10 %. Add recordings of 10 s or more, or pass silence_percentage=0."
            )
        for index in rng.randint(len(stretches[part]), size=n) if n else ():
            noise, low, high = stretches[part][index]
            cuts.append((part, noise, int(rng.randint(low, high))))
    return sorted(cuts, key=lambda cut: (_SPLITS.index(cut[0]), cut[1], cut[2]))


def _write_cuts(cuts, folder):
    """Write each second of noise to a file, unless it is there, and return the paths."""
    import soundfile as sf

    # The content of a noise is part of the name, so that no other corpus' noise is taken for it.
    digests = {noise: hashlib.sha256(noise.read_bytes()).hexdigest()[:8] for noise in {cut[1] for cut in cuts}}
    filenames = []
    for _, noise, start in cuts:
        path = folder / f"{noise.stem}-{digests[noise]}_{start:07d}.wav"
        if not path.exists():
            with sf.SoundFile(noise) as file, whole_file(path) as draft:
                file.seek(start)
                samples = file.read(file.samplerate, dtype="int32")
                content = io.BytesIO()  # not straight to the disk: libsndfile does not say when that is full
                sf.write(content, samples, file.samplerate, format="WAV", subtype=file.subtype)
                draft.write_bytes(content.getvalue())
        filenames.append(os.fspath(path))
    return filenames
