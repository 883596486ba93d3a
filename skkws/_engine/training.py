"""The one training loop, and what it asks of a network and of its training.

A *network* is a plan without weights; its *training* moves weights batch by batch; a :class:`Run` is a training with
all that it would need to go on elsewhere; :func:`train` decides how long it goes on, at which rate, and which weights
stay.
"""

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from skkws._engine.callbacks import CallbackList
from skkws._runtime.progress import progress

Weights = list[np.ndarray]


class Training(Protocol):
    """Weights and an optimizer on their way, from one batch to the next."""

    @property
    def weights(self) -> Weights:
        """Copies of the weights, in the order of the Keras model's ``get_weights()``."""

    @property
    def optimizer_state(self) -> dict:
        """What another training needs to go on from here."""

    def train_epoch(self, batches: Iterable, learning_rate) -> dict[str, float]:
        """Make a step for each batch; means over the epoch, ``"loss"`` and what else there is.

        What a batch is, is between the training and whoever draws batches: indices of rows, or rows and targets. The
        learning rate is a number, or one for each weight that is trained.
        """

    def settled(self, weights: Weights, batches: Iterable) -> Weights:
        """Return weights whose running statistics, if there are any, are those of the batches."""


class ResumableTraining(Training, Protocol):
    """A training that a checkpoint can hold."""

    def state(self) -> tuple[dict, dict]:
        """Return the training as arrays, and numbers that JSON can hold."""

    def restore(self, arrays: dict, numbers: dict) -> None:
        """Go on from such a state."""


class Network(Protocol):
    """A classifier's network: a plan without weights. Equal plans share what is compiled."""

    def weight_shapes(self) -> list[tuple[int, ...]]:
        """Shapes of the weights, in the order of the Keras model's ``get_weights()``."""

    def initial_weights(self, random_state: np.random.RandomState) -> Weights:
        """Draw the weights that a training begins with."""

    def probabilities(self, weights: Weights, clips, rows: np.ndarray) -> np.ndarray:
        """Class probabilities (n_rows, n_classes) of these rows of the clips, in inference."""

    def training(
        self,
        weights: Weights,
        clips,
        data,
        *,
        optimizer: str,
        optimizer_state: dict | None,
        batch_size: int,
        random_state,
    ) -> Training:
        """Begin a training on labelled rows of clips.

        `clips` are :class:`skkws._engine.head_network.Clips`, `data` :class:`skkws._engine.copies.LabelledRows`.
        Batches are positions in `data`, `batch_size` of them at most. The training can also ``evaluate(data)`` others.
        """


@dataclass(frozen=True)
class Schedule:
    """How long a training goes on, and at which learning rate.

    Parameters
    ----------
    epochs : int
        Passes over the rows.
    learning_rate : float
        That of the first epoch.
    shape : {"cosine", "constant"}, default="cosine"
        Whether the rate falls to zero over the epochs along half a cosine, or stays.
    ends : bool, default=True
        Whether the training ends here, so that running statistics become those of the rows under the final weights.
        They go on running where another training follows, with other rows.

    Examples
    --------
    >>> from skkws._engine.training import Schedule
    >>> schedule = Schedule(epochs=4, learning_rate=0.1)
    >>> [round(float(schedule.rate(epoch)), 3) for epoch in range(4)]
    [0.1, 0.085, 0.05, 0.015]
    """

    epochs: int
    learning_rate: float
    shape: str = "cosine"
    ends: bool = True

    def rate(self, epoch):
        """Learning rate of an epoch, counted from 0."""
        if self.shape == "constant":
            return self.learning_rate
        return self.learning_rate * (0.5 * (1.0 + np.cos(np.pi * epoch / self.epochs)))


