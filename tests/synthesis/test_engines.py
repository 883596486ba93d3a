import json
import sys
from pathlib import Path

import numpy as np
import pytest

from skkws.synthesis import synthesize_keywords
from skkws.synthesis._engines import ENGINES, draw_voices, find_engines, list_voices

posix = pytest.mark.skipif(sys.platform == "win32", reason="the programs are scripts")
pytestmark = posix

# A program that answers questions from a table, notes how it was called, and leaves a tone as its speech.
PROGRAM = """#!{python}
import json, math, struct, sys, wave
args, answers, log, output_flag = sys.argv[1:], {answers!r}, {log!r}, {output_flag!r}
for question, answer in answers.items():
    if question in args:
        print(answer)
        sys.exit()
text = sys.stdin.buffer.read().decode()
if "broken" in text:
    sys.exit("no such phoneme")
with open(log, "a") as file:
    print(json.dumps([text, args]), file=file)
if "mute" not in text:
    with wave.open(args[args.index(output_flag) + 1], "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", "NONE"))
        file.writeframes(b"".join(struct.pack("<h", int(9000 * math.sin(i))) for i in range(2400)))
"""


class Programs:
    """A folder of programs, the only ones that are found."""

    def __init__(self, folder):
        self.folder = folder
        self.log = folder / "log"

    def add(self, name, answers, output_flag="-o"):
        path = self.folder / name
        path.write_text(
            PROGRAM.format(python=sys.executable, answers=answers, log=str(self.log), output_flag=output_flag)
        )
        path.chmod(0o755)

    def calls(self):
        return [json.loads(line) for line in self.log.read_text().splitlines()]


@pytest.fixture
def programs(tmp_path, monkeypatch):
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return Programs(folder)


@pytest.fixture
def flite(programs):
    programs.add("flite", {"--version": "flite-9.7-test", "-lv": "Voices available: kal awb_time kal16 awb slt"})
    return programs


def piper_voice(folder, name, **settings):
    file = folder / f"{name}.onnx"
    file.touch()
    Path(f"{file}.json").write_text(json.dumps(settings))
    return file


# Which engines


def test_espeak_ng_alone_is_found_where_there_is_no_program(programs):
    assert list(find_engines()) == ["espeak-ng"]


def test_a_program_is_found_with_its_version_and_voices(flite):
    assert list(find_engines()) == ["espeak-ng", "flite"]
    engine = find_engines(["flite"])["flite"]
    assert engine.version == "9.7"
    assert engine.voices("en") == ["kal16", "awb", "slt"]
    assert engine.voices("de") == []


def test_every_engine_takes_its_turn_until_its_voices_are_used_up(flite):
    voices = draw_voices(find_engines(), 12, "en", np.random.RandomState(0))
    assert len(set(voices)) == 12
    assert [voice.startswith("flite:") for voice in voices] == [False] * 9 + [True] * 3
    (one,) = draw_voices(find_engines(), 1, "en", np.random.RandomState(0))
    assert not one.startswith("flite:")


def test_other_engines_do_not_change_which_espeak_voices_come_first(flite):
    first, both = (draw_voices(find_engines(e), 8, "en", np.random.RandomState(0)) for e in (["espeak-ng"], "auto"))
    assert first[:5] == both[:5]


def test_an_engine_that_is_not_there_says_how_to_get_it(programs):
    with pytest.raises(RuntimeError, match=r"festival, which engines names, is not installed\. To get it: apt install"):
        synthesize_keywords(["yes"], 1, engines=["festival"])


@pytest.mark.parametrize("engines", ["flite", [], ["sox"], ["flite", "flite"], None])
def test_engines_that_are_no_names_are_refused(engines):
    with pytest.raises(ValueError, match=r"engines must be "):
        synthesize_keywords(["yes"], 1, engines=engines)


def test_all_engines_are_listed_with_how_to_get_them(flite):
    rows = {name: rest for name, *rest in list_voices("en")}
    assert list(rows) == list(ENGINES)
    assert rows["flite"][:2] == ["9.7", ["flite:kal16", "flite:awb", "flite:slt"]]
    assert rows["pico"][:2] == [None, []]
    assert all(get for *_, get in rows.values())


# Speech from a program


def test_clips_of_a_program_are_grouped_and_described_by_it(flite):
    clips = synthesize_keywords(["yes", "no"], 8, voices=4, random_state=0, n_jobs=2)
    assert len(set(clips.groups)) == 4
    assert sum(voice.startswith("flite:") for voice in set(clips.groups)) == 2
    assert "flite 9.7" in clips.DESCR
    again = synthesize_keywords(["yes", "no"], 8, voices=4, random_state=0)
    np.testing.assert_array_equal(clips.data, again.data)


