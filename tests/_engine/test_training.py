"""The training loop, on a training that has no network."""

import numpy as np
import pytest

from skkws._engine.callbacks import Callback
from skkws._engine.training import Run, Schedule, train


class Descent:
    """A training whose losses are given, and whose weight counts the epochs."""

    optimizer_state = {}

    def __init__(self, losses):
        self.losses, self.rates, self.weights = iter(losses), [], [0]

    def train_epoch(self, batches, learning_rate):
        self.rates.append(float(learning_rate))
        self.weights = [self.weights[0] + len(batches)]
        return {"loss": next(self.losses)}

    def settled(self, weights, batches):
        return weights


def test_the_rate_follows_the_schedule_and_the_history_grows():
    descent = Descent([3.0, 2.0, 1.0])
    run = Run(descent, lambda: [0], history={"loss": [9.0]})
    assert train(run, Schedule(3, 0.2, "constant")) == [3]
    assert descent.rates == [0.2] * 3
    assert run.history == {"loss": [9.0, 3.0, 2.0, 1.0]}
    falling = Descent([1.0] * 3)
    train(Run(falling, lambda: [0]), Schedule(3, 0.2))
    np.testing.assert_allclose(falling.rates, [0.2, 0.15, 0.05])


def test_it_stops_early_with_the_weights_of_the_best_epoch():
    validation = iter([5.0, 3.0, 4.0, 4.0, 1.0])
    run = Run(Descent([1.0] * 5), lambda: [0], lambda: {"loss": next(validation)})
    assert train(run, Schedule(5, 0.1), patience=2) == [2]
    assert run.history["val_loss"] == [5.0, 3.0, 4.0, 4.0]


def test_a_loss_that_is_not_finite_is_an_error_that_names_the_epoch():
    with pytest.raises(ValueError, match=r"The loss became nan in epoch 2; lower the learning rate, 0.1, or bring"):
        train(Run(Descent([1.0, np.nan, 1.0]), lambda: [0]), Schedule(3, 0.1))


def test_callbacks_see_the_training_and_an_error_ends_it_without_them():
    class Notes(Callback):
        def __init__(self):
            self.seen = []

        def on_train_begin(self):
            self.seen.append("begin")

        def learning_rate(self, rate):
            return rate / 2

        def on_epoch_end(self, scores):
            self.seen.append(scores["loss"])

        def on_train_end(self):
            self.seen.append("end")

    notes, descent = Notes(), Descent([2.0, 1.0])
    train(Run(descent, lambda: [0]), Schedule(2, 0.2, "constant"), callbacks=[notes, Callback()])
    assert notes.seen == ["begin", 2.0, 1.0, "end"]
    assert descent.rates == [0.1, 0.1]
    broken = Notes()
    with pytest.raises(StopIteration):
        train(Run(Descent([2.0]), lambda: [0]), Schedule(2, 0.2), callbacks=[broken])
    assert broken.seen == ["begin", 2.0]