@dataclass
class Run:
    """A training under way.

    Parameters
    ----------
    training : Training
        What is trained.
    batches : callable
        ``batches()`` returns the batches of an epoch, anew for each.
    validate : callable or None
        ``validate()`` returns the same scores on rows that are held out.
    history : dict of str to list of float
        Scores of each epoch; those of this run are appended.
    """

    training: Training
    batches: Callable[[], Iterable]
    validate: Callable[[], dict[str, float]] | None = None
    history: dict[str, list[float]] = field(default_factory=dict)
    epoch: int = 0
    best_loss: float = np.inf
    best_weights: Weights | None = None
    waited: int = 0
    stopped: bool = False

    _NUMBERS = ("history", "epoch", "best_loss", "waited", "stopped")

    def train_epoch(self, learning_rate):
        """Train for an epoch; its scores."""
        scores = self.training.train_epoch(self.batches(), learning_rate)
        if self.validate is not None:
            scores |= {f"val_{name}": value for name, value in self.validate().items()}
        for name, value in scores.items():
            self.history.setdefault(name, []).append(value)
        return scores

    def judge(self, scores, patience):
        """Count the epoch, keep the best weights, and see whether it is time to stop."""
        self.epoch += 1
        if "val_loss" not in scores:
            return
        self.waited += 1
        if scores["val_loss"] < self.best_loss:
            self.best_loss, self.best_weights, self.waited = scores["val_loss"], self.training.weights, 0
        self.stopped = self.waited == patience

    def state(self):
        """Return all of it as arrays, and numbers that JSON can hold; of trainings and batches that can be resumed."""
        arrays, numbers = self.training.state()
        numbers |= {name: getattr(self, name) for name in self._NUMBERS} | {"batches": self.batches.state()}
        return arrays | {f"best_{i}": weight for i, weight in enumerate(self.best_weights or [])}, numbers

    def restore(self, arrays, numbers):
        """Go on from such a state."""
        self.training.restore(arrays, numbers)
        self.batches.restore(numbers["batches"])
        self.history.update(numbers["history"])
        for name in self._NUMBERS[1:]:
            setattr(self, name, numbers[name])
        n_best = sum(name.startswith("best_") for name in arrays)
        self.best_weights = [arrays[f"best_{i}"] for i in range(n_best)] or None


def train(run: Run, schedule: Schedule, *, callbacks=(), patience: int | None = None, verbose: int = 0) -> Weights:
    """Train to the end of the schedule, or until the validation loss has not fallen for some epochs.

    Parameters
    ----------
    run : Run
        What is trained; its history grows by the scores of each epoch.
    schedule : Schedule
        How long, and at which rate.
    callbacks : sequence of Callback, default=()
        What else looks at each epoch.
    patience : int or None, default=None
        Epochs without a lower validation loss before stopping early. None never stops.
    verbose : int, default=0
        0 is silent, 1 draws a progress bar, 2 writes a line per epoch, both to the standard error stream.

    Returns
    -------
    weights : list of ndarray
        Those of the best epoch where there is validation, and of the last one otherwise.

    Raises
    ------
    ValueError
        If the loss does not stay finite.
    """
    callback = CallbackList(callbacks)
    callback.on_train_begin()
    with progress("Training", schedule.epochs, verbose=verbose == 1) as advance:
        advance(steps=run.epoch)
        while run.epoch < schedule.epochs and not run.stopped:
            scores = run.train_epoch(callback.learning_rate(schedule.rate(run.epoch)))
            n_epochs = len(run.history["loss"])
            text = "  ".join(f"{name} {value:.4f}" for name, value in scores.items())
            advance(text)
            if verbose > 1:
                print(f"epoch {n_epochs}: {text}", file=sys.stderr)
            if not np.isfinite(scores["loss"]):
                raise ValueError(
                    f"The loss became {scores['loss']} in epoch {n_epochs}; lower the learning rate, "
                    f"{schedule.learning_rate}, or bring the rows into the range of a few units."
                )
            run.judge(scores, patience)
            callback.on_epoch_end(scores)
    callback.on_train_end()
    weights = run.best_weights or run.training.weights
    return run.training.settled(weights, run.batches()) if schedule.ends else weights
