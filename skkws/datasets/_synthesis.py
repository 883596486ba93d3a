"""Keywords spoken by synthetic voices."""

from collections import Counter
from collections.abc import Iterable
from numbers import Integral, Real

import numpy as np
from joblib import Parallel, delayed
from sklearn.utils import Bunch, check_random_state

from skkws._progress import progress
from skkws.datasets._espeak import MAX_VOICES, draw_voices, open_espeak_ng

_RATE = (100, 200)  # words per minute; slower on the whole than the 175 of espeak-ng, as words said alone are
_FASTEST = 320  # beyond this espeak-ng's words lose their consonants
_PITCH = (35, 70)  # of 0 to 99: about 4 semitones below to 5 above the voice's own
_PITCH_RANGE = (20, 80)  # of 0 to 99, where 50 is the voice's own
# A statement, a call and a question: three contours of intonation. No full stop, which could mark an abbreviation.
_ENDINGS = ("", "!", "?")
_PEAK_DB = (-20.0, -1.0)  # level of the loudest sample, in decibels below full scale

_SILENCE_DB = -46.0  # below the rendering's peak; quieter samples at its ends are trimmed
_MIN_PEAK = 0.01  # a rendering that stays below 1 % of full scale is silent
_MIN_SECONDS = 0.05  # shorter than any spoken syllable
_MAX_CLIPPED = 0.001  # share of samples at full scale
_MAX_TRIALS = 20  # renderings of one clip before giving up


def synthesize_keywords(
    words, n_per_word=200, *, voices=24, sample_rate=16000, duration=1.0, random_state=None, n_jobs=None, verbose=0
):
    """Speak keywords with synthetic voices.

    Every voice speaks every word, with another speed, pitch, liveliness, intonation, level and position in the clip
    each time. Speech comes from espeak-ng, which ``pip install "skkws[synth]"`` brings along. It is synthetic: good
    for trying out code, for keywords nobody has recorded yet and beside real recordings, but no measure of how a
    detector does on people.

    Parameters
    ----------
    words : iterable of str
        Words or short phrases to speak, in English spelling. They become the labels.
    n_per_word : int, default=200
        Clips per word.
    voices : int or iterable of str, default=24
        How many voices speak, half of them female, or exactly which. At most `n_per_word` voices are drawn, so that
        each speaks every word. Up to 24 drawn voices are 24 different vocal tracts (espeak-ng's variants); more, up to
        192, use the tracts again with other accents. Names are espeak-ng's, an accent and a variant such as
        ``"en-us+f3"``; other languages (``"de+m3"``) may be named too.
    sample_rate : int, default=16000
        Samples per second of the clips. espeak-ng speaks at 22 050 Hz, so nothing is heard above 11 025 Hz.
    duration : float, default=1.0
        Length of the clips in seconds.
    random_state : int, RandomState instance or None, default=None
        Seed of the voices and of everything drawn for a clip. Clips are the same for the same seed and arguments,
        whatever `n_jobs`.
    n_jobs : int or None, default=None
        Number of worker processes; the work is shared out by voice. None means 1 unless in a
        :obj:`joblib.parallel_backend` context, -1 means all processors.
    verbose : int, default=0
        If above 0, show a progress bar on stderr.

    Returns
    -------
    keywords : :class:`~sklearn.utils.Bunch`
        Clips with these attributes, one row after the other by voice, then by word:

        data : ndarray of shape (n_clips, n_samples), float32
            Waveforms in [-1, 1], with ``n_clips = len(words) * n_per_word`` and
            ``n_samples = round(duration * sample_rate)``. The silence round the word is exactly 0.
        target : ndarray of shape (n_clips,), str
            The word spoken.
        target_names : list of str
            The words, in the order given.
        groups : ndarray of shape (n_clips,), str
            The voice, as for :class:`~sklearn.model_selection.GroupKFold`. Part it at ``"+"`` for accent and tract.
        sample_rate : int
            Samples per second.
        n_rejected : dict of str to int
            Renderings thrown away and drawn again, by reason: ``"silent"``, ``"clipped"`` (more than 0.1 % of the
            samples at full scale) and ``"too long"`` for the clip.
        DESCR : str
            What the data are, with the engine and its version.

    Raises
    ------
    ImportError
        If espeak-ng is not installed.
    ValueError
        If a parameter is out of its range, or a word cannot be spoken or does not fit into the clip.
    RuntimeError
        If espeak-ng cannot be started.

    Notes
    -----
    Silence before and after the word (46 dB below its peak) is trimmed, and the word is put at a random place where it
    is whole. A word that is longer than the clip is spoken again, each time faster, up to 320 words per minute; it is
    never cropped.

    Examples
    --------
    >>> from skkws.datasets import synthesize_keywords
    >>> keywords = synthesize_keywords(["yes", "no"], n_per_word=6, voices=3, random_state=0)
    >>> keywords.data.shape, keywords.data.dtype
    ((12, 16000), dtype('float32'))
    >>> len(set(keywords.groups))
    3
    """
    words = _check_words(words)
    for name, value, usual in (("n_per_word", n_per_word, 200), ("sample_rate", sample_rate, 16000)):
        if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
            raise ValueError(f"{name} must be an integer from 1 up, got {value!r}. Pass one such as {name}={usual}.")
    n_samples = _check_duration(duration, sample_rate)
    rng = check_random_state(random_state)
    voices = _check_voices(voices, n_per_word, rng)
    with open_espeak_ng() as engine:
        version = engine.version
        for voice in voices:
            engine.set_voice(voice)

    seeds = rng.randint(np.iinfo(np.int32).max, size=len(voices))
    shares = _share_clips(len(words), n_per_word, len(voices))
    jobs = (
        delayed(_speak_with_voice)(voice, words, share, seed=seed, sample_rate=sample_rate, n_samples=n_samples)
        for voice, share, seed in zip(voices, shares, seeds, strict=True)
    )
    data = np.empty((len(words) * n_per_word, n_samples), dtype=np.float32)
    n_rejected = Counter({"silent": 0, "clipped": 0, "too long": 0})
    start = 0
    chunks = Parallel(n_jobs=n_jobs, return_as="generator")(jobs)
    with progress("Speaking", len(voices), verbose=verbose) as advance:
        for clips, rejected in chunks:
            data[start : start + len(clips)] = clips
            start += len(clips)
            n_rejected.update(rejected)
            advance()
    return Bunch(
        data=data,
        target=np.concatenate([np.repeat(words, share) for share in shares]),
        target_names=words,
        groups=np.repeat(voices, shares.sum(axis=1)),
        sample_rate=sample_rate,
        n_rejected=dict(n_rejected),
        DESCR=(
            f"Synthesized speech, not recordings of people: {len(words)} keywords spoken {n_per_word} times each by "
            f"{len(voices)} voices of espeak-ng {version} (formant synthesis), in clips of {duration:g} s "
            f"at {sample_rate} Hz.\n"
            f"Keywords: {', '.join(words)}.\nVoices: {', '.join(voices)}.\n"
            "Speed, pitch, intonation, level and position are drawn at random for every clip. There is no noise and "
            "no room in the clips; results on them say little about results on recorded speech."
        ),
    )


