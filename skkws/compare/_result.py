"""What comes out of a comparison."""

from dataclasses import dataclass, field

import numpy as np

from skkws.compare._statistics import confusion_pairs, paired_differences, ranks, reliability


@dataclass
class ModelScores:
    """What one model did over all folds.

    Attributes
    ----------
    name : str
        The model.
    accuracy : float
        Share of clips recognised, each by a model that never heard its speaker; the mean over repeats.
    interval : tuple of (float, float)
        95 % confidence interval of the accuracy, clustered by speaker.
    fold_accuracies : list of float
        Accuracy in each fold, of one repeat after the other.
    macro_f1 : float
        Mean F1 score of the labels; the mean over repeats.
    fit_seconds : float
        Mean time of a fit, the features of its training clips included.
    predict_seconds : float
        Mean time to predict one clip, its features included, measured in large batches.
    n_bytes : int
        Size of the fitted pipeline, pretrained weights included.
    multiply_adds : int or None
        Multiplications of the networks for one clip; None where no network is part of the model.
    predictions : ndarray of shape (n_repeats, n_clips)
        Label predicted for each clip.
    probabilities : ndarray of shape (n_repeats, n_clips, n_labels) or None
        Probability of each label; None where the model gives none.
    """

    name: str
    accuracy: float
    interval: tuple
    fold_accuracies: list
    macro_f1: float
    fit_seconds: float
    predict_seconds: float
    n_bytes: int
    predictions: np.ndarray
    multiply_adds: int | None = None
    probabilities: np.ndarray | None = None


@dataclass
class FewShotScores:
    """What one model did with a few examples per label: a point of its learning curve.

    Attributes
    ----------
    name : str
        The model.
    n_examples : int
        Training examples per label.
    accuracy : float
        Mean accuracy over folds and draws.
    interval : tuple of (float, float)
        95 % confidence interval of that mean, by Student's t over the means of the folds.
    accuracies : list of float
        Accuracy of each fold and draw.
    """

    name: str
    n_examples: int
    accuracy: float
    interval: tuple
    accuracies: list


@dataclass
class NoiseScores:
    """What one model, trained on the clips as they are, did in noise.

    Attributes
    ----------
    name : str
        The model.
    snr_db : float
        Signal-to-noise ratio of the test clips, in dB.
    accuracy : float
        Share of clips recognised.
    interval : tuple of (float, float)
        95 % confidence interval, clustered by speaker.
    """

    name: str
    snr_db: float
    accuracy: float
    interval: tuple


@dataclass
class Comparison:
    """Result of :func:`compare_classifiers`.

    Attributes
    ----------
    labels : list of str
        The labels.
    target : ndarray of shape (n_clips,)
        True label of each clip.
    speakers : ndarray of shape (n_clips,)
        Speaker of each clip.
    validation : str
        How the clips were split, in words.
    models : list of ModelScores
        One for each model.
    few_shot : list of FewShotScores
        One for each model and number of examples.
    noise : list of NoiseScores
        One for each model and signal-to-noise ratio.
    noise_name : str
        What noise that was, in words.
    """

    labels: list
    target: np.ndarray
    speakers: np.ndarray
    validation: str
    models: list
    few_shot: list
    noise: list = field(default_factory=list)
    noise_name: str = ""

    @property
    def n_speakers(self):
        """Speakers there are."""
        return len(np.unique(self.speakers))

    @property
    def ranked(self):
        """The models, the most accurate one first."""
        return sorted(self.models, key=lambda scores: -scores.accuracy)

    def differences(self):
        """Compare the models pairwise on the same clips.

        Returns
        -------
        differences : list of Difference
            One for each pair of models, those with the greater accuracy first; see
            :func:`skkws.compare.paired_differences`.
        """
        right = {scores.name: scores.predictions == self.target for scores in self.ranked}
        return paired_differences(right, self.speakers)

    def ranks(self, differences=None):
        """Rank the models: 1 plus the number of models that are significantly better, so that ties are ties.

        Parameters
        ----------
        differences : list of Difference or None, default=None
            What :meth:`differences` returned; None computes it.

        Returns
        -------
        ranks : dict of str to int
            Rank of each model.
        """
        differences = self.differences() if differences is None else differences
        return ranks([scores.name for scores in self.ranked], differences)

    def confusions(self, name):
        """Pairs of labels that a model confuses, the most frequent one first.

        Parameters
        ----------
        name : str
            The model.

        Returns
        -------
        pairs : list of (label, label, float)
            True label, predicted label, and the share of the clips of the true label that got it.
        """
        return confusion_pairs(self.target, self[name].predictions, self.labels)

    def calibration(self, name, n_bins=10):
        """Compare the probabilities of a model with the share that it gets right.

        Parameters
        ----------
        name : str
            The model.
        n_bins : int, default=10
            Bins of equal width.

        Returns
        -------
        reliability : Reliability or None
            None where the model gives no probabilities.
        """
        scores = self[name]
        if scores.probabilities is None:
            return None
        return reliability(scores.probabilities, scores.predictions == self.target, n_bins)

    def __getitem__(self, name):
        """Scores of the model of this name."""
        for scores in self.models:
            if scores.name == name:
                return scores
        raise KeyError(f"no model {name!r}; there are {', '.join(scores.name for scores in self.models)}")
