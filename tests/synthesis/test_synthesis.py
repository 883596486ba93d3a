import os
import subprocess
import sys
from collections import Counter
from contextlib import nullcontext
from itertools import islice

import espeakng_loader
import joblib
import numpy as np
import pytest

from skkws.synthesis import _espeak, _rendering, _synthesis, synthesize_keywords
from skkws.synthesis._espeak import EspeakEngine, accents, open_espeak_ng

WORDS = ["marvin", "yes", "stop"]
SMALL = {"n_per_word": 7, "voices": 4, "engines": ["espeak-ng"], "random_state": 0}


@pytest.fixture(autouse=True)
def no_other_engine(tmp_path_factory, monkeypatch):
    """Find no program, whatever this machine has."""
    monkeypatch.setenv("PATH", str(tmp_path_factory.mktemp("bin")))


@pytest.fixture(scope="module")
def keywords():
    return synthesize_keywords(WORDS, **SMALL)


def test_clips_have_the_promised_shape_type_and_range(keywords):
    assert keywords.data.shape == (21, 16000)
    assert keywords.data.dtype == np.float32
    assert np.abs(keywords.data).max() <= 1
    assert keywords.sample_rate == 16000


def test_duration_and_sample_rate_set_the_clip_length():
    clips = synthesize_keywords(["go"], 2, duration=1.5, sample_rate=8000, random_state=0)
    assert clips.data.shape == (2, 12000)


def test_labels_are_balanced(keywords):
    assert keywords.target_names == WORDS
    names, counts = np.unique(keywords.target, return_counts=True)
    assert sorted(names) == sorted(WORDS)
    assert set(counts) == {7}


def test_every_voice_speaks_every_word_nearly_equally_often(keywords):
    voices = set(keywords.groups)
    assert len(voices) == 4
    for voice in voices:
        for word in WORDS:
            assert np.sum((keywords.groups == voice) & (keywords.target == word)) in (1, 2)


def test_no_clip_is_silent_and_levels_vary(keywords):
    peaks = np.abs(keywords.data).max(axis=1)
    assert peaks.min() > 0.09
    assert peaks.max() - peaks.min() > 0.2
    assert np.all(np.count_nonzero(keywords.data, axis=1) > 0.1 * 16000)


def test_no_two_clips_are_the_same(keywords):
    assert len(np.unique(keywords.data, axis=0)) == len(keywords.data)


def test_words_sound_different_in_one_voice():
    # The long-term spectrum of "see" has more energy above 4 kHz than that of "no", which has no fricative.
    clips = synthesize_keywords(["see", "no"], 4, voices=["en-us+f3"], random_state=0)
    power = np.abs(np.fft.rfft(clips.data, axis=1)) ** 2
    high = power[:, 4000:].sum(axis=1) / power.sum(axis=1)
    assert high[clips.target == "see"].min() > high[clips.target == "no"].max()


def test_same_seed_gives_the_same_clips_whatever_n_jobs(keywords):
    for options in ({}, {"n_jobs": 2}):
        again = synthesize_keywords(WORDS, **SMALL, **options)
        np.testing.assert_array_equal(again.data, keywords.data)
        np.testing.assert_array_equal(again.target, keywords.target)
        np.testing.assert_array_equal(again.groups, keywords.groups)
        assert again.n_rejected == keywords.n_rejected


def test_processes_give_the_same_clips(keywords):
    with joblib.parallel_config(backend="loky", n_jobs=2):
        again = synthesize_keywords(WORDS, **SMALL)
    np.testing.assert_array_equal(again.data, keywords.data)


def test_another_seed_gives_other_clips_and_voices(keywords):
    other = synthesize_keywords(WORDS, **{**SMALL, "random_state": 1})
    assert not np.array_equal(other.data, keywords.data)
    assert set(other.groups) != set(keywords.groups)


