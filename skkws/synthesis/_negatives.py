"""Hard negatives: what sounds like a keyword and is none."""

import re
from collections.abc import Iterable
from contextlib import ExitStack
from importlib.resources import files
from itertools import combinations, islice, zip_longest
from numbers import Integral

import numpy as np
from sklearn.utils import check_random_state

from skkws.synthesis._espeak import accents, open_espeak_ng, speaks
from skkws.synthesis._phonemes import is_vowel, phoneme_distances, split_phonemes

_SEPARATOR = "·"  # no sign of espeak-ng's
_LANGUAGE_MARK = re.compile(r"\([a-z-]+\)")  # "(en)" where a word of another language begins


def confusable_words(
    keyword: str, n: int = 50, *, word_list: Iterable[str] | None = None, language: str = "en"
) -> list[str]:
    """Find the words that sound most like a keyword.

    espeak-ng says how the words are pronounced in each accent of the language. Words are compared by the least cost
    to turn the phonemes of one into those of the other: a phoneme more or less costs 1; a consonant for another 1/3
    for each of manner, place and voice in which they differ; a vowel for another the mean of their differences in
    height, backness and rounding, each from 0 to 1; another length 1/6; a vowel for a consonant 1. Stress does not
    count. The nearest accent decides.

    Parameters
    ----------
    keyword : str
        Word or phrase, or phonemes of espeak-ng in double brackets.
    n : int, default=50
        How many words to return at most.
    word_list : iterable of str or None, default=None
        Words to choose from. None takes some 3,400 common words, for English.
    language : str, default="en"
        Language such as ``"de"`` or accent such as ``"en-us"``.

    Returns
    -------
    words : list of str
        The nearest first, words at the same distance in alphabetical order. None sounds exactly like the keyword in
        any of the accents.

    Raises
    ------
    ImportError
        If espeak-ng is not installed.
    ValueError
        If a parameter is out of its range.

    Examples
    --------
    >>> from skkws.synthesis import confusable_words
    >>> confusable_words("lights", n=3)
    ['knights', 'likes', 'nights']
    """
    _check_n(n)
    keyword, words = _check_text(keyword, "keyword"), _check_word_list(word_list, language)
    with _Listener(language) as listener:
        return _rank([keyword], words, listener)[0][:n]


def keyword_parts(keyword: str, *, language: str = "en") -> list[str]:
    """List what a detector hears of a keyword when it hears only a part of it.

    Parameters
    ----------
    keyword : str
        Word or phrase.
    language : str, default="en"
        Language such as ``"de"`` or accent such as ``"en-us"``, whose first accent in the alphabet pronounces.

    Returns
    -------
    parts : list of str
        For a phrase its shorter runs of words, each of its words said twice, and its words in reverse. For a word
        both its halves in espeak-ng's phonemes, cut in the middle and once more a phoneme later, as far as they are
        two phonemes or more with a vowel; :func:`synthesize_keywords` speaks them. Parts in which the keyword is heard
        are left out.

    Raises
    ------
    ImportError
        If espeak-ng is not installed.
    ValueError
        If a parameter is out of its range.

    Examples
    --------
    >>> from skkws.synthesis import keyword_parts
    >>> keyword_parts("lights on")
    ['lights', 'on', 'lights lights', 'on on', 'on lights']
    >>> keyword_parts("marvin")
    ["[[m'A@]]", "[[v'In]]", "[[m'A@v]]", "[['In]]"]
    """
    keyword = _check_text(keyword, "keyword")
    with _Listener(language) as listener:
        return _parts(keyword, listener)


