"""A comparison as tables in the terminal, files and pictures."""

import csv
import json
from pathlib import Path

from skkws._files import whole_file


def print_tables(comparison, console):
    """Print the leader board and the few-shot table.

    Parameters
    ----------
    comparison : skkws.compare.Comparison
        What to show.
    console : rich.console.Console
        Where to.
    """
    n = len(comparison.target)
    console.print(
        f"{n} clips, {len(comparison.labels)} labels, {comparison.n_speakers} speakers; {comparison.validation}\n",
        highlight=False,
    )
    table = _table("model", "accuracy", "95 % interval", "macro F1", "fit", "per clip", "size")
    ranked = sorted(comparison.models, key=lambda scores: -scores.accuracy)
    for scores in ranked:
        table.add_row(
            scores.name,
            f"{scores.accuracy:.3f}",
            _interval(scores.interval),
            f"{scores.macro_f1:.3f}",
            _figure(scores.fit_seconds, 1, "s"),
            _figure(scores.predict_seconds * 1e3, 2, "ms"),
            _size(scores.n_bytes),
        )
    console.print(table)
    console.print(
        "\nIntervals are clustered by speaker. The time to fit and to predict a clip\n"
        "includes the features, the size includes pretrained weights.\n",
        style="dim",
        highlight=False,
    )
    if not comparison.few_shot:
        return
    counts = sorted({scores.n_examples for scores in comparison.few_shot})
    n_runs = len(comparison.few_shot[0].accuracies)
    cells = {(scores.name, scores.n_examples): scores for scores in comparison.few_shot}
    guesses = ("mfcc+xgboost", 1) in cells
    console.print("Accuracy with few examples per label\n", highlight=False)
    table = _table("model", *(f"{k} example{'s' if k > 1 else ''}" for k in counts))
    for name in (scores.name for scores in ranked):
        row = [cells[name, k] for k in counts]
        table.add_row(name, *(f"{scores.accuracy:.3f} [dim]{_interval(scores.interval)}[/dim]" for scores in row))
    console.print(table)
    console.print(
        f"\nMeans over {n_runs} folds and draws, 95 % intervals by Student's t over the folds."
        + ("\nXGBoost cannot split single rows at its defaults: with 1 example it guesses." if guesses else ""),
        style="dim",
        highlight=False,
    )


def _table(first, *columns):
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, collapse_padding=True)
    table.add_column(first, no_wrap=True)
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def write_report(comparison, folder, *, settings):
    """Write results as JSON and CSV, and pictures where matplotlib is installed.

    Parameters
    ----------
    comparison : skkws.compare.Comparison
        What to write.
    folder : str or Path
        Where to; made if need be. Files of an earlier report are replaced.
    settings : dict
        What the comparison was made with; written into the JSON file beside the versions of the packages.

    Returns
    -------
    files : list of Path
        The files written: ``results.json``, ``results.csv``, ``few_shot.csv``, ``few_shot.png`` and a
        ``confusion_<model>.png`` for each model.
    """
    folder = Path(folder)
    files = [_write_json(comparison, folder / "results.json", settings)]
    files.append(_write_csv(folder / "results.csv", [_model_row(scores) for scores in comparison.models]))
    if comparison.few_shot:
        rows = [_few_shot_row(scores) for scores in comparison.few_shot]
        files.append(_write_csv(folder / "few_shot.csv", rows))
    return files + _draw(comparison, folder)


def can_draw():
    """Tell whether matplotlib is installed."""
    from importlib.util import find_spec

    return find_spec("matplotlib") is not None


def _model_row(scores):
    return {
        "model": scores.name,
        "accuracy": scores.accuracy,
        "low": scores.interval[0],
        "high": scores.interval[1],
        "macro_f1": scores.macro_f1,
        "fit_seconds": scores.fit_seconds,
        "predict_seconds": scores.predict_seconds,
        "n_bytes": scores.n_bytes,
    }


def _few_shot_row(scores):
    return {
        "model": scores.name,
        "n_examples": scores.n_examples,
        "accuracy": scores.accuracy,
        "low": scores.interval[0],
        "high": scores.interval[1],
    }


def _write_json(comparison, path, settings):
    from skkws.persistence import package_versions

    content = {
        "settings": settings,
        "versions": package_versions(),
        "n_clips": len(comparison.target),
        "labels": comparison.labels,
        "n_speakers": comparison.n_speakers,
        "validation": comparison.validation,
        "models": [_model_row(scores) | {"fold_accuracies": scores.fold_accuracies} for scores in comparison.models],
        "few_shot": [_few_shot_row(scores) | {"accuracies": scores.accuracies} for scores in comparison.few_shot],
    }
    with whole_file(path) as draft:
        draft.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def _write_csv(path, rows):
    with whole_file(path) as draft, draft.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


def _draw(comparison, folder):
    if not can_draw():
        return []
    # The object-oriented interface: no window system is asked for and no global state is touched.
    from matplotlib.figure import Figure
    from sklearn.metrics import ConfusionMatrixDisplay, confusion_matrix

    files = []
    side = 2.5 + 0.42 * len(comparison.labels)
    for scores in comparison.models:
        figure = Figure(figsize=(side + 1, side), layout="constrained")
        counts = confusion_matrix(comparison.target, scores.predictions, labels=comparison.labels)
        display = ConfusionMatrixDisplay(counts, display_labels=comparison.labels)
        display.plot(ax=figure.add_subplot(), cmap="Blues", xticks_rotation="vertical", colorbar=False)
        low, high = scores.interval
        display.ax_.set_title(f"{scores.name}: accuracy {scores.accuracy:.3f} ({low:.3f} to {high:.3f})")
        files.append(_save(figure, folder / f"confusion_{scores.name.replace('+', '_')}.png"))
    if comparison.few_shot:
        files.append(_save(_few_shot_figure(comparison, Figure), folder / "few_shot.png"))
    return files


def _few_shot_figure(comparison, new_figure):
    figure = new_figure(figsize=(7, 4.5), layout="constrained")
    ax = figure.add_subplot()
    # Points stand a little apart, so that one model's interval does not hide another's.
    for i, name in enumerate(dict.fromkeys(scores.name for scores in comparison.few_shot)):
        scores = [s for s in comparison.few_shot if s.name == name]
        accuracy = [s.accuracy for s in scores]
        below = [s.accuracy - s.interval[0] for s in scores]
        above = [s.interval[1] - s.accuracy for s in scores]
        x = [s.n_examples * 1.03**i for s in scores]
        ax.errorbar(x, accuracy, yerr=(below, above), marker="o", capsize=3, label=name)
    counts = sorted({s.n_examples for s in comparison.few_shot})
    ax.set(xscale="log", xlabel="examples per label", ylabel="accuracy", ylim=(None, 1.0))
    ax.set_xticks(counts, [str(k) for k in counts])
    ax.minorticks_off()
    ax.axhline(1 / len(comparison.labels), color="grey", linestyle=":", label="chance")
    ax.grid(alpha=0.3)
    ax.legend()
    return figure


def _save(figure, path):
    with whole_file(path) as draft:
        figure.savefig(draft, dpi=120)
    return path


def _interval(interval):
    return f"{interval[0]:.3f}\N{EN DASH}{interval[1]:.3f}"


def _figure(value, decimals, unit):
    """From 100 on without decimals, so that the table fits into 80 columns."""
    return f"{value:.{decimals if value < 100 else 0}f} {unit}"


def _size(n_bytes):
    return _figure(n_bytes / 1e6, 1, "MB") if n_bytes >= 1e6 else f"{n_bytes / 1e3:.0f} kB"