def test_a_random_state_instance_moves_on():
    rng = np.random.RandomState(0)
    first, second = (synthesize_keywords(["yes"], 2, random_state=rng) for _ in range(2))
    assert not np.array_equal(first.data, second.data)


def test_voices_can_be_named_in_any_language():
    clips = synthesize_keywords(["ja"], 4, voices=["de+m3", "en-us"], random_state=0)
    assert clips.groups.tolist() == ["de+m3", "de+m3", "en-us", "en-us"]


def test_voices_are_drawn_for_a_language():
    clips = synthesize_keywords(["ja"], 4, language="de", random_state=0)
    assert {voice.split("+")[0] for voice in clips.groups} == {"de"}


def test_a_mapping_gives_labels_and_spellings():
    words = {"zoofi": "[[z'u:fi]]", "other": ["coffee", "no", "stop"]}
    clips = synthesize_keywords(words, 8, voices=2, random_state=0)
    assert clips.target_names == ["zoofi", "other"]
    assert [np.sum(clips.target == label) for label in words] == [8, 8]
    assert set(clips.spellings[clips.target == "zoofi"]) == {"[[z'u:fi]]"}
    _, counts = np.unique(clips.spellings[clips.target == "other"], return_counts=True)
    assert sorted(counts) == [2, 3, 3]
    assert all(np.sum(clips.groups[clips.target == "other"] == voice) == 4 for voice in set(clips.groups))


def test_phonemes_are_spoken_and_not_spelled_out():
    with open_espeak_ng() as engine:
        word, respelled = (len(engine.speak(text, "en-us")[0]) for text in ("hello", "[[h@l'oU]]"))
    assert abs(word - respelled) < 0.02 * word


def test_phonemes_differ_in_their_capitals():
    words = {"pin": "[[p'In]]", "peen": "[[p'in]]"}
    assert len(synthesize_keywords(words, 1, voices=1, random_state=0).data) == 2


def test_fewer_clips_than_voices_draw_fewer_voices():
    assert len(set(synthesize_keywords(["yes"], 3, random_state=0).groups)) == 3


def test_description_says_that_speech_is_synthetic_and_names_the_engine(keywords):
    assert keywords.DESCR.startswith("Synthesized speech, not recordings of people")
    assert "espeak-ng 1." in keywords.DESCR


def test_long_words_are_spoken_faster_until_they_fit():
    clips = synthesize_keywords(["congratulations"], 8, duration=0.8, random_state=0)
    assert clips.n_rejected["too long"] > 0
    assert np.count_nonzero(clips.data, axis=1).min() > 0.3 * 16000


def test_progress_is_shown_on_stderr_only(capfd):
    synthesize_keywords(["yes"], 2, random_state=0, verbose=1)
    out, err = capfd.readouterr()
    assert out == ""
    assert "Speaking" in err


def test_nothing_is_printed_without_verbose(capfd):
    synthesize_keywords(["yes"], 2, random_state=0, n_jobs=2)
    assert capfd.readouterr() == ("", "")


# Voices


def test_drawn_voices_are_distinct_and_alternate_between_the_sexes():
    voices = list(EspeakEngine.draw("en", np.random.RandomState(0)))
    assert len(set(voices)) == len(voices) == 192
    assert {voice.split("+")[1] for voice in voices[::2]} == set(_espeak._FEMALE)
    assert {voice.split("+")[1] for voice in voices[1::2]} <= set(_espeak._MALE)


def test_the_default_number_of_voices_has_as_many_vocal_tracts_and_all_accents():
    voices = list(islice(EspeakEngine.draw("en", np.random.RandomState(0)), 24))
    assert len({voice.split("+")[1] for voice in voices}) == 24
    assert {voice.split("+")[0] for voice in voices} == set(accents("en"))


def test_espeak_ng_has_every_accent_and_variant():
    with open_espeak_ng() as engine:
        for accent in accents("en"):
            engine.set_voice(accent)
        for variant in _espeak._FEMALE + _espeak._MALE:
            engine.set_voice(f"en+{variant}")


