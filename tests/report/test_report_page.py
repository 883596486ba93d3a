"""The page of a report: what is in the file, and what a browser makes of it where there is one."""

import base64
import io
import json
import re
import shutil
import subprocess
from collections import Counter
from datetime import datetime
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pytest
import soundfile as sf
from comparisons import make_comparison

from skkws.displays import few_shot_chart, noise_chart, speed_chart
from skkws.report import _confusions, write_report

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
in_browser = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")
# Text that would be markup, were it not escaped.
EVIL = ["</script><b>bold</b>", "a&b", "\"'<!--$title"]
VOID = {"meta", "br", "link", "img", "input", "hr"}


class Page(HTMLParser):
    """A page as lists of its elements."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.open, self.text = [], [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), [name for name, _ in self.open]))
        self.text.append("")
        if tag not in VOID:
            self.open.append((tag, len(self.elements) - 1))

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> ends nothing"
        assert self.open[-1][0] == tag, f"</{tag}> inside {self.open}"
        self.open.pop()

    def handle_data(self, data):
        for _, index in self.open:
            self.text[index] += data

    def all(self, tag):
        """Attributes and text of every element of this name."""
        found = zip(self.elements, self.text, strict=True)
        return [(attributes, text) for (name, attributes, _), text in found if name == tag]

    @property
    def data(self):
        (text,) = [text for attributes, text in self.all("script") if attributes.get("id") == "data"]
        return json.loads(text)


def write_page(folder, comparison=None, *, settings=None, **clips):
    comparison = make_comparison(snr_db=(20, 0), probabilities=True) if comparison is None else comparison
    files = write_report(comparison, folder, settings=settings or {"folder": "words", "limit": None}, **clips)
    (html,) = [file.read_text(encoding="utf-8") for file in files if file.name == "report.html"]
    return html


def tones(n_clips, sample_rate=16000, seconds=0.2):
    """Clips of one tone each, which begins in the middle."""
    t = np.arange(round(seconds * sample_rate)) / sample_rate
    pitch = 300 + 20 * np.arange(n_clips)[:, None]
    return (0.5 * np.sin(2 * np.pi * pitch * t) * (t > seconds / 2)).astype(np.float32)


@pytest.fixture(autouse=True, scope="module")
def without_pictures():
    """Pictures take most of the time of a report, and are tested elsewhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("skkws.report.can_draw", lambda: False)
        yield


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    names = [f"words/{i:02d}.wav" for i in range(60)]
    return write_page(tmp_path_factory.mktemp("page"), waveforms=tones(60), names=names)


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


# The file


