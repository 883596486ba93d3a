"""A tiny spotter, synthesized and trained without network."""

import numpy as np
import pytest
import soundfile

from skkws import load_model, make_keyword_pipeline, save_model, train_keyword_spotter
from skkws.spotting import SILENCE, UNKNOWN
from skkws.synthesis import synthesize_keywords

COMMON = [
    "about",
    "after",
    "again",
    "animal",
    "answer",
    "apple",
    "autumn",
    "because",
    "before",
    "bottle",
    "bridge",
    "brother",
    "building",
    "button",
    "candle",
    "carpet",
    "chicken",
    "corner",
    "country",
    "dinner",
    "doctor",
    "evening",
    "family",
    "finger",
    "flower",
    "forest",
    "friend",
    "garden",
    "hammer",
    "island",
    "kitchen",
    "ladder",
    "letter",
    "market",
    "minute",
    "mountain",
    "number",
    "orange",
    "pencil",
    "picture",
    "pocket",
    "river",
    "school",
    "season",
    "shoulder",
    "silver",
    "station",
    "summer",
    "table",
    "thunder",
    "village",
    "water",
    "window",
    "winter",
    "yellow",
    "stock",
    "shop",
    "step",
    "top",
    "spot",
    "stick",
    "zoo",
    "coffee",
    "movie",
]
TINY = {"n_per_word": 12, "n_other_words": 20, "voices": 6, "word_list": COMMON}
TINY |= {"engines": ["espeak-ng"], "random_state": 0}
FEWER = {"n_per_word": 4, "n_other_words": 4}
N_SILENT = 40
KEYWORDS = {"stop": "stop", "zoofi": "[[z'u:fi]]"}


@pytest.fixture(scope="module", autouse=True)
def _little_silence():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("skkws.spotting._spotter._N_SILENT", N_SILENT)
        yield


@pytest.fixture(scope="module")
def spotter():
    return train_keyword_spotter(KEYWORDS, **TINY)


@pytest.fixture(scope="module")
def heard():
    """What other voices than those of the spotter may say."""
    words = KEYWORDS | {"other": ["umbrella", "seventeen", "chocolate"]}
    return synthesize_keywords(words, 24, engines=["espeak-ng"], voices=["en-us+f4", "en-gb-x-rp+max"], random_state=5)


def test_it_knows_keywords_unknown_words_and_silence(spotter):
    assert spotter.model.classes_.tolist() == [SILENCE, UNKNOWN, "stop", "zoofi"]
    assert spotter.n_clips == {"keywords": 24, "other words": 80, "silence": N_SILENT}
    assert spotter.unspoken == []


def test_it_takes_files_and_arrays_and_its_model_says_what_files_need(spotter, heard, tmp_path):
    files = [tmp_path / f"{i}.wav" for i in range(4)]
    for file, clip in zip(files, heard.data, strict=False):
        soundfile.write(file, clip, 16000, subtype="FLOAT")
    expected = spotter.model.predict_proba(heard.data[:4])
    np.testing.assert_allclose(spotter.predict_proba(files), expected, atol=1e-6)
    np.testing.assert_allclose(spotter.predict_proba(list(heard.data[:4])), expected, atol=1e-6)
    assert spotter.predict(files).tolist() == spotter.model.predict(heard.data[:4]).tolist()
    with pytest.raises(TypeError, match=r"X holds names of files.*make_pipeline\(AudioLoader\(\)"):
        spotter.model.predict(files)


def test_it_spots_the_keywords_of_other_voices_and_lets_other_words_pass(spotter, heard):
    said = spotter.model.predict(heard.data)
    expected = np.where(heard.target == "other", UNKNOWN, heard.target)
    for label in (UNKNOWN, "stop", "zoofi"):
        assert (said[expected == label] == label).mean() > 0.5, label


def test_it_takes_faint_noise_and_nothing_at_all_for_silence(spotter):
    rng = np.random.default_rng(0)
    rows = np.stack([np.zeros(16000), rng.normal(0, 1e-3, 16000), rng.normal(0, 0.1, 16000)]).astype(np.float32)
    assert spotter.model.predict(rows).tolist() == [SILENCE] * 3


def test_estimates_are_shares_of_what_was_left_out(spotter):
    assert list(spotter.estimates) == ["keywords", "other words", "silence"]
    for share, (low, high), n_clips in spotter.estimates.values():
        assert 0 <= low <= share <= high <= 1
        assert 0 < n_clips <= 80
    # Every voice is left out once; of the other words a clip is tested only where its word and its voice are left out.
    assert spotter.estimates["keywords"][2] == 24
    assert spotter.estimates["other words"][2] < 80


def test_the_estimate_is_no_better_than_chance_on_labels_without_meaning(monkeypatch):
    def deaf(words, n_per_word, **how):
        speech = synthesize_keywords(words, n_per_word, **how)
        if UNKNOWN not in speech.target_names:
            speech.target = np.random.default_rng(0).permutation(speech.target)
        return speech

    monkeypatch.setattr("skkws.spotting._spotter.synthesize_keywords", deaf)
    estimates = train_keyword_spotter(["stop", "zebra"], **TINY).estimates
    assert estimates["keywords"][0] < 0.75


