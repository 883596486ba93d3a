"""What the U-Net denoiser takes out of noise, and what spotters make of it, speaker-disjoint, on a folder.

    python benchmarks/denoising.py RECORDINGS --noise FOLDER --labels one,two --output denoising.json

The recordings of noise are split in two halves: the denoiser is trained on the training clips of a fold mixed with
one, and tested on the other clips mixed with the other one; then the other way round. Spotters are trained on the clean
training clips, with the denoiser in front or without.
"""

import argparse
import os
from pathlib import Path
from time import perf_counter

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from harness import load, write

from skkws import UNetDenoiser
from skkws.augment import BackgroundNoise
from skkws.compare import make_model, speaker_folds
from skkws.metrics import accuracy_interval, signal_to_noise_ratio

MODELS = ("mfcc+svm", "mfcc+xgboost", "embedding+head")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--noise", type=Path, required=True, help="folder of recorded noise, two files or more")
    parser.add_argument("--labels", help="words to take, separated by commas")
    parser.add_argument("--snr", type=float, nargs="+", default=[20, 10, 5, 0], help="in dB, besides clean")
    parser.add_argument("--folds", type=int, default=2, help="folds to run, of those that there are")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--floor", type=float, nargs="+", default=[0.1], help="floors of the mask to compare")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, help="JSON file for the results")
    args = parser.parse_args()

    X, words, groups = load(args.folder, args.labels)
    y = np.unique(words, return_inverse=True)[1]
    print(f"{len(X)} clips, {len(np.unique(y))} words, {len(np.unique(groups))} speakers", flush=True)
    files = sorted(path for path in args.noise.iterdir() if path.suffix == ".wav")
    halves = files[::2], files[1::2]
    conditions = ["clean", *(f"{snr:g} dB" for snr in args.snr)]
    gains, answers, speakers, seconds = {}, {}, [], []
    for train, test in speaker_folds(y, groups, random_state=args.seed)[0][: args.folds]:
        for half in (0, 1):
            rng = np.random.default_rng(args.seed)
            mixed = [X[test], *(BackgroundNoise(halves[1 - half], snr)(X[test], rng) for snr in args.snr)]
            begin = perf_counter()
            denoiser = UNetDenoiser(noise=halves[half], epochs=args.epochs, random_state=args.seed).fit(X[train])
            seconds.append(perf_counter() - begin)
            print(f"denoiser {len(seconds)} of {2 * args.folds} trained in {seconds[-1]:.0f} s", flush=True)
            speakers.append(groups[test])
            for floor in (None, *args.floor):
                how = "as it is" if floor is None else f"denoised, floor {floor:g}"
                front = (lambda rows: rows) if floor is None else denoiser.set_params(floor=floor).transform
                trained, tests = front(X[train]), [front(rows) for rows in mixed]
                for condition, before, after in zip(conditions[1:], mixed[1:], tests[1:], strict=True):
                    gain = signal_to_noise_ratio(X[test], after) - signal_to_noise_ratio(X[test], before)
                    gains.setdefault(how, {}).setdefault(condition, []).append(gain)
                for name in MODELS:
                    model = make_model(name, args.seed).fit(trained, y[train])
                    correct = [model.predict(rows) == y[test] for rows in tests]
                    answers.setdefault(f"{name}, {how}", []).append(correct)
    results = {"fit": float(np.median(seconds)), "gain": {}, "accuracy": {}}
    for how, of in gains.items():
        means = {condition: float(np.mean(np.concatenate(values))) for condition, values in of.items()}
        results["gain"][how] = means
        print(f"{how:40} {'  '.join(f'{c} {v:+.1f} dB' for c, v in means.items())}")
    for key, parts in answers.items():
        lines = np.concatenate(parts, axis=1)
        intervals = [accuracy_interval(line, np.concatenate(speakers)) for line in lines]
        results["accuracy"][key] = {
            condition: {"accuracy": float(line.mean()), "interval": interval}
            for condition, line, interval in zip(conditions, lines, intervals, strict=True)
        }
        cells = [f"{line.mean():.3f} ({i[0]:.3f}-{i[1]:.3f})" for line, i in zip(lines, intervals, strict=True)]
        print(f"{key:40} {'  '.join(cells)}")
    write(args, results)


if __name__ == "__main__":
    main()