def _check_words(words):
    """Return the words as a list, once they are known to be distinct, non-empty strings."""
    advice = "Pass a list of distinct words such as ['yes', 'no']."
    if isinstance(words, str) or not isinstance(words, Iterable):
        raise ValueError(f"words must be a list of strings, got {words!r}. {advice}")
    words = list(words)
    if not words:
        raise ValueError(f"words must hold at least one word, got none. {advice}")
    for word in words:
        if not isinstance(word, str) or not word.strip():
            raise ValueError(f"words must hold non-empty strings, got {word!r} in {words!r}. {advice}")
        if not any(character.isalnum() for character in word):
            raise ValueError(
                f"words must be words that can be spoken, got {word!r}, which has no letter. "
                "Spell it in letters, as it sounds."
            )
    # Compared as they sound: "Yes" and "yes " would be one word under two labels.
    repeated = [word for word, n in Counter(word.strip().casefold() for word in words).items() if n > 1]
    if repeated:
        raise ValueError(f"words must differ, got {repeated[0]!r} more than once in {words!r}. {advice}")
    return [str(word) for word in words]


def _check_duration(duration, sample_rate):
    """Return the number of samples in a clip."""
    if not isinstance(duration, Real) or not np.isfinite(duration) or duration * sample_rate < 1:
        raise ValueError(
            f"duration must be a number of seconds, one sample at least, got {duration!r}. "
            "Pass one such as duration=1.0."
        )
    return round(duration * sample_rate)


