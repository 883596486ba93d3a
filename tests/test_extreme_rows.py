"""Numbers that no recording and no feature has are refused by every estimator, before they become NaN on the way."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

import skkws
from skkws.augment import Gain

SMALL = {"channels": (4,), "epochs": 1}
# Estimators and the columns of their rows.
ESTIMATORS = [
    (skkws.AudioAugmenter([Gain()], n_copies=1), 8000),
    (skkws.AugmentedClassifier(LogisticRegression(), skkws.AudioAugmenter([Gain()], n_copies=1)), 8000),
    (skkws.BandScaler(n_bands=32), 320),
    (skkws.FrameStacker(n_bands=32), 320),
    (skkws.KeywordHeadClassifier(epochs=1), 288),
    (skkws.KeywordNetClassifier("mlp", epochs=1, input_shape=(10, 32)), 320),
    (skkws.LogMelTransformer(), 8000),
    (skkws.LogSpectrogramTransformer(), 8000),
    (skkws.LoudnessNormalizer(), 8000),
    (skkws.MFCCTransformer(), 8000),
    (skkws.PeakNormalizer(), 8000),
    (skkws.PrototypeClassifier(), 288),
    (skkws.Resample(), 8000),
    (skkws.RescoringClassifier(LogisticRegression(), LogisticRegression(C=0.1)), 288),
    (skkws.SpectrogramAutoencoder(**SMALL, input_shape=(10, 32)), 320),
    (skkws.SpeechEmbeddingTransformer(), 8000),
    (skkws.TelephoneBand(), 8000),
    (skkws.TrimSilence(), 8000),
    (skkws.UNetDenoiser(**SMALL), 8000),
    (skkws.VoiceActivityFilter(), 8000),
]


def name_of(value):
    return type(value).__name__ if hasattr(value, "fit") else None


def results(estimator, X):
    """Call what an estimator computes rows with."""
    names = ("transform", "predict_proba", "predict")
    return [getattr(estimator, name)(X) for name in names if hasattr(estimator, name)]


@pytest.mark.parametrize(("estimator", "n_columns"), ESTIMATORS, ids=name_of)
def test_numbers_beyond_all_measure_are_refused(estimator, n_columns):
    X = np.random.RandomState(0).uniform(-0.1, 0.1, (4, n_columns))
    y = ["no", "yes"] * 2
    estimator.fit(X, y)
    for extreme in (1e20, -1e30, 1e38, 1e40, np.inf, np.nan):
        for dtype in (np.float32, np.float64):
            with np.errstate(over="ignore"):
                bad = X.astype(dtype)
                bad[2, 5] = extreme
            for method in ("transform", "predict_proba", "predict"):
                if hasattr(estimator, method):
                    with pytest.raises(ValueError, match=r"no larger than|NaN|nan|infinity|inf"):
                        getattr(estimator, method)(bad)
            with pytest.raises(ValueError, match=r"no larger than|NaN|nan|infinity|inf"):
                results(estimator.fit(bad, y), bad)
            estimator.fit(X, y)


@pytest.mark.parametrize(("estimator", "n_columns"), ESTIMATORS, ids=name_of)
def test_what_is_let_in_gives_finite_rows(estimator, n_columns):
    X = np.random.RandomState(0).uniform(-0.1, 0.1, (4, n_columns)).astype(np.float32)
    estimator.fit(X, ["no", "yes"] * 2)
    loud = X * 2.0**31 / np.abs(X).max()
    for result in results(estimator, loud):
        assert result.dtype.kind in "US" or np.isfinite(result).all()
