"""From typed words to a spotter: speak them, train on it, and say how well it should do."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from numbers import Integral

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.model_selection import GroupKFold, KFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.utils import check_consistent_length, check_random_state

from skkws._engine.spec import SAMPLE_RATE
from skkws._runtime.fit_params import fit_last
from skkws._runtime.progress import progress
from skkws.audio import AudioLoader
from skkws.augment import AudioAugmenter, colored_noise, default_transforms
from skkws.metrics import accuracy_interval
from skkws.spotting._pipeline import UNKNOWN, make_keyword_pipeline
from skkws.synthesis import check_words, hard_negatives, synthesize_keywords, unrelated_words

SILENCE = "_silence_"

SYNTHESIZED_WORTH = 8.0  # a word's synthesized clips count as much as this many recordings
_HARD_SHARE = 1 / 3  # of the other words: those that sound like a keyword
_CLIPS_PER_OTHER_WORD = 4
_N_SILENT = 200
_SILENCE_DB = (-60.0, -3.0)  # peak of the noise that stands for silence, below full scale
_COLORS = ("white", "pink", "blue", "brown", "violet")
_N_FOLDS = 4


@dataclass
class Spotter:
    """A trained spotter, and how well it should do.

    Attributes
    ----------
    model : Pipeline
        From waveform rows at 16 kHz to labels: the keywords, ``"_unknown_"`` and ``"_silence_"``.
    duration : float
        Length of a row, in seconds.
    estimates : dict of str to tuple of (float, (float, float), int)
        Share of clips that are named rightly, its 95 % interval and the number of clips, for ``"keywords"`` and
        ``"other words"`` in synthetic voices, ``"silence"``, and ``"recordings"`` where there are any. Nothing that is
        tested is trained on: neither its voice (for espeak-ng: neither its vocal tract) nor, of other words, the word.
        Voices of different engines may be of one person. Empty if there is one voice alone.
    n_clips : dict of str to int
        Clips to train on, by kind, copies not counted.
    unspoken : list of (str, str)
        Voices and what they could not speak.
    """

    model: Pipeline
    duration: float
    estimates: dict
    n_clips: dict
    unspoken: list

    def pipeline(self) -> Pipeline:
        """Put an :class:`AudioLoader` in front of the model: from recordings to labels, as it is best saved.

        Returns
        -------
        pipeline : Pipeline
            Fitted.
        """
        # With a duration the loader learns nothing; it is fitted to the name of a file that need not exist.
        loader = AudioLoader(duration=self.duration).fit(["clip.wav"]).set_output(transform="default")
        return make_pipeline(loader, *(step for _, step in self.model.steps))

    def predict(self, X: ArrayLike) -> NDArray:
        """Label recordings.

        Parameters
        ----------
        X : list of clips, or array-like of shape (n_clips, n_samples)
            Files, or samples at 16 kHz, as :class:`AudioLoader` takes them.

        Returns
        -------
        labels : ndarray of shape (n_clips,)
            Keywords, ``"_unknown_"`` and ``"_silence_"``.
        """
        return self.pipeline().predict(X)

    def predict_proba(self, X: ArrayLike) -> NDArray[np.floating]:
        """Probabilities of the labels of recordings.

        Parameters
        ----------
        X : list of clips, or array-like of shape (n_clips, n_samples)
            As for `predict`.

        Returns
        -------
        probabilities : ndarray of shape (n_clips, n_classes)
            In the order of ``model.classes_``.
        """
        return self.pipeline().predict_proba(X)


def train_keyword_spotter(
    words: Iterable[str] | Mapping[str, str | Iterable[str]],
    *,
    recordings: tuple[ArrayLike, ArrayLike, ArrayLike] | None = None,
    noise: str | os.PathLike | ArrayLike | None = None,
    threshold: float = 0.5,
    n_per_word: int = 240,
    n_other_words: int = 600,
    voices: int | Iterable[str] = 48,
    language: str = "en",
    engines: str | Iterable[str] = "auto",
    voice_files: Iterable[str | os.PathLike] = (),
    word_list: Iterable[str] | None = None,
    duration: float = 1.0,
    random_state: int | np.random.RandomState | None = None,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> Spotter:
    """Train a spotter from typed words.

    Synthetic voices speak the keywords and other words: those that sound most like a keyword, parts of keywords, and
    common words. Each clip is varied three times (speed, room, noise, microphone, level) and a
    :func:`make_keyword_pipeline` is fitted. Recordings of the keywords, where there are some, are weighed so that the
    synthesized clips of a word count as much as eight recordings, and a :class:`KeywordHeadClassifier` trained on the
    recordings alone helps to tell those keywords apart that were recorded.

    Parameters
    ----------
    words : iterable of str or mapping of str to str or to iterable of str
        The keywords: words or short phrases, or labels with one or several spellings each, as for
        :func:`~skkws.synthesis.synthesize_keywords`.
    recordings : tuple of (X, y, groups) or None, default=None
        Recordings to train on too: waveform rows of shape (n_clips, n_samples) at 16 kHz and of the given `duration`,
        their labels and their speakers. Labels other than the keywords are words to let pass; ``"_silence_"`` is
        silence.
    noise : path, array-like, list of paths and arrays, or None, default=None
        Recorded noise to vary the clips with, as for :class:`~skkws.augment.BackgroundNoise`.
    threshold : float, default=0.5
        How far a keyword has to stand out, as for :class:`PrototypeClassifier`.
    n_per_word : int, default=240
        Synthesized clips per keyword.
    n_other_words : int, default=600
        Words to let pass: a third of them those that sound most like a keyword, the others common words.
    voices : int or iterable of str, default=48
        Voices, as for :func:`~skkws.synthesis.synthesize_keywords`.
    language : str, default="en"
        Language of the words.
    engines : "auto" or iterable of str, default="auto"
        Speech engines. Every engine that is installed makes the spotter better, and all but espeak-ng take a while.
    voice_files : iterable of path-like, default=()
        Files of further voices.
    word_list : iterable of str or None, default=None
        Words to let pass are chosen from these; needed for languages other than English.
    duration : float, default=1.0
        Length of the clips in seconds.
    random_state : int, RandomState instance or None, default=None
        Seeds everything.
    n_jobs : int or None, default=None
        Threads that speak.
    verbose : int, default=0
        If above 0, show progress bars on stderr.

    Returns
    -------
    spotter : Spotter
        The fitted pipeline as `model`, and how well it should do as `estimates`.

    Raises
    ------
    ImportError
        If no speech engine is installed.
    ValueError
        If a parameter is out of its range.

    Examples
    --------
    >>> from skkws import train_keyword_spotter
    >>> spotter = train_keyword_spotter(["stop"], n_per_word=8, n_other_words=12, voices=4, random_state=0)
    >>> spotter.model.classes_.tolist()
    ['_silence_', '_unknown_', 'stop']
    >>> import numpy as np
    >>> spotter.predict([np.zeros(16000)])  # or a list of files
    array(['_silence_'], dtype='<U9')
    """
    words = check_words(words)
    reserved = {UNKNOWN, SILENCE} & set(words)
    if reserved:
        raise ValueError(f"words must not be called {min(reserved)!r}, a class of its own. Choose another name.")
    if not isinstance(n_other_words, Integral) or isinstance(n_other_words, bool) or n_other_words < 2:
        raise ValueError(f"n_other_words must be an integer from 2 up, got {n_other_words!r}. Pass one such as 600.")
    recordings = None if recordings is None else _checked(recordings, duration)
    transforms = default_transforms(noise=noise)  # which looks for the noise before there is work
    rng = check_random_state(random_state)
    seeds = rng.randint(np.iinfo(np.int32).max, size=4).tolist()
    chosen = {"word_list": word_list, "language": language}
    spellings = [spelling for spelled in words.values() for spelling in spelled]
    n_hard = max(1, round(_HARD_SHARE * n_other_words))
    others = hard_negatives(spellings, n_hard, random_state=seeds[0], **chosen)
    others += unrelated_words(spellings, n_other_words - n_hard, random_state=seeds[0], **chosen)
    others = sorted(set(others) - set(words))

    speak = partial(
        synthesize_keywords,
        engines=engines,
        voice_files=voice_files,
        voices=voices,
        language=language,
        duration=duration,
        n_jobs=n_jobs,
        verbose=verbose,
    )
    spoken = speak(words, n_per_word, random_state=seeds[1])
    n_others = _CLIPS_PER_OTHER_WORD * len(others)
    other = speak({UNKNOWN: others}, n_others, random_state=seeds[2])
    silent = _silence(_N_SILENT, spoken.data.shape[1], rng)

    X = np.concatenate([spoken.data, other.data, silent])
    y = np.concatenate([spoken.target, other.spellings, np.full(len(silent), SILENCE)])
    groups = np.concatenate([_tracts(spoken.groups), _tracts(other.groups), np.arange(len(silent)).astype(str)])
    augmenter = AudioAugmenter(transforms, keep_original=False, random_state=seeds[3], verbose=verbose)
    copies, _ = augmenter.fit_resample(X, y)
    taken = [*words, SILENCE]
    with_head = recordings is not None
    pipeline = make_keyword_pipeline(taken, threshold=threshold, rescored=with_head, random_state=seeds[3])
    pipeline.set_output(transform="default")  # whatever scikit-learn is set to, here and where it will be used
    embedding, rest = pipeline[0].fit(X[:1]), pipeline[1:]
    clips = _Clips(embedding.transform(X), y, groups)
    trained = _Clips(embedding.transform(copies), y[augmenter.sample_indices_], groups[augmenter.sample_indices_])
    recorded = None
    if recordings is not None:
        rows, labels, speakers = recordings
        recorded = _Clips(embedding.transform(rows), labels, speakers)

    estimates = _estimate(rest, clips, trained, recorded, taken, verbose)
    fitted = _fit(rest, trained, recorded, taken)
    model = make_pipeline(embedding, *(step for _, step in fitted.steps))
    n_clips = {"keywords": len(spoken.data), "other words": len(other.data), "silence": len(silent)}
    if recorded:
        n_clips["recordings"] = len(recorded.y)
    return Spotter(model, duration, estimates, n_clips, [*spoken.unspoken, *other.unspoken])


@dataclass
class _Clips:
    """Rows of features with their words, and voices or speakers."""

    X: np.ndarray
    y: np.ndarray
    groups: np.ndarray

    def __getitem__(self, rows):
        return _Clips(self.X[rows], self.y[rows], self.groups[rows])


def _checked(recordings, duration):
    """Arrays of recordings, which have the length of the synthesized clips."""
    X, y, groups = (np.asarray(column) for column in recordings)
    n_samples = round(duration * SAMPLE_RATE)
    if X.ndim != 2 or X.shape[1] != n_samples:
        raise ValueError(
            f"recordings must have rows of {n_samples} samples, as the clips of {duration:g} s, got "
            f"{X.shape[1] if X.ndim == 2 else X.shape}. Load them with AudioLoader(duration={duration:g})."
        )
    check_consistent_length(X, y, groups)
    return X, y, groups


def _silence(n_clips, n_samples, rng):
    """Rows of noise of all colours, from loud to all but nothing."""
    rows = np.empty((n_clips, n_samples), dtype=np.float32)
    for i, row in enumerate(rows):
        noise = colored_noise(n_samples, _COLORS[i % len(_COLORS)], random_state=rng)
        row[:] = noise * (10 ** (rng.uniform(*_SILENCE_DB) / 20) / np.abs(noise).max())
    return rows


def _tracts(voices):
    """Parts of voices' names that tell who speaks: of espeak-ng's the vocal tract, whatever its accent."""
    return np.array([voice if ":" in voice else voice.partition("+")[2] for voice in voices.tolist()])


def _fit(rest, spoken, recorded, taken):
    """Fit the steps behind the embedding to synthesized speech, and to recordings, which count more."""
    if recorded is None:
        return clone(rest).fit(spoken.X, spoken.y)
    _, word_of, n_clips = np.unique(spoken.y, return_inverse=True, return_counts=True)
    weight = np.concatenate([SYNTHESIZED_WORTH / n_clips[word_of], np.ones(len(recorded.y))])
    X, y = np.concatenate([spoken.X, recorded.X]), np.concatenate([spoken.y, recorded.y])
    rescored = np.concatenate([np.zeros(len(spoken.y), dtype=bool), np.isin(recorded.y, taken)])
    return fit_last(clone(rest), X, y, sample_weight=weight, rescored=rescored)


def _estimate(rest, clips, trained, recorded, taken, verbose):
    """Test on voices, other words and recordings that were left out: the `estimates` of a `Spotter`."""
    is_other = ~np.isin(clips.y, taken)
    is_keyword = ~is_other & (clips.y != SILENCE)
    speakers = np.unique(clips.groups[is_keyword])
    n_folds = min(_N_FOLDS, len(speakers))
    if n_folds < 2:
        return {}  # nobody is left to train with
    # Those who speak keywords come first, so that there are some of them in each fold.
    folds = {name: i % n_folds for i, name in enumerate(dict.fromkeys([*speakers, *np.unique(clips.groups)]))}
    folds_of_words = {name: i % n_folds for i, name in enumerate(np.unique(clips.y[is_other]))}
    voice, word = _folds(clips, folds, folds_of_words)
    voice_learnt, word_learnt = _folds(trained, folds, folds_of_words)
    expected = np.where(is_other, UNKNOWN, clips.y)
    right = np.zeros(len(clips.y), dtype=bool)
    recorded_folds = list(_recorded_folds(recorded, n_folds)) if recorded else []
    recorded_right = np.zeros(len(recorded.y), dtype=bool) if recorded else None
    with progress("Estimating", n_folds, verbose=verbose) as advance:
        for i in range(n_folds):
            kept, left_out = recorded_folds[i] if i < len(recorded_folds) else (slice(None), [])
            learnt = (voice_learnt != i) & (word_learnt != i)
            model = _fit(rest, trained[learnt], recorded[kept] if recorded else None, taken)
            test = (voice == i) & (word == i)
            right[test] = model.predict(clips.X[test]) == expected[test]
            if len(left_out):
                told = np.where(np.isin(recorded.y, taken), recorded.y, UNKNOWN)[left_out]
                recorded_right[left_out] = model.predict(recorded.X[left_out]) == told
            advance()
    kinds = {"keywords": is_keyword, "other words": is_other, "silence": clips.y == SILENCE}
    tested = {kind: rows & (voice == word) for kind, rows in kinds.items()}
    estimates = {kind: _share(right[rows], clips.groups[rows]) for kind, rows in tested.items() if rows.any()}
    if recorded_folds:
        estimates["recordings"] = _share(recorded_right, recorded.groups)
    return estimates


def _folds(clips, folds, folds_of_words):
    """Folds of the voice and of the word of each clip; what is no other word has the fold of its voice."""
    voice = np.array([folds[name] for name in clips.groups])
    return voice, np.array([folds_of_words.get(name, fold) for name, fold in zip(clips.y, voice, strict=True)])


def _recorded_folds(recorded, n_folds):
    """Folds of recordings: by speaker where there are enough of them, otherwise clip by clip."""
    n_clips = len(recorded.y)
    if len(np.unique(recorded.groups)) >= n_folds:
        return GroupKFold(n_folds).split(recorded.X, groups=recorded.groups)
    return KFold(min(n_folds, n_clips), shuffle=True, random_state=0).split(recorded.X) if n_clips > 1 else []


def _share(right, groups):
    return float(right.mean()), accuracy_interval(right, groups), len(right)
