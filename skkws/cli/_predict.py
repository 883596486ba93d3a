"""Labels of recordings: ``skkws predict``."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from skkws.cli._messages import fail, printable

_PREDICTED_AT_ONCE = 256


def predict(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="File that skkws train saved.")],
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Recordings.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print an object a line: file, label, probability.")] = False,
):
    """Print label, probability and name of each recording, a line each."""
    from copy import copy

    from sklearn.base import clone
    from sklearn.pipeline import Pipeline

    from skkws.audio import AudioLoader
    from skkws.extraction import FileRows
    from skkws.persistence import load_model

    pipeline = load_model(model)
    steps = getattr(pipeline, "steps", [("", pipeline)])
    if not isinstance(steps[0][1], AudioLoader) or not hasattr(pipeline, "predict_proba"):
        raise ValueError(f"{model} does not go from recordings to probabilities; make a model with skkws train.")
    loader = clone(steps[0][1]).set_params(on_error="skip")
    # Begins at samples of the loader's rate, whose rows it leaves as they are, in the container that was trained on.
    classifier = Pipeline([("loader", copy(steps[0][1]).set_params(source_rate=None)), *steps[1:]])
    n_bad = 0
    for batch in FileRows(files, "passthrough", loader, batch_size=_PREDICTED_AT_ONCE).batches():
        for file, label, probability in _predict(classifier, files, batch):
            if as_json:
                print(json.dumps({"file": str(file), "label": label, "probability": probability}))
            else:
                print(f"{printable(label)}\t{probability:.4f}\t{printable(file)}")
        sys.stdout.flush()
        for error in batch.errors:
            fail(str(error))
        n_bad += len(batch.errors)
    if n_bad:
        raise typer.Exit(1)


def _predict(classifier, files, batch):
    """``(file, label, probability)`` of each readable file of a batch."""
    if not len(batch.indices):
        return []
    probabilities = classifier.predict_proba(batch.rows)
    labels = classifier.classes_[probabilities.argmax(axis=1)]
    return [
        (files[i], str(label), float(p))
        for i, label, p in zip(batch.indices, labels, probabilities.max(axis=1), strict=True)
    ]
