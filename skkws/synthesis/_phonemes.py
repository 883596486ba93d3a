"""How alike words sound: an edit distance that knows which phonemes are akin.

Words are strings of the International Phonetic Alphabet. Stress and tone are not counted; a diphthong or affricate is
two phonemes.
"""
# ruff: noqa: RUF001, RUF002 -- the letters of the phonetic alphabet are meant

import numpy as np

# Consonants by manner, then place; voiceless and voiced in turn, a dot where the alphabet has none.
_CONSONANTS = {
    "plosive": {"labial": "pb", "alveolar": "td", "retroflex": "ʈɖ", "palatal": "cɟ", "velar": "kɡ", "uvular": "qɢ"}
    | {"glottal": "ʔ."},
    "nasal": {"labial": ".m", "alveolar": ".n", "retroflex": ".ɳ", "palatal": ".ɲ", "velar": ".ŋ"},
    "trill": {"alveolar": ".r", "uvular": ".ʀ"},
    "tap": {"alveolar": ".ɾ", "retroflex": ".ɽ"},
    "fricative": {"bilabial": "ɸβ", "labial": "fv", "dental": "θð", "alveolar": "sz", "postalveolar": "ʃʒ"}
    | {"retroflex": "ʂʐ", "alveolopalatal": "ɕʑ", "palatal": "çʝ", "velar": "xɣ", "uvular": "χʁ"}
    | {"pharyngeal": "ħʕ", "glottal": "hɦ"},
    "approximant": {"labial": ".ʋ", "labiovelar": "ʍw", "alveolar": ".ɹ", "retroflex": ".ɻ", "palatal": ".j"}
    | {"velar": ".ɰ"},
    "lateral": {"alveolar": "ɬl", "retroflex": ".ɭ", "palatal": ".ʎ", "velar": ".ɫ"},
}
# Vowels from close to open; front, central and back; unrounded and rounded in turn.
_VOWELS = ("iyɨʉɯu", "ɪʏᵻ..ʊ", "eøɘɵɤo", "..ə...", "ɛœɜɞʌɔ", "æ.ɐ...", "aɶ..ɑɒ")
_LONG = "ː"
_LENGTH_COST = 1 / 6
_SPELLED_OUT = {"ɚ": "əɹ", "ɝ": "ɜɹ", "g": "ɡ"}  # vowels with an r; two ways to write one sign


def _features():
    consonants = {
        sign: (manner, place, voiced)
        for manner, places in _CONSONANTS.items()
        for place, signs in places.items()
        for voiced, sign in enumerate(signs)
        if sign != "."
    }
    vowels = {
        sign: (height / (len(_VOWELS) - 1), column // 2 / 2, column % 2)
        for height, signs in enumerate(_VOWELS)
        for column, sign in enumerate(signs)
        if sign != "."
    }
    return consonants, vowels


_CONSONANT, _VOWEL = _features()


def split_phonemes(ipa):
    """Split a pronunciation into phonemes.

    Parameters
    ----------
    ipa : str
        Pronunciation in the International Phonetic Alphabet.

    Returns
    -------
    phonemes : tuple of str
        Vowels and consonants, a long one with its mark of length. Stress, tone and all else are left out.

    Examples
    --------
    >>> from skkws.synthesis._phonemes import split_phonemes
    >>> split_phonemes("mˈɑːɹvɪn")
    ('m', 'ɑː', 'ɹ', 'v', 'ɪ', 'n')
    """
    for sign, spelled in _SPELLED_OUT.items():
        ipa = ipa.replace(sign, spelled)
    phonemes = []
    for sign in ipa:
        if sign in _CONSONANT or sign in _VOWEL:
            phonemes.append(sign)
        elif sign == _LONG and phonemes:
            phonemes[-1] += sign
    return tuple(phonemes)


def phoneme_cost(a, b):
    """Tell how unlike two phonemes are.

    Parameters
    ----------
    a, b : str
        Phonemes as `split_phonemes` gives them.

    Returns
    -------
    cost : float
        0 for the same, 1 for a vowel and a consonant. Two consonants differ by a third for each of manner, place and
        voice: p and b by 1/3, p and z by 1. Two vowels differ by the mean difference of height, backness and
        rounding, each scaled to 0 to 1: ɪ and e by 1/18. A difference in length adds 1/6.

    Examples
    --------
    >>> from skkws.synthesis._phonemes import phoneme_cost
    >>> round(phoneme_cost("p", "b"), 2), round(phoneme_cost("p", "z"), 2), phoneme_cost("p", "a")
    (0.33, 1.0, 1.0)
    """
    (kind_a, long_a), (kind_b, long_b) = ((sign[0], _LONG in sign) for sign in (a, b))
    if kind_a in _CONSONANT and kind_b in _CONSONANT:
        cost = np.mean([x != y for x, y in zip(_CONSONANT[kind_a], _CONSONANT[kind_b], strict=True)])
    elif kind_a in _VOWEL and kind_b in _VOWEL:
        cost = np.mean([abs(x - y) for x, y in zip(_VOWEL[kind_a], _VOWEL[kind_b], strict=True)])
    else:
        cost = 1.0
    return min(1.0, float(cost) + _LENGTH_COST * (long_a != long_b))


def is_vowel(phoneme):
    """Tell whether a phoneme is a vowel."""
    return phoneme[0] in _VOWEL


def phoneme_distances(word, others):
    """Compute the edit distances from one pronunciation to many.

    Parameters
    ----------
    word : tuple of str
        Phonemes, as `split_phonemes` gives them.
    others : sequence of tuple of str
        Phonemes of each other pronunciation.

    Returns
    -------
    distances : ndarray of shape (len(others),), float64
        The least cost to turn the one into the other, where leaving out or adding a phoneme costs 1 and a phoneme
        takes the place of another for its `phoneme_cost`.

    Examples
    --------
    >>> from skkws.synthesis._phonemes import phoneme_distances
    >>> phoneme_distances(("p", "ɪ", "n"), [("b", "ɪ", "n"), ("p", "ɪ"), ("s", "a", "n")]).round(2).tolist()
    [0.33, 1.0, 0.94]
    """
    signs = sorted({sign for other in others for sign in other})
    number = {sign: i for i, sign in enumerate(signs)}
    lengths = np.array([len(other) for other in others], dtype=int)
    coded = np.zeros((len(others), max(lengths, default=0)), dtype=int)
    for row, other in zip(coded, others, strict=True):
        row[: len(other)] = [number[sign] for sign in other]
    # Wagner and Fischer's table for all pairs at once, a row for each phoneme of the word.
    row = np.tile(np.arange(coded.shape[1] + 1.0), (len(others), 1))
    for phoneme in word:
        costs = np.array([phoneme_cost(phoneme, sign) for sign in signs])[coded] if signs else coded
        above, row = row, row.copy()
        row[:, 0] = above[:, 0] + 1
        for j in range(coded.shape[1]):
            row[:, j + 1] = np.minimum(above[:, j] + costs[:, j], np.minimum(above[:, j + 1], row[:, j]) + 1)
    return row[np.arange(len(others)), lengths]
