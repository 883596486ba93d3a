import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from skkws import BandScaler, LogMelTransformer
from skkws.features import cmvn


@pytest.fixture(scope="module")
def rows(speech):
    return LogMelTransformer().fit_transform(speech.data)


def bands(rows):
    return rows.reshape(-1, 32).astype(np.float64)


def test_bands_of_the_training_rows_get_mean_0_and_variance_1(rows):
    frames = bands(BandScaler(n_bands=32).fit_transform(rows))
    np.testing.assert_allclose(frames.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(frames.var(axis=0), 1, atol=1e-5)


def test_test_rows_are_scaled_by_the_statistics_of_the_training_rows(rows):
    train, test = rows[:24], rows[24:]
    expected = StandardScaler().fit(bands(train))
    scaler = BandScaler(n_bands=32).fit(train)
    np.testing.assert_allclose(scaler.mean_, expected.mean_, rtol=1e-6)
    np.testing.assert_allclose(scaler.scale_, expected.scale_, rtol=1e-6)
    np.testing.assert_allclose(bands(scaler.transform(test)), expected.transform(bands(test)), atol=1e-4)


def test_a_single_frame_is_scaled_as_by_a_standard_scaler(rows):
    np.testing.assert_allclose(BandScaler().fit_transform(rows), StandardScaler().fit_transform(rows), atol=1e-3)


def test_each_clip_gets_mean_0_and_variance_1_of_its_own(rows):
    scaled = BandScaler(n_bands=32, over="clip").fit(rows[:1]).transform(rows)
    for row in scaled:
        np.testing.assert_allclose(bands(row).mean(axis=0), 0, atol=1e-5)
        np.testing.assert_allclose(bands(row).var(axis=0), 1, atol=1e-5)


def test_over_clips_a_microphone_disappears(rows):
    colour = np.tile(np.linspace(-3, 3, 32, dtype=np.float32), 98)
    scaler = BandScaler(n_bands=32, over="clip").fit(rows)
    np.testing.assert_allclose(scaler.transform(rows + colour), scaler.transform(rows), atol=1e-4)


@pytest.mark.parametrize("settings", [{}, {"with_mean": False}, {"with_std": False}])
def test_the_scaling_over_the_data_set_can_be_undone(rows, settings):
    scaler = BandScaler(n_bands=32, **settings).fit(rows[:24])
    back = scaler.inverse_transform(scaler.transform(rows))
    assert back.dtype == np.float32
    np.testing.assert_allclose(back, rows, atol=1e-5)


def test_the_scaling_over_clips_cannot_be_undone(rows):
    scaler = BandScaler(n_bands=32, over="clip").fit(rows)
    assert scaler.mean_ is None
    assert not hasattr(scaler, "inverse_transform")
    with pytest.raises(AttributeError):
        scaler.inverse_transform(rows)


@pytest.mark.parametrize("over", ["dataset", "clip"])
def test_mean_and_deviation_are_left_alone_where_not_wanted(rows, over):
    centred = bands(BandScaler(n_bands=32, over=over, with_std=False).fit_transform(rows))
    np.testing.assert_allclose(centred.mean(axis=0), 0, atol=1e-5)
    assert np.ptp(centred.var(axis=0)) > 0.1
    scaled = bands(BandScaler(n_bands=32, over=over, with_mean=False).fit_transform(rows))
    assert np.abs(scaled.mean(axis=0)).min() > 0.1


@pytest.mark.parametrize("over", ["dataset", "clip"])
def test_constant_bands_stay_finite(over):
    rows = np.tile(np.float32([0.1, -1e6, 0.0]), (4, 50))
    np.testing.assert_allclose(BandScaler(n_bands=3, over=over).fit_transform(rows), 0, atol=1e-6)


def test_a_refit_over_clips_forgets_the_data_set(rows):
    scaler = BandScaler(n_bands=32).fit(rows)
    over_clips = scaler.set_params(over="clip").fit(rows).transform(rows)
    np.testing.assert_array_equal(over_clips[0].reshape(98, 32), cmvn(rows[0].reshape(98, 32)))


def test_columns_keep_their_names(rows):
    names = LogMelTransformer().fit(np.zeros((1, 16000))).get_feature_names_out()
    assert list(BandScaler(n_bands=32).fit(rows).get_feature_names_out(names)) == list(names)


def test_bad_parameters_and_rows_are_refused(rows):
    with pytest.raises(ValueError, match="n_bands=33 does not divide rows of 3136 columns evenly"):
        BandScaler(n_bands=33).fit(rows)
    with pytest.raises(ValueError, match="The 'over' parameter of BandScaler must be"):
        BandScaler(over="speaker").fit(rows)
    scaler = BandScaler(n_bands=32).fit(rows)
    with pytest.raises(ValueError, match="contains NaN"):
        scaler.transform(np.full((1, 3136), np.nan))
    for method in (scaler.transform, scaler.inverse_transform):
        with pytest.raises(ValueError, match="X has 64 features, but BandScaler is expecting 3136"):
            method(rows[:, :64])
