"""A comparison as one HTML file that needs nothing else."""

import json
from dataclasses import dataclass
from importlib import resources
from string import Template

from skkws._runtime.markup import element, markup, table
from skkws._runtime.text import count_text, figure_text, interval_text, plural, rank_texts, size_text, time_text
from skkws.displays import PALETTE, few_shot_chart, noise_chart, speed_chart
from skkws.report import _charts
from skkws.report._confusions import N_NAMED, choose_playable, confusion_counts, embed_sounds, misclassified_clips


@dataclass
class _Section:
    key: str
    title: str
    content: list
    wide: bool = False


def page(
    comparison,
    differences,
    *,
    folder,
    created,
    source,
    settings,
    versions,
    waveforms=None,
    names=None,
    sample_rate=16000,
):
    """Write a comparison as HTML with style, script, charts, data and sound in it.

    Parameters
    ----------
    comparison : skkws.compare.Comparison
        What to show.
    differences : list of skkws.compare.Difference
        What its method `differences` returned.
    folder : Path
        Where the page will lie.
    created : str
        When, in the form of ISO 8601.
    versions : dict of str to str
        Versions of the packages that made it.
    settings, source, waveforms, names, sample_rate
        As for :func:`skkws.report.write_report`.

    Returns
    -------
    html : str
    """
    data = _clip_data(comparison, waveforms, names, sample_rate)
    charts = []
    if comparison.few_shot:
        charts.append(_learning_curves(comparison))
    if comparison.noise:
        charts.append(_noise(comparison))
    charts.append(_speed(comparison))
    charts[-1].wide = len(charts) % 2 == 1  # two stand side by side
    sections = [_leaderboard(comparison, differences), *charts, _confusions(comparison, data)]
    calibrations = {scores.name: comparison.calibration(scores.name) for scores in comparison.ranked}
    if any(calibrations.values()):
        sections.append(_calibration(comparison, calibrations))
    if differences:
        sections.append(_differences(differences))
    if comparison.failures:
        sections.append(_failures(comparison))
    sections.append(_making(settings, versions))
    links = [element("li", element("a", section.title, href=f"#{section.key}")) for section in sections]
    n_models, n_labels = len(comparison.models), len(comparison.labels)
    facts = [
        plural(len(comparison.target), "clip"),
        plural(n_labels, "label"),
        plural(comparison.n_speakers, "speaker"),
        comparison.validation,
    ]
    return Template(_file("page.html")).substitute(
        title=f"{plural(n_models, 'model')} on {plural(n_labels, 'keyword')}",
        source=markup(element("p", source, class_="source")) if source else "",
        facts=markup(element("p", " \N{MIDDLE DOT} ".join(facts), class_="facts")),
        made=markup(element("p", "Made on ", _moment(created), f" in {folder}", class_="facts")),
        links=markup(element("ul", *links)),
        sections="\n".join(markup(_section(section)) for section in sections),
        palette="\n".join(f"  --series-{i}: light-dark{pair};".replace("'", "") for i, pair in enumerate(PALETTE)),
        css=_file("page.css"),
        js=_file("page.js"),
        data=_json_for_html(data),
    )


def _file(name):
    return resources.files("skkws.report").joinpath(name).read_text(encoding="utf-8")


def _json_for_html(data):
    """Write JSON in which no character can end the block that holds it."""
    text = json.dumps(data, separators=(",", ":"))  # ASCII: all else is \uXXXX
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _section(section):
    heading = element("h2", section.title, id=f"{section.key}-heading")
    return element(
        "section",
        heading,
        *section.content,
        id=section.key,
        class_="wide" if section.wide else None,
        aria_labelledby=f"{section.key}-heading",
    )


# Sections


