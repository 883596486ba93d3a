import csv
import io
import json

import numpy as np
import pytest
from comparisons import LABELS, make_comparison
from rich.console import Console

import skkws
from skkws import report
from skkws.compare import MODEL_NAMES, Comparison, FailedFit, ModelScores
from skkws.report import print_tables, write_report

CONFUSIONS = [f"confusion_{name.replace('+', '_')}.png" for name in MODEL_NAMES]
PICTURES = [*CONFUSIONS, "speed.png", "few_shot.png", "differences.png"]
TABLES = ["results.csv", "few_shot.csv", "differences.csv", "confusions.csv"]


@pytest.fixture(scope="module")
def comparison():
    return make_comparison()


def printed(comparison, width=80):
    file = io.StringIO()
    print_tables(comparison, Console(width=width, file=file))
    return file.getvalue()


# Tables


@pytest.mark.parametrize("scale", [0.001, 1, 30, 100, 10_000])
@pytest.mark.parametrize("n_examples", [(1, 5, 20), (1, 2, 5, 10, 20, 50), (1, 2, 5, 10, 20, 50, 100, 200)])
def test_tables_fit_into_80_columns_with_nothing_cut_off(scale, n_examples):
    text = printed(make_comparison(n_examples, scale=scale, snr_db=(20, 10, 5, 0)))
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= 80
    for name in MODEL_NAMES:
        assert text.count(f"{name} ") == 3


def test_more_columns_than_fit_go_on_in_a_second_table():
    text = printed(make_comparison(range(1, 12), models=["mfcc+svm"], scale=1))
    assert max(map(len, text.splitlines())) <= 80
    rows = [line.split() for line in text.splitlines() if line.startswith("mfcc+svm")][1:]
    assert [len(row) - 1 for row in rows] == [8, 3]


def test_a_long_name_goes_on_in_the_next_line_and_the_numbers_stay_whole():
    name = "a pipeline of [bold]mine[/bold] with a name too long for any table"
    text = printed(make_comparison(models=[name]))
    assert max(map(len, text.splitlines())) <= 80
    assert "1.5 MB" in text
    first = text[text.index("model") : text.index("\nRank")]
    letters = "".join(line[: line.find("  ")] if "  " in line else line for line in first.splitlines()[2:])
    assert letters.replace(" ", "") == name.replace(" ", "")


def test_the_leaderboard_shows_the_figures_best_model_first(comparison):
    lines = printed(comparison).splitlines()
    rows = [line.split() for line in lines if line.startswith(MODEL_NAMES)][: len(MODEL_NAMES)]
    assert rows[0] == [
        "embedding+head",
        "1",
        "0.833",
        "0.733\N{EN DASH}0.933",
        "0.822",
        "1.2",
        "s",
        "3.75",
        "ms",
        "1.5",
        "MB",
    ]
    assert [row[2] for row in rows] == ["0.833", "0.750", "0.667", "0.583", "0.500"]
    assert lines[0] == "60 clips, 3 labels, 6 speakers; leaving out one of 6 speakers at a time"


def test_models_that_do_not_differ_share_a_rank():
    tied = make_comparison(models=["a", "b", "c"])
    tied.models[1].predictions = tied.models[0].predictions
    tied.models[1].accuracy = tied.models[0].accuracy
    board = printed(tied).split("Rank:")[0].splitlines()
    assert [line.split()[:2] for line in board if line[:2] in {"a ", "b ", "c "}] == [
        ["a", "1="],
        ["b", "1="],
        ["c", "3"],
    ]


def test_the_order_of_the_models_does_not_change_the_leaderboard():
    worst_first = make_comparison()
    worst_first.models.reverse()
    assert printed(worst_first) == printed(make_comparison())


def test_the_few_shot_table_has_a_column_for_each_number_of_examples(comparison):
    text = printed(comparison)
    below = text[text.index("Accuracy with few examples per label") :]
    assert [below.index(title) for title in ("1 example ", "5 examples ", "20 examples")]
    assert "1 examples" not in below
    row = next(line for line in below.splitlines() if line.startswith("mfcc+svm"))
    assert row.split() == ["mfcc+svm", *["0.500", "0.250\N{EN DASH}0.750"] * 3]
    assert "over 2 folds and draws, 95% intervals" in below


