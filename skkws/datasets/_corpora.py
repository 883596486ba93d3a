"""Public corpora whose file names are their labels, from a local copy."""

import os
import re

from sklearn.utils import Bunch

from skkws.datasets._archive import MAX_BYTES, local_folder
from skkws.datasets._bunch import clip_bunch
from skkws.datasets._folder import load_keyword_folder

__all__ = ["load_crema_d", "load_gtzan", "load_irmas"]

# The codes are explained in the README of the corpus.
_EMOTIONS = {"ANG": "anger", "DIS": "disgust", "FEA": "fear", "HAP": "happy", "NEU": "neutral", "SAD": "sad"}
# "X" is in one name, 1040_ITH_SAD_X.wav.
_LEVELS = {"LO": "low", "MD": "medium", "HI": "high", "XX": "unspecified", "X": "unspecified"}
_CREMA_D = re.compile(rf"(\d{{4}})_([A-Z]{{3}})_({'|'.join(_EMOTIONS)})_({'|'.join(_LEVELS)})\.wav")


def load_crema_d(
    path: str | os.PathLike[str],
    *,
    data_home: str | os.PathLike[str] | None = None,
    max_bytes: int = MAX_BYTES,
    verbose: int = 1,
) -> Bunch:
    """List the recordings of CREMA-D: 7,442 clips, twelve sentences in six emotions by 91 actors.

    Parameters
    ----------
    path : str or path-like
        A local copy: a folder that holds ``AudioWAV/``, that folder itself, or an archive of either, which is
        unpacked into the data home once. Files are named as in ``1001_DFA_ANG_XX.wav``.
    data_home : str or path-like, default=None
        The folder that keeps unpacked corpora, as in `get_data_home`.
    max_bytes : int, default=2**34
        Most bytes that an archive may unpack to.
    verbose : int, default=1
        Above 0 shows a progress bar while unpacking.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        filenames : ndarray of shape (n_clips,), dtype str
            Paths, sorted by name.
        target : ndarray of shape (n_clips,), dtype str
            "anger", "disgust", "fear", "happy", "neutral" or "sad".
        target_names : list of str
            The emotions, sorted.
        groups : ndarray of shape (n_clips,), dtype str
            The actor, as in "1001".
        sentence : ndarray of shape (n_clips,), dtype str
            The code of the sentence, as in "DFA".
        level : ndarray of shape (n_clips,), dtype str
            "low", "medium", "high" or "unspecified".
        DESCR : str
            What was loaded, in words.

    Raises
    ------
    FileNotFoundError
        If the path does not exist.
    ValueError
        If the archive is damaged, unsafe or larger than `max_bytes` allows, there is no WAV file, or one has another
        name.

    References
    ----------
    H. Cao et al., "CREMA-D: Crowd-Sourced Emotional Multimodal Actors Dataset", IEEE Transactions on Affective
    Computing, 2014, https://github.com/CheyneyComputerScience/CREMA-D.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from skkws.datasets import load_crema_d
    >>> with TemporaryDirectory() as root:
    ...     Path(root, "1001_DFA_ANG_XX.wav").touch()
    ...     data = load_crema_d(root)
    >>> data.target.tolist(), data.groups.tolist(), data.sentence.tolist(), data.level.tolist()
    (['anger'], ['1001'], ['DFA'], ['unspecified'])
    """
    folder = _find_folder(local_folder(path, data_home=data_home, max_bytes=max_bytes, verbose=verbose), "AudioWAV")
    files = sorted(file for file in folder.glob("*.wav") if not file.name.startswith("."))
    if not files:
        raise ValueError(f"{folder}: no WAV file. Pass the folder or the archive that holds AudioWAV of CREMA-D.")
    matches = [_CREMA_D.fullmatch(file.name) for file in files]
    if None in matches:
        raise ValueError(
            f"{files[matches.index(None)]}: not a name of CREMA-D such as 1001_DFA_ANG_XX.wav. Remove the file, or "
            "use load_audio_csv."
        )
    actors, sentences, emotions, levels = zip(*(match.groups() for match in matches), strict=True)
    return clip_bunch(
        [str(file) for file in files],
        [_EMOTIONS[emotion] for emotion in emotions],
        actors,
        source=folder,
        noun="emotions",
        grouped="by {} actors",
        sentence=sentences,
        level=[_LEVELS[level] for level in levels],
    )


