# ruff: noqa: RUF001 -- the letters of the phonetic alphabet are meant
import pytest

from skkws.synthesis import confusable_words, hard_negatives, keyword_parts, synthesize_keywords, unrelated_words
from skkws.synthesis._negatives import _check_word_list
from skkws.synthesis._phonemes import phoneme_cost, phoneme_distances, split_phonemes

# Phonemes


def test_phonemes_are_split_without_stress_and_with_length():
    assert split_phonemes("ˈtʃɜːtʃ kəmpjˈuːɾɚ") == (*"tʃ", "ɜː", *"tʃkəmpj", "uː", *"ɾəɹ")


@pytest.mark.parametrize(
    ("near", "far"),
    [
        ("pb", "pm"),  # voice alone; voice and manner
        ("sz", "sm"),
        ("mn", "mf"),
        ("fθ", "fɡ"),
        ("ɪe", "ɪɑ"),
        ("uʊ", "ui"),
        ("aɛ", "as"),
    ],
)
def test_phonemes_that_are_akin_are_nearer(near, far):
    assert 0 < phoneme_cost(*near) < phoneme_cost(*far) <= 1
    assert phoneme_cost(*near) == phoneme_cost(*reversed(near))


def test_length_counts_a_little():
    assert 0 < phoneme_cost("a", "aː") < phoneme_cost("p", "b")


def test_distances_are_those_of_the_cheapest_edits():
    word = split_phonemes("mɑːvɪn")
    others = [split_phonemes(ipa) for ipa in ("mɑːvɪn", "mɑːtɪn", "mɑːvɪ", "", "sɑːvɪnz")]
    # The same; t for v (manner, place and voice); a phoneme less; all less; s for m and a phoneme more.
    assert phoneme_distances(word, others).round(6).tolist() == [0, 1, 1, 5, 2]
    assert phoneme_distances((), others).tolist() == [5, 5, 4, 0, 6]
    assert phoneme_distances(word, []).tolist() == []


# Confusable words


def test_words_that_sound_alike_come_first():
    words = "elephant night light lime lights bright"
    assert confusable_words("right", word_list=words.split(), n=3) == ["light", "night", "bright"]


def test_words_that_sound_the_same_are_left_out():
    assert confusable_words("right", word_list=["write", "Right", "rite", "rides"]) == ["rides"]


def test_a_word_that_is_the_same_in_one_accent_only_is_left_out():
    # "caught" and "court" are one word in Southern England, and two in Scotland.
    assert confusable_words("caught", word_list=["court", "cart"], language="en") == ["cart"]
    assert "court" in confusable_words("caught", word_list=["court", "cart"], language="en-gb-scotland")


def test_words_of_another_language_are_given():
    words = ["nicht", "Haus", "liegt"]
    assert confusable_words("Licht", word_list=words, language="de") == ["nicht", "liegt", "Haus"]
    with pytest.raises(ValueError, match=r"word_list must be given for the language 'de', .* Pass a list"):
        confusable_words("Licht", language="de")


def test_a_keyword_may_be_spelled_in_phonemes():
    assert confusable_words("[[z'u:fi]]", n=1) == ["sophie"]


def test_the_words_that_come_along_are_many_and_distinct():
    words = _check_word_list(None, "en")
    assert len(set(words)) == len(words) > 2000
    assert all(word.isalpha() and word.islower() for word in words)


# Parts


def test_parts_of_a_phrase_are_words_runs_and_other_orders():
    parts = keyword_parts("turn it on")
    assert {"turn", "it", "on", "turn it", "it on", "on it turn", "on on"} <= set(parts)
    assert "turn it on" not in parts
    assert keyword_parts("go go") == ["go"]


def test_halves_of_a_word_are_spoken_and_shorter():
    halves = keyword_parts("marvin")
    assert len(halves) == 4
    clips = synthesize_keywords(["marvin", *halves], 4, voices=["en"], random_state=0)
    lengths = {word: (clips.data[clips.target == word] != 0).sum(axis=1).mean() for word in clips.target_names}
    assert max(lengths[half] for half in halves) < lengths["marvin"]


# Hard negatives


def test_hard_negatives_are_parts_and_similar_words_of_all_keywords():
    negatives = hard_negatives(["lights on", "marvin"], n=40, random_state=0)
    assert len(set(negatives)) == len(negatives) == 40
    assert {"on lights", "lights"} <= set(negatives)
    assert {"melvin", "marvel"} & set(negatives)
    assert sum(negative.startswith("[[") for negative in negatives) == 4


def test_no_keyword_is_heard_in_a_hard_negative():
    keywords = ["lights on", "write", "on"]
    negatives = hard_negatives(
        keywords, n=200, word_list=["right", "rite", "write", "on", "ride", "no"], random_state=0
    )
    assert {"lights", "lights lights", "ride"} <= set(negatives)
    for negative in negatives:
        assert not {"on", "right", "rite", "write"} & set(negative.split())


def test_the_seed_draws_among_the_nearest():
    first, again, other = (hard_negatives(["marvin"], n=20, random_state=seed) for seed in (0, 0, 1))
    assert first == again != other
    assert set(first + other) <= {*keyword_parts("marvin"), *confusable_words("marvin", n=40)}


def test_parts_are_half_at_most():
    negatives = hard_negatives(["turn it on now please"], n=6, random_state=0)
    assert len(negatives) == 6
    assert sum(" " in negative for negative in negatives) <= 3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: confusable_words(""), r"keyword must be spelled in letters, got ''\. Spell"),
        (lambda: confusable_words("yes", n=0), r"n must be an integer from 1 up, got 0\. Pass"),
        (lambda: confusable_words("yes", word_list="no"), r"word_list must be a list of words, got 'no'\. Pass"),
        (lambda: confusable_words("yes", word_list=["?"]), r"word_list must be spelled in letters, got '\?'\. Spell"),
        (lambda: keyword_parts("yes", language="xx"), r"language must be one that espeak-ng speaks, got 'xx'\. `skkws"),
        (lambda: hard_negatives("yes"), r"words must be a list of strings, got 'yes'\. Pass"),
        (lambda: hard_negatives([]), r"words must hold at least one word, got none\. Pass"),
        (lambda: hard_negatives(["yes", 3]), r"words must be spelled in letters, got 3\. Spell"),
        (lambda: hard_negatives(["yes"], n=1.5), r"n must be an integer from 1 up, got 1\.5\. Pass"),
    ],
)
def test_parameters_out_of_range_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_unrelated_words_are_drawn_and_sound_like_no_keyword():
    words = unrelated_words(["right", "no"], n=3000, random_state=0)
    assert len(words) == len(set(words)) == 3000
    assert words == sorted(words)
    assert not {"right", "write", "no", "know"} & set(words)
    some = unrelated_words(["right"], n=20, random_state=1)
    assert some == unrelated_words(["right"], n=20, random_state=1)
    assert some != unrelated_words(["right"], n=20, random_state=2)


def test_unrelated_words_are_as_many_as_the_list_has():
    assert unrelated_words(["right"], n=9, word_list=["write", "day", "house"]) == ["day", "house"]


def test_unrelated_words_need_keywords_and_a_list():
    with pytest.raises(ValueError, match="words must hold at least one word, got none"):
        unrelated_words([])
    with pytest.raises(ValueError, match="word_list must be given for the language 'de'"):
        unrelated_words(["ja"], language="de")
