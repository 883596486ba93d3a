"""Displays of a comparison show its figures; those of sound are tested with what they inspect."""

import numpy as np
import pytest
from comparisons import make_comparison

from skkws.displays import DifferencesDisplay, FewShotDisplay, NoiseDisplay, SpeedAccuracyDisplay

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
    np.testing.assert_allclose(lines["good"], [[1, 0.5], [5, 0.5], [20, 0.5]])
    assert [text.get_text() for text in ax.get_xticklabels()] == ["1", "5", "20"]
    assert ax.get_legend_handles_labels()[1] == ["chance", *MODELS]
    (low, high) = ax.containers[0].lines[2][0].get_segments()[0][:, 1]
    assert (low, high) == (0.25, 0.75)


def test_noise_is_drawn_at_its_level(comparison, ax):
    display = NoiseDisplay.from_comparison(comparison, ax=ax)
    np.testing.assert_allclose(lines_of(ax)["good"], [[0, 5 / 12], [20, 5 / 12]])
    assert ax.get_title() == display.noise_name == "pink noise"


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


def test_learning_curves_far_above_chance_show_it_too():
    pytest.importorskip("matplotlib")
    accuracy = np.array([[0.6, 0.8, 0.9]])
    interval = np.stack([accuracy - 0.1, accuracy + 0.1], axis=-1)
    ax = FewShotDisplay(["mfcc+svm"], np.array([1, 5, 20]), accuracy, interval, chance=0.1).plot().ax_
    low, high = ax.get_ylim()
    assert low < 0.1
    assert high == 1.0