def test_the_same_seed_gives_the_same_spotter(spotter, heard):
    again = train_keyword_spotter(KEYWORDS, n_jobs=2, **TINY)
    np.testing.assert_array_equal(
        again.model.decision_function(heard.data), spotter.model.decision_function(heard.data)
    )
    assert again.estimates == spotter.estimates


def test_it_is_saved_without_trusting_more_than_our_own_types(spotter, heard, tmp_path):
    save_model(spotter.model, tmp_path / "spotter.skops")
    loaded = load_model(tmp_path / "spotter.skops")
    np.testing.assert_array_equal(loaded.predict_proba(heard.data), spotter.model.predict_proba(heard.data))


def test_recordings_teach_a_pronunciation_and_are_estimated_too(spotter):
    """Somebody calls "stop" what the voices do not: a few recordings are enough to be understood."""
    own = synthesize_keywords({"stop": "[[g@r'u:]]"}, 12, engines=["espeak-ng"], voices=6, random_state=3)
    assert (spotter.model.predict(own.data[6:]) == "stop").mean() < 0.5
    recordings = np.tile(own.data[:6], (6, 1)), np.repeat(["stop"], 36), np.repeat(["me"], 36)
    taught = train_keyword_spotter(KEYWORDS, recordings=recordings, **TINY)
    assert (taught.model.predict(own.data[6:]) == "stop").mean() > 0.8
    assert taught.n_clips["recordings"] == taught.estimates["recordings"][2] == 36


def test_recordings_tell_keywords_apart_that_voices_confuse(tmp_path):
    """Two names that the voices speak as one: recordings alone tell who is meant."""
    names = {"anna": "anna", "ana": "annah"}
    said = synthesize_keywords(
        {"anna": "[['an@]]", "ana": "[[A:n'A:]]"}, 16, engines=["espeak-ng"], voices=8, random_state=3
    )
    recordings = said.data[::2], said.target[::2], said.groups[::2]
    taught = train_keyword_spotter(names, recordings=recordings, **TINY).model
    heard = taught.predict(said.data[1::2])
    assert (heard == said.target[1::2]).mean() > 0.7
    save_model(taught, tmp_path / "taught.skops")
    np.testing.assert_array_equal(load_model(tmp_path / "taught.skops").predict(said.data[1::2]), heard)


def test_recordings_of_other_words_are_let_pass(spotter):
    near = synthesize_keywords(["stob"], 24, engines=["espeak-ng"], voices=6, random_state=3)
    recordings = near.data, near.target, near.groups
    taught = train_keyword_spotter(KEYWORDS, recordings=recordings, **TINY)
    before, after = ((s.model.predict(near.data) == UNKNOWN).mean() for s in (spotter, taught))
    assert before < 0.6 < after


def test_the_pipeline_without_keywords_tells_all_words_apart(heard):
    pipeline = make_keyword_pipeline().fit(heard.data[::2], heard.target[::2])
    assert pipeline.classes_.tolist() == ["other", "stop", "zoofi"]
    assert (pipeline.predict(heard.data[1::2]) == heard.target[1::2]).mean() > 0.9


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ("stop", "words must be a list of strings, or a mapping, got 'stop'"),
        (["_silence_"], "words must not be called '_silence_', a class of its own. Choose another name."),
        ([], "words must hold at least one word"),
        (["stop", "stop"], "words must differ, got 'stop' more than once"),
    ],
)
def test_keywords_that_cannot_be_are_named(keywords, message):
    with pytest.raises(ValueError, match=message):
        train_keyword_spotter(keywords, **TINY)


@pytest.mark.parametrize("n", [1, -5, 2.5, True])
def test_too_few_other_words_are_refused(n):
    with pytest.raises(ValueError, match=r"n_other_words must be an integer from 2 up, got .* Pass one such as 600"):
        train_keyword_spotter(["stop"], **TINY | {"n_other_words": n})


@pytest.mark.parametrize("voices", [1, 3])
def test_few_voices_are_left_out_as_far_as_there_are_others(voices):
    spotter = train_keyword_spotter(["stop", "zebra"], **TINY | FEWER | {"voices": voices})
    assert list(spotter.estimates) == ([] if voices == 1 else ["keywords", "other words", "silence"])
    if voices > 1:
        assert spotter.estimates["keywords"][2] == 2 * FEWER["n_per_word"]


def test_a_keyword_may_have_several_spellings():
    spotter = train_keyword_spotter({"hello": ["hello", "hallo"], "stop": "stop"}, **TINY | FEWER)
    assert spotter.model.classes_.tolist() == [SILENCE, UNKNOWN, "hello", "stop"]


def test_recordings_of_another_length_are_refused():
    recordings = np.zeros((2, 8000), dtype=np.float32), ["stop", "stop"], ["me", "me"]
    with pytest.raises(ValueError, match=r"recordings must have rows of 16000 samples, .* 1 s, got 8000"):
        train_keyword_spotter(["stop"], recordings=recordings, **TINY)