# The engine


def test_a_new_engine_repeats_itself_byte_for_byte():
    # f3 has breath noise, flutter and echo: everything that the library carries over from one rendering to the next.
    renderings = []
    for _ in range(2):
        with open_espeak_ng() as engine:
            renderings.append([engine.speak(word, "en-us+f3")[0] for word in ("yes", "no")])
    for first, second in zip(*renderings, strict=True):
        np.testing.assert_array_equal(first, second)


def test_two_engines_at_once_do_not_disturb_each_other():
    with open_espeak_ng() as engine:
        alone = engine.speak("yes", "en-us+f3")[0]
    with open_espeak_ng() as engine, open_espeak_ng() as other:
        other.speak("something else", "en+m4", speed=1.7)
        np.testing.assert_array_equal(engine.speak("yes", "en-us+f3")[0], alone)


def test_speed_is_heard():
    with open_espeak_ng() as engine:
        slow, fast = (len(engine.speak("hello", "en-us", speed=speed)[0]) for speed in (0.6, 1.8))
    assert slow > 1.5 * fast


def test_pitch_is_heard():
    periods = []
    with open_espeak_ng() as engine:
        for pitch in (-6, 6):
            y = engine.speak("ah", "en-us", pitch=pitch, liveliness=0)[0][2000:5000].astype(float)
            likeness = np.correlate(y, y, "full")[len(y) :]
            periods.append(60 + likeness[60:400].argmax())  # of 55 to 370 Hz
    assert 1.7 < periods[0] / periods[1] < 2.3


def test_words_are_pronounced_in_either_alphabet():
    with open_espeak_ng() as engine:
        assert engine.phonemes("no, see", "en-us") == "nˈoʊ sˈiː"  # noqa: RUF001
        assert engine.phonemes("no", "en-us", ipa=False) == "n'oU"
        assert engine.phonemes("no", "en-us", ipa=False, separator="-") == "n-'oU"
        assert engine.phonemes("[[n'oU]]", "en-us") == engine.phonemes("no", "en-us")


def test_a_long_data_path_is_no_hindrance(tmp_path, monkeypatch, capfd):
    folder = tmp_path.joinpath(*["a" * 50] * 4)
    folder.mkdir(parents=True)
    folder = folder / "espeak-ng-data"
    folder.symlink_to(espeakng_loader.get_data_path())
    monkeypatch.setattr(espeakng_loader, "get_data_path", lambda: str(folder))
    with open_espeak_ng() as engine:
        assert len(engine.speak("yes", "en-us+f3")[0]) > 0
    assert capfd.readouterr() == ("", "")


def test_a_data_path_that_cannot_be_shortened_says_so(tmp_path, monkeypatch):
    folder = tmp_path.joinpath(*["a" * 50] * 4)
    folder.mkdir(parents=True)
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    monkeypatch.setattr(_espeak, "_MAX_DATA_PATH", 20)
    with pytest.raises(RuntimeError, match=r"must be shorter than 20 bytes, got .* Set TMPDIR"):
        synthesize_keywords(["yes"], 1)


