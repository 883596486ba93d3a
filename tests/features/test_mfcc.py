import pickle
import warnings

import librosa
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import check_estimator

from skkws.features import MFCCTransformer, mfcc

RATE = 16000
AT_DEFAULTS = {"sr": RATE, "n_mfcc": 13, "n_fft": 512, "win_length": 400, "hop_length": 160, "n_mels": 40, "fmin": 20.0}


def noise(*shape, seed=0):
    return np.random.default_rng(seed).uniform(-0.5, 0.5, shape).astype(np.float32)


def chirp(low, high, *, n_samples=RATE):
    """A tone that glides and fades, so that frames differ."""
    t = np.arange(n_samples) / RATE
    phase = 2 * np.pi * (low * t + (high - low) * t**2 / 2)
    return (0.8 * np.exp(-3 * t) * np.sin(phase)).astype(np.float32)


# mfcc


def test_defaults_equal_librosa():
    y = chirp(200, 3000)
    static = librosa.feature.mfcc(y=y, **AT_DEFAULTS)
    expected = [static, librosa.feature.delta(static), librosa.feature.delta(static, order=2)]
    np.testing.assert_allclose(mfcc(y), np.concatenate(expected).T, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("n_fft", [512, 600, 601])
def test_general_settings_equal_librosa(n_fft):
    y = noise(30000)
    common = {"n_mfcc": 20, "n_fft": n_fft, "win_length": 500, "hop_length": 333, "n_mels": 30, "fmin": 0, "fmax": 9000}
    static = librosa.feature.mfcc(y=y, sr=22050, **common)
    expected = np.concatenate([static, librosa.feature.delta(static, width=5)])
    result = mfcc(y, sample_rate=22050, deltas=1, delta_width=5, **common)
    np.testing.assert_allclose(result, expected.T, rtol=1e-5, atol=1e-3)


def test_a_clip_does_not_depend_on_the_others_of_its_batch():
    clips = np.stack([chirp(200, 3000), 1e-4 * chirp(300, 500), np.zeros(RATE, np.float32)])
    coefficients = mfcc(clips)
    for clip, alone in zip(clips, coefficients, strict=True):
        np.testing.assert_array_equal(mfcc(clip), alone)
        np.testing.assert_allclose(alone[:, :13].T, librosa.feature.mfcc(y=clip, **AT_DEFAULTS), rtol=1e-5, atol=1e-3)


def test_long_signal_equals_librosa():
    y = noise(25 * RATE)  # more than two blocks of frames
    expected = librosa.feature.mfcc(y=y, **AT_DEFAULTS).T
    np.testing.assert_allclose(mfcc(y, deltas=0), expected, rtol=1e-5, atol=1e-3)


def test_many_clips_equal_their_parts():
    clips = noise(400, RATE)  # more than one block of clips
    np.testing.assert_array_equal(mfcc(clips), [mfcc(clip) for clip in clips])


def test_leading_axes_are_kept():
    clips = noise(2, 3, 4000)
    coefficients = mfcc(clips)
    assert coefficients.shape == (2, 3, 26, 39)
    assert coefficients.dtype == np.float32
    np.testing.assert_array_equal(coefficients[1, 2], mfcc(clips[1, 2]))


@pytest.mark.parametrize(("n_samples", "n_frames"), [(1, 1), (3, 1), (159, 1), (160, 2), (1000, 7), (1280, 9)])
def test_short_clips_give_finite_frames_without_a_warning(n_samples, n_frames):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        coefficients = mfcc(noise(n_samples))
    assert coefficients.shape == (n_frames, 39)
    assert np.isfinite(coefficients).all()


def test_derivatives_of_few_frames_take_the_edge_frames_as_repeated():
    coefficients = mfcc(noise(1000))  # 7 frames, fewer than delta_width
    static = coefficients[:, :13]
    repeated = np.pad(static, ((9, 9), (0, 0)), mode="edge").T
    for order, columns in ((1, slice(13, 26)), (2, slice(26, 39))):
        expected = librosa.feature.delta(repeated, order=order).T[9:-9]
        np.testing.assert_allclose(coefficients[:, columns], expected, atol=1e-3)
    np.testing.assert_allclose(mfcc(noise(100))[:, 13:], 0.0, atol=1e-3)


def test_deltas_choose_the_columns():
    y = noise(8000)
    full = mfcc(y)
    for deltas in (0, 1):
        np.testing.assert_array_equal(mfcc(y, deltas=deltas), full[:, : 13 * (1 + deltas)])


def test_a_signal_needs_samples():
    with pytest.raises(ValueError, match=r"y needs at least one sample on its last axis, got an array of shape \(0,\)"):
        mfcc([])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_fft": 256}, "n_fft must not be less than win_length, got n_fft=256 and win_length=400"),
        ({"fmax": 9000.0}, "fmax must not exceed half the sample rate, got fmax=9000.0 Hz at sample_rate=16000"),
        ({"fmin": 8000.0}, "fmin must be less than fmax, got fmin=8000.0 and fmax=8000.0 Hz"),
        ({"n_mfcc": 41}, "n_mfcc must not exceed n_mels, got n_mfcc=41 and n_mels=40; raise n_mels or lower n_mfcc"),
        ({"delta_width": 4}, "delta_width must be an odd number of frames, 3 or more, got 4"),
    ],
)
def test_contradicting_settings_are_refused_by_function_and_fit(settings, message):
    with pytest.raises(ValueError, match=message):
        mfcc(noise(RATE), **settings)
    with pytest.raises(ValueError, match=message):
        MFCCTransformer(**settings).fit(noise(1, RATE))


