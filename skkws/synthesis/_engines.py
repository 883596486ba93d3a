"""The speech engines there are, and which of their voices speak.

An engine is an object with

- `name`, `version`, and `get`, which says how to get the engine and more voices,
- `reads_phonemes`: whether it takes phonemes in ``[[...]]``, and `suffix`, of its voice files,
- ``find(files)``, a class method that gives the engine, or None where it is not installed,
- ``voices(language)``, ``check_voices(voices)`` and ``draw(language, rng)``, which yields voices in random order,
- ``open()``, a context manager that gives an object with
  ``speak(text, voice, *, speed, pitch, liveliness) -> samples, sample_rate``.

One that runs as a program derives from :class:`~skkws.synthesis._programs.ProgramEngine`.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from skkws.synthesis._espeak import EspeakEngine
from skkws.synthesis._programs import Festival, Flite, Mbrola, Pico, Piper, RHVoice

ENGINES = {engine.name: engine for engine in (EspeakEngine, Flite, Festival, RHVoice, Pico, Mbrola, Piper)}


def find_engines(engines="auto", voice_files=()):
    """Find the speech engines to use.

    Parameters
    ----------
    engines : "auto" or iterable of str, default="auto"
        Names, or ``"auto"`` for all that are installed.
    voice_files : iterable of path-like, default=()
        Files of further voices.

    Returns
    -------
    found : dict of str to engine
        The engines by name, in the order of `ENGINES` or of the names.

    Raises
    ------
    ImportError
        If none is installed.
    RuntimeError
        If one that was asked for, or that a file needs, is not installed, or is damaged.
    ValueError
        If an engine is unknown, or a file does not exist or is no voice.

    Examples
    --------
    >>> from skkws.synthesis._engines import find_engines
    >>> list(find_engines(["espeak-ng"]))
    ['espeak-ng']
    """
    names = _check_names(engines)
    files = _files_by_engine(voice_files)
    found = {name: ENGINES[name].find(files.get(name, ())) for name in names}
    for name in ([] if engines == "auto" else names) + list(files):
        if found.get(name) is None:
            why = f"which the voice file {str(files[name][0])!r} needs" if name in files else "which engines names"
            what = "is not among the engines" if name not in found else "is not installed"
            raise RuntimeError(f"{name}, {why}, {what}. To get it: {ENGINES[name].get}")
    found = {name: engine for name, engine in found.items() if engine is not None}
    if not found:
        raise ImportError(f"Synthesizing speech needs espeak-ng, which is not installed. Run: {EspeakEngine.get}")
    return found


def draw_voices(engines, n_voices, language, rng):
    """Draw voices, as evenly from the engines as they have voices.

    The engines take turns at giving a voice until they have no more, so that those with few voices give all of them.

    Parameters
    ----------
    engines : dict of str to engine
        The engines, by name.
    n_voices : int
        How many voices; fewer come back where there are not as many.
    language : str
        Language or accent that they speak.
    rng : RandomState instance
        Source of randomness.

    Returns
    -------
    voices : list of str
        Full names: an accent and a variant of espeak-ng (``"en-us+f3"``), and those of the other engines behind the
        engine's name (``"flite:slt"``). One engine's voices stand together.
    """
    sources = {name: engine.draw(language, rng) for name, engine in engines.items()}
    drawn = {name: [] for name in engines}
    n_missing = n_voices
    while n_missing and sources:
        for name in list(sources)[:n_missing]:
            voice = next(sources[name], None)
            if voice is None:
                del sources[name]
            else:
                drawn[name].append(_full_name(name, voice))
                n_missing -= 1
    return [voice for voices in drawn.values() for voice in voices]


def count_voices(engines, language):
    """Return how many voices `draw_voices` can draw."""
    import numpy as np

    return sum(len(list(engine.draw(language, np.random.RandomState(0)))) for engine in engines.values())


def resolve_voice(engines, voice):
    """Return the engine of a voice by its full name, and the name that the engine itself has for it.

    Raises
    ------
    ValueError
        If its engine is not among the engines.
    """
    prefix, colon, rest = voice.partition(":")
    name, own = (prefix, rest) if colon else (EspeakEngine.name, voice)
    if name not in engines:
        raise ValueError(
            f"voices must be voices of the engines {', '.join(engines)}, got {voice!r}. "
            "Voices of espeak-ng are called as in 'en-us+f3', those of other engines as in 'flite:slt'; "
            "`skkws voices` lists what is there."
        )
    return engines[name], own


def list_voices(
    language: str | None = None, voice_files: Iterable[str | os.PathLike[str]] = ()
) -> Iterator[tuple[str, str | None, list[str], str]]:
    """List the engines, installed or not, with their voices.

    Parameters
    ----------
    language : str or None, default=None
        Language or accent of the voices; None takes all.
    voice_files : iterable of path-like, default=()
        Files of further voices.

    Yields
    ------
    name : str
        Name of the engine.
    version : str or None
        Its version, empty where the engine does not tell; None where it is not installed.
    voices : list of str
        Full names of its voices.
    get : str
        How to get the engine or more voices.
    """
    files = _files_by_engine(voice_files)
    for name, engine in ENGINES.items():
        found = engine.find(files.get(name, ()))
        voices = [_full_name(name, voice) for voice in found.voices(language)] if found else []
        yield name, found.version if found else None, voices, engine.get


def _full_name(engine, voice):
    return voice if engine == EspeakEngine.name else f"{engine}:{voice}"


def _check_names(engines):
    if isinstance(engines, str) and engines == "auto":
        return list(ENGINES)
    if isinstance(engines, str) or not hasattr(engines, "__iter__"):
        raise ValueError(f"engines must be 'auto' or a list of names, got {engines!r}. Pass engines=['espeak-ng'].")
    names = list(engines)
    if not names or not all(name in ENGINES for name in names) or len(set(names)) < len(names):
        raise ValueError(f"engines must be distinct names out of {', '.join(ENGINES)}, got {names!r}.")
    return names


def _files_by_engine(voice_files):
    if isinstance(voice_files, str | Path):
        raise ValueError(f"voice_files must be a list of paths, got {voice_files!r}. Pass [{str(voice_files)!r}].")
    suffixes = {engine.suffix: name for name, engine in ENGINES.items() if engine.suffix}
    files = {}
    for file in map(Path, voice_files):
        if file.suffix not in suffixes:
            known = " or ".join(f"{suffix} ({name})" for suffix, name in suffixes.items())
            raise ValueError(f"voice_files must be files of voices, {known}, got {str(file)!r}.")
        if not file.is_file():
            raise ValueError(f"voice_files must exist, got {str(file)!r}. Check the path.")
        same = files.setdefault(suffixes[file.suffix], [])
        if file.stem in (other.stem for other in same):
            raise ValueError(f"voice_files must differ in their stem, the voice's name, got {file.stem!r} twice.")
        same.append(file)
    return files
