import csv
import io
import json

import numpy as np
import pytest
from rich.console import Console
from sklearn.metrics import f1_score

import skkws
from skkws import report
from skkws.compare import MODEL_NAMES, Comparison, FewShotScores, ModelScores
from skkws.report import print_tables, write_report

LABELS = ["go", "no", "yes"]
PICTURES = ["few_shot.png", *(f"confusion_{name.replace('+', '_')}.png" for name in MODEL_NAMES)]


def make_comparison(n_examples=(1, 5, 20), *, models=MODEL_NAMES, scale=1.0):
    """A comparison of 60 clips whose models are right in 50, 45, 40, ... of them; times and sizes times `scale`."""
    target = np.repeat(LABELS, 20)
    scores, few_shot = [], []
    for i, name in enumerate(models):
        predictions = target.copy()
        predictions[: 10 + 5 * i] = "yes"
        accuracy = np.mean(predictions == target).item()
        scores.append(
            ModelScores(
                name=name,
                accuracy=accuracy,
                interval=(accuracy - 0.1, accuracy + 0.1),
                fold_accuracies=[accuracy - 0.05, accuracy + 0.05],
                macro_f1=float(f1_score(target, predictions, average="macro")),
                fit_seconds=1.25 * scale,
                predict_seconds=0.00375 * scale,
                n_bytes=int(1_500_000 * scale),
                predictions=predictions,
            )
        )
        few_shot += [FewShotScores(name, k, 0.5, (0.25, 0.75), [0.4, 0.6]) for k in n_examples]
    return Comparison(LABELS, target, 6, "leaving out one of 6 speakers at a time", scores, few_shot)


@pytest.fixture(scope="module")
def comparison():
    return make_comparison()


def printed(comparison, width=80):
    file = io.StringIO()
    print_tables(comparison, Console(width=width, file=file))
    return file.getvalue()


# Tables


@pytest.mark.parametrize("scale", [0.001, 1, 30, 100, 10_000])
def test_tables_fit_into_80_columns_with_nothing_cut_off(scale):
    text = printed(make_comparison(scale=scale))
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= 80
    for name in MODEL_NAMES:
        assert text.count(f"{name} ") == 2


def test_the_leader_board_shows_the_figures_best_model_first(comparison):
    lines = printed(comparison).splitlines()
    rows = [line.split() for line in lines if line.startswith(MODEL_NAMES)][: len(MODEL_NAMES)]
    assert rows[0] == [
        "embedding+head",
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
    assert [row[1] for row in rows] == ["0.833", "0.750", "0.667", "0.583", "0.500"]
    assert lines[0] == "60 clips, 3 labels, 6 speakers; leaving out one of 6 speakers at a time"


def test_the_order_of_the_models_does_not_change_the_leader_board():
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
    assert "over 2 folds and draws" in below


def test_without_few_examples_there_is_no_second_table():
    text = printed(make_comparison(()))
    assert "few examples" not in text
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
        "accuracy": first.accuracy,
        "low": first.interval[0],
        "high": first.interval[1],
        "macro_f1": first.macro_f1,
        "fit_seconds": 1.25,
        "predict_seconds": 0.00375,
        "n_bytes": 1_500_000,
        "fold_accuracies": first.fold_accuracies,
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
    columns = ["model", "accuracy", "low", "high", "macro_f1", "fit_seconds", "predict_seconds", "n_bytes"]
    assert list(rows[0]) == columns
    assert [row["model"] for row in rows] == list(MODEL_NAMES)
    assert [float(row["accuracy"]) for row in rows] == [scores.accuracy for scores in comparison.models]
    rows = read_csv(tmp_path / "few_shot.csv")
    assert list(rows[0]) == ["model", "n_examples", "accuracy", "low", "high"]
    assert [(row["model"], int(row["n_examples"])) for row in rows] == [
        (name, k) for name in MODEL_NAMES for k in (1, 5, 20)
    ]


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
    assert files[:3] == [tmp_path / "a" / "b" / name for name in ("results.json", "results.csv", "few_shot.csv")]


def test_an_earlier_report_is_replaced(tmp_path):
    for n_examples in ((1,), (5,)):
        write_report(make_comparison(n_examples, models=["mfcc+svm"]), tmp_path, settings={})
    assert [row["n_examples"] for row in read_csv(tmp_path / "few_shot.csv")] == ["5"]


def test_without_matplotlib_there_are_no_pictures_but_the_rest(comparison, tmp_path, monkeypatch):
    monkeypatch.setattr(report, "can_draw", lambda: False)
    files = write_report(comparison, tmp_path, settings={})
    assert [file.name for file in files] == ["results.json", "results.csv", "few_shot.csv"]
    assert json.loads(files[0].read_text(encoding="utf-8"))["n_clips"] == 60


def test_without_few_examples_there_are_no_files_of_them(tmp_path):
    write_report(make_comparison((), models=["mfcc+svm"]), tmp_path, settings={})
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "confusion_mfcc_svm.png",
        "results.csv",
        "results.json",
    ]