def test_bands_without_a_bin_are_warned_of_once():
    with pytest.warns(UserWarning, match=r"\d+ of n_mels=200 bands hold no FFT bin at n_fft=512") as record:
        mfcc(noise(RATE), n_mels=200)
    assert len(record) == 1  # none of librosa's beside it


# MFCCTransformer


def test_rows_without_stats_are_the_flattened_frames():
    clips = noise(3, RATE)
    transformer = MFCCTransformer(stats=None, n_mfcc=10, deltas=1).fit(clips)
    assert transformer.output_shape_ == (101, 20)
    rows = transformer.transform(clips)
    np.testing.assert_array_equal(rows.reshape(3, 101, 20), mfcc(clips, n_mfcc=10, deltas=1))


def test_stats_are_those_over_the_frames_in_their_order():
    clips = np.stack([chirp(200, 3000), chirp(900, 100)])
    stats = ("max", "mean", "median", "min", "std")
    transformer = MFCCTransformer(stats=stats).fit(clips)
    rows = transformer.transform(clips)
    assert transformer.output_shape_ == (5, 39)
    assert rows.dtype == np.float32
    frames = mfcc(clips).astype(np.float64)
    expected = np.stack([getattr(np, name)(frames, axis=1) for name in stats], axis=1)
    np.testing.assert_allclose(rows.reshape(2, 5, 39), expected, rtol=1e-4, atol=1e-3)


def test_one_statistic_may_be_a_string():
    clips = noise(2, 4000)
    rows = MFCCTransformer(stats="mean").fit_transform(clips)
    np.testing.assert_array_equal(rows, MFCCTransformer(stats=("mean",)).fit_transform(clips))
    np.testing.assert_array_equal(rows, MFCCTransformer().fit_transform(clips)[:, :39])


@pytest.mark.parametrize("stats", [(), ("mean", "mean"), ("mean", "mode"), [3]], ids=str)
def test_unusable_stats_are_refused(stats):
    with pytest.raises(ValueError, match=r"stats must name one or more of \['mean', 'std', .*, each once, got"):
        MFCCTransformer(stats=stats).fit(noise(1, 4000))


def test_unknown_statistic_as_a_string_is_refused():
    with pytest.raises(ValueError, match="The 'stats' parameter of MFCCTransformer must be a str among"):
        MFCCTransformer(stats="mode").fit(noise(1, 4000))


def test_feature_names_follow_the_columns():
    clips = noise(1, RATE)
    names = MFCCTransformer().fit(clips).get_feature_names_out()
    assert list(names[[0, 7, 20, 38, 39, 155]]) == [
        "mfcc_mean_c00",
        "mfcc_mean_c07",
        "mfcc_mean_delta_c07",
        "mfcc_mean_delta2_c12",
        "mfcc_std_c00",
        "mfcc_max_delta2_c12",
    ]
    names = MFCCTransformer(stats=None, deltas=1).fit(clips).get_feature_names_out()
    assert len(set(names)) == 101 * 26
    assert names[12 * 26 + 7] == "mfcc_t012_c07"
    assert names[12 * 26 + 13 + 7] == "mfcc_t012_delta_c07"


def test_output_may_be_a_pandas_frame():
    clips = noise(2, 4000)
    frame = MFCCTransformer(stats=["std"]).set_output(transform="pandas").fit_transform(clips)
    assert frame.columns[-1] == "mfcc_std_delta2_c12"
    np.testing.assert_allclose(frame["mfcc_std_c00"], mfcc(clips)[..., 0].std(axis=1), rtol=1e-5)


def test_clone_and_pickle_keep_parameters_and_results():
    clips = noise(2, 4000)
    transformer = MFCCTransformer(stats=("median", "max"), fmax=4000.0).fit(clips)
    assert clone(transformer).get_params() == transformer.get_params()
    copy = pickle.loads(pickle.dumps(transformer))
    np.testing.assert_array_equal(copy.transform(clips), transformer.transform(clips))


def test_integer_rows_are_warned_of():
    with pytest.warns(UserWarning, match=r"MFCCTransformer got integer rows \(int16\)"):
        MFCCTransformer().fit((32767 * noise(1, 4000)).astype(np.int16))


def test_parameters_may_be_searched_over():
    rng = np.random.default_rng(0)
    low_first = [chirp(f, 3 * f, n_samples=4000) for f in rng.uniform(300, 400, 12)]
    high_first = [chirp(3 * f, f, n_samples=4000) for f in rng.uniform(300, 400, 12)]
    X, y = np.array(low_first + high_first), ["up"] * 12 + ["down"] * 12
    pipeline = make_pipeline(MFCCTransformer(), StandardScaler(), SVC())
    grid = {"mfcctransformer__stats": [("mean",), ("mean", "std"), None], "mfcctransformer__n_mfcc": [5, 13]}
    search = GridSearchCV(pipeline, grid, cv=3, error_score="raise").fit(X, y)
    assert search.best_score_ == 1.0


def test_scikit_learns_checks_run_and_pass_without_stats():
    checks = check_estimator(MFCCTransformer(stats=None), on_skip=None)
    assert sum(check["status"] == "passed" for check in checks) > 40