def test_missing_data_say_so_and_print_nothing(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(espeakng_loader, "get_data_path", lambda: str(tmp_path))
    with pytest.raises(RuntimeError, match=r"espeak-ng has no data at .*Reinstall the wheel"):
        synthesize_keywords(["yes"], 1)
    assert capfd.readouterr() == ("", "")


def test_data_that_cannot_be_read_say_so(tmp_path, monkeypatch):
    (tmp_path / "phontab").touch()
    monkeypatch.setattr(espeakng_loader, "get_data_path", lambda: str(tmp_path))
    with pytest.raises(RuntimeError, match=r"espeak-ng cannot read its data at .*Reinstall the wheel"):
        synthesize_keywords(["yes"], 1)


def test_a_library_that_cannot_be_loaded_says_so(tmp_path, monkeypatch):
    broken = tmp_path / "libespeak-ng.so"
    broken.write_text("no library")
    monkeypatch.setattr(espeakng_loader, "get_library_path", lambda: str(broken))
    with pytest.raises(RuntimeError, match=r"espeak-ng could not be loaded from .*Set TMPDIR"):
        synthesize_keywords(["yes"], 1)


def test_without_espeak_ng_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(ImportError, match=r'pip install "skkws\[synth\]"'):
        synthesize_keywords(["yes"], 1)


def test_importing_starts_no_engine():
    code = (
        "import sys, skkws.synthesis._synthesis; "
        "sys.exit(any(name in sys.modules for name in ('espeakng_loader', 'soxr', 'rich')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, env=os.environ).returncode == 0


# Errors


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("yes", r"words must be a list of strings, or a mapping, got 'yes'\. Pass a list"),
        (None, r"words must be a list of strings, or a mapping, got None\. Pass a list"),
        ([], r"words must hold at least one word, .* got {}\. Pass a list"),
        (["yes", " "], r"words must hold non-empty strings, got ' ' in .* Pass a list"),
        (["yes", 3], r"words must hold non-empty strings, got 3: 3\. Pass a list"),
        (["yes", "no", "yes"], r"words must differ, got 'yes' more than once in .* Pass a list"),
        ({"a": "yes", "b": ["no", "Yes"]}, r"words must differ, got 'yes' more than once in .* Pass a list"),
        ({"a": []}, r"words must hold at least one word, and one for each label, got .* Pass a list"),
        ({"a": ["yes", 3]}, r"words must hold non-empty strings, got 3 in .* Pass a list"),
        ({"": "yes"}, r"words must hold non-empty strings, got '' in .* Pass a list"),
        (["yes", "no", "Yes "], r"words must differ, got 'yes' more than once in .* Pass a list"),
        (["..."], r"words must be words that can be spoken, got '\.\.\.', which has no letter\. Spell it"),
    ],
)
def test_words_that_cannot_be_labels_are_refused(words, message):
    with pytest.raises(ValueError, match=message):
        synthesize_keywords(words)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_per_word": 0}, r"n_per_word must be an integer from 1 up, got 0\. Pass one such as n_per_word=200"),
        ({"n_per_word": 1.5}, r"n_per_word must be an integer from 1 up, got 1\.5\."),
        ({"sample_rate": 0}, r"sample_rate must be an integer from 1 up, got 0\. .*sample_rate=16000"),
        ({"duration": 0}, r"duration must be a number of seconds, .*got 0\. Pass one such as duration=1\.0"),
        ({"duration": "1"}, r"duration must be a number of seconds, .*got '1'\."),
        ({"voices": 0}, r"voices must be from 1 to 192, as many as speak 'en', got 0\. Draw fewer"),
        ({"voices": 193}, r"voices must be from 1 to 192, as many as speak 'en', got 193\. Draw fewer"),
        ({"language": "xx"}, r"language must be one that the engines espeak-ng speak, got 'xx'\. `skkws voices` lists"),
        ({"voices": ["flite:slt"]}, r"voices must be voices of the engines espeak-ng, got 'flite:slt'\. Voices"),
        ({"voices": "en-us"}, r"voices must be an integer or a list of names, got 'en-us'\. Pass a number"),
        ({"voices": []}, r"voices must be distinct, non-empty names, got \[\]\. Pass a number"),
        ({"voices": ["en", "en"]}, r"voices must be distinct, non-empty names, got .* Pass a number"),
        ({"voices": ["xx"]}, r"voices must name voices of espeak-ng 1.*, got 'xx'\. Use names"),
        ({"voices": ["en+nobody"]}, r"voices must name voices of espeak-ng 1.*, got 'en\+nobody'\. Use names"),
        (
            {"voices": ["en", "en-us"], "n_per_word": 1},
            r"n_per_word must be at least the number of voices, 2, .* got 1\. Raise n_per_word",
        ),
    ],
)
def test_parameters_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        synthesize_keywords(["yes"], **options)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_word_that_does_not_fit_is_refused(n_jobs):
    with pytest.raises(ValueError, match=r"duration must .* got 0\.1 s, in which 'marvin' .* Pass a longer duration"):
        synthesize_keywords(["marvin"], 2, duration=0.1, random_state=0, n_jobs=n_jobs)


