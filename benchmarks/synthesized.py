"""Trained on synthesized speech, tested on recordings of people.

    python benchmarks/synthesized.py RECORDINGS --keywords one,two --background FOLDER --engines espeak-ng

RECORDINGS holds a folder for each word; those that are no keyword are words to let pass, and one-second excerpts of
FOLDER are silence. --ablation measures what each part of the spotter brings, told apart among the keywords alone.
--recordings adds some recordings of people to the synthesized speech, speaker-disjoint, beside what they bring alone.
"""

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from harness import load, write
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skkws import (
    AudioAugmenter,
    KeywordHeadClassifier,
    PrototypeClassifier,
    SpeechEmbeddingTransformer,
    make_keyword_pipeline,
    train_keyword_spotter,
)
from skkws.audio import read_audio
from skkws.compare import draw_examples, speaker_folds
from skkws.metrics import accuracy_interval
from skkws.spotting import SILENCE, SYNTHESIZED_WORTH, UNKNOWN
from skkws.synthesis import synthesize_keywords

N_PER_WORD = 240


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--keywords", required=True, help="words to spot, separated by commas")
    parser.add_argument("--background", type=Path, help="folder of recorded noise to test silence on")
    parser.add_argument("--engines", default="espeak-ng", help="speech engines, separated by commas, or auto")
    parser.add_argument("--ablation", action="store_true")
    parser.add_argument("--recordings", type=int, nargs="*", default=[], help="numbers of recordings per word to add")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--n-jobs", type=int, default=2)
    parser.add_argument("--output", type=Path, help="JSON file for the results")
    args = parser.parse_args()
    args.engines = args.engines if args.engines == "auto" else args.engines.split(",")

    keywords = args.keywords.split(",")
    X, y, groups = load(args.folder, None)
    is_keyword = np.isin(y, keywords)
    told_apart = X[is_keyword], y[is_keyword], groups[is_keyword]
    if args.ablation:
        results = ablation(keywords, *told_apart, args)
    elif args.recordings:
        results = with_recordings(keywords, *told_apart, args)
    else:
        y = np.where(is_keyword, y, UNKNOWN)
        if args.background:
            silence, files = excerpts(args.background)
            X, y = np.concatenate([X, silence]), np.append(y, np.full(len(silence), SILENCE))
            groups = np.append(groups, files)
        results = spotter(keywords, X, y, groups, args)
    write(args, results)


