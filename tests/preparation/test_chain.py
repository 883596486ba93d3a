"""The classical chain, from recordings at another rate to stacked, normalised frames."""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import Pipeline

from skkws import (
    BandScaler,
    FrameStacker,
    LogSpectrogramTransformer,
    MFCCTransformer,
    PeakNormalizer,
    Resample,
    TelephoneBand,
    TrimSilence,
    VoiceActivityFilter,
)


def test_grid_search_over_two_steps_of_the_chain(speech):
    chain = Pipeline(
        [
            ("resample", Resample(16000, 8000)),
            ("speech", VoiceActivityFilter(8000, margin=400, pad="end")),
            ("features", LogSpectrogramTransformer(8000, win_length=160, hop_length=80, fmax=3400)),
            ("scale", BandScaler(n_bands=69)),
            ("stack", FrameStacker(n_bands=69, left=2, right=2, stride=5)),
            ("classifier", LogisticRegression(C=0.01)),
        ]
    )
    grid = {"speech__aggressiveness": [1, 3], "scale__over": ["dataset", "clip"]}
    search = GridSearchCV(chain, grid, cv=GroupKFold(2), n_jobs=2, error_score="raise")
    search.fit(speech.data, speech.target, groups=speech.groups)
    assert len(search.cv_results_["mean_test_score"]) == 4
    assert search.best_score_ > 0.6  # chance is 1/3; nobody is in training and test
    assert search.best_estimator_["stack"].output_shape_ == (20, 5 * 69)


def test_the_chain_with_mfccs_and_energy_carries_names_to_the_end(speech):
    chain = Pipeline(
        [
            ("telephone", TelephoneBand()),
            ("trim", TrimSilence(pad="end")),
            ("level", PeakNormalizer()),
            ("features", MFCCTransformer(stats=None, deltas=0)),
            ("scale", BandScaler(n_bands=13)),
            ("stack", FrameStacker(n_bands=13, left=1, right=1, stride=2)),
        ]
    ).set_output(transform="pandas")
    frame = chain.fit_transform(speech.data[:6])
    assert (frame.dtypes == np.float32).all()
    assert list(frame.columns) == list(chain.get_feature_names_out())
    assert chain[:-1].get_feature_names_out()[0] == "mfcc_t000_c00"
