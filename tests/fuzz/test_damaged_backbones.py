"""Damaged files of an embedding's weights."""

import io

import numpy as np
import pytest
from mutation import BYTES, complaints, in_zip, mutants, names_the_file

from skkws.embedding import google_weights, read_weights


def compute(path):
    """Read weights; what is read has to be what the network can compute with."""
    for name, array in read_weights(path).items():
        assert array.dtype == np.float32, name
        assert array.flags.c_contiguous, name
        assert np.isfinite(array).all(), name


@pytest.fixture(scope="module")
def wholes():
    file = io.BytesIO()
    with np.load(io.BytesIO(google_weights())) as arrays:
        np.savez_compressed(file, **{name: 0 * array for name, array in arrays.items()})
    return [file.getvalue()]


@pytest.mark.inputs(40)
def test_a_damaged_backbone_is_refused_by_its_name_or_can_be_computed_with(child, wholes, n_inputs, tmp_path):
    damages = [*BYTES, *[in_zip(damage) for damage in BYTES] * 2]
    inputs = mutants(wholes, n_inputs, damages=damages)
    assert not complaints(child, compute, inputs, tmp_path, suffix=".npz", accepts=names_the_file)
