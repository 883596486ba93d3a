"""An embedding of one's own, trained on nothing but synthesized speech, beside the published one.

    python benchmarks/backbone.py RECORDINGS --labels down,eight,five,go --text TRANSCRIPTS --words 40 160 --noise NOISE

It is trained by `train_backbone` on the most frequent words of TRANSCRIPTS (a folder of ``.txt``), spoken by synthetic
voices, each clip with a varied copy. None of the words that are told apart afterwards is among them. These are
recordings of people: a head is trained on some per word and tested on other speakers. An embedding with random weights
stands for what the shape of the network alone is worth.
"""

import argparse
import os
import re
from collections import Counter
from pathlib import Path
from time import perf_counter

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from harness import load, write
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from skkws import (
    AudioAugmenter,
    KeywordHeadClassifier,
    LogMelTransformer,
    SpeechEmbeddingTransformer,
    train_backbone,
)
from skkws._engine.layers import seeded
from skkws.augment import default_transforms
from skkws.compare import draw_examples, make_model, speaker_folds
from skkws.metrics import accuracy_interval
from skkws.networks import embedding_weights, keyword_groups
from skkws.synthesis import synthesize_keywords


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--labels", required=True, help="words to tell apart, separated by commas")
    parser.add_argument("--text", type=Path, required=True, help="folder of texts with the words to train on")
    parser.add_argument("--without", default="", help="words not to train on: those that sound like labels")
    parser.add_argument("--words", type=int, nargs="*", default=[40, 160], help="numbers of words to train on")
    parser.add_argument("--clips", type=int, default=16, help="synthesized clips per word; each has one copy")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--noise", help="folder of recorded noise for the copies")
    parser.add_argument("--examples", type=int, nargs="*", default=[1, 5, 20], help="recordings per word for a head")
    parser.add_argument("--seeds", type=int, default=3, help="draws of these recordings")
    parser.add_argument("--backbones", type=Path, default=Path("backbones"), help="folder to keep the embeddings in")
    parser.add_argument("--output", type=Path, help="JSON file for the results")
    args = parser.parse_args()

    left_out = set(args.labels.split(",") + args.without.split(","))
    words = [word for word in frequent_words(args.text) if word not in left_out]
    if len(words) < max(args.words):
        parser.error(f"--text {args.text} has {len(words)} words of four letters and more; ask for fewer by --words.")
    args.backbones.mkdir(exist_ok=True)
    weights = {"published": "google", "random weights": args.backbones / "random.npz"}
    with seeded(0):
        np.savez(weights["random weights"], **embedding_weights(keyword_groups((98, 32), 2)))
    results = {}
    for n in args.words:
        weights[f"own, {n} words"] = args.backbones / f"{n}_words.npz"
        results[f"training, {n} words"] = train(words[:n], weights[f"own, {n} words"], args)

    X, y, groups = load(args.folder, args.labels)
    folds = speaker_folds(y, groups)[0]
    head = KeywordHeadClassifier(random_state=0)
    models = {
        name: make_pipeline(SpeechEmbeddingTransformer(weights=backbone), head) for name, backbone in weights.items()
    }
    for name, model in (models | {"mfcc + svm": make_model("mfcc+svm", 0)}).items():
        rows = model[0].fit_transform(X)
        for n in args.examples:
            result = measure(model[1:], rows, y, groups, folds, n, args.seeds)
            results[f"{name}, {n} per word"] = result
            low, high = result["interval"]
            print(f"{name:20} {n:>3} per word  {result['accuracy']:.4f} ({low:.4f}-{high:.4f})", flush=True)
    write(args, results)


def frequent_words(folder):
    """Return the words of four letters and more in the texts of a folder, the most frequent first."""
    texts = " ".join(path.read_text(encoding="utf-8").lower() for path in sorted(folder.rglob("*.txt")))
    return [word for word, _ in Counter(re.findall(r"\b[a-z]{4,}\b", texts)).most_common()]


def train(words, path, args):
    """Train an embedding on these words, and return the loss of each epoch and the seconds it took."""
    speech = synthesize_keywords(words, args.clips, engines=["espeak-ng"], random_state=0, n_jobs=2, verbose=1)
    augmenter = AudioAugmenter(default_transforms(noise=args.noise), n_copies=1, random_state=0, verbose=1)
    clips, labels = augmenter.fit_resample(speech.data, speech.target)
    rows = LogMelTransformer().fit_transform(clips)
    begin = perf_counter()
    losses = train_backbone(rows, labels, path, epochs=args.epochs, random_state=0, verbose=2)
    seconds = perf_counter() - begin
    print(
        f"{len(words)} words, {len(rows)} clips, {seconds:.0f} s, loss {losses[0]:.2f} to {losses[-1]:.2f}", flush=True
    )
    return {"clips": len(rows), "seconds": seconds, "losses": losses}


def measure(classifier, rows, y, groups, folds, n_examples, seeds):
    """Train on some rows of each word and fold, drawn anew with each seed, and test."""
    right, speakers = [], []
    for seed in range(seeds):
        for rest, test in folds:
            rng = np.random.default_rng([seed, n_examples, test[0]])
            train = draw_examples(y, rest, n_examples, rng)
            right.append(clone(classifier).fit(rows[train], y[train]).predict(rows[test]) == y[test])
            speakers.append(groups[test])
    right, speakers = np.concatenate(right), np.concatenate(speakers)
    return {"accuracy": float(right.mean()), "interval": accuracy_interval(right, speakers)}


if __name__ == "__main__":
    main()