def hard_negatives(
    words: Iterable[str],
    n: int = 100,
    *,
    word_list: Iterable[str] | None = None,
    language: str = "en",
    random_state: int | np.random.RandomState | None = None,
) -> list[str]:
    """Choose what a detector of some keywords is most likely to take for one of them.

    These are parts of the keywords (:func:`keyword_parts`), at most half of what is asked for, and words that sound
    like one (:func:`confusable_words`), drawn from the nearest twice as many as are wanted, in equal numbers for all
    keywords. Nothing is chosen in which a keyword is heard: no keyword, no word that sounds exactly like one in any
    accent of the language, and no phrase with such a word in it.

    Parameters
    ----------
    words : iterable of str
        The keywords.
    n : int, default=100
        How many to choose at most.
    word_list : iterable of str or None, default=None
        Words to choose from. None takes some 3,400 common words, for English.
    language : str, default="en"
        Language such as ``"de"`` or accent such as ``"en-us"``.
    random_state : int, RandomState instance or None, default=None
        Seed of the draw.

    Returns
    -------
    negatives : list of str
        Distinct words and phrases for :func:`synthesize_keywords`, in alphabetical order.

    Raises
    ------
    ImportError
        If espeak-ng is not installed.
    ValueError
        If a parameter is out of its range.

    Examples
    --------
    A set of clips to train a detector of two phrases:

    >>> from skkws.synthesis import hard_negatives, synthesize_keywords
    >>> keywords = ["lights on", "lights off"]
    >>> negatives = hard_negatives(keywords, n=12, random_state=0)
    >>> words = {**{word: word for word in keywords}, "other": negatives}
    >>> clips = synthesize_keywords(words, n_per_word=24, voices=4, random_state=0)
    >>> clips.target_names
    ['lights on', 'lights off', 'other']
    """
    keywords = _check_keywords(words)
    _check_n(n)
    candidates = _check_word_list(word_list, language)
    rng = check_random_state(random_state)
    with _Listener(language) as listener:
        parts = dict.fromkeys(part for word in keywords for part in _parts(word, listener))
        parts = listener.without(keywords, parts)
        ranked = _rank(keywords, candidates, listener)
    parts = rng.permutation(parts).tolist()[: n // 2]
    # Every keyword's nearest in turn, then its second nearest, and so on; a word near to several comes once.
    turns = (word for turn in zip_longest(*ranked) for word in turn if word is not None)
    nearest = [word for word in dict.fromkeys(turns) if word not in parts]
    n_words = n - len(parts)
    return sorted([*parts, *rng.permutation(nearest[: 2 * n_words]).tolist()[:n_words]])


def unrelated_words(
    words: Iterable[str],
    n: int = 100,
    *,
    word_list: Iterable[str] | None = None,
    language: str = "en",
    random_state: int | np.random.RandomState | None = None,
) -> list[str]:
    """Draw common words in which no keyword is heard.

    Where :func:`hard_negatives` are what a detector mistakes most easily, these stand for all that people say.

    Parameters
    ----------
    words : iterable of str
        The keywords.
    n : int, default=100
        How many to draw at most.
    word_list : iterable of str or None, default=None
        Words to draw from. None takes some 3,400 common words, for English.
    language : str, default="en"
        Language such as ``"de"`` or accent such as ``"en-us"``.
    random_state : int, RandomState instance or None, default=None
        Seed of the draw.

    Returns
    -------
    unrelated : list of str
        Distinct words, in alphabetical order. None sounds exactly like a keyword in any accent of the language.

    Raises
    ------
    ImportError
        If espeak-ng is not installed.
    ValueError
        If a parameter is out of its range.

    Examples
    --------
    >>> from skkws.synthesis import unrelated_words
    >>> unrelated_words(["right"], n=2, word_list=["write", "day", "house"], random_state=0)
    ['day', 'house']
    """
    keywords = _check_keywords(words)
    _check_n(n)
    candidates = _check_word_list(word_list, language)
    rng = check_random_state(random_state)
    with _Listener(language) as listener:
        drawn = rng.permutation(candidates).tolist()
        kept = []
        while drawn and len(kept) < n:
            missing = n - len(kept)
            kept += listener.without(keywords, drawn[:missing])
            drawn = drawn[missing:]
    return sorted(kept)


class _Listener:
    """Knows how texts are pronounced in every accent of a language; to be used in a `with` block."""

    def __init__(self, language):
        self._language = language
        self._known = {}

    def __enter__(self):
        with ExitStack() as stack:
            self._library = stack.enter_context(open_espeak_ng())
            self._accents = accents(self._language)
            if not self._accents:
                raise ValueError(
                    f"language must be one that espeak-ng speaks, got {self._language!r}. `skkws voices` lists them."
                )
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error):
        self._stack.close()

    def pronounce(self, texts):
        """Say how texts sound: for each a list with its phonemes in every accent."""
        for accent in self._accents:  # the outer loop, as it takes long to change the voice
            for text in texts:
                if (accent, text) not in self._known:
                    ipa = _LANGUAGE_MARK.sub("", self._library.phonemes(text, accent))
                    self._known[accent, text] = split_phonemes(ipa)
        return [[self._known[accent, text] for accent in self._accents] for text in texts]

    def without(self, keywords, texts):
        """Leave out the texts in which a run of words sounds like a keyword in any accent."""
        said = [set(in_accent) for in_accent in zip(*self.pronounce(keywords), strict=True)]
        runs = {text: _runs(_words_of(text)) for text in texts}
        # Heard all at once; each text then takes as many as it has runs, all of them: hence the list in `any`.
        heard = iter(self.pronounce([run for in_text in runs.values() for run in in_text]))
        return [
            text
            for text, in_text in runs.items()
            if not any([_same_in_any_accent(run, said) for run in islice(heard, len(in_text))])
        ]

    def signs(self, word):
        """Spell a word in espeak-ng's phonemes, in the first accent: pairs of a sign and whether it is a vowel."""
        own, ipa = (
            self._library.phonemes(word, self._accents[0], ipa=ipa, separator=_SEPARATOR).split(_SEPARATOR)
            for ipa in (False, True)
        )
        spoken = [(sign, split_phonemes(sounds)) for sign, sounds in zip(own, ipa, strict=False)]
        return [(sign, is_vowel(phonemes[0])) for sign, phonemes in spoken if phonemes]


