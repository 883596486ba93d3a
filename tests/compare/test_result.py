"""A comparison as text, as a table in a notebook and as data frames."""

import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
from comparisons import make_comparison

from skkws.report import write_report


@pytest.fixture(scope="module")
def comparison():
    """A comparison whose most accurate model comes last."""
    made = make_comparison((5, 1), models=["good", "mfcc poor"], snr_db=(10, 0), probabilities=True)
    made.models.reverse()
    return made


class Cells(HTMLParser):
    """Text of the cells of a table, row by row, and all names of tags."""

    def __init__(self, html):
        super().__init__()
        self.rows, self.tags, self.inside = [], set(), False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.inside = tag in {"td", "th"}
        if tag == "tr":
            self.rows.append([])
        elif self.inside:
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        self.inside = self.inside and tag not in {"td", "th"}

    def handle_data(self, data):
        if self.inside:
            self.rows[-1][-1] += data


def test_text_of_a_comparison_is_one_line_with_the_best_model(comparison):
    assert repr(comparison) == (
        "<Comparison of 2 models on 60 clips, 3 labels, 6 speakers; most accurate: good, 0.833>"
    )


def test_text_of_scores_holds_figures_and_no_arrays(comparison):
    text = repr(comparison["good"])
    assert "accuracy=0.8333" in text
    assert "array" not in text
    assert len(text) < 400


def test_a_notebook_shows_the_leaderboard(comparison):
    head, *rows = Cells(comparison._repr_html_()).rows
    assert head == ["model", "rank", "accuracy", "interval", "F1", "fit", "per clip", "size"]
    assert [row[0] for row in rows] == ["good", "mfcc poor"]
    assert rows[0] == ["good", "1", "0.833", "0.733\N{EN DASH}0.933", "0.822", "1.2 s", "3.75 ms", "1.5 MB"]
    assert "60 clips, 3 labels, 6 speakers; leaving out one of 6 speakers at a time" in comparison._repr_html_()


def test_names_in_a_notebook_stay_text():
    name = "</td><script>alert('&')</script>"
    cells = Cells(make_comparison((), models=[name])._repr_html_())
    assert "script" not in cells.tags
    assert cells.rows[1][0] == name


def test_showing_a_comparison_loads_nothing_heavy():
    code = (
        "import sys\nsys.path.insert(0, sys.argv[1])\nfrom comparisons import make_comparison\n"
        "assert len(make_comparison()._repr_html_()) > 100\n"
        "print(*[name for name in ('tensorflow', 'keras', 'matplotlib', 'librosa') if name in sys.modules])"
    )
    folder = str(next(path for path in sys.path if path.endswith("tests")))
    done = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize("name", ["results", "few_shot", "noise", "differences", "confusions"])
def test_a_data_frame_holds_what_the_csv_file_of_its_name_holds(name, comparison, tmp_path, monkeypatch):
    pd = pytest.importorskip("pandas")
    monkeypatch.setattr("skkws.report.can_draw", lambda: False)
    write_report(comparison, tmp_path, settings={})
    written = pd.read_csv(tmp_path / f"{name}.csv")
    frame = comparison.to_frame(name)
    assert len(frame) > 0
    pd.testing.assert_frame_equal(frame, written, check_dtype=False)


def test_models_stand_in_the_order_of_their_accuracy_in_every_frame(comparison):
    pytest.importorskip("pandas")
    assert comparison.to_frame().model.tolist() == ["good", "mfcc poor"]
    assert comparison.to_frame("few_shot").model.tolist() == ["good"] * 2 + ["mfcc poor"] * 2
    assert comparison.to_frame("noise").model.tolist() == ["good"] * 2 + ["mfcc poor"] * 2


def test_numbers_of_a_frame_are_numbers(comparison):
    pd = pytest.importorskip("pandas")
    frame = comparison.to_frame()
    assert frame.multiply_adds[0] == 2_350_000
    assert frame.multiply_adds[1] is pd.NA
    assert frame.accuracy.to_numpy().dtype == np.float64
    assert (frame.low < frame.accuracy).all()


def test_what_was_not_measured_is_a_frame_without_rows():
    pytest.importorskip("pandas")
    frame = make_comparison((), models=["mfcc+svm"]).to_frame("few_shot")
    assert frame.shape == (0, 5)
    assert list(frame) == ["model", "n_examples", "accuracy", "low", "high"]


def test_a_table_there_is_not_is_an_error_that_names_those_there_are(comparison):
    with pytest.raises(ValueError, match=r"name must be one of \['confusions', .*'results'\], got 'accuracy'"):
        comparison.to_frame("accuracy")


def test_without_pandas_the_error_says_how_to_install_it(comparison, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="pip install pandas"):
        comparison.to_frame()