def _leaderboard(comparison, differences):
    ranked = comparison.ranked
    ranks = comparison.ranks(differences)
    texts = rank_texts(ranks)
    low = speed_chart(comparison).y_limits[0]
    titles = ["rank", "model", "accuracy", "95% interval", "macro F1", "fit", "per clip", "size", "multiply-adds"]
    columns = [_title(element("button", title, type="button"), number=title != "model") for title in titles]
    rows = []
    for scores in ranked:
        bar = _charts.interval_bar(scores.accuracy, scores.interval, low, 1)
        work = scores.multiply_adds
        rows.append(
            [
                _number(ranks[scores.name], texts[scores.name]),
                element("th", scores.name, scope="row"),
                _number(scores.accuracy, f"{scores.accuracy:.3f}"),
                _number(
                    scores.interval[0], bar, element("span", interval_text(scores.interval)), class_="number with-bar"
                ),
                _number(scores.macro_f1, f"{scores.macro_f1:.3f}"),
                _number(scores.fit_seconds, figure_text(scores.fit_seconds, 1, "s")),
                _number(scores.predict_seconds, figure_text(1e3 * scores.predict_seconds, 2, "ms")),
                _number(scores.n_bytes, size_text(scores.n_bytes)),
                _number(work or 0, "\N{EN DASH}" if work is None else count_text(work)),
            ]
        )
    board = table("Models, the most accurate one first", columns, rows, class_="sortable", hidden_caption=True)
    note = (
        f"A rank is 1 plus the number of models that are significantly better; = marks a tie. Bars span {low:.2f} "
        "to 1. Intervals are clustered by speaker. The time to fit and to predict a clip includes the features, the "
        "size includes pretrained weights; multiply-adds are those of networks, for one clip."
    )
    content = [_highlights(comparison, ranks), board, element("p", note, class_="note")]
    return _Section("leaderboard", "Leaderboard", content, wide=True)


def _highlights(comparison, ranks):
    best = comparison.ranked[0]
    tied = [scores.name for scores in comparison.ranked[1:] if ranks[scores.name] == 1]
    fastest = min(comparison.models, key=lambda scores: scores.predict_seconds)
    smallest = min(comparison.models, key=lambda scores: scores.n_bytes)
    tiles = [("Most accurate", f"{best.accuracy:.3f}", best.name, "tied with " + ", ".join(tied) if tied else "")]
    if comparison.few_shot:
        fewest = min(scores.n_examples for scores in comparison.few_shot)
        first = max((s for s in comparison.few_shot if s.n_examples == fewest), key=lambda scores: scores.accuracy)
        tiles.append((f"With {plural(fewest, 'example')} per label", f"{first.accuracy:.3f}", first.name, ""))
    tiles.append(("Fastest", time_text(fastest.predict_seconds), fastest.name, "per clip"))
    tiles.append(("Smallest", size_text(smallest.n_bytes), smallest.name, ""))
    drawn = [
        element(
            "div",
            element("dt", what),
            element("dd", element("strong", value), element("span", name), element("small", more)),
        )
        for what, value, name, more in tiles
    ]
    return element("dl", *drawn, class_="highlights")


def _learning_curves(comparison):
    shown = few_shot_chart(comparison)
    note = (
        f"Means over {len(comparison.few_shot[0].accuracies)} folds and draws; bars are 95% intervals by Student's t "
        "over the folds. Those of all examples are clustered by speaker."
    )
    return _chart_section("learning-curves", "Learning curves", shown, note, _curve_table(shown))


def _noise(comparison):
    shown = noise_chart(comparison)
    note = f"Noise added to the test clips: {shown.title or 'unnamed'}. None was added in training."
    return _chart_section("noise", "Accuracy in noise", shown, note, _curve_table(shown))


def _speed(comparison):
    shown = speed_chart(comparison)
    rows = [[s.name, *s.x_names, f"{s.y[0]:.3f}", interval_text(s.interval[0])] for s in shown.series]
    numbers = table("Time per clip and accuracy", ["model", "per clip", "accuracy", "95% interval"], rows)
    note = "Measured in large batches, features included. Up and to the left is better."
    return _chart_section("speed", "Speed against accuracy", shown, note, numbers)