def test_a_program_is_told_voice_speed_and_pitch(flite):
    synthesize_keywords(["yes"], 6, engines=["flite"], voices=["flite:slt"], random_state=0)
    calls = flite.calls()
    assert {text.strip("!?") for text, _ in calls} == {"yes"}
    assert all(args[args.index("-voice") + 1] == "slt" for _, args in calls)
    for feature in ("duration_stretch", "f0_shift"):
        values = {float(arg.split("=")[1]) for _, args in calls for arg in args if arg.startswith(feature)}
        assert len(values) == 6
        assert 0.5 < min(values) < max(values) < 2


def test_phonemes_are_left_to_espeak_ng(flite):
    clips = synthesize_keywords({"zoofi": "[[z'u:fi]]", "no": "no"}, 8, voices=4, random_state=0)
    by_flite = np.char.startswith(clips.groups, "flite:")
    assert not by_flite[clips.target == "zoofi"].any()
    assert by_flite[clips.target == "no"].any()
    assert [np.sum(clips.target == label) for label in ("zoofi", "no")] == [8, 8]
    with pytest.raises(ValueError, match=r"words must be spelled in letters .* got .\[\[z'u:fi\]\].\. Let a voice"):
        synthesize_keywords(["[[z'u:fi]]"], 1, engines=["flite"], voices=1)


def test_a_program_that_fails_is_named_with_voice_and_text(flite):
    for text, fault in (("broken", r"exit status 1\. no such phoneme"), ("mute", "it left no recording")):
        message = rf"flite could not speak '{text}.?' with the voice 'slt': {fault}"
        with pytest.raises(RuntimeError, match=message):
            synthesize_keywords([text], 1, voices=["flite:slt"], random_state=0)


def test_a_word_at_which_a_program_fails_is_left_to_other_voices(flite):
    clips = synthesize_keywords(["broken", "yes"], 2, voices=["en", "flite:slt"], random_state=0)
    assert clips.groups.tolist() == ["en", "en", "en", "flite:slt"]
    assert clips.target.tolist() == ["broken", "broken", "yes", "yes"]
    assert clips.unspoken == [("flite:slt", "broken")]
    assert clips.n_rejected["failed"] == 3


def test_a_program_that_cannot_be_run_is_named(flite):
    engine = find_engines(["flite"])["flite"]
    (flite.folder / "flite").write_text("no program")
    with pytest.raises(RuntimeError, match=r"flite could not speak 'yes' with the voice 'slt': (?s:.*) leave the eng"):
        engine.speak("yes", "slt")
    with pytest.raises(RuntimeError, match=r"flite does not answer: .* leave the engine out"):
        find_engines(["flite"])["flite"].voices()


def test_an_unknown_voice_of_a_program_is_refused(flite):
    with pytest.raises(ValueError, match=r"voices must name voices of flite, got 'bob'\. There are kal16, awb, slt"):
        synthesize_keywords(["yes"], 1, voices=["flite:bob"])


@pytest.mark.parametrize(
    ("name", "program", "answers", "output_flag", "voices", "called"),
    [
        (
            "festival",
            "text2wave",
            {},
            "-o",
            {"en": ["kal_diphone"], "de": []},
            ["-eval", "(voice_kal_diphone)", "'Duration_Stretch 0.5000)", '"-r" 2.0000)', "(* 2.0000"],
        ),
        (
            "pico",
            "pico2wave",
            {"?": "Unknown language: ?\nValid languages:\nen-US\nde-DE\n"},
            "-w",
            {"en": ["en-US"], "de": ["de-DE"]},
            ["-l", "en-US", '<speed level="200"><pitch level="200">rock &amp; roll</pitch></speed>'],
        ),
        ("rhvoice", "RHVoice-test", {}, "-o", {"en": ["slt"], "pt": ["leticia"]}, ["-p", "slt", "-r", "-t", "200"]),
    ],
)
def test_how_a_program_is_called(programs, name, program, answers, output_flag, voices, called):
    programs.add(program, answers, output_flag)
    programs.add("festival", {"--version": "2.5.0:release", "-b": "kal_diphone english\nWARNING: a b c\n"})
    for voice, language in (("Slt", "English"), ("Leticia", "Brazilian-Portuguese")):
        folder = programs.folder.parent / "share" / "RHVoice" / "voices" / voice.lower()
        folder.mkdir(parents=True)
        (folder / "voice.info").write_text(f"name={voice}\nlanguage={language}\n")
    engine = find_engines([name])[name]
    assert {language: engine.voices(language) for language in voices} == voices
    samples, sample_rate = engine.speak("rock & roll", voices["en"][0], speed=2.0, pitch=12.0)
    assert (samples.dtype, len(samples), sample_rate) == (np.int16, 2400, 8000)
    ((text, args),) = programs.calls()
    assert text == "rock & roll"
    for part in called:
        assert any(part in arg for arg in args)