def load_gtzan(
    path: str | os.PathLike[str],
    *,
    data_home: str | os.PathLike[str] | None = None,
    max_bytes: int = MAX_BYTES,
    verbose: int = 1,
) -> Bunch:
    """List the recordings of GTZAN: 1,000 clips of 30 s, ten genres of music.

    Parameters
    ----------
    path : str or path-like
        A local copy: a folder that holds ``genres_original/`` or ``genres/``, that folder itself, or an archive of
        either, which is unpacked into the data home once. Files are named as in ``blues/blues.00000.wav``.
    data_home : str or path-like, default=None
        The folder that keeps unpacked corpora, as in `get_data_home`.
    max_bytes : int, default=2**34
        Most bytes that an archive may unpack to.
    verbose : int, default=1
        Above 0 shows a progress bar while unpacking.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        As from `load_keyword_folder`: the genres are the labels. Every recording is its own group.

    Raises
    ------
    FileNotFoundError
        If the path does not exist.
    ValueError
        If the archive is damaged, unsafe or larger than `max_bytes` allows, or a genre has no recording.

    Notes
    -----
    ``jazz.00054.wav`` of the widespread copy ``genres_original`` is corrupt. It is listed like the others, and
    `skkws.audio.AudioLoader` names it; load with ``AudioLoader(on_error="skip")`` to leave it out. The corpus does not
    tell its artists, some of whom recur, and it has repeated recordings (B. L. Sturm, "The GTZAN dataset", 2013,
    https://arxiv.org/abs/1306.1461): scores by random folds are too good.

    References
    ----------
    G. Tzanetakis and P. Cook, "Musical genre classification of audio signals", IEEE Transactions on Speech and Audio
    Processing, 2002.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from skkws.datasets import load_gtzan
    >>> with TemporaryDirectory() as root:
    ...     Path(root, "genres", "blues").mkdir(parents=True)
    ...     Path(root, "genres", "blues", "blues.00000.wav").touch()
    ...     data = load_gtzan(root)
    >>> data.target.tolist(), data.groups.tolist()
    (['blues'], ['blues.00000'])
    """
    folder = _find_folder(
        local_folder(path, data_home=data_home, max_bytes=max_bytes, verbose=verbose), "genres_original", "genres"
    )
    return _relabel(load_keyword_folder(folder, group=lambda file: file.stem), folder, "genres")


def load_irmas(
    path: str | os.PathLike[str],
    *,
    data_home: str | os.PathLike[str] | None = None,
    max_bytes: int = MAX_BYTES,
    verbose: int = 1,
) -> Bunch:
    """List the training recordings of IRMAS: 6,705 clips of 3 s, eleven predominant instruments.

    Parameters
    ----------
    path : str or path-like
        A local copy: a folder that holds ``IRMAS-TrainingData/``, that folder itself, or an archive of either, which
        is unpacked into the data home once. Files are named as in ``cel/[cel][cla]0001__1.wav``.
    data_home : str or path-like, default=None
        The folder that keeps unpacked corpora, as in `get_data_home`.
    max_bytes : int, default=2**34
        Most bytes that an archive may unpack to.
    verbose : int, default=1
        Above 0 shows a progress bar while unpacking.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        As from `load_keyword_folder`: the instruments ("cel", "cla", ...) are the labels. The groups are the numbers
        before ``__``, so that the excerpts of one recording stay together.

    Raises
    ------
    FileNotFoundError
        If the path does not exist.
    ValueError
        If the archive is damaged, unsafe or larger than `max_bytes` allows, an instrument has no recording, or a file
        has another name.

    References
    ----------
    J. J. Bosch et al., "A Comparison of Sound Segregation Techniques for Predominant Instrument Recognition in
    Musical Audio Signals", ISMIR 2012, https://www.upf.edu/web/mtg/irmas.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from skkws.datasets import load_irmas
    >>> with TemporaryDirectory() as root:
    ...     Path(root, "cel").mkdir()
    ...     for name in ("[cel][cla]0001__1.wav", "[cel][cla]0001__2.wav"):
    ...         Path(root, "cel", name).touch()
    ...     data = load_irmas(root)
    >>> data.target.tolist(), data.groups.tolist()
    (['cel', 'cel'], ['0001', '0001'])
    """
    folder = _find_folder(
        local_folder(path, data_home=data_home, max_bytes=max_bytes, verbose=verbose), "IRMAS-TrainingData"
    )
    data = load_keyword_folder(folder, group=r"\](\d+)__\d+\.[^.]+$")
    return _relabel(data, folder, "instruments")


def _find_folder(folder, *names):
    """Return the first folder of one of the names in `folder` or one level below it, else `folder` itself."""
    places = [place for name in names for place in (folder / name, *sorted(folder.glob(f"*/{name}")))]
    return next((place for place in places if place.is_dir()), folder)


def _relabel(data, folder, noun):
    return clip_bunch(data.filenames, data.target, data.groups, source=folder, noun=noun, grouped="in {} groups")
