"""From published weights to a spotter: the head first, then the embedding too, where that surely helps."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skkws._engine.copies import LabelledRows
from skkws._engine.head_network import Clips
from skkws._engine.training import Schedule
from skkws.classifiers._embedding_head import EmbeddingHead, head, with_head
from skkws.classifiers._improvement import Improvement
from skkws.classifiers._trainer import Trainer


@dataclass(frozen=True)
class Tuned:
    """What comes out: the weights, and whether the embedding was trained."""

    weights: list
    fine_tuned: bool


@dataclass
class FineTuning:
    """Trains embedding and head on log-mel rows.

    The head is trained on vectors that are computed once. Then, if it is wanted, some rows are held out, the embedding
    is unfrozen at a small rate, and what comes out is judged on the rows that were held out.

    Parameters
    ----------
    network : EmbeddingHead
        The whole.
    weights : list of ndarray
        To begin with.
    X : ndarray of shape (n_clips, n_features)
        Log-mel rows.
    data : LabelledRows
        Those of them to train on.
    vectors : ndarray of shape (len(data), n_vectors * n_dims)
        Vectors of these by the weights to begin with.
    trainer : Trainer
        Trains.
    head_schedule, embedding_schedule : Schedule
        How long the head, and how long the whole.
    kept : ndarray of bool or None
        Rows to train on, where the others are held out for early stopping.
    """

    network: EmbeddingHead
    weights: list
    X: np.ndarray
    data: LabelledRows
    vectors: np.ndarray
    trainer: Trainer
    head_schedule: Schedule
    embedding_schedule: Schedule
    kept: np.ndarray | None = None

    def frozen(self):
        """Train the head alone, on all rows."""
        return self._train_head(slice(None), self.kept)

    def tuned(self, frozen, hold_out: Callable):
        """Train the embedding too, and keep that if it helps.

        Parameters
        ----------
        frozen : list of ndarray
            What :meth:`frozen` returned.
        hold_out : callable
            Returns which rows to train on, where none are held out yet; None if there are too few to tell.
        """
        judged_on = hold_out() if self.kept is None else self.kept
        if judged_on is None:
            return Tuned(frozen, False)
        if self.kept is None:
            self.trainer.optimizer_state = None
            untuned = self._train_head(judged_on)
            tuned = self._unfreeze(untuned, judged_on)
        else:
            untuned, tuned = frozen, self._unfreeze(frozen, slice(None), self.kept)
        if not self._is_better(tuned, untuned, judged_on):
            return Tuned(frozen, False)
        # What is decided on some of the rows is then done with all of them.
        return Tuned(self._unfreeze(frozen, slice(None)) if self.kept is None else tuned, True)

    @cached_property
    def _standardized(self):
        return self.network.standardized(self.weights, self.vectors)

    def _train_head(self, some, kept=None):
        """Train the head on vectors of some of the rows."""
        vectors = LabelledRows(np.arange(len(self.vectors)), self.data.labels, self.data.weights, self.data.clip_of)
        trained = self.trainer.train(
            self.network.head, head(self.weights), self._standardized, vectors[some], self.head_schedule, kept
        )
        return with_head(self.weights, trained)

    def _unfreeze(self, frozen, some, kept=None):
        """Train embedding and head on some of the rows, and go half the way: the mean of the weights."""
        self.trainer.optimizer_state = None
        tuned = self.trainer.train(self.network, frozen, Clips(self.X), self.data[some], self.embedding_schedule, kept)
        self.trainer.optimizer_state = None
        return [(before + after) / 2 for before, after in zip(frozen, tuned, strict=True)]

    def _is_better(self, tuned, untuned, kept):
        """Tell whether training the embedding surely helps on the rows that are not kept."""
        held_out = self.data[~kept]
        before, after = (
            self.network.probabilities(weights, Clips(self.X), held_out.rows) for weights in (untuned, tuned)
        )
        improvement = Improvement.measure(before, after, held_out.labels, held_out.weights)
        if self.trainer.verbose:
            what = "is kept" if improvement.is_sure else "is dropped, and the embedding stays as it was"
            print(f"Training the embedding {what}: {improvement}.", file=sys.stderr)
        return improvement.is_sure
