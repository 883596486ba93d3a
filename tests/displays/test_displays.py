"""Displays of a comparison show its figures; those of sound are tested with what they inspect."""

import dataclasses

import numpy as np
import pytest
from comparisons import make_comparison

from skkws.displays import (
    PALETTE,
    Chart,
    DifferencesDisplay,
    FewShotDisplay,
    NoiseDisplay,
    Series,
    SpeedAccuracyDisplay,
    speed_chart,
)

pytest.importorskip("matplotlib")
from matplotlib.figure import Figure

MODELS = ["good", "fair", "poor"]
DISPLAYS = [FewShotDisplay, NoiseDisplay, SpeedAccuracyDisplay, DifferencesDisplay]


@pytest.fixture
def ax():
    return Figure().add_subplot()


@pytest.fixture(scope="module")
def comparison():
    return make_comparison((1, 5, 20), models=MODELS, snr_db=(20, 0))


@pytest.mark.parametrize("display", DISPLAYS)
def test_displays_draw_on_the_axes_that_they_are_given(display, comparison, ax):
    drawn = display.from_comparison(comparison, ax=ax)
    assert drawn.ax_ is ax
    assert drawn.figure_ is ax.figure
    assert drawn.plot(ax=Figure().add_subplot()) is drawn
    assert drawn.ax_ is not ax


@pytest.mark.parametrize("display", DISPLAYS)
def test_displays_make_a_figure_where_they_are_given_none(display, comparison):
    plt = pytest.importorskip("matplotlib.pyplot")
    drawn = display.from_comparison(comparison)
    assert drawn.figure_.number in plt.get_fignums()
    plt.close(drawn.figure_)


def lines_of(ax):
    return {container.get_label(): container.lines[0].get_xydata() for container in ax.containers}


def test_learning_curves_pass_through_the_accuracies(comparison, ax):
    FewShotDisplay.from_comparison(comparison, ax=ax)
    lines = lines_of(ax)
    assert list(lines) == MODELS
    # All 20 examples would stand on the point of 20, and stand half as far again.
    np.testing.assert_allclose(lines["good"], [[1, 0.5], [5, 0.5], [20, 0.5], [30, 5 / 6]])
    assert [text.get_text() for text in ax.get_xticklabels()] == ["1", "5", "20", "all"]
    assert ax.get_legend_handles_labels()[1] == ["chance", *MODELS]
    (low, high) = ax.containers[0].lines[2][0].get_segments()[0][:, 1]
    assert (low, high) == (0.25, 0.75)


def test_noise_is_drawn_at_its_level(comparison, ax):
    display = NoiseDisplay.from_comparison(comparison, ax=ax)
    np.testing.assert_allclose(lines_of(ax)["good"], [[0, 5 / 12], [20, 5 / 12], [40, 5 / 6]])
    assert [text.get_text() for text in ax.get_xticklabels()] == ["0", "20", "clean"]
    assert ax.get_title() == display.chart.title == "pink noise"


def test_speed_is_drawn_in_milliseconds_against_accuracy(comparison, ax):
    SpeedAccuracyDisplay.from_comparison(comparison, ax=ax)
    np.testing.assert_allclose(lines_of(ax)["fair"], [[3.75, 0.75]])
    assert ax.get_xscale() == "log"


def test_differences_stand_one_below_the_other_the_insignificant_ones_hollow(ax):
    comparison = make_comparison(models=["a", "b", "c"])
    comparison.models[1].predictions = comparison.models[0].predictions
    DifferencesDisplay.from_comparison(comparison, ax=ax)
    assert [text.get_text() for text in ax.get_yticklabels()] == [
        f"{first} \N{MINUS SIGN} {second}" for first, second in (("a", "b"), ("a", "c"), ("b", "c"))
    ]
    faces = [container.lines[0].get_markerfacecolor() for container in ax.containers]
    assert faces[0] == "white"
    assert faces[1] == faces[2] != "white"
    assert ax.yaxis_inverted()


def test_models_differ_in_more_than_their_colour(comparison, ax):
    FewShotDisplay.from_comparison(comparison, ax=ax)
    drawn = [container.lines[0] for container in ax.containers]
    assert len({line.get_marker() for line in drawn}) == len({line.get_linestyle() for line in drawn}) == len(MODELS)


def test_a_display_of_what_was_not_measured_says_how_to_measure_it(ax):
    comparison = make_comparison((), models=["mfcc+svm"])
    with pytest.raises(ValueError, match="few_shot is empty; compare with n_examples"):
        FewShotDisplay.from_comparison(comparison, ax=ax)
    with pytest.raises(ValueError, match="noise is empty; compare with snr_db"):
        NoiseDisplay.from_comparison(comparison, ax=ax)
    with pytest.raises(ValueError, match="no two models; compare with models"):
        DifferencesDisplay.from_comparison(comparison, ax=ax)


def test_learning_curves_far_above_chance_show_it_too(ax):
    series = Series("mfcc+svm", 0, np.array([1.0, 5.0]), np.array([0.6, 0.8]), np.array([[0.5, 0.7], [0.7, 0.9]]), [])
    FewShotDisplay(Chart([series], "examples", [(1, "1"), (5, "5")], log=True, chance=0.1)).plot(ax=ax)
    low, high = ax.get_ylim()
    assert low < 0.1
    assert high == 1.0


def test_intervals_of_one_place_stand_side_by_side(comparison, ax):
    FewShotDisplay.from_comparison(comparison, ax=ax)
    lines = [container.lines[0] for container in ax.containers]
    drawn = [line.get_transform().transform(line.get_xydata())[0, 0] for line in lines]
    assert np.diff(drawn).min() > 1  # pixels


@pytest.mark.parametrize("display", DISPLAYS[:3])
def test_the_best_model_comes_first_whatever_the_order_of_the_comparison(display, comparison, ax):
    worst_first = dataclasses.replace(comparison, models=comparison.models[::-1])
    names = [series.name for series in display.from_comparison(worst_first, ax=ax).chart.series]
    assert names == MODELS


@pytest.mark.parametrize("spread", [1, 3, 100])
def test_every_axis_of_times_has_ticks_that_are_within_it(spread):
    comparison = make_comparison((), models=MODELS)
    comparison.models[0].predict_seconds *= spread
    chart = speed_chart(comparison)
    low, high = chart.x_limits
    assert 2 <= len(chart.ticks) <= 10
    assert all(low <= place <= high for place, _ in chart.ticks)


# From linear RGB to what an eye without one of its three kinds of cones sees: Machado, Oliveira, Fernandes (2009), "A
# Physiologically-based Model for Simulation of Color Vision Deficiency", severity 1.
VISION = {
    "all": np.eye(3),
    "no long": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "no middle": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "no short": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("cones", VISION)
def test_colours_differ_for_every_kind_of_colour_vision(cones, theme):
    levels = np.array([[int(pair[theme][i : i + 2], 16) / 255 for i in (1, 3, 5)] for pair in PALETTE])
    linear = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.transpose(VISION[cones]), 0, 1)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x, y, z = np.cbrt(seen @ to_xyz.T / to_xyz.sum(axis=1)).T
    lab = np.stack([116 * y, 500 * (x - y), 200 * (y - z)], axis=-1)
    distances = np.linalg.norm(lab[:, None] - lab, axis=-1)[np.triu_indices(len(lab), 1)]
    assert distances.min() > 10  # 2.3 is just noticeable
