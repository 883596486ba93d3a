"""The README says what is true: its Python blocks run, and its Quickstart is two commands."""

import re
from pathlib import Path

import pytest
import soundfile

from skkws.synthesis import synthesize_keywords

README = Path(__file__).parents[1] / "README.md"


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", README.read_text(encoding="utf-8"), flags=re.M | re.S)


@pytest.fixture
def recordings(tmp_path):
    speech = synthesize_keywords(["yes", "no"], n_per_word=9, voices=9, random_state=0)
    for i, (clip, word, voice) in enumerate(zip(speech.data, speech.target, speech.groups, strict=True)):
        (tmp_path / "recordings" / word).mkdir(parents=True, exist_ok=True)
        soundfile.write(tmp_path / "recordings" / word / f"{voice}_{i}.wav", clip, 16000)
    return tmp_path / "recordings"


def test_python_blocks_run_one_after_the_other(recordings, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)  # where files are written
    namespace = {}
    for block in blocks("python"):
        exec(block.replace('"recordings"', repr(str(recordings))), namespace)
    assert set(namespace["spotter"].classes_) == {"no", "yes"}
    assert namespace["scores"].mean() > 0.5
    assert "features" in capsys.readouterr().out


def test_quickstart_is_two_commands():
    after = README.read_text(encoding="utf-8").split("## Quickstart", 1)[1]
    first = re.search(r"^```.*?\n(.*?)^```$", after, flags=re.M | re.S).group(1)
    assert first.splitlines() == ['pip install ".[demo]" && skkws demo', 'pip install -e ".[test]" && pytest']
