"""A comparison as tables in the terminal, files, pictures and a page."""

import csv
import json
from pathlib import Path

import numpy as np

from skkws._runtime.files import whole_file
from skkws._runtime.optional import is_installed
from skkws.report._tables import print_tables

__all__ = ["can_draw", "print_tables", "write_report"]

_COLUMNS = {
    "results": (
        "model",
        "rank",
        "accuracy",
        "low",
        "high",
        "macro_f1",
        "fit_seconds",
        "predict_seconds",
        "n_bytes",
        "multiply_adds",
    ),
    "few_shot": ("model", "n_examples", "accuracy", "low", "high"),
    "noise": ("model", "snr_db", "accuracy", "low", "high"),
    "differences": ("first", "second", "difference", "low", "high", "p_value"),
    "confusions": ("model", "true", "predicted", "share"),
}


def write_report(comparison, folder, *, settings, waveforms=None, names=None, sample_rate=16000):
    """Write results as JSON and CSV, as one HTML page, and as pictures where matplotlib is installed.

    Parameters
    ----------
    comparison : skkws.compare.Comparison
        What to write.
    folder : str or Path
        Where to; made if need be. The files of an earlier report give way to those of this one.
    settings : dict
        What the comparison was made with; written into the JSON file and the page, beside the versions of the packages.
    waveforms : array-like of shape (n_clips, n_samples) or None, default=None
        The clips, in [-1, 1], so that the page can play those that were misheard: up to four of each kind, as many as
        about 2 MB hold. None makes a page without sound.
    names : sequence of str of length n_clips or None, default=None
        What the page calls each clip, such as its file. None numbers them.
    sample_rate : int, default=16000
        Samples per second of `waveforms`.

    Returns
    -------
    files : list of Path
        The files written. ``results.json`` holds everything; tables are ``results.csv`` (the leader board),
        ``few_shot.csv``, ``noise.csv``, ``differences.csv`` and ``confusions.csv``; ``report.html`` is the page; a
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
    folder, versions = Path(folder), package_versions()
    differences = comparison.differences()
    tables = _tables(comparison, differences)
    files = []
    for name, rows in tables.items():
        if rows or name == "confusions":  # that a model confuses nothing is a result too
            files.append(_write_csv(folder / f"{name}.csv", _COLUMNS[name], rows))
    clips = {"waveforms": waveforms, "names": names, "sample_rate": sample_rate}
    html = page(comparison, differences, settings=settings, versions=versions, **clips)
    files.append(_write_text(folder / "report.html", html))
    files += draw(comparison, differences, folder) if can_draw() else []
    results = folder / "results.json"
    earlier = _files_of(results)
    _write_json(comparison, tables, results, settings, versions, files)
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


def can_draw():
    """Tell whether matplotlib is installed."""
    return is_installed("matplotlib")


def _tables(comparison, differences):
    """Rows of each CSV file, as tuples."""
    ranked, ranks = comparison.ranked, comparison.ranks(differences)
    return {
        "results": [
            (
                s.name,
                ranks[s.name],
                s.accuracy,
                *s.interval,
                s.macro_f1,
                s.fit_seconds,
                s.predict_seconds,
                s.n_bytes,
                s.multiply_adds,
            )
            for s in ranked
        ],
        "few_shot": [(s.name, s.n_examples, s.accuracy, *s.interval) for s in comparison.few_shot],
        "noise": [(s.name, s.snr_db, s.accuracy, *s.interval) for s in comparison.noise],
        "differences": [(d.first, d.second, d.difference, *d.interval, d.p_value) for d in differences],
        "confusions": [
            (s.name, *map(str, pair[:2]), pair[2]) for s in ranked for pair in comparison.confusions(s.name)
        ],
    }


def _write_json(comparison, tables, path, settings, versions, files):
    rows = {name: [dict(zip(_COLUMNS[name], row, strict=True)) for row in table] for name, table in tables.items()}
    models = [row | _more(comparison, row["model"]) for row in rows.pop("results")]
    for row, scores in zip(rows["few_shot"], comparison.few_shot, strict=True):
        row["accuracies"] = scores.accuracies
    content = {
        "settings": settings,
        "versions": versions,
        "n_clips": len(comparison.target),
        "labels": [str(label) for label in comparison.labels],
        "n_speakers": comparison.n_speakers,
        "validation": comparison.validation,
        "models": models,
        "noise_name": comparison.noise_name,
        **rows,
        "files": [file.name for file in files],
    }
    return _write_text(path, json.dumps(content, indent=2, ensure_ascii=False, default=str) + "\n")


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


def _write_csv(path, columns, rows):
    with whole_file(path) as draft, draft.open("w", newline="", encoding="utf-8", errors="replace") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
    return path
