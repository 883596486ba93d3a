"""Trains networks on labelled rows as the parameters of a classifier say."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from skkws._engine.copies import EpochBatches
from skkws._engine.training import Run, train


def _no_callbacks(*arguments):
    return []


@dataclass
class Trainer:
    """Trains one network after the other.

    Parameters
    ----------
    optimizer : str
        Name of an optimizer.
    batch_size : int
        Most rows of a batch.
    patience : int
        Epochs without a lower validation loss before stopping early.
    verbose : int
        As everywhere.
    random_state : RandomState
        Draws the order of the rows, and seeds dropout and the choice among copies.
    history : dict of str to list of float
        Scores of each epoch; those of each training are appended.
    optimizer_state : dict or None
        Where an earlier training stopped, and after each training where that did. None begins anew.
    callbacks : callable
        ``callbacks(run, network, schedule, clips, data)`` returns the callbacks of a training.
    """

    optimizer: str
    batch_size: int
    patience: int
    verbose: int
    random_state: np.random.RandomState
    history: dict
    optimizer_state: dict | None = None
    callbacks: Callable = _no_callbacks

    def train(self, network, weights, clips, data, schedule, kept=None):
        """Train a network that begins with these weights; return the weights that it ends with.

        Parameters
        ----------
        network : skkws._engine.training.Network
            What is trained.
        weights : list of ndarray
            To begin with.
        clips : Clips
            Where the rows are.
        data : LabelledRows
            The rows to train on.
        schedule : Schedule
            How long, and at which rate.
        kept : ndarray of bool or None
            Of these rows those to train on; the others are for validation. None validates nothing.
        """
        learnt = data if kept is None else data[kept]
        seed = self.random_state.randint(2**31 - 1)
        batches = EpochBatches(learnt.clip_of, self.batch_size, self.random_state, seed)
        training = network.training(
            weights,
            clips,
            learnt,
            optimizer=self.optimizer,
            optimizer_state=self.optimizer_state,
            batch_size=batches.largest,
            random_state=np.random.RandomState(seed),
        )
        held_out = None if kept is None else data[~kept]
        validate = None if kept is None else lambda: training.evaluate(held_out)
        run = Run(training, batches, validate, self.history)
        callbacks = self.callbacks(run, network, schedule, clips, data)
        weights = train(run, schedule, callbacks=callbacks, patience=self.patience, verbose=self.verbose)
        self.optimizer_state = training.optimizer_state
        return weights