def test_mbrola_speaks_with_voices_whose_database_is_there(programs, monkeypatch):
    listing = (
        "Pty Language       Age/Gender VoiceName          File                 Other Languages\n"
        " 3  en-us           --/F      us-mbrola-1        mb/mb-us1            (en 8)\n"
        " 9  en              --/M      en-german-2        mb/mb-de2-en\n"
        " 5  en-us           --/M      us-mbrola-2        mb/mb-us2            (en 9)\n"
    )
    programs.add("espeak-ng", {"--voices=mb": listing}, "-w")
    assert find_engines().keys() == {"espeak-ng"}
    programs.add("mbrola", {"-h": "MBROLA 3.3"})
    monkeypatch.setattr("skkws.synthesis._programs._has_database", {"us1": True, "de2": True}.get)
    engine = find_engines(["mbrola"])["mbrola"]
    assert (engine.version, engine.voices("en")) == ("3.3", ["mb-us1", "mb-de2-en"])
    engine.speak("yes", "mb-us1", speed=2.0, pitch=12.0)
    ((_, args),) = programs.calls()
    assert args[:6] == ["-v", "mb-us1", "-s", "350", "-p", "100"]
    assert args[-1] == "yes"


# Files of voices


def test_piper_speaks_with_files_and_their_speakers(programs, tmp_path):
    programs.add("piper", {}, "--output_file")
    files = [
        piper_voice(tmp_path, "amy", num_speakers=1, inference={"length_scale": 1.2}),
        piper_voice(tmp_path, "many", num_speakers=3),
    ]
    clips = synthesize_keywords(["yes"], 8, voices=8, voice_files=files, random_state=0)
    voices = {f"piper:{name}" for name in ("amy", "many#0", "many#1", "many#2")}
    assert {voice for voice in clips.groups if ":" in voice} == voices
    args = {args[args.index("--model") + 1]: args for _, args in programs.calls()}
    assert set(args) == set(map(str, files))
    assert "--speaker" in args[str(files[1])]
    assert "--speaker" not in args[str(files[0])]
    engine = find_engines(["piper"], files)["piper"]
    engine.speak("yes", "amy", speed=2.0)
    assert programs.calls()[-1][1][2:4] == ["--length_scale", "0.6000"]


def test_flite_speaks_with_files(flite, tmp_path):
    file = tmp_path / "cmu_us_eey.flitevox"
    file.touch()
    options = {"language": "de", "engines": ["flite"], "voice_files": [file], "voices": 1}
    clips = synthesize_keywords(["ja"], 2, **options, random_state=0)
    assert set(clips.groups) == {"flite:cmu_us_eey"}
    assert str(file) in flite.calls()[0][1]


def test_voice_files_that_cannot_speak_are_refused(flite, tmp_path):
    lonely = tmp_path / "lonely.onnx"
    lonely.touch()
    (tmp_path / "twin").mkdir()
    for file in (tmp_path / "a.flitevox", tmp_path / "twin" / "a.flitevox"):
        file.touch()
    for files, error, message in (
        ([lonely], RuntimeError, r"piper, which the voice file '.*' needs, is not installed\. To get it: pip"),
        ([tmp_path / "a.wav"], ValueError, r"must be files of voices, \.flitevox \(flite\) or \.onnx \(piper\), got"),
        ([tmp_path / "b.onnx"], ValueError, r"voice_files must exist, got .*b\.onnx'\. Check the path"),
        (str(lonely), ValueError, r"voice_files must be a list of paths, got .* Pass \["),
        (sorted(tmp_path.rglob("a.flitevox")), ValueError, r"voice_files must differ in their stem"),
    ):
        with pytest.raises(error, match=message):
            synthesize_keywords(["yes"], 1, voice_files=files)
    with pytest.raises(RuntimeError, match=r"flite, which the voice file .* is not among the engines"):
        synthesize_keywords(["yes"], 1, engines=["espeak-ng"], voice_files=[tmp_path / "a.flitevox"])
    flite.add("piper", {}, "--output_file")
    with pytest.raises(ValueError, match=r"without a readable lonely\.onnx\.json .* Get both files"):
        synthesize_keywords(["yes"], 1, voice_files=[lonely])


# The programs themselves, where this machine has them


@pytest.mark.parametrize("name", [name for name in ENGINES if name not in ("espeak-ng", "piper")])
def test_an_installed_program_speaks_as_it_is_told(name):
    engine = ENGINES[name].find()
    voices = engine.voices("en") if engine else []
    if not voices:
        pytest.skip(f"{name} is not installed with an English voice")
    slow, fast = (engine.speak("hello", voices[0], speed=speed) for speed in (0.7, 1.6))
    assert len(slow[0]) > 1.3 * len(fast[0])
    assert np.abs(slow[0]).max() > 300
    np.testing.assert_array_equal(engine.speak("hello", voices[0], speed=0.7)[0], slow[0])
