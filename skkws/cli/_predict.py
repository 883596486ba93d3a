"""Labels of recordings: ``skkws predict``."""

import json
import sys
import warnings
from pathlib import Path
from typing import Annotated

import typer

from skkws.cli._messages import fail

_PREDICTED_AT_ONCE = 256


def predict(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="File that skkws train saved.")],
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Recordings.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print an object a line: file, label, probability.")] = False,
):
    """Print label, probability and name of each recording, a line each."""
    from skkws.audio import AudioLoader
    from skkws.persistence import load_model

    pipeline = load_model(model)
    steps = getattr(pipeline, "steps", [("", pipeline)])
    if not isinstance(steps[0][1], AudioLoader) or not hasattr(pipeline, "predict_proba"):
        raise ValueError(f"{model} does not go from recordings to probabilities; make a model with skkws train.")
    n_bad = 0
    for i in range(0, len(files), _PREDICTED_AT_ONCE):
        results, bad = _predict(pipeline, files[i : i + _PREDICTED_AT_ONCE])
        for file, label, probability in results:
            if as_json:
                print(json.dumps({"file": str(file), "label": label, "probability": probability}, ensure_ascii=False))
            else:
                print(f"{label}\t{probability:.4f}\t{file}")
        sys.stdout.flush()
        for message in bad:
            fail(message)
        n_bad += len(bad)
    if n_bad:
        raise typer.Exit(1)


def _predict(pipeline, files):
    """``(file, label, probability)`` of each readable file, and a message for each other one."""
    rows, readable, bad = [], [], []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        for file in files:
            try:
                rows.append(pipeline[0].transform([file])[0])
                readable.append(file)
            except (ValueError, OSError) as error:
                bad.append(str(error))
    if not rows:
        return [], bad
    probabilities = pipeline[1:].predict_proba(rows)
    labels = pipeline.classes_[probabilities.argmax(axis=1)]
    return [
        (file, str(label), float(p)) for file, label, p in zip(readable, labels, probabilities.max(axis=1), strict=True)
    ], bad
