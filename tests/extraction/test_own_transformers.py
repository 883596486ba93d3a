"""Transformers that a user wrote, and whose fit leaves nothing behind, work wherever rows are computed."""

import numpy as np
import pytest
import soundfile as sf
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skkws import AudioLoader, CachedTransformer, LogMelTransformer, extract_features
from skkws.compare import compare_classifiers

X = np.random.default_rng(0).normal(scale=0.1, size=(12, 16000)).astype(np.float32)


def energies(X, n=10):
    return np.stack([part.std(axis=1) for part in np.array_split(np.asarray(X), n, axis=1)], axis=1)


class Energies(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return energies(X)


class Flagged(Energies):
    def fit(self, X, y=None):
        self.done = True
        return self


class Untold(Energies):
    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags


OWN = [Energies(), Flagged(), Untold(), FunctionTransformer(energies)]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    for i, row in enumerate(X):
        sf.write(folder / f"{i:02}.wav", row, 16000, subtype="FLOAT")
    return sorted(folder.iterdir())


@pytest.mark.parametrize("own", OWN, ids=lambda own: type(own).__name__)
@pytest.mark.parametrize("cached", [False, True])
def test_a_cache_takes_them_alone_and_in_pipelines(own, cached, tmp_path, files):
    cache_dir = tmp_path if cached else None
    for transformer in (own, make_pipeline(own), make_pipeline(FunctionTransformer(), own)):
        cache = CachedTransformer(transformer, cache_dir)
        np.testing.assert_allclose(cache.fit(X).transform(X), energies(X), rtol=1e-6)
        np.testing.assert_allclose(
            make_pipeline(cache, StandardScaler()).fit(X)[:1].transform(X), energies(X), rtol=1e-6
        )
    from_files = CachedTransformer(make_pipeline(AudioLoader(), own), cache_dir).fit(files)
    np.testing.assert_allclose(from_files.transform(files), energies(X), rtol=1e-6)


@pytest.mark.parametrize("own", OWN, ids=lambda own: type(own).__name__)
def test_features_are_extracted_by_them_fitted_or_not(own, files):
    frames = LogMelTransformer()
    for transformer in (own, make_pipeline(own), make_pipeline(own).fit(X)):
        np.testing.assert_allclose(extract_features(files, transformer), energies(X), rtol=1e-6)
    for transformer in (make_pipeline(frames, own), make_pipeline(frames, own).fit(X)):
        np.testing.assert_allclose(extract_features(files, transformer), energies(frames.fit_transform(X)), rtol=1e-5)
    scaled = make_pipeline(StandardScaler(), own).fit(X)
    rows = energies(scaled[0].transform(X))
    np.testing.assert_allclose(extract_features(files, scaled), rows, rtol=1e-5)
    with pytest.raises(ValueError, match="transformer must be fitted, or be one whose fit learns nothing"):
        extract_features(files, make_pipeline(StandardScaler(), clone(own)))


@pytest.mark.parametrize("own", OWN, ids=lambda own: type(own).__name__)
def test_they_are_compared(own):
    models = {"own": make_pipeline(own, LogisticRegression()), "twice": make_pipeline(own, own, LogisticRegression())}
    y = np.tile(["no", "yes"], 6)
    result = compare_classifiers(X, y, np.repeat(list("abc"), 4), models=models, n_examples=[1], snr_db=())
    assert [scores.name for scores in result.models] == ["own", "twice"]
    assert not result.failures
