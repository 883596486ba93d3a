import numpy as np
import pytest

from skkws import FrameStacker, LogMelTransformer
from skkws.features import stack_frames


def numbered(frames, bands, clips=1):
    """Rows in which the value 100 * t + b stands at frame t and band b (plus 10000 a clip), from 1."""
    value = np.add.outer(100 * np.arange(1, frames + 1), np.arange(1, bands + 1))
    return np.add.outer(10000 * np.arange(clips), value).reshape(clips, -1).astype(np.float32)


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_every_frame_stands_between_its_neighbours(stride):
    rows = numbered(7, 3, clips=2)
    stacker = FrameStacker(n_bands=3, left=2, right=1, stride=stride).fit(rows)
    stacked = stacker.transform(rows).reshape(2, *stacker.output_shape_)
    frames = rows.reshape(2, 7, 3)
    assert stacked.shape == (2, -(-7 // stride), 4 * 3)
    assert stacked.dtype == np.float32
    for i, t in enumerate(range(0, 7, stride)):
        neighbours = [min(max(t + k, 0), 6) for k in (-2, -1, 0, 1)]
        np.testing.assert_array_equal(stacked[:, i], frames[:, neighbours].reshape(2, -1))


def test_edges_may_be_zeros():
    stacked = stack_frames(numbered(3, 2).reshape(3, 2), left=1, right=1, edges="zero")
    expected = [[0, 0, 101, 102, 201, 202], [101, 102, 201, 202, 301, 302], [201, 202, 301, 302, 0, 0]]
    np.testing.assert_array_equal(stacked, expected)


def test_no_neighbours_change_nothing():
    rows = numbered(7, 3)
    np.testing.assert_array_equal(FrameStacker(n_bands=3, left=0, right=0).fit_transform(rows), rows)


def test_more_neighbours_than_frames():
    np.testing.assert_array_equal(stack_frames([[1.0], [2.0]], left=3, right=3)[0], [1, 1, 1, 1, 2, 2, 2])


def test_names_say_frame_neighbour_and_band():
    rows = numbered(12, 2)
    stacker = FrameStacker(n_bands=2, left=1, right=1).fit(rows)
    names = list(stacker.get_feature_names_out())
    assert len(set(names)) == stacker.transform(rows).shape[1]
    row = stacker.transform(rows)[0]
    assert row[names.index("stacked_t05_-1_b0")] == 501  # the fifth frame, before the sixth
    assert row[names.index("stacked_t05_+0_b1")] == 602
    assert row[names.index("stacked_t05_+1_b1")] == 702


def test_log_mel_rows_are_stacked(speech):
    logmel = LogMelTransformer().fit(speech.data)
    rows = logmel.transform(speech.data[:3])
    stacked = FrameStacker(n_bands=logmel.output_shape_[1]).fit_transform(rows).reshape(3, 98, 11, 32)
    np.testing.assert_array_equal(stacked[:, :, 5].reshape(3, -1), rows)
    np.testing.assert_array_equal(stacked[:, 50, 0], rows.reshape(3, 98, 32)[:, 45])


def test_integer_features_are_taken_without_a_word_about_samples(recwarn):
    FrameStacker(n_bands=2).fit_transform(np.arange(8).reshape(2, 4))
    assert not recwarn.list


def test_bands_that_do_not_part_the_row_are_refused():
    with pytest.raises(
        ValueError, match="n_bands=3 does not divide rows of 8 columns evenly; set it to the last of outp"
    ):
        FrameStacker(n_bands=3).fit(np.ones((2, 8)))


@pytest.mark.parametrize("settings", [{"n_bands": 0}, {"left": -1}, {"stride": 0}, {"edges": "mirror"}])
def test_bad_parameters_are_named(settings):
    with pytest.raises(ValueError, match=f"The '{next(iter(settings))}' parameter of FrameStacker must be"):
        FrameStacker(**settings).fit(np.ones((2, 8)))


def test_bad_rows_are_refused():
    with pytest.raises(ValueError, match="contains NaN"):
        FrameStacker().fit(np.full((1, 4), np.nan))
    with pytest.raises(ValueError, match="X has 6 features, but FrameStacker is expecting 8"):
        FrameStacker(n_bands=2).fit(np.ones((1, 8))).transform(np.ones((1, 6)))
    with pytest.raises(ValueError, match="frames needs at least one frame"):
        stack_frames(np.ones((0, 4)))
    with pytest.raises(ValueError, match="The 'edges' parameter of stack_frames must be a str among"):
        stack_frames(np.ones((3, 4)), edges="mirror")