def test_a_word_that_stays_silent_is_refused(monkeypatch):
    monkeypatch.setattr(_rendering, "_MIN_PEAK", 2.0)
    with pytest.raises(ValueError, match=r"words must .* spoken, got 'yes', whose rendering by 'en' is silent\. Spell"):
        synthesize_keywords(["yes"], 1, voices=["en"], random_state=0)


def test_clipped_renderings_are_counted_and_drawn_again(monkeypatch):
    faults = iter(["clipped", None])
    monkeypatch.setattr(_rendering, "_find_fault", lambda *_: next(faults))
    clips = synthesize_keywords(["yes"], 1, voices=["en"], random_state=0)
    assert clips.n_rejected == {"silent": 0, "clipped": 1, "too long": 0, "failed": 0}
    assert clips.unspoken == []
    assert "Could not be spoken" not in clips.DESCR


# Voices that cannot speak a word


class Choir:
    """An engine whose voices have trouble with some words, and note what they are asked.

    `trouble` takes a voice, a word, the pitch and how often the voice was asked for the word before; it returns the
    fault of the rendering or None. The number of samples of a good rendering tells its voice and word.
    """

    name, version, reads_phonemes = "espeak-ng", "0", True

    def __init__(self, trouble):
        self.trouble = trouble
        self.asked = []

    def check_voices(self, voices):
        pass

    def open(self):
        return nullcontext(self)

    @staticmethod
    def length(voice, word):
        return 2000 + 100 * "abcd".index(voice) + 10 * len(word)

    def speak(self, text, voice, *, speed, pitch, liveliness):
        word = text.rstrip("!?")
        fault = self.trouble(voice, word, pitch, self.asked.count((voice, word)))
        self.asked.append((voice, word))
        if fault == "failed":
            raise RuntimeError(f"{voice} failed at {word}")
        n_samples = 17000 if fault == "too long" else self.length(voice, word)
        level = {"silent": 0, "clipped": 32767}.get(fault, 9000)
        return np.resize(np.array([level, -level], dtype=np.int16), n_samples), 16000


@pytest.fixture
def sing(monkeypatch):
    """Synthesize keywords with a choir; gives what comes of it, and the choir."""

    def sing(trouble, words, n_per_word, voices, **options):
        choir = Choir(trouble)
        monkeypatch.setattr(_synthesis, "find_engines", lambda *_: {choir.name: choir})
        return synthesize_keywords(words, n_per_word, voices=list(voices), random_state=0, **options), choir

    return sing


def count_clips(clips):
    return Counter(zip(clips.groups.tolist(), clips.spellings.tolist(), strict=True))


def clips_sound_like_their_voice_and_word(clips):
    told = [Choir.length(*pair) for pair in zip(clips.groups, clips.spellings, strict=True)]
    return np.count_nonzero(clips.data, axis=1).tolist() == told


@pytest.mark.parametrize(("fault", "n_trials"), [("silent", 20), ("clipped", 20), ("too long", 20), ("failed", 3)])
def test_what_a_voice_cannot_speak_is_left_to_the_others(sing, fault, n_trials):
    clips, choir = sing(
        lambda voice, word, *_: fault if (voice, word) == ("b", "on") else None, ["off", "on"], 9, "abc"
    )
    counts = count_clips(clips)
    assert {counts[voice, "off"] for voice in "abc"} == {3}
    assert sorted([counts["a", "on"], counts["c", "on"]]) == [4, 5]
    assert clips.unspoken == [("b", "on")]
    assert clips.DESCR.endswith("\nCould not be spoken and was left to the other voices: 'on' by b.")
    assert clips.n_rejected == {"silent": 0, "clipped": 0, "too long": 0, "failed": 0, fault: n_trials}
    assert choir.asked.count(("b", "on")) == n_trials


