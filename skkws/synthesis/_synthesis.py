"""Keywords spoken by synthetic voices."""

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from numbers import Integral, Real

import numpy as np
from sklearn.utils import Bunch, check_random_state

from skkws.synthesis._engines import count_voices, draw_voices, find_engines, resolve_voice
from skkws.synthesis._rendering import speak_all

_PHONEMES = "[["  # opens phonemes in a spelling


def synthesize_keywords(
    words: Iterable[str] | Mapping[str, str | Iterable[str]],
    n_per_word: int = 200,
    *,
    language: str = "en",
    engines: str | Iterable[str] = "auto",
    voices: int | Iterable[str] = 24,
    voice_files: Iterable[str | os.PathLike[str]] = (),
    sample_rate: int = 16000,
    duration: float = 1.0,
    random_state: int | np.random.RandomState | None = None,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> Bunch:
    """Speak keywords with synthetic voices.

    Every voice speaks every word, with another speed, pitch, liveliness, intonation, level and position in the clip
    each time; a voice that cannot speak a word leaves it to the others. Speech comes from espeak-ng, which
    ``pip install "skkws[synth]"`` brings along, and from every other engine found: flite, festival, RHVoice, SVOX Pico,
    MBROLA and piper; ``skkws voices`` lists what is there. It is synthetic: good for trying out code, for keywords
    nobody has recorded yet and beside real recordings, but no measure of how a detector does on people.

    Parameters
    ----------
    words : iterable of str or mapping of str to str or to iterable of str
        Words or short phrases to speak, in the spelling of the language. They become the labels. A mapping gives labels
        and how to spell each: one spelling or several, among which the clips of the label are shared out. A spelling
        may hold espeak-ng's phonemes in double brackets, for invented words: ``{"zoofi": "[[z'u:fi]]"}``. The voices
        of other engines do not read those and leave the word to espeak-ng's.
    n_per_word : int, default=200
        Clips per label.
    language : str, default="en"
        Language of the words, such as ``"de"``, or accent, such as ``"en-us"``, of which voices are drawn.
    engines : "auto" or iterable of str, default="auto"
        Engines to use: all that are installed, or those named, out of ``"espeak-ng"``, ``"flite"``, ``"festival"``,
        ``"rhvoice"``, ``"pico"``, ``"mbrola"`` and ``"piper"``. Name them for results that do not depend on what is
        installed.
    voices : int or iterable of str, default=24
        How many voices speak, or exactly which. To draw voices the engines take turns until theirs are used up, so
        those with few give all of them; at most `n_per_word` are drawn, so that each speaks every word. Half of
        espeak-ng's are female; the first 24 are different vocal tracts (its variants), and more, up to 24 for every
        accent, use the tracts again with other accents. Names are an accent and a variant of espeak-ng such as
        ``"en-us+f3"``, or another engine and its voice such as ``"flite:slt"``; they may speak any language.
    voice_files : iterable of path-like, default=()
        Files of further voices: ``.onnx`` with ``.onnx.json`` beside it for piper, ``.flitevox`` for flite. They are
        called by their stem, ``"piper:en_US-amy-medium"``, and drawn whatever the `language`.
    sample_rate : int, default=16000
        Samples per second of the clips. espeak-ng speaks at 22 050 Hz, so nothing is heard above 11 025 Hz; other
        engines at 8 to 32 kHz.
    duration : float, default=1.0
        Length of the clips in seconds.
    random_state : int, RandomState instance or None, default=None
        Seed of the voices and of everything drawn for a clip. Clips are the same for the same seed, arguments and
        engines, whatever `n_jobs`; piper's alone differ, as it draws noise of its own.
    n_jobs : int or None, default=None
        Number of threads; the work is shared out by voice. None means 1 unless in a :obj:`joblib.parallel_config`
        context, -1 means all processors.
    verbose : int, default=0
        If above 0, show a progress bar on stderr.

    Returns
    -------
    keywords : :class:`~sklearn.utils.Bunch`
        Clips with these attributes, one row after the other by voice, then by word:

        data : ndarray of shape (n_clips, n_samples), float32
            Waveforms in [-1, 1], with ``n_clips = n_labels * n_per_word`` and
            ``n_samples = round(duration * sample_rate)``. The silence round the word is exactly 0.
        target : ndarray of shape (n_clips,), str
            The label.
        target_names : list of str
            The labels, in the order given.
        spellings : ndarray of shape (n_clips,), str
            What was spoken, as it was spelled.
        groups : ndarray of shape (n_clips,), str
            The voice, as for :class:`~sklearn.model_selection.GroupKFold`. Part espeak-ng's at ``"+"`` for accent and
            tract. Voices of different engines may be built from the speech of one person: those called slt, awb, rms,
            bdl and clb are, and flite's kal16 and festival's kal.
        sample_rate : int
            Samples per second.
        n_rejected : dict of str to int
            Renderings thrown away and drawn again, by reason: ``"silent"``, ``"clipped"`` (more than 0.1 % of the
            samples at full scale), ``"too long"`` for the clip and ``"failed"`` (the engine broke off).
        unspoken : list of tuple of (str, str)
            Voice and spelling of what a voice gave up, as its renderings kept being of no use. What was missing of the
            spelling was spoken by the other voices.
        DESCR : str
            What the data are, with the engines and their versions, and what was unspoken.

    Raises
    ------
    ImportError
        If no engine is installed.
    ValueError
        If a parameter is out of its range, or no voice can speak a word or fit it into the clip.
    RuntimeError
        If an engine that was named is not installed, or a word is left without a voice as an engine fails.

    Notes
    -----
    Silence before and after the word (46 dB below its peak) is trimmed, and the word is put at a random place where it
    is whole. A word that is longer than the clip is spoken again, each time faster, up to 1.8 times the voice's usual
    speed; it is never cropped. A voice gives a word up after 20 useless renderings of one clip, or when its engine
    failed at three of them.

    Examples
    --------
    >>> from skkws.synthesis import synthesize_keywords
    >>> keywords = synthesize_keywords(["yes", "no"], n_per_word=6, voices=3, random_state=0)
    >>> keywords.data.shape, keywords.data.dtype
    ((12, 16000), dtype('float32'))
    >>> len(set(keywords.groups))
    3

    A word by its sound, and one label for several words:

    >>> words = {"zoofi": "[[z'u:fi]]", "other": ["coffee", "sophie"]}
    >>> keywords = synthesize_keywords(words, n_per_word=4, engines=["espeak-ng"], random_state=0)
    >>> keywords.spellings[keywords.target == "other"].tolist()
    ['coffee', 'coffee', 'sophie', 'sophie']
    """
    words = check_words(words)
    for name, value, usual in (("n_per_word", n_per_word, 200), ("sample_rate", sample_rate, 16000)):
        if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
            raise ValueError(f"{name} must be an integer from 1 up, got {value!r}. Pass one such as {name}={usual}.")
    n_samples = _check_duration(duration, sample_rate)
    rng = check_random_state(random_state)
    engines = find_engines(engines, voice_files)
    voices = _check_voices(voices, n_per_word, engines, language, rng)
    speakers = [resolve_voice(engines, voice) for voice in voices]
    for engine in engines.values():
        engine.check_voices([voice for speaker, voice in speakers if speaker is engine])

    spoken = [(label, spelling) for label, spellings in words.items() for spelling in spellings]
    labels, spellings = (np.array(column) for column in zip(*spoken, strict=True))
    n_clips = np.concatenate([_part(n_per_word, len(spellings)) for spellings in words.values()])
    data, speaker, word, unspoken, n_rejected = speak_all(
        speakers,
        spellings.tolist(),
        n_clips,
        _who_can_speak(spellings, speakers),
        rng,
        sample_rate=sample_rate,
        n_samples=n_samples,
        n_jobs=n_jobs,
        verbose=verbose,
    )
    unspoken = [(voices[i], str(spellings[k])) for i, k in unspoken]
    left = ", ".join(f"{spelling!r} by {voice}" for voice, spelling in unspoken)
    names = list(dict.fromkeys(f"{engine.name} {engine.version}".strip() for engine, _ in speakers))
    return Bunch(
        data=data,
        target=labels[word],
        target_names=list(words),
        spellings=spellings[word],
        groups=np.array(voices)[speaker],
        sample_rate=sample_rate,
        n_rejected=n_rejected,
        unspoken=unspoken,
        DESCR=(
            f"Synthesized speech, not recordings of people: {len(words)} keywords spoken {n_per_word} times each by "
            f"{len(voices)} voices of {', '.join(names)}, in clips of {duration:g} s at {sample_rate} Hz.\n"
            f"Keywords: {', '.join(words)}.\nVoices: {', '.join(voices)}.\n"
            "Speed, pitch, intonation, level and position are drawn at random for every clip. There is no noise and "
            "no room in the clips; results on them say little about results on recorded speech."
            + (f"\nCould not be spoken and was left to the other voices: {left}." if unspoken else "")
        ),
    )


def check_words(words: Iterable[str] | Mapping[str, str | Iterable[str]]) -> dict[str, list[str]]:
    """Return lists of spellings by label, once they are known to be distinct, non-empty strings."""
    advice = "Pass a list of distinct words such as ['yes', 'no']."
    if isinstance(words, str) or not isinstance(words, Iterable):
        raise ValueError(f"words must be a list of strings, or a mapping, got {words!r}. {advice}")
    if not isinstance(words, Mapping):
        listed = list(words)
        words = dict(zip(listed, listed, strict=True))
        if len(words) < len(listed):
            repeated = Counter(listed).most_common(1)[0][0]
            raise ValueError(f"words must differ, got {repeated!r} more than once in {listed!r}. {advice}")
    words = {label: [spelled] if isinstance(spelled, str) else spelled for label, spelled in words.items()}
    for label, spellings in words.items():
        if not isinstance(label, str) or not isinstance(spellings, Iterable):
            raise ValueError(f"words must hold non-empty strings, got {label!r}: {spellings!r}. {advice}")
    words = {str(label): list(spellings) for label, spellings in words.items()}
    if not words or not all(words.values()):
        raise ValueError(f"words must hold at least one word, and one for each label, got {words!r}. {advice}")
    spoken = [spelling for spellings in words.values() for spelling in spellings]
    for word in [*words, *spoken]:
        if not isinstance(word, str) or not word.strip():
            raise ValueError(f"words must hold non-empty strings, got {word!r} in {words!r}. {advice}")
    for word in spoken:
        if not any(character.isalnum() for character in word):
            raise ValueError(
                f"words must be words that can be spoken, got {word!r}, which has no letter. "
                "Spell it in letters, as it sounds."
            )
    # Compared as they sound: "Yes" and "yes " would be one word under two labels. In phonemes, capitals count.
    heard = (word.strip() if _PHONEMES in word else word.strip().casefold() for word in spoken)
    repeated = [word for word, n in Counter(heard).items() if n > 1]
    if repeated:
        raise ValueError(f"words must differ, got {repeated[0]!r} more than once in {spoken!r}. {advice}")
    return {label: [str(spelling) for spelling in spellings] for label, spellings in words.items()}


def _check_duration(duration, sample_rate):
    """Return the number of samples in a clip."""
    if not isinstance(duration, Real) or not np.isfinite(duration) or duration * sample_rate < 1:
        raise ValueError(
            f"duration must be a number of seconds, one sample at least, got {duration!r}. "
            "Pass one such as duration=1.0."
        )
    return round(duration * sample_rate)


def _check_voices(voices, n_per_word, engines, language, rng):
    """Return the names of the voices: those given, or as many as asked for, drawn."""
    if isinstance(voices, Integral) and not isinstance(voices, bool):
        n_voices = count_voices(engines, language)
        if not n_voices:
            raise ValueError(
                f"language must be one that the engines {', '.join(engines)} speak, got {language!r}. "
                "`skkws voices` lists them."
            )
        if not 1 <= voices <= n_voices:
            raise ValueError(
                f"voices must be from 1 to {n_voices}, as many as speak {language!r}, got {voices!r}. "
                "Draw fewer voices, or name the voices you want: voices=['en-us+f3', 'en-gb+m1']."
            )
        return draw_voices(engines, min(voices, n_per_word), language, rng)
    advice = "Pass a number such as voices=24, or distinct names such as voices=['en-us+f3', 'en-gb+m1']."
    if isinstance(voices, str) or not isinstance(voices, Iterable):
        raise ValueError(f"voices must be an integer or a list of names, got {voices!r}. {advice}")
    voices = list(voices)
    if not voices or not all(isinstance(voice, str) and voice for voice in voices) or len(set(voices)) < len(voices):
        raise ValueError(f"voices must be distinct, non-empty names, got {voices!r}. {advice}")
    if len(voices) > n_per_word:
        raise ValueError(
            f"n_per_word must be at least the number of voices, {len(voices)}, so that each speaks every word, "
            f"got {n_per_word!r}. Raise n_per_word or name fewer voices."
        )
    return [str(voice) for voice in voices]


def _who_can_speak(spellings, speakers):
    """Tell which voice can speak what: an array of bool of shape (n_voices, n_spellings)."""
    reads = np.array([engine.reads_phonemes for engine, _ in speakers])
    respelled = np.array([_PHONEMES in spelling for spelling in spellings])
    if respelled.any() and not reads.any():
        raise ValueError(
            f"words must be spelled in letters for voices that read no phonemes, got {str(spellings[respelled][0])!r}. "
            "Let a voice of espeak-ng speak too, or spell the word as it sounds."
        )
    return reads[:, np.newaxis] | ~respelled


def _part(n, n_parts):
    """Part a number into nearly equal integers."""
    return (n + np.arange(n_parts)) // n_parts
