"""Damaged files that a training or a comparison goes on from."""

import shutil
import warnings

import numpy as np
import pytest
from mutation import BYTES, complaints, in_zip, mutants, names_the_file
from sklearn.dummy import DummyClassifier

from skkws._engine.callbacks import Checkpoint
from skkws._engine.copies import EpochBatches
from skkws._engine.training import Run
from skkws.compare import compare_classifiers

CLIPS = np.random.default_rng(0).uniform(-0.1, 0.1, (8, 2000)).astype(np.float32)
DAMAGES = [*BYTES, *[in_zip(damage) for damage in BYTES] * 3]


def compare(folder):
    labels, speakers = ["no", "yes"] * 4, list("aabbccdd")
    settings = {"folds": 2, "n_examples": (), "snr_db": (), "models": {"dummy": DummyClassifier()}}
    return compare_classifiers(CLIPS, labels, speakers, checkpoint_dir=folder, **settings)


def go_on_comparing(path):
    """Put a file in the place of an outcome; it has to be named, or to be one that can be believed."""
    folder = path.with_suffix("")
    try:
        compare(folder)
        kept = min(folder.iterdir())
        shutil.copy(path, kept)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            accuracy = compare(folder).models[0].accuracy
        assert 0 <= accuracy <= 1
        assert kept.read_bytes() == path.read_bytes() or [w for w in said if kept.name in str(w.message)]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Training:
    """A training of two numbers and a seed."""

    def __init__(self):
        self.flat, self.seed = np.ones(2, np.float32), np.zeros(2, np.uint32)

    @property
    def weights(self):
        return [self.flat]

    def state(self):
        return {"flat": self.flat, "rest_0": self.seed}, {"optimizer": {"step": 1.0}}

    def restore(self, arrays, numbers):
        self.flat[:], self.seed = arrays["flat"], arrays["rest_0"]
        self.step = numbers["optimizer"]["step"]


def checkpoint(folder):
    run = Run(Training(), EpochBatches(np.arange(4), 2, np.random.RandomState(0), 0))
    return Checkpoint(run, folder, "what is trained on what")


def go_on_training(path):
    """Put a file in the place of a checkpoint; what it is made of has to be what a training can go on from."""
    begun = checkpoint(path.parent)
    begun.path = path
    begun.on_train_begin()
    assert np.isfinite(begun._run.training.flat).all()
    begun._run.batches()


@pytest.mark.inputs(30)
def test_a_damaged_outcome_is_named_and_not_believed(child, n_inputs, tmp_path):
    compare(tmp_path / "whole")
    wholes = [path.read_bytes() for path in sorted((tmp_path / "whole").iterdir())]
    inputs = mutants(wholes, n_inputs, damages=DAMAGES)
    assert not complaints(child, go_on_comparing, inputs, tmp_path, suffix=".npz", accepts=lambda *_: False)


@pytest.mark.inputs(60)
def test_a_damaged_checkpoint_is_refused_by_its_name_or_gone_on_from(child, n_inputs, tmp_path):
    whole = checkpoint(tmp_path)
    whole.on_epoch_end({})
    inputs = mutants([whole.path.read_bytes()], n_inputs, damages=DAMAGES)
    assert not complaints(child, go_on_training, inputs, tmp_path, suffix=".npz", accepts=names_the_file)
