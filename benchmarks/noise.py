"""Accuracy in noise, trained with and without augmentation, speaker-disjoint, on a folder of recordings.

    python benchmarks/noise.py RECORDINGS --noise FOLDER --labels one,two --output noise.json --figure noise.png

The recordings of noise are split in two halves: one is mixed into the clips to test on, the other one is for the
augmentation, and then the other way round. A copy is a function of its clip alone, so all copies are made before the
clips are split, and a fold takes those of its training clips: the same rows as `AugmentedClassifier` makes in `fit`.
"""

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from harness import load, write
from joblib import Parallel, delayed

from skkws import AudioAugmenter
from skkws.augment import BackgroundNoise, PeakLimit, default_transforms
from skkws.compare import draw_examples, make_model, speaker_folds
from skkws.metrics import accuracy_interval

MODELS = ("embedding+head", "mfcc+xgboost")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--noise", type=Path, required=True, help="folder of recorded noise, two files or more")
    parser.add_argument("--labels", help="words to take, separated by commas")
    parser.add_argument("--examples", type=int, nargs="*", default=[1, 5, 20], help="clips per word, besides all")
    parser.add_argument("--snr", type=float, nargs="+", default=[20, 10, 5, 0], help="in dB, besides clean")
    parser.add_argument("--copies", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--n-jobs", type=int, default=2)
    parser.add_argument("--output", type=Path, help="JSON file for the results")
    parser.add_argument("--figure", type=Path, help="picture of the results")
    args = parser.parse_args()

    X, words, groups = load(args.folder, args.labels)
    labels, y = np.unique(words, return_inverse=True)
    print(f"{len(X)} clips, {len(labels)} words, {len(np.unique(groups))} speakers", flush=True)

    transformers = {model: make_model(model)[0].fit(X[:1]) for model in MODELS}
    clean = {model: transformer.transform(X) for model, transformer in transformers.items()}
    answers = {}
    with Parallel(args.n_jobs, return_as="generator") as parallel:
        for seed in range(args.seeds):
            training, tests = noisy_rows(parallel, transformers, X, clean, args, seed)
            jobs = [
                (model, n, half, fold)
                for model in MODELS
                for n in (*args.examples, None)
                for half in (None, 0, 1)
                for fold in speaker_folds(y, groups, random_state=seed)[0]
            ]
            done = parallel(
                delayed(correct_answers)(model, seed, training[model, half], tests, half, y, fold, n)
                for model, n, half, fold in jobs
            )
            for (model, n, half, (_, test)), correct in zip(jobs, done, strict=True):
                key = f"{model}, {'plain' if half is None else 'augmented'}, {n or 'all'}"
                # Without augmentation both halves of the noise are tested with.
                speakers = np.tile(groups[test], correct.shape[1] // len(test))
                answers.setdefault(key, []).append((correct, speakers))

    conditions = ["clean", *(f"{snr:g} dB" for snr in args.snr)]
    results = {}
    for key, parts in answers.items():
        correct, speakers = (np.concatenate(arrays, axis=-1) for arrays in zip(*parts, strict=True))
        results[key] = {
            condition: {"accuracy": float(line.mean()), "interval": accuracy_interval(line, speakers)}
            for condition, line in zip(conditions, correct, strict=True)
        }
        cells = (
            f"{c} {v['accuracy']:.3f} ({v['interval'][0]:.3f}-{v['interval'][1]:.3f})" for c, v in results[key].items()
        )
        print(f"{key:30} {'  '.join(cells)}", flush=True)
    write(args, results)
    if args.figure:
        draw(results, conditions, [*args.examples, "all"], args.figure)


def noisy_rows(parallel, transformers, X, clean, args, seed):
    """Return the rows to train on, plain and augmented with either half of the noise, and those to test on.

    Both are dicts of ``(model, half)``; the rows to test on hold one array for each condition, and are mixed with the
    half of the noise that the augmentation has not.
    """
    files = sorted(path for path in args.noise.iterdir() if path.suffix == ".wav")
    halves = files[::2], files[1::2]
    wanted = [(half, default_transforms(noise=halves[half]), args.copies) for half in (0, 1)]
    wanted += [(half, [BackgroundNoise(halves[1 - half], snr), PeakLimit()], 1) for half in (0, 1) for snr in args.snr]
    made = parallel(delayed(copies)(transformers, X, transforms, n, seed) for _, transforms, n in wanted)
    training = {(model, None): rows for model, rows in clean.items()}
    tests = {(model, half): [rows] for model, rows in clean.items() for half in (0, 1)}
    for i, ((half, *_), features) in enumerate(zip(wanted, made, strict=True)):
        for model, rows in features.items():
            if i < 2:
                training[model, half] = np.concatenate([clean[model], rows])
            else:
                tests[model, half].append(rows)
    return training, tests


def copies(transformers, X, transforms, n_copies, seed):
    """Return the features of varied copies of all clips."""
    augmenter = AudioAugmenter(transforms, n_copies=n_copies, keep_original=False, random_state=seed)
    varied, _ = augmenter.fit_resample(X, X[:, 0])
    return {model: transformer.transform(varied) for model, transformer in transformers.items()}


def correct_answers(model, seed, rows, tests, half, y, fold, n_examples):
    """Train on a fold; an array of (conditions, clips), which are tested with one half of the noise or with both."""
    train, test = fold
    if n_examples:
        rng = np.random.default_rng([seed, n_examples, test[0]])
        train = draw_examples(y, train, n_examples, rng)
    n_versions = len(rows) // len(y)
    chosen = (train + len(y) * np.arange(n_versions)[:, None]).ravel()
    told = {"keywordheadclassifier__copy_of": chosen % len(y)} if model == "embedding+head" else {}
    classifier = make_model(model, seed)[1:].fit(rows[chosen], y[chosen % len(y)], **told)
    return np.concatenate(
        [
            [classifier.predict(condition[test]) == y[test] for condition in tests[model, tested]]
            for tested in ((0, 1) if half is None else (half,))
        ],
        axis=1,
    )


def draw(results, conditions, examples, path):
    """Draw accuracy over noise, a panel for each number of examples."""
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(
        1, len(examples), figsize=(3.2 * len(examples), 3.4), sharey=True, layout="constrained"
    )
    for panel, n in zip(np.atleast_1d(panels), examples, strict=True):
        for color, model in zip(("tab:blue", "tab:orange"), MODELS, strict=True):
            for style, how in (("--", "plain"), ("-", "augmented")):
                row = results[f"{model}, {how}, {n}"]
                values = [row[condition]["accuracy"] for condition in conditions]
                panel.plot(values, style, color=color, marker="o", markersize=3, label=f"{model}, {how}")
                if how == "augmented":
                    low, high = zip(*(row[condition]["interval"] for condition in conditions), strict=True)
                    panel.fill_between(range(len(conditions)), low, high, color=color, alpha=0.15, linewidth=0)
        panel.set_title("all examples" if n == "all" else f"{n} per word")
        panel.set_xticks(range(len(conditions)), conditions)
        panel.set_xlabel("noise in the test clips")
        panel.grid(alpha=0.3)
        panel.set_ylim(0, 1)
    np.atleast_1d(panels)[0].set_ylabel("accuracy")
    handles, labels = np.atleast_1d(panels)[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
