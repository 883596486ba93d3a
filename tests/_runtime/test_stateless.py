"""Which transformers learn from the data: those that say so, and those that fits to noise find out."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skkws import (
    AudioLoader,
    BandScaler,
    CachedTransformer,
    LogMelTransformer,
    MFCCTransformer,
    SpectrogramAutoencoder,
    SpeechEmbeddingTransformer,
    UNetDenoiser,
)
from skkws._runtime.stateless import fitted_without_data, learns_from_data, noise_rows
from skkws.preparation import TelephoneBand, TrimSilence

NOISES = noise_rows(400)


class Energy(TransformerMixin, BaseEstimator):
    """The energy of each row, by a user who has not read our documentation."""

    n_fits = 0

    def fit(self, X, y=None):
        type(self).n_fits += 1
        return self

    def transform(self, X):
        return np.mean(np.asarray(X) ** 2, axis=1, keepdims=True)


class Loudest(Energy):
    """The energy relative to that of the loudest row in `fit`."""

    def fit(self, X, y=None):
        super().fit(X)
        self.loudest_ = float(np.max(np.abs(X)))
        return self


class DeclaredEnergy(Energy):
    learns_from_data = False

    def fit(self, X, y=None):
        super().fit(X)
        self.n_rows_ = len(X)
        return self


class RelativeMFCC(MFCCTransformer):
    """Inherits what another `fit` declares."""

    def fit(self, X, y=None):
        self.mean_ = float(np.mean(X))
        return super().fit(X)


class Torn(Energy):
    """Works on recordings alone."""

    def fit(self, X, y=None):
        raise RuntimeError("no speech in it")


@pytest.mark.parametrize(
    ("transformer", "learns"),
    [
        (LogMelTransformer(), False),
        (SpeechEmbeddingTransformer(), False),
        (TelephoneBand(), False),
        (BandScaler(over="clip"), False),
        (BandScaler(), True),
        (UNetDenoiser(), True),
        (SpectrogramAutoencoder(), True),
        (AudioLoader(), False),
        (AudioLoader(duration=None), True),
        (CachedTransformer(), False),
        (CachedTransformer(BandScaler()), True),
        ("passthrough", False),
        (FrozenEstimator(StandardScaler()), False),
        (make_pipeline(AudioLoader(), TrimSilence(), "passthrough", MFCCTransformer()), False),
        (make_pipeline(MFCCTransformer(), BandScaler()), True),
        (make_pipeline(MFCCTransformer(), StandardScaler()), None),
        (StandardScaler(), None),
        (DeclaredEnergy(), False),
        (RelativeMFCC(), None),
    ],
    ids=str,
)
def test_transformers_declare_whether_they_learn(transformer, learns):
    assert learns_from_data(transformer) is learns


@pytest.mark.parametrize(
    "transformer",
    [
        Energy(),
        DeclaredEnergy(),
        FunctionTransformer(np.abs),
        FeatureUnion([("energy", Energy()), ("mfcc", MFCCTransformer())]),
        make_pipeline(FunctionTransformer(np.abs), Energy()),
        make_pipeline(Energy(), "passthrough"),
        make_pipeline(Energy(), FrozenEstimator(StandardScaler().fit([[0.0], [1.0]]))),
    ],
    ids=str,
)
def test_what_learns_nothing_is_fitted_whoever_wrote_it(transformer):
    fitted = fitted_without_data(transformer, NOISES)
    assert fitted is not transformer
    expected = NOISES[1]
    for step in transformer if isinstance(transformer, Pipeline) else [transformer]:
        expected = expected if step == "passthrough" else step.fit(expected, None).transform(expected)
    np.testing.assert_array_equal(fitted.transform(NOISES[1]), expected)


@pytest.mark.parametrize(
    "transformer",
    [
        Loudest(),
        StandardScaler(),
        PCA(2),
        SelectKBest(k=1),  # needs labels
        Torn(),
        RelativeMFCC(),
        BandScaler(),
        FeatureUnion([("energy", Energy()), ("scale", StandardScaler())]),
        make_pipeline(Energy(), StandardScaler()),
        make_pipeline(StandardScaler(), Energy()),
    ],
    ids=str,
)
def test_what_learns_is_not_fitted_to_noise(transformer):
    assert fitted_without_data(transformer, NOISES) is None


@pytest.mark.parametrize(("transformer", "n_fits"), [(Energy(), 1), (DeclaredEnergy(), 1), (Loudest(), 2)])
def test_a_transformer_is_fitted_once_where_that_tells(transformer, n_fits):
    type(transformer).n_fits = 0
    fitted_without_data(transformer, NOISES)
    assert type(transformer).n_fits == n_fits


def test_wrong_parameters_of_our_own_are_said_at_once():
    with pytest.raises(ValueError, match="n_mfcc"):
        fitted_without_data(MFCCTransformer(n_mfcc=-1), NOISES)


class Unreadable(Energy):
    """Needs a file that is not there."""

    def fit(self, X, y=None):
        raise FileNotFoundError("weights.npz")


def test_a_file_that_a_transformer_lacks_is_no_matter_of_learning():
    with pytest.raises(FileNotFoundError, match=r"weights\.npz"):
        fitted_without_data(Unreadable(), NOISES)
