"""What comes out of a comparison."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from skkws._runtime.markup import markup, table
from skkws._runtime.text import plural
from skkws.compare._statistics import Difference, confusion_pairs, paired_differences, ranks, reliability
from skkws.compare._tables import TABLES, Table, leaderboard

if TYPE_CHECKING:
    import pandas as pd


@dataclass
class ModelScores:
    """What one model did over all folds.

    Attributes
    ----------
    name : str
        The model.
    accuracy : float
        Share of clips recognised, each by a model that was trained without its speaker; the mean over repeats.
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
    predictions: np.ndarray = field(repr=False)
    multiply_adds: int | None = None
    probabilities: np.ndarray | None = field(default=None, repr=False)


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
class FailedFit:
    """A fit, or a prediction, that ended in an error.

    Attributes
    ----------
    name : str
        The model.
    n_examples : int
        Training examples per label; 0 for all.
    where : str
        Which fold, and which draw of the examples.
    error : str
        What was wrong.
    """

    name: str
    n_examples: int
    where: str
    error: str


@dataclass(repr=False)
class Comparison:
    """Result of :func:`compare_classifiers`; in a notebook it shows the leaderboard.

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
    failures : list of FailedFit
        Fits that ended in an error. A model that failed in a fold is not in `models`, and numbers of examples that it
        failed at are not in `few_shot`: what is left of it would be no fair mean.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws.compare import Comparison, ModelScores
    >>> target, speakers = np.array(["no", "yes"] * 2), np.array(list("aabb"))
    >>> scores = ModelScores("mfcc+svm", 1.0, (0.4, 1.0), [1.0, 1.0], 1.0, 0.5, 0.001, 20_000, target[None])
    >>> Comparison(["no", "yes"], target, speakers, "2 folds", [scores], [])
    <Comparison of 1 model on 4 clips, 2 labels, 2 speakers; most accurate: mfcc+svm, 1.000>
    """

    labels: list
    target: np.ndarray
    speakers: np.ndarray
    validation: str
    models: list
    few_shot: list
    noise: list = field(default_factory=list)
    noise_name: str = ""
    failures: list = field(default_factory=list)

    def __repr__(self) -> str:
        best = "".join(f"; most accurate: {scores.name}, {scores.accuracy:.3f}" for scores in self.ranked[:1])
        return f"<Comparison of {plural(len(self.models), 'model')} on {', '.join(self._counts())}{best}>"

    def _repr_html_(self) -> str:
        columns, rows = leaderboard(self)
        caption = "; ".join([", ".join(self._counts()), *filter(None, [self.validation])])
        return markup(table(caption, columns, rows))

    def _counts(self):
        counts = {"clip": len(self.target), "label": len(self.labels), "speaker": self.n_speakers}
        return [plural(n, noun) for noun, n in counts.items()]

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

    def table(self, name: str = "results", differences: list[Difference] | None = None) -> Table:
        """Return figures as columns and rows, those of the most accurate model first.

        Parameters
        ----------
        name : {"results", "few_shot", "noise", "differences", "confusions", "failures"}, default="results"
            The leaderboard, accuracy with few examples or in noise, pairs of models or of labels, or fits that failed.
        differences : list of Difference or None, default=None
            What :meth:`differences` returned; None computes it where it is needed.

        Returns
        -------
        table : Table
            Without rows where nothing was measured. `low` and `high` are the ends of the 95 % confidence interval.

        Raises
        ------
        ValueError
            If there is no table of this name.

        Examples
        --------
        >>> import numpy as np
        >>> from skkws.compare import Comparison, NoiseScores
        >>> noise = [NoiseScores("mfcc+svm", 10.0, 0.9, (0.8, 1.0))]
        >>> Comparison(["no", "yes"], np.array([]), np.array([]), "", [], [], noise).table("noise").columns
        ('model', 'snr_db', 'accuracy', 'low', 'high')
        """
        if name not in TABLES:
            raise ValueError(f"name must be one of {sorted(TABLES)}, got {name!r}.")
        return TABLES[name](self, differences)

    def to_frame(self, name: str = "results") -> pd.DataFrame:
        """Return figures as a data frame of pandas, those of the most accurate model first.

        Parameters
        ----------
        name : {"results", "few_shot", "noise", "differences", "confusions", "failures"}, default="results"
            Which ones, see :meth:`table`.

        Returns
        -------
        frame : pandas.DataFrame of shape (n_rows, n_columns)
            The columns are those of the CSV file of this name that :func:`skkws.report.write_report` writes.

        Raises
        ------
        ImportError
            If pandas is not installed.
        ValueError
            If there is no table of this name.

        Examples
        --------
        >>> import numpy as np
        >>> from skkws.compare import Comparison, ModelScores
        >>> target, speakers = np.array(["no", "yes"] * 2), np.array(list("aabb"))
        >>> scores = ModelScores("mfcc+svm", 1.0, (0.4, 1.0), [1.0, 1.0], 1.0, 0.5, 0.001, 20_000, target[None])
        >>> comparison = Comparison(["no", "yes"], target, speakers, "2 folds", [scores], [])
        >>> comparison.to_frame()[["model", "accuracy", "low", "high"]].round(1)
              model  accuracy  low  high
        0  mfcc+svm       1.0  0.4   1.0
        """
        columns, rows = self.table(name)
        try:
            import pandas as pd
        except ImportError as error:
            raise ImportError("to_frame needs pandas, which is not installed; run pip install pandas.") from error
        frame = pd.DataFrame(rows, columns=list(columns))
        # Whole numbers stay whole beside models without a network.
        return frame.astype({"multiply_adds": "Int64"}) if name == "results" else frame

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
