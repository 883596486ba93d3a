"""A comparison as tables in the terminal, files, pictures and a page."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from skkws._runtime.files import whole_file
from skkws._runtime.optional import is_installed
from skkws.report._tables import print_tables

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from skkws.compare import Comparison

__all__ = ["can_draw", "print_tables", "write_report"]

_TABLES = ("results", "few_shot", "noise", "differences", "confusions", "failures")
# What spreadsheets take for the beginning of a formula.
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def write_report(
    comparison: Comparison,
    folder: str | Path,
    *,
    settings: dict,
    source: str = "",
    waveforms: ArrayLike | None = None,
    names: Sequence[str] | None = None,
    sample_rate: int = 16000,
) -> list[Path]:
    """Write results as JSON and CSV, as one HTML page, and as pictures where matplotlib is installed.

    Parameters
    ----------
    comparison : skkws.compare.Comparison
        What to write.
    folder : str or Path
        Where to; made if need be. The files of an earlier report give way to those of this one.
    settings : dict
        What the comparison was made with; written into the JSON file and the page, beside the versions of the packages.
    source : str, default=""
        Where the clips come from, in words, such as ``"Recordings in /data/words"``; shown at the top of the page, with
        the date and `folder`.
    waveforms : array-like of shape (n_clips, n_samples) or None, default=None
        The clips, in [-1, 1], so that the page can play those that were misclassified: up to four of each kind, as
        many as about 2 MB hold. None makes a page without sound.
    names : sequence of str of length n_clips or None, default=None
        What the page calls each clip, such as its file. None numbers them.
    sample_rate : int, default=16000
        Samples per second of `waveforms`.

    Returns
    -------
    files : list of Path
        The files written. ``results.json`` holds everything; tables are ``results.csv`` (the leaderboard),
        ``few_shot.csv``, ``noise.csv``, ``differences.csv``, ``confusions.csv`` and ``failures.csv``, with a ``'`` in
        front of what a spreadsheet would take for a formula; ``report.html`` is the page; a
        ``confusion_<model>.png`` for each model, ``few_shot.png``, ``noise.png``, ``speed.png`` and
        ``differences.png`` are the pictures. What was not measured has no file, and none is left of an earlier report.

    Raises
    ------
    ValueError
        If `waveforms` or `names` are not as many as the clips.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from skkws.compare import Comparison, ModelScores
    >>> from skkws.report import write_report
    >>> target, speakers = np.array(["no", "yes"] * 2), np.array(list("aabb"))
    >>> scores = ModelScores("mfcc+svm", 1.0, (0.4, 1.0), [1.0, 1.0], 1.0, 0.5, 0.001, 20_000, target[None])
    >>> comparison = Comparison(["no", "yes"], target, speakers, "2 folds", [scores], [])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = write_report(comparison, folder, settings={"seed": 0})
    >>> [file.name for file in files][:4]
    ['results.json', 'results.csv', 'confusions.csv', 'report.html']
    """
    from skkws.persistence import package_versions
    from skkws.report._page import page
    from skkws.report._pictures import draw

    for name, clips in (("waveforms", waveforms), ("names", names)):
        if clips is not None and len(clips) != len(comparison.target):
            raise ValueError(
                f"{name} must be one for each of the {len(comparison.target)} clips of the comparison, got "
                f"{len(clips)}; pass those that were compared, in the same order."
            )
    folder = Path(folder)
    made = {
        "created": datetime.now().astimezone().isoformat(timespec="seconds"),
        "source": source,
        "settings": settings,
        "versions": package_versions(),
    }
    differences = comparison.differences()
    tables = {name: comparison.table(name, differences) for name in _TABLES}
    results = folder / "results.json"
    earlier, files = _files_of(results), []
    # First the figures, which took long to get; then what is made of them.
    for name, table in tables.items():
        if table.rows or name == "confusions":  # that a model confuses nothing is a result too
            files.append(_write_csv(folder / f"{name}.csv", table))
    _write_json(comparison, tables, results, made, files)
    clips = {"waveforms": waveforms, "names": names, "sample_rate": sample_rate}
    html = page(comparison, differences, folder=folder.resolve(), **made, **clips)
    files.append(_write_text(folder / "report.html", html))
    files += draw(comparison, differences, folder) if can_draw() else []
    _write_json(comparison, tables, results, made, files)
    for path in earlier.difference(files):
        path.unlink(missing_ok=True)
    return [results, *files]


def _files_of(results):
    """Files that a report wrote beside its results, by what it says of them."""
    try:
        names = json.loads(results.read_text(encoding="utf-8"))["files"]
        return {results.parent / Path(name).name for name in names}
    except (FileNotFoundError, KeyError, TypeError, ValueError):  # no report, or none of ours
        return set()


def can_draw() -> bool:
    """Tell whether matplotlib is installed."""
    return is_installed("matplotlib")


def _write_json(comparison, tables, path, made, files):
    rows = {name: [dict(zip(table.columns, row, strict=True)) for row in table.rows] for name, table in tables.items()}
    models = [row | _more(comparison, row["model"]) for row in rows.pop("results")]
    accuracies = {(scores.name, scores.n_examples): scores.accuracies for scores in comparison.few_shot}
    for row in rows["few_shot"]:
        row["accuracies"] = accuracies[row["model"], row["n_examples"]]
    for row in rows["confusions"]:
        row |= {"true": str(row["true"]), "predicted": str(row["predicted"])}
    content = {
        **made,
        "n_clips": len(comparison.target),
        "labels": [str(label) for label in comparison.labels],
        "n_speakers": comparison.n_speakers,
        "validation": comparison.validation,
        "models": models,
        "noise_name": comparison.noise_name,
        **rows,
        "files": [file.name for file in files],
    }
    return _write_text(path, json.dumps(content, indent=2, ensure_ascii=False, default=_plain) + "\n")


def _plain(value):
    """Return what JSON has a form for: of a number of NumPy the number, of all else the words."""
    return value.item() if isinstance(value, np.generic) else str(value)


def _more(comparison, name):
    """Return of a model what is no single number."""
    from skkws.report._confusions import confusion_counts

    scores, found = comparison[name], comparison.calibration(name)
    calibration = None
    if found is not None:
        calibration = {key: np.asarray(value).tolist() for key, value in vars(found).items()}
    return {
        "fold_accuracies": scores.fold_accuracies,
        "confusion_matrix": confusion_counts(comparison, scores),
        "calibration": calibration,
    }


def _write_text(path, text):
    # A file name need not be valid text.
    with whole_file(path) as draft:
        draft.write_text(text, encoding="utf-8", errors="replace")
    return path


def _write_csv(path, table):
    with whole_file(path) as draft, draft.open("w", newline="", encoding="utf-8", errors="replace") as file:
        writer = csv.writer(file)
        writer.writerow(table.columns)
        writer.writerows([_harmless(cell) for cell in row] for row in table.rows)
    return path


def _harmless(cell):
    """Keep a spreadsheet from computing what a label says."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULAS) else cell
