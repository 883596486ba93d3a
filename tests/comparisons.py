"""Comparisons with figures that are known, for the tests of what shows them."""

import numpy as np
from sklearn.metrics import f1_score

from skkws.compare import MODEL_NAMES, Comparison, FewShotScores, ModelScores, NoiseScores

LABELS = ["go", "no", "yes"]


def make_comparison(
    n_examples=(1, 5, 20),
    *,
    models=MODEL_NAMES,
    labels=LABELS,
    scale=1.0,
    n_repeats=1,
    snr_db=(),
    probabilities=False,
):
    """A comparison of 20 clips per label, of 6 speakers, times and sizes times `scale`.

    The models are wrong in the first 10, 15, 20, ... clips of the first label, then the second one, which they take
    for the last one, with a probability of 0.9 against 0.6 for right answers.
    """
    target = np.repeat(labels, 20)
    scores, few_shot, noise = [], [], []
    for i, name in enumerate(models):
        once = target.copy()
        once[: 10 + 5 * i] = labels[-1]
        accuracy = np.mean(once == target).item()
        shares = None
        if probabilities:
            sure = np.where(once == target, 0.6, 0.9)[:, None]
            shares = np.where(once[:, None] == np.array(labels), sure, (1 - sure) / (len(labels) - 1))
            shares = np.stack([shares] * n_repeats)
        scores.append(
            ModelScores(
                name=name,
                accuracy=accuracy,
                interval=(accuracy - 0.1, accuracy + 0.1),
                fold_accuracies=[accuracy - 0.05, accuracy + 0.05],
                macro_f1=float(f1_score(target, once, average="macro")),
                fit_seconds=1.25 * scale,
                predict_seconds=0.00375 * scale,
                n_bytes=int(1_500_000 * scale),
                predictions=np.stack([once] * n_repeats),
                multiply_adds=None if name.startswith("mfcc") else 2_350_000,
                probabilities=shares,
            )
        )
        few_shot += [FewShotScores(name, k, 0.5, (0.25, 0.75), [0.4, 0.6]) for k in n_examples]
        noise += [NoiseScores(name, snr, accuracy / 2, (accuracy / 2 - 0.1, accuracy / 2 + 0.1)) for snr in snr_db]
    # Every speaker has clips of every label, so that none of them is a mistake alone.
    speakers = np.resize([f"speaker{k}" for k in range(6)], len(target))
    validation = "leaving out one of 6 speakers at a time"
    noise_name = "pink noise" if snr_db else ""
    return Comparison(list(labels), target, speakers, validation, scores, few_shot, noise, noise_name)
