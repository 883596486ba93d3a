"""Speak a list of words with voices that may fail, and throw away what is of no use."""

from collections import Counter

import numpy as np
from joblib import Parallel, delayed

from skkws._runtime.progress import progress

_SPEED = (0.57, 1.14)  # of the voice's own, that of running text; mostly slower, as words said alone are
_FASTEST = 1.83  # beyond this espeak-ng's words lose their consonants
_PITCH = (-3.6, 4.8)  # semitones from the voice's own
_LIVELINESS = (0.4, 1.6)  # of the voice's own
# A statement, a call and a question: three contours of intonation. No full stop, which could mark an abbreviation.
_ENDINGS = ("", "!", "?")
_PEAK_DB = (-20.0, -1.0)  # level of the loudest sample, in decibels below full scale

_SILENCE_DB = -46.0  # below the rendering's peak; quieter samples at its ends are trimmed
_MIN_PEAK = 0.01  # a rendering that stays below 1 % of full scale is silent
_MIN_SECONDS = 0.05  # shorter than any spoken syllable
_MAX_CLIPPED = 0.001  # share of samples at full scale
_MAX_TRIALS = 20  # renderings of one clip before giving up
_MAX_FAILURES = 3  # of the engine itself at one clip; a program may take minutes to fail


def speak_all(speakers, spellings, n_clips, can_speak, rng, *, sample_rate, n_samples, n_jobs, verbose):
    """Speak every spelling as often as `n_clips` says, sharing out again what a voice could not speak.

    Returns
    -------
    data : ndarray of shape (n_clips.sum(), n_samples), float32
        The clips, by voice, then by spelling.
    speaker, word : ndarrays of shape (n_clips.sum(),), int
        Which voice spoke which spelling.
    unspoken : ndarray of shape (n_unspoken, 2), int
        Voice and spelling of what a voice could not speak.
    n_rejected : dict of str to int
    """
    data = np.empty((n_clips.sum(), n_samples), dtype=np.float32)
    rows = np.empty(len(data), dtype=int)
    row_of = np.arange(can_speak.size).reshape(can_speak.shape)  # ranks voices and their spellings
    n_spoken = np.zeros(can_speak.shape, dtype=int)
    able = can_speak.copy()
    n_rejected = Counter({"silent": 0, "clipped": 0, "too long": 0, "failed": 0})
    # Engines speak outside Python's lock, and threads need neither to start up nor to copy what they return.
    parallel = Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator")
    start = 0
    with progress("Speaking", len(data), verbose=verbose) as advance:
        while start < len(data):
            shares = _share_clips(n_clips, able, n_spoken)
            seeds = rng.randint(np.iinfo(np.int32).max, size=len(speakers))
            busy = np.flatnonzero(shares.any(axis=1))
            jobs = (
                delayed(_speak_with_voice)(
                    *speakers[i], spellings, shares[i], seed=seeds[i], sample_rate=sample_rate, n_samples=n_samples
                )
                for i in busy
            )
            errors = {}
            for i, (clips, n_good, given_up, rejected) in zip(busy, parallel(jobs), strict=True):
                stop = start + len(clips)
                data[start:stop] = clips
                rows[start:stop] = np.repeat(row_of[i], n_good)
                start = stop
                n_spoken[i] += n_good
                able[i, list(given_up)] = False
                errors.update(given_up)
                n_rejected.update(rejected)
                advance(steps=len(clips))
            for k, error in errors.items():
                if not able[:, k].any():
                    raise error
    order = np.argsort(rows, kind="stable")
    if not able[can_speak].all():  # clips that were handed over came last
        for part in np.array_split(data, 16, axis=1):  # so as not to hold all of them twice
            part[:] = part[order]
    speaker, word = np.unravel_index(rows[order], can_speak.shape)
    return data, speaker, word, np.argwhere(can_speak & ~able), dict(n_rejected)


def _share_clips(n_clips, can_speak, n_spoken):
    """Share out the clips that are missing: an array of shape (n_voices, n_spellings).

    With those that are spoken already, its columns sum to `n_clips`. Clips of a spelling go to the voices that can
    speak it and have the fewest of it, so that from the start no two differ by more than one clip. The odd clips of one
    spelling begin where those of the one before it ended, so that they spread over the voices.
    """
    totals = n_spoken.copy()
    offset = 0
    for total, n, voices in zip(totals.T, n_clips - n_spoken.sum(axis=0), can_speak.T, strict=True):
        turn = np.roll(np.flatnonzero(voices), -offset)
        for _ in range(n):
            total[turn[total[turn].argmin()]] += 1
        offset += n % len(turn)
    return totals - n_spoken


def _speak_with_voice(engine, voice, spellings, share, *, seed, sample_rate, n_samples):
    """Speak each spelling as often as `share` says, with one voice, until it has to be given up.

    Returns
    -------
    clips : ndarray of shape (n_good.sum(), n_samples), float32
    n_good : ndarray of shape (len(spellings),), int
    given_up : dict of int to Exception
        Why, by the index of the spelling.
    n_rejected : Counter
    """
    rng = np.random.default_rng(seed)
    clips = np.zeros((share.sum(), n_samples), dtype=np.float32)
    n_good = np.zeros_like(share)
    given_up = {}
    n_rejected = Counter()
    with engine.open() as opened:
        for k in np.repeat(np.arange(len(spellings)), share).tolist():
            if k in given_up:
                continue
            y, error = _speak_until_good(
                opened,
                spellings[k],
                voice,
                rng=rng,
                sample_rate=sample_rate,
                n_samples=n_samples,
                n_rejected=n_rejected,
            )
            if error is not None:
                given_up[k] = error
                continue
            clip = clips[n_good.sum()]
            n_good[k] += 1
            start = rng.integers(n_samples - len(y), endpoint=True)
            clip[start : start + len(y)] = y * (10 ** (rng.uniform(*_PEAK_DB) / 20) / np.abs(y).max())
    return clips[: n_good.sum()], n_good, given_up, n_rejected


def _speak_until_good(engine, word, voice, *, rng, sample_rate, n_samples, n_rejected):
    """Speak a word until the rendering has no fault, and count the faults.

    Returns
    -------
    y : ndarray of shape (n,) or None
        The samples, trimmed; None if the word is to be given up.
    error : Exception or None
        Why it is.
    """
    slowest, fastest = _SPEED
    n_failures = 0
    for _ in range(_MAX_TRIALS):
        speed = rng.uniform(slowest, fastest)
        try:
            rendering, rendering_rate = engine.speak(
                word + _ENDINGS[rng.integers(len(_ENDINGS))],
                voice,
                speed=speed,
                pitch=rng.uniform(*_PITCH),
                liveliness=rng.uniform(*_LIVELINESS),
            )
        except RuntimeError as error:
            n_rejected["failed"] += 1
            n_failures += 1
            if n_failures == _MAX_FAILURES:
                return None, error.with_traceback(None)  # which would keep the clips in memory
            continue
        y = _prepare(rendering, rendering_rate, sample_rate)
        fault = _find_fault(rendering, y, sample_rate, n_samples)
        if fault is None:
            return y, None
        n_rejected[fault] += 1
        if fault == "too long":
            slowest, fastest = speed, _FASTEST
    if fault == "too long":
        return None, ValueError(
            f"duration must leave room for every word, got {n_samples / sample_rate:g} s, in which {word!r} does not "
            f"fit, spoken by {voice!r} at {speed:.1f} times its usual speed. Pass a longer duration or a shorter word."
        )
    return None, ValueError(
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