def test_rows_stay_ordered_by_voice_then_word_when_clips_are_handed_over(sing):
    clips, _ = sing(lambda voice, word, *_: "silent" if (voice, word) == ("b", "on") else None, ["off", "on"], 9, "abc")
    rows = list(zip(clips.groups.tolist(), clips.spellings.tolist(), strict=True))
    assert rows == sorted(rows)
    assert clips.target.tolist() == clips.spellings.tolist()
    assert clips_sound_like_their_voice_and_word(clips)
    assert len(np.unique(clips.data, axis=0)) == len(clips.data)


def test_clips_are_handed_over_to_those_who_have_the_fewest(sing):
    clips, _ = sing(lambda voice, *_: "silent" if voice == "d" else None, ["on"], 5, "abcd")
    assert sorted(count_clips(clips).values()) == [1, 2, 2]


def test_clips_are_handed_over_until_none_is_missing(sing):
    def trouble(voice, word, pitch, n_asked):
        return "failed" if voice == "b" or (voice == "c" and n_asked >= 3) else None

    clips, choir = sing(trouble, ["on"], 9, "abc")
    assert count_clips(clips) == {("a", "on"): 6, ("c", "on"): 3}
    assert clips.unspoken == [("b", "on"), ("c", "on")]
    assert clips.DESCR.endswith(": 'on' by b, 'on' by c.")
    assert clips.n_rejected["failed"] == 6
    assert choir.asked.count(("b", "on")) == 3
    assert clips_sound_like_their_voice_and_word(clips)


def test_an_engine_that_fails_now_and_then_is_asked_again(sing):
    clips, _ = sing(lambda voice, word, pitch, n_asked: "failed" if n_asked % 3 < 2 else None, ["on"], 4, "ab")
    assert count_clips(clips) == {("a", "on"): 2, ("b", "on"): 2}
    assert clips.unspoken == []
    assert clips.n_rejected["failed"] == 8


def test_clips_are_handed_over_alike_whatever_n_jobs(sing):
    def trouble(voice, word, pitch, n_asked):
        return "failed" if voice in "bc" and pitch > -1 else None

    words = {"on": ["on", "up"], "off": "off"}
    first, *others = (sing(trouble, words, 30, "abcd", n_jobs=n_jobs)[0] for n_jobs in (1, 1, 2))
    assert 0 < len(first.unspoken) < 12
    assert {voice for voice, _ in first.unspoken} <= set("bc") < set(first.groups)
    for other in others:
        assert other.unspoken == first.unspoken
        assert other.n_rejected == first.n_rejected
        for name in ("data", "target", "spellings", "groups"):
            np.testing.assert_array_equal(other[name], first[name])


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize(
    ("fault", "error", "message"),
    [
        ("silent", ValueError, r"words must be .*, got 'on', whose rendering by 'c' is silent\. Spell"),
        ("clipped", ValueError, r"words must be .*, got 'on', whose rendering by 'c' is clipped\. Spell"),
        ("too long", ValueError, r"duration must .* got 1 s, in which 'on' does not fit, spoken by 'c' at 1\.8"),
        ("failed", RuntimeError, r"c failed at on$"),
    ],
)
def test_a_word_that_no_voice_can_speak_is_refused_for_the_last_ones_fault(sing, fault, error, message, n_jobs):
    def trouble(voice, word, *_):
        return {"a": "failed", "b": "silent", "c": fault}[voice] if word == "on" else None

    with pytest.raises(error, match=message):
        sing(trouble, ["off", "on"], 3, "abc", n_jobs=n_jobs)
