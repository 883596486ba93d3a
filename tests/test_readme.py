"""The README says what is true: its Python blocks run, and its Quickstart is two commands."""

import re
import tomllib
from pathlib import Path

import pytest
import soundfile

from skkws.synthesis import synthesize_keywords

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"


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


def anchors(path):
    """What the headings of a page are called in links to them."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), flags=re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_links_lead_somewhere_from_a_package_index_too():
    text = README.read_text(encoding="utf-8")
    urls = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]
    defined = dict(re.findall(r"^\[(.+?)\]: (\S+)$", text, flags=re.M))
    targets = [*re.findall(r"\]\((.*?)\)", text), *defined.values()]
    assert [target for target in targets if not target.startswith("https://")] == []
    assert set(re.findall(r"\]\[(.+?)\]", text)) <= set(defined)
    own = [
        target.removeprefix(f"{urls['Repository']}/blob/main/") for target in targets if urls["Repository"] in target
    ]
    assert own
    for path, _, anchor in (target.partition("#") for target in own):
        assert (ROOT / path).is_file(), path
        assert not anchor or anchor in anchors(ROOT / path), anchor