def test_more_than_three_numbers_of_examples_come_without_intervals():
    text = printed(make_comparison((1, 2, 5, 10)))
    below = text[text.index("Accuracy with few examples per label") :]
    assert next(line for line in below.splitlines() if line.startswith("mfcc+svm")).split()[1:] == ["0.500"] * 4
    assert next(line for line in below.splitlines() if line.startswith("model")).split() == [
        "model",
        "1",
        "example",
        "2",
        "5",
        "10",
    ]
    assert "intervals" not in below


def test_the_noise_table_begins_with_the_least_noise():
    text = printed(make_comparison((), models=["mfcc+svm"], snr_db=(0, 20, 10)))
    below = text[text.index("Accuracy in noise: pink noise") :]
    assert next(line for line in below.splitlines() if line.startswith("model")).split() == [
        "model",
        "20",
        "dB",
        "10",
        "dB",
        "0",
        "dB",
    ]
    assert "0.417 0.317\N{EN DASH}0.517" in below


def test_without_few_examples_there_is_no_second_table():
    text = printed(make_comparison(()))
    assert "few examples" not in text
    assert "noise" not in text
    assert text.count("mfcc+svm") == 1


# Files


def test_json_holds_settings_versions_and_all_figures(comparison, tmp_path):
    settings = {"folder": "wörter", "limit": None, "models": MODEL_NAMES}
    write_report(comparison, tmp_path, settings=settings)
    content = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert content["settings"] == {"folder": "wörter", "limit": None, "models": list(MODEL_NAMES)}
    assert content["versions"]["skkws"] == skkws.__version__
    assert content["versions"]["numpy"] == np.__version__
    assert (content["n_clips"], content["n_speakers"], content["labels"]) == (60, 6, LABELS)
    assert content["validation"] == comparison.validation
    assert [row["model"] for row in content["models"]] == list(MODEL_NAMES)
    first = comparison.models[0]
    assert content["models"][0] == {
        "model": "embedding+head",
        "rank": 1,
        "accuracy": first.accuracy,
        "low": first.interval[0],
        "high": first.interval[1],
        "macro_f1": first.macro_f1,
        "fit_seconds": 1.25,
        "predict_seconds": 0.00375,
        "n_bytes": 1_500_000,
        "multiply_adds": 2_350_000,
        "fold_accuracies": first.fold_accuracies,
        "confusion_matrix": [[10, 0, 10], [0, 20, 0], [0, 0, 20]],
        "calibration": None,
    }
    assert len(content["few_shot"]) == 15
    assert content["few_shot"][1] == {
        "model": "embedding+head",
        "n_examples": 5,
        "accuracy": 0.5,
        "low": 0.25,
        "high": 0.75,
        "accuracies": [0.4, 0.6],
    }