def test_the_page_refers_to_nothing_outside_itself(html, page):
    assert "://" not in html
    assert "url(" not in html
    assert "@import" not in html
    for tag, attributes, _ in page.elements:
        assert tag not in {"link", "img", "iframe", "object", "embed", "base"}
        assert "src" not in attributes
        assert attributes.get("href", "#").startswith("#")
    policy = next(a["content"] for a, _ in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")


def test_every_link_leads_somewhere_and_every_id_is_there_once(page):
    ids = Counter(attributes["id"] for _, attributes, _ in page.elements if "id" in attributes)
    assert set(ids.values()) == {1}
    for attributes, _ in page.all("a"):
        assert attributes["href"][1:] in ids
    for _, attributes, _ in page.elements:
        for name in attributes.get("aria-labelledby", "").split():
            assert name in ids


def test_headings_are_in_order_and_landmarks_are_there(page):
    levels = [int(tag[1]) for tag, _, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(below <= above + 1 for above, below in pairwise(levels))
    assert [len(page.all(tag)) for tag in ("header", "nav", "main", "footer")] == [1, 1, 1, 1]
    assert page.all("html")[0][0]["lang"] == "en"
    assert [text for _, text in page.all("h2")] == [
        "Leaderboard",
        "Learning curves",
        "Accuracy in noise",
        "Speed against accuracy",
        "Confusions",
        "Calibration",
        "Pairwise differences",
        "Settings and versions",
    ]


def test_every_table_has_a_caption_and_every_title_in_it_a_scope(page):
    assert len(page.all("caption")) == len(page.all("table")) >= 8
    assert all(text for _, text in page.all("caption"))
    assert all(attributes.get("scope") in {"col", "row"} for attributes, _ in page.all("th"))


def test_every_chart_is_described_or_hidden_from_screen_readers(page):
    inside = Counter()
    for tag, _, ancestors in page.elements:
        if tag == "desc":
            assert ancestors[-1] == "svg"
            inside["described"] += 1
    charts = [attributes for attributes, _ in page.all("svg") if attributes.get("role") == "img"]
    assert len(charts) == inside["described"] == 3 + 5
    assert all(a.get("role") == "img" or a.get("aria-hidden") == "true" for a, _ in page.all("svg"))


def test_charts_draw_the_points_that_the_displays_draw(tmp_path):
    comparison = make_comparison(models=["a", "b"], snr_db=(20, -5))
    comparison.models.reverse()
    page = Page(write_page(tmp_path, comparison))
    drawn = [text for _, text in page.all("title") if re.match("[ab], ", text)]
    expected = [
        f"{series.name}, {where}: {y:.3f} ({low:.3f}\N{EN DASH}{high:.3f})"
        for chart in (few_shot_chart(comparison), noise_chart(comparison), speed_chart(comparison))
        for series in chart.series
        for where, y, (low, high) in zip(series.x_names, series.y, series.interval, strict=True)
    ]
    assert drawn == expected
    assert len(drawn) == 2 * (4 + 3 + 1)
    assert drawn[0].startswith("a, 1 example: 0.500 ")


def test_what_was_not_measured_has_no_section(tmp_path):
    page = Page(write_page(tmp_path, make_comparison((), models=["mfcc+svm"])))
    titles = ["Leaderboard", "Speed against accuracy", "Confusions", "Settings and versions"]
    assert [text for _, text in page.all("h2")] == titles
    assert page.all("h1")[0][1] == "1 model on 3 keywords"


def test_the_leaderboard_shows_the_figures(page):
    rows = [text for attributes, text in page.all("tr")]
    row = next(text for text in rows if "embedding+head" in text)
    for figure in ("0.833", "0.733\N{EN DASH}0.933", "0.822", "1.2 s", "3.75 ms", "1.5 MB", "2.35 M"):
        assert figure in row
    assert next(text for text in rows if "mfcc+svm" in text).endswith("1.5 MB\N{EN DASH}")


def test_ties_are_called_ties(tmp_path):
    tied = make_comparison(models=["a", "b", "c"])
    tied.models[1].predictions, tied.models[1].accuracy = tied.models[0].predictions, tied.models[0].accuracy
    html = write_page(tmp_path, tied)
    page = Page(html)
    cells = [text for a, text in page.all("td") if a.get("class") == "number"]
    assert [text for text in cells if re.fullmatch(r"\d=?", text)] == ["1=", "1=", "3"]
    assert "tied with b" in html
    assert [text for _, text in page.all("td")].count("no (tie)") == 1


def test_the_top_of_a_page_says_what_the_clips_are_and_when_and_where_it_was_made(tmp_path):
    earliest = datetime.now().astimezone().replace(microsecond=0)
    html = write_page(tmp_path, make_comparison((), models=["mfcc+svm"]), source="Recordings in <words>")
    latest = datetime.now().astimezone()
    page = Page(html)
    ((attributes, shown),) = page.all("time")
    assert earliest <= datetime.fromisoformat(attributes["datetime"]) <= latest
    assert attributes["datetime"].startswith(shown.replace(" at ", "T"))
    ((_, header),) = page.all("header")
    assert "Recordings in <words>" in header
    assert f"Made on {shown} in {tmp_path.resolve()}" in header
    content = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert (content["created"], content["source"]) == (attributes["datetime"], "Recordings in <words>")


def test_settings_and_versions_are_shown(page):
    rows = [text for _, text in page.all("tr")]
    assert "folderwords" in rows
    assert any(text.startswith("numpy") for text in rows)


def test_nothing_a_user_names_becomes_markup(tmp_path):
    evil = make_comparison(models=EVIL, labels=EVIL, snr_db=(10,), probabilities=True)
    evil.validation, evil.noise_name = EVIL[:2]
    evil.speakers = np.resize(EVIL, 60)
    names = [EVIL[0]] * 59 + ["\udce4.wav"]  # a file name need not be valid text
    html = write_page(tmp_path, evil, settings={EVIL[0]: EVIL, "plain": EVIL[2]}, names=names, waveforms=tones(60))
    page = Page(html)
    assert not page.open
    assert not page.all("b")
    assert len(page.all("script")) == 2
    assert page.data["labels"] == EVIL
    assert {clip["speaker"] for clip in page.data["clips"].values()} <= set(EVIL)
    assert {text for _, text in page.all("option")} == set(EVIL)
    assert any(text == EVIL[0] + ", ".join(EVIL) for _, text in page.all("tr"))


def colours(html):
    found = re.findall(r"--([\w-]+): light-dark\(#(\w{6}), #(\w{6})\)", html)
    return {name: pair for name, *pair in found}


def contrast(first, second):
    """Contrast ratio of WCAG 2.2."""

    def luminance(colour):
        levels = [int(colour[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in levels]
        return np.dot([0.2126, 0.7152, 0.0722], linear)

    darker, lighter = sorted((luminance(first), luminance(second)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_and_curves_stand_out_in_both_themes(html, theme):
    found = {name: pair[theme] for name, pair in colours(html).items()}
    for ground in ("page", "surface"):
        for ink in ("text", "quiet", "accent"):
            assert contrast(found[ink], found[ground]) >= 4.5, (ink, ground)
    for i in range(8):
        assert contrast(found[f"series-{i}"], found["surface"]) >= 3, i
    # Of a cell, half accent at the most.
    halves = [(int(found["accent"][i : i + 2], 16) + int(found["surface"][i : i + 2], 16)) // 2 for i in (0, 2, 4)]
    assert contrast(found["text"], "".join(f"{half:02x}" for half in halves)) >= 4.5


# Misclassified clips


def test_each_cell_names_the_clips_in_it(page):
    model = page.data["models"][0]
    assert model["name"] == "embedding+head"
    assert model["counts"] == [[10, 0, 10], [0, 20, 0], [0, 0, 20]]
    ((true, predicted, n_clips, clips),) = model["cells"]
    assert (true, predicted, n_clips) == (0, 2, 10)
    assert sorted(clips) == [[clip, 0.9] for clip in range(10)]
    assert page.data["clips"]["3"]["name"] == "words/03.wav"
    assert page.data["clips"]["3"]["speaker"] == "speaker3"


def test_the_surest_mistakes_come_first_and_long_cells_are_cut():
    comparison = make_comparison(models=["a"], probabilities=True, n_repeats=2)
    sure = comparison.models[0].probabilities
    sure[:, :10, 2] = np.linspace(0.5, 0.9, 10)
    sure[1, 0, 2] = 1.9  # mean of both repeats: 1.2
    (cells,) = _confusions.misclassified_clips(comparison)
    assert [clip for clip, _ in cells[0, 2]] == [0, 9, 8, 7, 6, 5, 4, 3, 2, 1]
    assert cells[0, 2][0][1] == pytest.approx(1.2)
    assert _confusions.choose_playable([cells]) == [0, 9, 8, 7]


def test_the_first_mistake_of_every_cell_comes_before_the_second_of_any():
    one = {(0, 1): [(5, None), (6, None)], (1, 0): [(7, None), (5, None), (8, None)]}
    other = {(0, 1): [(6, None)], (2, 0): [(9, None)]}
    assert _confusions.choose_playable([one, other]) == [7, 5, 6, 9, 8]


def sound_of(clip):
    return sf.read(io.BytesIO(base64.b64decode(clip["audio"].partition(",")[2])))


def test_misclassified_clips_can_be_played(page):
    clips = page.data["clips"]
    playable = [int(clip) for clip in clips if "audio" in clips[clip]]
    assert playable
    waveforms = tones(60)
    for clip in playable:
        y, sample_rate = sound_of(clips[str(clip)])
        assert sample_rate == 16000
        assert y.ndim == 1
        # MP3 puts a little silence before the sound.
        match = np.correlate(y, waveforms[clip], mode="full").max()
        assert match / np.linalg.norm(y) / np.linalg.norm(waveforms[clip]) > 0.95


def test_at_a_rate_that_mp3_lacks_the_sound_is_lossless(tmp_path):
    waveforms = tones(60, sample_rate=11000)
    clips = Page(write_page(tmp_path, waveforms=waveforms, sample_rate=11000)).data["clips"]
    y, sample_rate = sound_of(clips["0"])
    assert sample_rate == 11000
    np.testing.assert_allclose(y, waveforms[0], atol=2**-15)


def test_the_spectrogram_is_silent_where_the_clip_is(page):
    clip = page.data["clips"]["0"]
    levels = np.frombuffer(base64.b64decode(clip["spectrogram"]), dtype=np.uint8).reshape(-1, clip["bands"])
    assert clip["seconds"] == 0.2
    assert len(levels) == 18  # windows of 25 ms every 10 ms
    assert levels[:7].max() == 0
    assert levels[10:].max() == 255


def test_a_page_stays_small_and_says_what_was_left_out(html, tmp_path, monkeypatch):
    assert "of the 30 clips that any model misclassified can be played" in html
    monkeypatch.setattr(_confusions, "_MOST_BYTES", 10_000)
    small = write_page(tmp_path, waveforms=tones(60))
    clips = Page(small).data["clips"].values()
    playable = [clip for clip in clips if "audio" in clip]
    assert 0 < sum(len(clip["audio"]) + len(clip["spectrogram"]) for clip in playable) <= 10_000
    assert (
        f"{len(playable)} of the 30 clips that any model misclassified can be played; the others were left out" in small
    )


def test_without_recordings_clips_are_named_and_cannot_be_played(tmp_path):
    html = write_page(tmp_path)
    page = Page(html)
    assert page.data["recordings"] is False
    assert page.data["clips"]["3"] == {"name": "clip 3", "speaker": "speaker3"}
    assert "misclassified can be played" not in html


# In the browser


def run_chromium(folder, width, *arguments):
    """Run Chromium with a profile in this folder, and return what it printed."""
    options = "headless=new no-sandbox disable-gpu disable-quic no-first-run disable-background-networking"
    more = f"disable-component-update disable-sync hide-scrollbars user-data-dir={folder / 'profile'}"
    command = [CHROMIUM, *(f"--{o}" for o in f"{options} {more} window-size={width},900".split())]
    command += ["--enable-logging=stderr", "--virtual-time-budget=2000", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert "Uncaught" not in done.stderr
    assert "Refused" not in done.stderr
    return done.stdout


@pytest.fixture
def browse(tmp_path):
    """Open a page in Chromium, run a script in it, and return what has become of it and the browser's messages."""

    def open_page(html, address="", script="", width=1280):
        file = tmp_path / "browsed.html"
        file.write_text(html.replace("</body>", f"<script>{script}</script></body>"), encoding="utf-8")
        return Page(run_chromium(tmp_path, width, "--dump-dom", f"{file.as_uri()}#{address}"))

    return open_page


@in_browser
def test_the_address_chooses_model_cell_and_theme(html, browse):
    page = browse(html, "model=mfcc%2Bsvm&true=no&predicted=yes&theme=dark")
    assert page.all("html")[0][0]["data-theme"] == "dark"
    assert "Light theme" in [text for _, text in page.all("button")]
    pressed = [(a["aria-label"], text) for a, text in page.all("button") if a.get("aria-pressed") == "true"]
    assert pressed == [("5 of no predicted as yes, 25.0%", "5")]
    items = [text for _, text in page.all("li") if "speaker" in text]
    assert len(items) == 5
    assert all("probability 0.90" in text for text in items)
    # Each clip that can be played has its button and its spectrogram.
    n_playable = sum("audio" in page.data["clips"][str(clip)] for clip in range(20, 25))
    assert n_playable == 4
    buttons = [a["aria-label"] for a, _ in page.all("button") if a.get("aria-label", "").startswith("Play")]
    assert len(buttons) == len(page.all("canvas")) == n_playable
    assert "mfcc+svm: true labels (rows) and predicted ones (columns)" in [text for _, text in page.all("caption")]


@in_browser
def test_names_stay_text_in_the_browser(browse, tmp_path):
    evil = make_comparison(models=EVIL, labels=EVIL)
    html = write_page(tmp_path, evil, names=[EVIL[0]] * 60)
    choose = "document.querySelector('.matrix button').click()"
    page = browse(html, script=choose)
    assert not page.all("b")
    assert f"“{EVIL[0]}” predicted as “{EVIL[2]}”" in [text for _, text in page.all("h3")]
    assert len([text for _, text in page.all("li") if text.startswith(f"{EVIL[0]} speaker")]) == 10


@in_browser
def test_a_click_on_a_title_sorts_and_arrows_move_between_cells(html, browse):
    script = """
        const titles = document.querySelectorAll(".sortable button");
        titles[2].click();
        document.body.dataset.rising = document.querySelector(".sortable tbody").textContent;
        titles[2].click();
        document.body.dataset.falling = document.querySelector(".sortable tbody").textContent;
        modelChoice.value = 4;
        modelChoice.dispatchEvent(new Event("change"));
        const press = (key) => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
        matrixBox.querySelector("button").focus();
        press("ArrowDown");
        document.body.dataset.reached = document.activeElement.getAttribute("aria-label");
        press("ArrowUp");
        document.body.dataset.back = document.activeElement.getAttribute("aria-label");
    """
    page = browse(html, script=script)
    body = page.all("body")[0][0]
    order = ["mfcc+logreg", "mfcc+svm", "mfcc+xgboost", "embedding+logreg", "embedding+head"]
    for clicked, names in (("data-rising", order), ("data-falling", order[::-1])):
        places = [body[clicked].index(name) for name in names]
        assert places == sorted(places)
    assert [a["aria-sort"] for a, _ in page.all("th") if "aria-sort" in a] == ["descending"]
    assert body["data-reached"] == "10 of no predicted as yes, 50.0%"
    assert body["data-back"] == "20 of go predicted as yes, 100.0%"


@in_browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_table_that_is_too_wide_is_shaded_where_there_is_more(html, tmp_path, theme):
    image = pytest.importorskip("matplotlib.image")
    picture = tmp_path / "table.png"
    edges = {}
    for end in (0, 9999):
        script = f"""
            const box = document.querySelector(".scroll");
            document.body.replaceChildren(box);
            document.body.style = "padding: 0; background: var(--surface)";
            box.scrollLeft = {end};
        """
        file = tmp_path / "table.html"
        file.write_text(html.replace("</body>", f"<script>{script}</script></body>"), encoding="utf-8")
        run_chromium(tmp_path, 500, f"--screenshot={picture}", f"{file.as_uri()}#theme={theme}")
        row = image.imread(picture)[30, :, :3].mean(axis=1)
        edges[end] = abs(row[[1, -2]] - row[-40 if end else 40])
    assert edges[0][1] > 0.05
    assert edges[0][0] < 0.01
    assert edges[9999][0] > 0.05
    assert edges[9999][1] < 0.01


@in_browser
def test_a_phone_need_not_scroll_sideways(html, browse):
    # A window has no fewer than some 500 pixels; a frame has.
    told = "parent.postMessage([innerWidth, document.documentElement.scrollWidth], '*')"
    inner = html.replace("</body>", f"<script>setTimeout(() => {told}, 500)</script></body>")
    choose = "model=mfcc%2Bsvm&true=no&predicted=yes"
    source = "data:text/html;base64," + base64.b64encode(inner.encode()).decode()
    outer = f"""<!doctype html><html><body><script>
        onmessage = (event) => {{ document.body.dataset.widths = event.data; }};
        const frame = document.createElement("iframe");
        frame.style = "width: 360px; height: 4000px; border: 0";
        frame.src = "{source}#{choose}";
        document.body.append(frame);
    </script></body></html>"""
    width, needed = map(int, browse(outer).all("body")[0][0]["data-widths"].split(","))
    assert width <= 360
    assert needed <= width
