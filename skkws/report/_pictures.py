"""A comparison as pictures."""

import re
import warnings

import numpy as np

from skkws._runtime.files import whole_file
from skkws._runtime.text import drawn_text
from skkws.report._confusions import confusion_counts


def draw(comparison, differences, folder):
    """Draw confusion matrices, learning curves, noise, speed and differences, each into a PNG file.

    Parameters
    ----------
    comparison : skkws.compare.Comparison
        What to draw.
    differences : list of skkws.compare.Difference
        What its method `differences` returned.
    folder : Path
        Where to.

    Returns
    -------
    files : list of Path
    """
    # The object-oriented interface: no window system is asked for and no global state is touched.
    from matplotlib.figure import Figure

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)  # a box stands for it
        return _draw_all(comparison, differences, folder, Figure)


def _draw_all(comparison, differences, folder, new_figure):
    from skkws.displays import DifferencesDisplay, FewShotDisplay, NoiseDisplay, SpeedAccuracyDisplay

    files = _draw_confusions(comparison, folder, new_figure)

    def axes(height=4.5):
        return new_figure(figsize=(8, height), layout="constrained").add_subplot()

    displays = {"speed": SpeedAccuracyDisplay.from_comparison(comparison, ax=axes())}
    if comparison.few_shot:
        displays["few_shot"] = FewShotDisplay.from_comparison(comparison, ax=axes())
    if comparison.noise:
        displays["noise"] = NoiseDisplay.from_comparison(comparison, ax=axes())
    if differences:
        displays["differences"] = DifferencesDisplay(differences).plot(ax=axes(1.5 + 0.3 * len(differences)))
    for name, display in displays.items():
        files.append(_save(display.figure_, folder / f"{name}.png"))
    return files


def _draw_confusions(comparison, folder, new_figure):
    from sklearn.metrics import ConfusionMatrixDisplay

    files = []
    side = 2.5 + 0.42 * len(comparison.labels)
    for scores in comparison.ranked:
        figure = new_figure(figsize=(side + 1, side), layout="constrained")
        counts = np.array(confusion_counts(comparison, scores))
        display = ConfusionMatrixDisplay(counts, display_labels=[drawn_text(label) for label in comparison.labels])
        display.plot(ax=figure.add_subplot(), cmap="Blues", xticks_rotation="vertical", colorbar=False)
        low, high = scores.interval
        display.ax_.set_title(f"{drawn_text(scores.name)}: accuracy {scores.accuracy:.3f} ({low:.3f} to {high:.3f})")
        files.append(_save(figure, _new_path(folder, scores.name, files)))
    return files


def _new_path(folder, name, taken):
    """File for the confusion matrix of a model, whose name may hold anything."""
    stem = "confusion_" + re.sub(r"[^\w.-]", "_", name)
    path, n = folder / f"{stem}.png", 1
    while path in taken:
        n += 1
        path = folder / f"{stem}_{n}.png"
    return path


def _save(figure, path):
    with whole_file(path) as draft:
        figure.savefig(draft, dpi=120)
    return path