def _confusions(comparison, data):
    options = [element("option", scores.name, value=i) for i, scores in enumerate(comparison.ranked)]
    choose = element(
        "p", element("label", "Model ", for_="model"), element("select", *options, id="model"), class_="choose"
    )
    matrix = element("div", id="matrix", class_="scroll", tabindex=0, role="region", aria_label="Confusion matrix")
    clips = element("div", id="clips", aria_live="polite")
    rows = [
        [scores.name, str(true), str(predicted), f"{share:.1%}"]
        for scores in comparison.ranked
        for true, predicted, share in comparison.confusions(scores.name)[:5]
    ]
    columns = ["model", "true label", "predicted label", "share of the true label"]
    numbers = table("The five most frequent confusions of each model", columns, rows)
    hint = (
        "Rows are true labels, columns predicted ones. Select a cell off the diagonal, by click or with the arrow keys "
        "and Enter, to see which clips were misclassified."
    )
    n_playable, n_misclassified = sum("audio" in clip for clip in data["clips"].values()), data["n_misclassified"]
    if data["recordings"]:
        hint += f" {n_playable} of the {plural(n_misclassified, 'clip')} that any model misclassified can be played"
        hint += "; the others were left out to keep this file small." if n_playable < n_misclassified else "."
    off = element("noscript", element("p", "The matrix needs JavaScript; the table below does not."))
    content = [
        element("p", hint, class_="note"),
        off,
        choose,
        element("div", matrix, clips, class_="matrix-and-clips"),
        _numbers(numbers),
    ]
    return _Section("confusions", "Confusions", content, wide=True)


def _calibration(comparison, calibrations):
    figures, rows, without = [], [], []
    for i, (name, found) in enumerate(calibrations.items()):
        if found is None:
            without.append(name)
            continue
        error = f"calibration error {found.expected_error:.3f}"
        description = (
            f"Share of correct predictions of {name} at each probability; {error}. The table below lists the numbers."
        )
        chart = _charts.reliability_chart(
            f"calibration-{i}", f"Calibration of {name}", description, i % len(PALETTE), found
        )
        caption = element("figcaption", element("strong", name), element("span", error))
        figures.append(element("figure", chart, caption))
        rows += [
            [name, f"{p:.3f}", f"{share:.3f}", str(n)]
            for p, share, n in zip(found.confidence, found.accuracy, found.n_clips, strict=True)
        ]
    note = (
        "Predictions in ten bins by probability; the area of a dot is their number. On the dotted line, what has a "
        "probability of 0.8 is correct 8 times in 10. The (expected) calibration error is the mean distance from it, "
        "weighted by predictions."
    )
    if without:
        note += f" Without probabilities: {', '.join(without)}."
    numbers = table("Reliability", ["model", "mean probability", "share correct", "predictions"], rows)
    content = [element("div", *figures, class_="multiples"), element("p", note, class_="note"), _numbers(numbers)]
    return _Section("calibration", "Calibration", content, wide=True)


def _differences(differences):
    reach = max(abs(end) for pair in differences for end in (*pair.interval, pair.difference)) or 1.0
    rows = []
    for pair in differences:
        bar = _charts.interval_bar(pair.difference, pair.interval, -reach, reach, zero=0, muted=not pair.significant)
        low, high = pair.interval
        rows.append(
            [
                element("th", pair.first, element("span", " over ", class_="quiet"), pair.second, scope="row"),
                _number(pair.difference, _signed(pair.difference)),
                _number(low, bar, element("span", f"{_signed(low)} to {_signed(high)}"), class_="number with-bar"),
                _number(pair.p_value, "< 0.001" if pair.p_value < 0.001 else f"{pair.p_value:.3f}"),
                "yes" if pair.significant else "no (tie)",
            ]
        )
    note = (
        f"Accuracy of the first model minus that of the second on the same clips; bars span {_signed(-reach)} to "
        f"{_signed(reach)}. Intervals are 95% for each pair alone, over speakers; p-values are adjusted for "
        f"{plural(len(differences), 'pair')} by Holm's method, and below 0.05 the difference is significant."
    )
    columns = ["pair", _title("difference"), _title("95% interval"), _title("adjusted p"), "significant"]
    numbers = table("Differences of accuracy", columns, rows, hidden_caption=True)
    return _Section("differences", "Pairwise differences", [numbers, element("p", note, class_="note")], wide=True)


