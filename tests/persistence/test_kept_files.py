"""What this version and earlier ones have written is loaded, and answers as it did then."""

from pathlib import Path

import numpy as np
import pytest

from skkws.persistence import describe_model, load_head, load_model

FOLDER = Path(__file__).parent / "files"
FILES = sorted(path.stem for path in FOLDER.glob("*.skops"))


@pytest.mark.parametrize("name", FILES)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.InconsistentVersionWarning")
def test_a_file_from_earlier_answers_as_it_did(name):
    path = FOLDER / f"{name}.skops"
    model = load_head(path) if name == "head" else load_model(path)
    X, expected = (np.load(FOLDER / f"{kind}.npz")[name] for kind in ("rows", "answers"))
    out = model.predict_proba(X) if hasattr(model, "predict_proba") else model.transform(X)
    np.testing.assert_allclose(out, expected, rtol=1e-3, atol=1e-4)
    assert describe_model(path)["versions"]["skkws"]


def test_there_is_a_file_of_each_kind():
    kinds = [
        "augmented",
        "autoencoder",
        "denoiser",
        "head",
        "head_pipeline",
        "mfcc",
        "net",
        "own_weights",
        "prototypes",
    ]
    assert kinds == FILES
    assert max(path.stat().st_size for path in FOLDER.iterdir()) < 100_000
