"""From the outcomes of fits to scores."""

from dataclasses import dataclass

import numpy as np
from scipy import stats
from sklearn.metrics import f1_score

from skkws.compare._cost import multiply_adds
from skkws.compare._result import FewShotScores, ModelScores, NoiseScores
from skkws.embedding import SpeechEmbeddingTransformer, google_weights
from skkws.metrics import accuracy_interval


@dataclass
class Scoring:
    """Labels, the true ones as numbers and the speakers; every method takes pairs of a task and its outcome."""

    labels: np.ndarray
    codes: np.ndarray
    groups: np.ndarray
    n_repeats: int

    def model(self, candidate, outcomes):
        """Scores of a model with all examples."""
        predicted = self._predicted(outcomes, 0)
        with_probabilities = outcomes[0][1].probabilities is not None
        probabilities = np.empty((*predicted.shape, len(self.labels)), np.float32) if with_probabilities else None
        for task, outcome in outcomes if with_probabilities else ():
            probabilities[task.repeat, task.test] = outcome.probabilities
        n_train = np.mean([len(task.train) for task, _ in outcomes])
        per_clip = np.mean([outcome.predict_seconds / len(task.test) for task, outcome in outcomes])
        networks = multiply_adds(candidate.features) + outcomes[-1][1].multiply_adds
        return ModelScores(
            name=candidate.name,
            accuracy=float(np.mean(predicted == self.codes)),
            interval=self._interval(predicted),
            fold_accuracies=self._accuracies(outcomes),
            macro_f1=float(np.mean([f1_score(self.codes, answers, average="macro") for answers in predicted])),
            fit_seconds=float(np.mean([o.fit_seconds for _, o in outcomes]) + candidate.seconds * n_train),
            predict_seconds=float(per_clip + candidate.seconds),
            n_bytes=outcomes[-1][1].n_bytes + _pretrained_bytes(candidate.features),
            multiply_adds=networks or None,
            predictions=self.labels[predicted],
            probabilities=probabilities,
        )

    def few_shot(self, name, k, outcomes, n_draws):
        """Scores of a model with k examples per label."""
        accuracies = self._accuracies(outcomes)
        # Draws of one fold share their test clips, so the folds are what varies independently.
        by_fold = np.reshape(accuracies, (-1, n_draws)).mean(axis=1)
        mean = by_fold.mean()
        reach = stats.t.ppf(0.975, len(by_fold) - 1) * stats.sem(by_fold)
        interval = (max(0.0, float(mean - reach)), min(1.0, float(mean + reach)))
        return FewShotScores(name, k, float(mean), interval, accuracies)

    def noise(self, name, snr_db, condition, outcomes):
        """Scores of a model in noise."""
        predicted = self._predicted(outcomes, condition)
        return NoiseScores(name, float(snr_db), float(np.mean(predicted == self.codes)), self._interval(predicted))

    def _predicted(self, outcomes, condition):
        predicted = np.empty((self.n_repeats, len(self.codes)), dtype=np.int32)
        for task, outcome in outcomes:
            predicted[task.repeat, task.test] = outcome.predicted[condition]
        return predicted

    def _interval(self, predicted):
        return accuracy_interval((predicted == self.codes).ravel(), np.tile(self.groups, self.n_repeats))

    def _accuracies(self, outcomes):
        return [float(np.mean(outcome.predicted[0] == self.codes[task.test])) for task, outcome in outcomes]


def _pretrained_bytes(features):
    """Size of the pretrained weights, which a pickle does not hold."""
    steps = [] if features is None else [step for _, step in features.steps]
    if not any(isinstance(step, SpeechEmbeddingTransformer) for step in steps):
        return 0
    return len(google_weights())