def read_csv(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_csv_files_hold_a_row_for_each_model_and_number_of_examples(comparison, tmp_path):
    write_report(comparison, tmp_path, settings={})
    rows = read_csv(tmp_path / "results.csv")
    figures = ["accuracy", "low", "high", "macro_f1", "fit_seconds", "predict_seconds", "n_bytes", "multiply_adds"]
    assert list(rows[0]) == ["model", "rank", *figures]
    assert [row["multiply_adds"] for row in rows] == ["2350000", "2350000", "", "", ""]
    assert [row["model"] for row in rows] == list(MODEL_NAMES)
    assert [float(row["accuracy"]) for row in rows] == [scores.accuracy for scores in comparison.models]
    rows = read_csv(tmp_path / "few_shot.csv")
    assert list(rows[0]) == ["model", "n_examples", "accuracy", "low", "high"]
    assert [(row["model"], int(row["n_examples"])) for row in rows] == [
        (name, k) for name in MODEL_NAMES for k in (1, 5, 20)
    ]


def test_csv_and_json_hold_differences_noise_and_confusions(tmp_path):
    comparison = make_comparison(models=["a", "b"], snr_db=(10,), probabilities=True)
    write_report(comparison, tmp_path, settings={})
    content = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    (pair,) = comparison.differences()
    expected = [pair.first, pair.second, pair.difference, *pair.interval, pair.p_value]
    (row,) = read_csv(tmp_path / "differences.csv")
    assert [row["first"], row["second"], *(float(row[c]) for c in list(row)[2:])] == expected
    assert list(content["differences"][0].values()) == expected
    rows = read_csv(tmp_path / "noise.csv")
    assert [(row["model"], float(row["snr_db"])) for row in rows] == [("a", 10), ("b", 10)]
    assert content["noise_name"] == "pink noise"
    assert [row["accuracy"] for row in content["noise"]] == [float(row["accuracy"]) for row in rows]
    rows = read_csv(tmp_path / "confusions.csv")
    assert rows == [
        {"model": "a", "true": "go", "predicted": "yes", "share": "0.5"},
        {"model": "b", "true": "go", "predicted": "yes", "share": "0.75"},
    ]
    assert [row["share"] for row in content["confusions"]] == [0.5, 0.75]
    calibration = content["models"][0]["calibration"]
    assert calibration["n_clips"] == [50, 10]
    np.testing.assert_allclose(calibration["confidence"], [0.6, 0.9])
    assert calibration["accuracy"] == [1.0, 0.0]


def test_counts_add_up_over_repeats(tmp_path):
    write_report(make_comparison(models=["mfcc+svm"], n_repeats=3), tmp_path, settings={})
    content = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert content["models"][0]["confusion_matrix"] == [[30, 0, 30], [0, 60, 0], [0, 0, 60]]


def test_a_model_that_errs_nowhere_has_a_table_of_no_confusions(tmp_path):
    comparison = make_comparison((), models=["mfcc+svm"])
    comparison.models[0].predictions = comparison.target[None]
    write_report(comparison, tmp_path, settings={})
    assert (tmp_path / "confusions.csv").read_text(encoding="utf-8").splitlines() == ["model,true,predicted,share"]


@pytest.mark.parametrize("name", ["waveforms", "names"])
def test_clips_must_be_those_that_were_compared(comparison, tmp_path, name):
    with pytest.raises(ValueError, match=f"{name} must be one for each of the 60 clips .* got 59; pass"):
        write_report(comparison, tmp_path, settings={}, **{name: np.zeros((59, 100))})
    assert not list(tmp_path.iterdir())


def test_pictures_can_be_opened_and_show_something(comparison, tmp_path):
    image = pytest.importorskip("matplotlib.image")
    files = write_report(comparison, tmp_path, settings={})
    pictures = [file for file in files if file.suffix == ".png"]
    assert sorted(file.name for file in pictures) == sorted(PICTURES)
    for file in pictures:
        pixels = image.imread(file)
        assert min(pixels.shape[:2]) > 300
        assert len(np.unique(pixels.reshape(-1, pixels.shape[-1]), axis=0)) > 10


def test_drawing_needs_no_window_and_leaves_the_user_s_figures_alone(comparison, tmp_path):
    plt = pytest.importorskip("matplotlib.pyplot")
    before = plt.get_fignums(), plt.get_backend()
    write_report(comparison, tmp_path, settings={})
    assert (plt.get_fignums(), plt.get_backend()) == before


def test_the_files_named_are_those_there_are(comparison, tmp_path):
    files = write_report(comparison, tmp_path / "a" / "b", settings={})
    assert sorted(files) == sorted((tmp_path / "a" / "b").iterdir())
    assert [file.name for file in files] == ["results.json", *TABLES, "report.html", *PICTURES]


def test_models_of_any_name_have_a_picture_each(tmp_path):
    pytest.importorskip("matplotlib")
    files = write_report(make_comparison((), models=["a/b", "a b", "../c"]), tmp_path, settings={})
    assert [file.name for file in files if file.name.startswith("confusion_")] == [
        "confusion_a_b.png",
        "confusion_a_b_2.png",
        "confusion_.._c.png",
    ]
    assert sorted(files) == sorted(tmp_path.iterdir())


def test_an_earlier_report_is_replaced(tmp_path):
    for n_examples in ((1,), (5,)):
        write_report(make_comparison(n_examples, models=["mfcc+svm"]), tmp_path, settings={})
    assert [row["n_examples"] for row in read_csv(tmp_path / "few_shot.csv")] == ["5"]


def test_nothing_is_left_of_an_earlier_report_and_nothing_else_is_touched(tmp_path):
    own = [tmp_path / "notes.txt", tmp_path / "confusion_of_mine.png"]
    for path in own:
        path.write_text("mine")
    write_report(make_comparison((1,), models=["mfcc+svm", "mfcc+knn"], snr_db=(0,)), tmp_path, settings={})
    files = write_report(make_comparison((), models=["mfcc+knn"]), tmp_path, settings={})
    assert sorted(tmp_path.iterdir()) == sorted([*files, *own])


@pytest.mark.parametrize("content", ["{}", "[]", '{"files": [1]}', "no JSON", '{"files": ["../kept.txt"]}'])
def test_results_of_another_program_are_replaced_and_name_nothing_to_delete(content, tmp_path):
    kept, folder = tmp_path / "kept.txt", tmp_path / "report"
    folder.mkdir()
    kept.write_text("mine")
    (folder / "results.json").write_text(content)
    files = write_report(make_comparison((), models=["mfcc+svm"]), folder, settings={})
    assert sorted(files) == sorted(folder.iterdir())
    assert kept.exists()


def test_without_matplotlib_there_are_no_pictures_but_the_rest(comparison, tmp_path, monkeypatch):
    monkeypatch.setattr(report, "can_draw", lambda: False)
    files = write_report(comparison, tmp_path, settings={})
    assert [file.name for file in files] == ["results.json", *TABLES, "report.html"]
    assert json.loads(files[0].read_text(encoding="utf-8"))["n_clips"] == 60


def test_without_few_examples_there_are_no_files_of_them(tmp_path):
    write_report(make_comparison((), models=["mfcc+svm"]), tmp_path, settings={})
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "confusion_mfcc_svm.png",
        "confusions.csv",
        "report.html",
        "results.csv",
        "results.json",
        "speed.png",
    ]