def _failures(comparison):
    columns, rows = comparison.table("failures")
    shown = [[name, "all" if k is None else str(k), *map(str, rest)] for name, k, *rest in rows]
    titles = [column.removeprefix("n_").replace("_", " ") for column in columns]
    numbers = table("Fits that failed", titles, shown, hidden_caption=True)
    note = (
        "A model that failed with all examples is compared no further; of a number of examples that it failed at, no "
        "mean is given."
    )
    return _Section("failures", "Failed fits", [numbers, element("p", note, class_="note")], wide=True)


def _making(settings, versions):
    made = [
        table(caption, ["name", "value"], [[str(key), _setting(value)] for key, value in content.items()])
        for caption, content in (("Settings", settings), ("Versions", versions))
        if content
    ]
    return _Section("making", "Settings and versions", [element("div", *made, class_="side-by-side")], wide=True)


# Pieces


def _number(value, *shown, class_="number"):
    return element("td", *shown, class_=class_, data_value=repr(float(value)))


def _title(*shown, number=True):
    return element("th", *shown, scope="col", class_="number" if number else None)


def _signed(value):
    return f"{value:+.3f}".replace("-", "\N{MINUS SIGN}")


def _moment(created):
    return element("time", created[:16].replace("T", " at "), datetime=created)


def _setting(value):
    if value is None:
        return "\N{EN DASH}"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)


def _curve_table(shown):
    at = {place: x for series in shown.series for place, x in zip(series.x_names, series.x, strict=True)}
    places = sorted(at, key=at.get)
    rows = []
    for series in shown.series:
        texts = {
            place: f"{y:.3f} ({interval_text(interval)})"
            for place, y, interval in zip(series.x_names, series.y, series.interval, strict=True)
        }
        rows.append([series.name, *(texts.get(place, "\N{EN DASH}") for place in places)])  # none where a fit failed
    return table(f"Accuracy by {shown.x_label}", ["model", *places], rows)


def _chart_section(key, title, shown, note, numbers):
    description = f"Accuracy of each model by {shown.x_label}. The table below lists the numbers."
    chart = _charts.chart(f"{key}-chart", title, description, shown)
    legend = [element("li", _charts.swatch(series), series.name) for series in shown.series]
    words = element("figcaption", element("ul", *legend, class_="legend"), element("p", note, class_="note"))
    return _Section(key, title, [element("figure", chart, words), _numbers(numbers)])


def _numbers(numbers):
    return element("details", element("summary", "Numbers"), numbers)


# Data of the confusion matrices


def _clip_data(comparison, waveforms, names, sample_rate):
    cells = misclassified_clips(comparison)
    sounds = {} if waveforms is None else embed_sounds(choose_playable(cells), waveforms, sample_rate)
    models = [_model_data(comparison, *pair) for pair in zip(comparison.ranked, cells, strict=True)]
    named = {clip for model in models for _, _, _, clips in model["cells"] for clip, _ in clips}
    clips = {
        clip: {
            "name": f"clip {clip}" if names is None else str(names[clip]),
            "speaker": str(comparison.speakers[clip]),
            **sounds.get(clip, {}),
        }
        for clip in sorted(named)
    }
    n_misclassified = len({clip for model in cells for clips in model.values() for clip, _ in clips})
    return {
        "labels": [str(label) for label in comparison.labels],
        "repeats": len(comparison.models[0].predictions),
        "models": models,
        "clips": clips,
        "n_misclassified": n_misclassified,
        "recordings": waveforms is not None,
    }


def _model_data(comparison, scores, cells):
    return {
        "name": scores.name,
        "counts": confusion_counts(comparison, scores),
        "cells": [
            [true, predicted, len(clips), [(clip, p if p is None else round(p, 3)) for clip, p in clips[:N_NAMED]]]
            for (true, predicted), clips in sorted(cells.items())
        ],
    }