def _check_voices(voices, n_per_word, rng):
    """Return the names of the voices: those given, or as many as asked for, drawn."""
    if isinstance(voices, Integral) and not isinstance(voices, bool):
        if not 1 <= voices <= MAX_VOICES:
            raise ValueError(
                f"voices must be from 1 to {MAX_VOICES}, got {voices!r}. "
                "Draw fewer voices, or name the voices you want: voices=['en-us+f3', 'en+m1']."
            )
        return draw_voices(min(voices, n_per_word), rng)
    advice = "Pass a number such as voices=24, or distinct names such as voices=['en-us+f3', 'en+m1']."
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


def _share_clips(n_words, n_per_word, n_voices):
    """Share out the clips: an array of shape (n_voices, n_words), whose columns sum to `n_per_word`.

    No two voices differ by more than one clip of a word, and the odd clips of one word begin where those of the word
    before it ended, so that they spread over the voices.
    """
    each, odd = divmod(n_per_word, n_voices)
    turn = (np.arange(n_voices)[:, np.newaxis] - odd * np.arange(n_words)) % n_voices
    return each + (turn < odd)


def _speak_with_voice(voice, words, share, *, seed, sample_rate, n_samples):
    """Speak each word `share[i]` times with one voice.

    Returns
    -------
    clips : ndarray of shape (share.sum(), n_samples), float32
    n_rejected : Counter
    """
    rng = np.random.default_rng(seed)
    clips = np.zeros((share.sum(), n_samples), dtype=np.float32)
    n_rejected = Counter()
    with open_espeak_ng() as engine:
        for clip, word in zip(clips, np.repeat(words, share).tolist(), strict=True):
            y = _speak_until_good(
                engine, word, voice, rng=rng, sample_rate=sample_rate, n_samples=n_samples, n_rejected=n_rejected
            )
            start = rng.integers(n_samples - len(y), endpoint=True)
            clip[start : start + len(y)] = y * (10 ** (rng.uniform(*_PEAK_DB) / 20) / np.abs(y).max())
    return clips, n_rejected


def _speak_until_good(engine, word, voice, *, rng, sample_rate, n_samples, n_rejected):
    """Speak a word until the rendering has no fault; return its samples, trimmed, and count the faults."""
    slowest, fastest = _RATE
    for _ in range(_MAX_TRIALS):
        rate = rng.uniform(slowest, fastest)
        rendering, rendering_rate = engine.speak(
            word + str(rng.choice(_ENDINGS)),
            voice=voice,
            rate=rate,
            pitch=rng.integers(*_PITCH, endpoint=True),
            pitch_range=rng.integers(*_PITCH_RANGE, endpoint=True),
        )
        y = _prepare(rendering, rendering_rate, sample_rate)
        fault = _find_fault(rendering, y, sample_rate, n_samples)
        if fault is None:
            return y
        n_rejected[fault] += 1
        if fault == "too long":
            slowest, fastest = rate, _FASTEST
    if fault == "too long":
        raise ValueError(
            f"duration must leave room for every word, got {n_samples / sample_rate:g} s, in which {word!r} does not "
            f"fit, spoken by {voice!r} at {rate:.0f} words per minute. Pass a longer duration or a shorter word."
        )
    raise ValueError(
        f"words must be words that can be spoken, got {word!r}, whose rendering by {voice!r} is {fault}. "
        "Spell it in letters, as it sounds."
    )


def _prepare(rendering, rendering_rate, sample_rate):
    """Scale a rendering to [-1, 1], resample it and trim the silence at its ends."""
    import soxr

    y = soxr.resample(rendering.astype(np.float32) / 32768, rendering_rate, sample_rate, quality="HQ")
    loud = np.flatnonzero(np.abs(y) > 10 ** (_SILENCE_DB / 20) * np.abs(y).max(initial=0))
    return y[loud[0] : loud[-1] + 1] if len(loud) else y[:0]


def _find_fault(rendering, y, sample_rate, n_samples):
    """Return why a rendering, prepared as `y`, is of no use, or None."""
    if np.abs(y).max(initial=0) < _MIN_PEAK or len(y) < _MIN_SECONDS * sample_rate:
        return "silent"
    if np.mean(np.abs(rendering.astype(np.int32)) >= 32767) > _MAX_CLIPPED:
        return "clipped"
    return "too long" if len(y) > n_samples else None