def _same_in_any_accent(run, said):
    return any(phonemes in keywords for phonemes, keywords in zip(run, said, strict=True))


def _rank(keywords, words, listener):
    """Sort words by their distance from each keyword, the nearest first; those that sound like any are left out."""
    words = listener.without(keywords, words)
    by_accent = list(zip(*listener.pronounce(words), strict=True))
    ranked = []
    for said in listener.pronounce(keywords):
        distances = [phoneme_distances(phonemes, others) for phonemes, others in zip(said, by_accent, strict=False)]
        # Rounded, as equal sums of thirds may differ in their last bit.
        nearest = np.min(distances, axis=0).round(6) if words else []
        ranked.append([word for _, word in sorted(zip(nearest, words, strict=True))])
    return ranked


def _parts(keyword, listener):
    """Parts of a keyword, the keyword itself not among them."""
    words = _words_of(keyword)
    if len(words) > 1:
        twice = [f"{word} {word}" for word in words]
        parts = [*_runs(words), *twice, " ".join(reversed(words))]
    else:
        signs = listener.signs(keyword)
        middle = len(signs) // 2
        halves = [half for cut in (middle, middle + 1) for half in (signs[:cut], signs[cut:])]
        parts = [_spell(half) for half in halves if len(half) > 1 and any(vowel for _, vowel in half)]
    return listener.without([keyword], dict.fromkeys(parts))


def _spell(signs):
    """Write phonemes as a word that is stressed somewhere."""
    if not any(sign.startswith("'") for sign, _ in signs):
        first = next(i for i, (_, vowel) in enumerate(signs) if vowel)
        signs = [*signs[:first], ("'" + signs[first][0].lstrip(","), True), *signs[first + 1 :]]
    return f"[[{''.join(sign for sign, _ in signs)}]]"


def _words_of(text):
    """Part a text into words; phonemes in brackets are one."""
    return re.findall(r"\[\[.*?\]\]|\S+", text)


def _runs(words):
    """Return the runs of words, the short ones first."""
    spans = sorted(combinations(range(len(words) + 1), 2), key=lambda span: span[1] - span[0])
    return [" ".join(words[start:stop]) for start, stop in spans]


def _check_keywords(words):
    if isinstance(words, str) or not isinstance(words, Iterable):
        raise ValueError(f"words must be a list of strings, got {words!r}. Pass a list such as ['lights on'].")
    keywords = [_check_text(word, "words") for word in words]
    if not keywords:
        raise ValueError("words must hold at least one word, got none. Pass a list such as ['lights on'].")
    return keywords


def _check_n(n):
    if not isinstance(n, Integral) or isinstance(n, bool) or n < 1:
        raise ValueError(f"n must be an integer from 1 up, got {n!r}. Pass one such as n=50.")


def _check_text(text, name):
    if not isinstance(text, str) or not any(character.isalnum() for character in text):
        raise ValueError(f"{name} must be spelled in letters, got {text!r}. Spell it as it sounds.")
    return " ".join(text.split())


def _check_word_list(word_list, language):
    if word_list is None:
        if not speaks(language, "en"):
            raise ValueError(
                f"word_list must be given for the language {language!r}, as only English words come along. "
                "Pass a list of common words of the language."
            )
        return files("skkws.synthesis").joinpath("english_words.txt").read_text(encoding="utf-8").split()
    if isinstance(word_list, str) or not isinstance(word_list, Iterable):
        raise ValueError(f"word_list must be a list of words, got {word_list!r}. Pass one such as ['light', 'night'].")
    return list(dict.fromkeys(_check_text(word, "word_list") for word in word_list))