def excerpts(folder):
    """Return the seconds of recorded noise one after another, and the file of each."""
    rows, files = [], []
    for path in sorted(folder.glob("*.wav")):
        samples, _ = read_audio(path, sample_rate=16000)
        seconds = samples[: len(samples) // 16000 * 16000].reshape(-1, 16000)
        rows.append(seconds)
        files += [path.stem] * len(seconds)
    return np.concatenate(rows).astype(np.float32), np.array(files)


def spotter(keywords, X, y, groups, args):
    """Measure the spotter of `train_keyword_spotter`, with unknown words and silence where there are any."""
    right, among = [], []
    for seed in range(args.seeds):
        model = train_keyword_spotter(
            keywords, engines=args.engines, random_state=seed, n_jobs=args.n_jobs, verbose=1
        ).model
        scores = model.decision_function(X)
        right.append(model.classes_[scores.argmax(axis=1)] == y)
        is_keyword = np.isin(model.classes_, keywords)
        among.append(model.classes_[is_keyword][scores[:, is_keyword].argmax(axis=1)] == y)
        print(f"seed {seed}: {_by_class(right[-1], y)}", flush=True)
    tested = np.isin(y, keywords)
    speakers = np.tile(groups, args.seeds)
    results = {
        "among the keywords": _share(np.ravel([a[tested] for a in among]), np.tile(groups[tested], args.seeds)),
        "mean recall of the classes": {
            "accuracy": float(np.mean([[r[y == label].mean() for label in np.unique(y)] for r in right])),
            "seeds": [float(np.mean([r[y == label].mean() for label in np.unique(y)])) for r in right],
        },
        "all clips": _share(np.ravel(right), speakers),
    }
    for label in np.unique(y):
        rows = y == label
        results[label] = _share(np.ravel([r[rows] for r in right]), np.tile(groups[rows], args.seeds))
    for name, values in results.items():
        low, high = values.get("interval", (min(values.get("seeds", [0])), max(values.get("seeds", [0]))))
        print(f"{name:28} {values['accuracy']:.4f} ({low:.4f}-{high:.4f})")
    return results


def _by_class(right, y):
    return "  ".join(f"{label} {right[y == label].mean():.3f}" for label in np.unique(y))


def _share(right, groups):
    return {"accuracy": float(right.mean()), "interval": accuracy_interval(right, groups)}


def ablation(keywords, X, y, groups, args):
    """Add one part of the spotter after the other."""

    def logistic(penalty):
        return make_pipeline(StandardScaler(), LogisticRegression(C=penalty, max_iter=1000))

    def prototypes(**parameters):
        return make_pipeline(StandardScaler(), PrototypeClassifier(**parameters))

    # What it is, pooling, classifier, which versions of a clip: the clip itself is the first, its copies follow.
    whole = make_keyword_pipeline()[1:]
    variants = (
        ("head, clips alone", None, KeywordHeadClassifier(random_state=0), slice(0, 1)),
        ("head, and 3 copies", None, KeywordHeadClassifier(random_state=0), slice(0, 4)),
        ("logistic regression C=0.01, clips alone", "mean_max", logistic(0.01), slice(0, 1)),
        ("logistic regression C=0.01, and 3 copies", "mean_max", logistic(0.01), slice(0, 4)),
        ("logistic regression C=0.001", "mean_max", logistic(0.001), slice(0, 4)),
        ("... of the mean", "mean", logistic(0.001), slice(0, 4)),
        ("prototypes, not whitened", "mean", prototypes(shrinkage=1.0), slice(0, 4)),
        ("... whitened", "mean", prototypes(), slice(0, 4)),
        ("... trained on the copies alone", "mean", prototypes(), slice(1, 4)),
        ("... mean_max", "mean_max", prototypes(), slice(1, 4)),
        ("... the maximum weighed 0.5: the pipeline", "mean_max", whole, slice(1, 4)),
    )
    poolings = (None, "mean", "mean_max")
    embeddings = {pooling: SpeechEmbeddingTransformer(pooling=pooling).fit(X[:1]) for pooling in poolings}
    tested = {pooling: embeddings[pooling].transform(X) for pooling in poolings}
    right = {name: [] for name, *_ in variants}
    for seed in range(args.seeds):
        speech = synthesize_keywords(
            keywords, N_PER_WORD, voices=48, engines=args.engines, random_state=seed, n_jobs=args.n_jobs, verbose=1
        )
        augmenter = AudioAugmenter(random_state=seed, verbose=1)
        rows, words = augmenter.fit_resample(speech.data, speech.target)
        trained = {
            pooling: embeddings[pooling].transform(rows).reshape(4, len(speech.data), -1) for pooling in poolings
        }
        words = words.reshape(4, -1)
        for name, pooling, classifier, versions in variants:
            features = trained[pooling][versions]
            classifier.fit(features.reshape(-1, features.shape[-1]), words[versions].ravel())
            right[name].append(classifier.predict(tested[pooling]) == y)
            print(f"seed {seed} {name:42} {right[name][-1].mean():.4f}", flush=True)
    results = {name: _share(np.ravel(parts), np.tile(groups, args.seeds)) for name, parts in right.items()}
    for name, values in results.items():
        print(f"{name:42} {values['accuracy']:.4f} ({values['interval'][0]:.4f}-{values['interval'][1]:.4f})")
    return results


def with_recordings(keywords, X, y, groups, args):
    """Add recordings of people, speaker-disjoint, and train on them alone."""
    embedding = SpeechEmbeddingTransformer().fit(X[:1])
    vectors = embedding.transform(X)
    right = {}
    for seed in range(args.seeds):
        speech = synthesize_keywords(
            keywords, N_PER_WORD, voices=48, engines=args.engines, random_state=seed, n_jobs=args.n_jobs, verbose=1
        )
        augmenter = AudioAugmenter(keep_original=False, random_state=seed, verbose=1)
        rows, words = augmenter.fit_resample(speech.data, speech.target)
        spoken = embedding.transform(rows)
        rescoring = make_keyword_pipeline(rescored=True, random_state=seed)[1:]
        prototypes = rescoring[0].estimator
        for n in args.recordings:
            for train, test in speaker_folds(y, groups, random_state=seed)[0]:
                rng = np.random.default_rng([seed, n, test[0]])
                chosen = draw_examples(y, train, n, rng)
                alone = vectors[chosen], y[chosen]
                head = KeywordHeadClassifier(random_state=seed).fit(*alone)
                both = np.concatenate([spoken, vectors[chosen]]), np.concatenate([words, y[chosen]])
                weight = np.append(
                    np.full(len(words), SYNTHESIZED_WORTH * len(keywords) / len(words)), np.ones(len(chosen))
                )
                rescored = np.arange(len(weight)) >= len(words)
                classifiers = {
                    "alone, head": head,
                    "alone, prototypes": clone(prototypes).fit(*alone),
                    "and synthesized, prototypes": clone(prototypes).fit(
                        *both, prototypeclassifier__sample_weight=weight
                    ),
                    "and synthesized, rescored": clone(rescoring).fit(
                        *both, rescoringclassifier__sample_weight=weight, rescoringclassifier__rescored=rescored
                    ),
                }
                for name, classifier in classifiers.items():
                    answer = classifier.predict(vectors[test])
                    right.setdefault(f"{n} {name}", []).append((answer == y[test], groups[test]))
    results = {}
    for name, parts in right.items():
        results[name] = _share(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))
        low, high = results[name]["interval"]
        print(f"{name:32} {results[name]['accuracy']:.4f} ({low:.4f}-{high:.4f})")
    return results


if __name__ == "__main__":
    main()
