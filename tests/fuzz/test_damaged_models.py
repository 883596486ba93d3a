"""Damaged files of models and heads."""

import json
from pathlib import Path

import numpy as np
import pytest
from mutation import BYTES, complaints, in_zip, mutants, names_the_file

from skkws.persistence import load_head, load_model

FOLDER = Path(__file__).parents[1] / "persistence" / "files"
# Of what needs no TensorFlow.
NAMES = ("augmented", "head", "head_pipeline", "mfcc")
_VALUES = (None, True, -1, 0, 1, 2**31, 2**63, 1e308, "", "float16", ">f4", [], {}, [0] * 3, "builtins", "eval")


def load_and_ask(path):
    """Load a model or a head; what it says to rows, wrong numbers or an error, is left open, as long as it lives."""
    try:
        model = load_model(path)
    except ValueError as error:
        if "load it with load_head" not in str(error):
            raise
        model = load_head(path)
    n_columns = getattr(model, "n_features_in_", 16000)
    if isinstance(n_columns, int) and 0 < n_columns < 10**6:
        try:
            model.predict(np.zeros((2, n_columns), np.float32))
        except Exception as error:
            if "MemoryError" in str(type(error)):
                raise


def change_node(content, wholes, rng):
    """Put another value somewhere into a schema; what is no JSON stays as it is."""
    try:
        schema = json.loads(content)
    except ValueError:
        return content
    places = list(_places(schema))
    if not places:
        return content
    holder, key = places[rng.integers(len(places))]
    if rng.random() < 0.5:
        holder[key] = _VALUES[rng.integers(len(_VALUES))]
    else:
        other, its_key = places[rng.integers(len(places))]
        holder[key] = json.loads(json.dumps(other[its_key]))  # a value that holds itself would be no JSON
    return json.dumps(schema).encode()


def _places(value):
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in pairs:
        yield value, key
        yield from _places(part)


@pytest.mark.inputs(30)
def test_a_damaged_model_is_refused_by_its_name_or_loaded(child, n_inputs, tmp_path):
    wholes = [(FOLDER / f"{name}.skops").read_bytes() for name in NAMES]
    damages = [*BYTES, *[in_zip(damage) for damage in BYTES], *[in_zip(change_node, ".json")] * 20]
    inputs = mutants(wholes, n_inputs, damages=damages)
    assert not complaints(child, load_and_ask, inputs, tmp_path, suffix=".skops", accepts=names_the_file)