# Names that mean something to somebody

STRANGE = ("$$", r"$\frac{a}$", "\udcff", "=1+1", "-go", "\u4e2d")


@pytest.fixture(scope="module")
def strange():
    target, speakers = np.array(STRANGE * 2), np.repeat(["@ann", "\tbob"], len(STRANGE))
    predicted = np.roll(target, 1)[None]
    models = [
        ModelScores(name, 0.5, (0.4, 0.6), [0.5], 0.5, 0.5, 0.001, 20_000, answers)
        for name, answers in (("$x_$", predicted), ("+\udcfe", target[None]), ("_hidden", target[None]))
    ]
    failures = [FailedFit("=cmd()", 1, f"fold {i}", "@error") for i in (1, 2)]
    return Comparison(list(STRANGE), target, speakers, "2 folds", models, [], failures=failures)


def test_labels_that_look_like_formulas_are_drawn_as_they_are(strange, tmp_path, recwarn):
    files = write_report(strange, tmp_path, settings={"folder": "\udcff"})
    assert {"results.json", "results.csv", "confusions.csv", "failures.csv", "report.html"} < {f.name for f in files}
    assert sum(file.suffix == ".png" for file in files) == 5
    assert not recwarn.list
    assert printed(strange)


def test_no_cell_of_a_csv_file_is_a_formula(strange, tmp_path):
    for file in write_report(strange, tmp_path, settings={}):
        if file.suffix == ".csv":
            with file.open(newline="", encoding="utf-8") as lines:
                for cell in (cell for row in csv.reader(lines) for cell in row):
                    assert cell[:1] not in "=+-@\t\r" or cell == "" or float(cell) <= 1, (file.name, cell)
    failed = {"model": "'=cmd()", "n_examples": "1", "fits": "2", "first_in": "fold 1", "error": "'@error"}
    assert read_csv(tmp_path / "failures.csv") == [failed]


def test_figures_are_written_before_anything_is_drawn(strange, tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("no picture")

    monkeypatch.setattr("skkws.report._pictures.draw", fail)
    with pytest.raises(RuntimeError, match="no picture"):
        write_report(strange, tmp_path, settings={})
    content = json.loads((tmp_path / "results.json").read_text())
    assert content["models"][0]["n_bytes"] == 20_000
    assert {"results.csv", "report.html"} <= {path.name for path in tmp_path.iterdir()}


def test_failed_fits_are_on_the_page_in_the_files_and_in_the_terminal(strange, tmp_path):
    write_report(strange, tmp_path, settings={})
    page = (tmp_path / "report.html").read_text()
    assert "Failed fits" in page
    assert "@error" in page
    failed = {"model": "=cmd()", "n_examples": 1, "fits": 2, "first_in": "fold 1", "error": "@error"}
    assert json.loads((tmp_path / "results.json").read_text())["failures"] == [failed]
    assert "Failed: =cmd() with 1 example per label, 2 times, first in fold 1: @error" in printed(strange)


def test_a_number_of_examples_that_a_model_failed_at_is_a_dash(tmp_path):
    comparison = make_comparison((1, 5), models=["mfcc+svm", "mfcc+logreg"])
    comparison.few_shot = [s for s in comparison.few_shot if (s.name, s.n_examples) != ("mfcc+svm", 1)]
    table = printed(comparison)[printed(comparison).index("few examples") :]
    (row,) = [line for line in table.splitlines() if line.startswith("mfcc+svm")]
    assert row.split()[1] == "\N{EN DASH}"
    assert write_report(comparison, tmp_path, settings={})
