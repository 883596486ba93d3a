"""Networks of the field beside classical classifiers, speaker-disjoint, on a folder of recordings.

    python benchmarks/networks.py RECORDINGS --labels down,eight,five,go --examples 20 --output networks.json

Each is trained on the same clips: some per word, and all. Networks from scratch take log-mel frames, but for those that
were made for other rows. Weights and multiply-adds are those of the network, the embedding included where it is part of
the answer, for one clip in inference. Times are those of this machine, that of a prediction from the waveform on.
"""

import argparse
import os
from time import perf_counter

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from pathlib import Path

import numpy as np
from harness import load, write
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from skkws import (
    KeywordHeadClassifier,
    KeywordNetClassifier,
    LogMelTransformer,
    LogSpectrogramTransformer,
    Resample,
    SpeechEmbeddingTransformer,
)
from skkws._engine.cost import of_model
from skkws._engine.spec import PADDING
from skkws.compare import draw_examples, make_model, speaker_folds
from skkws.metrics import accuracy_interval
from skkws.networks import speech_embedding

_TUNED = {"network": "embedding+head", "epochs": 60, "batch_size": 64}


def models(seed, n_examples):
    """Return (name, rows, classifier) of everything that is compared."""
    # Seven hundred updates with 180 clips, a thousand with 2,159.
    steps = {"epochs": 60, "batch_size": 16} if n_examples else {"epochs": 30, "batch_size": 64}
    # WavCeption costs so much that it is cut short, to three hundred.
    wavception = {"network_params": {"width": 4, "stride": 4}} | ({} if n_examples else {"epochs": 10})

    def net(network, **settings):
        return KeywordNetClassifier(network, random_state=seed, **steps | settings)

    return [
        ("mfcc + svm", "mfcc", make_model("mfcc+svm", seed)[1:]),
        ("mfcc + xgboost", "mfcc", make_model("mfcc+xgboost", seed)[1:]),
        ("embedding + head", "embedding", KeywordHeadClassifier(random_state=seed)),
        ("... frozen, as one network", "logmel", net(**_TUNED)),
        ("... fine-tuned, full", "logmel", net(**_TUNED, train_embedding="full")),
        ("... fine-tuned, gradual", "logmel", net(**_TUNED, train_embedding="gradual")),
        ("embedding + head, by TensorFlow", "embedding", net("head", epochs=60, batch_size=64)),
        ("embedding + flat_head", "embedding", net("flat_head", epochs=60, batch_size=64)),
        ("keyword_net", "logmel", net("keyword_net")),
        ("light_cnn", "spectrogram", net("light_cnn")),
        ("wavception, width 4, stride 4", "waveform", net("wavception", **wavception)),
        ("mlp", "logmel", net("mlp", input_shape=(98, 32))),
        ("cnn", "logmel", net("cnn")),
        ("cnn1d", "logmel", net("cnn1d")),
        ("lstm", "logmel", net("lstm")),
        ("gru", "logmel", net("gru")),
        ("crnn", "logmel", net("crnn")),
        ("ds_cnn", "logmel", net("ds_cnn")),
        ("tc_resnet", "logmel", net("tc_resnet")),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--labels", help="words to take, separated by commas")
    parser.add_argument("--examples", type=int, nargs="*", default=[20], help="clips per word; 0 means all")
    parser.add_argument("--folds", type=int, help="folds to run, of those that there are")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--models", nargs="*", help="some of the names")
    parser.add_argument("--output", type=Path, help="JSON file for the results")
    args = parser.parse_args()

    X, words, groups = load(args.folder, args.labels)
    y = np.unique(words, return_inverse=True)[1]
    print(f"{len(X)} clips, {len(np.unique(y))} words, {len(np.unique(groups))} speakers", flush=True)
    transformers = {
        "waveform": None,
        "logmel": LogMelTransformer(),
        "embedding": SpeechEmbeddingTransformer(),
        "spectrogram": make_pipeline(Resample(), LogSpectrogramTransformer(8000, win_length=160, hop_length=80)),
        "mfcc": make_model("mfcc+svm")[0],
    }
    rows, seconds = {}, {}
    for kind, transformer in transformers.items():
        begin = perf_counter()
        rows[kind] = X if transformer is None else transformer.fit_transform(X)
        seconds[kind] = (perf_counter() - begin) / len(X)
    folds = speaker_folds(y, groups, random_state=args.seed)[0][: args.folds]
    results = {}
    for n in args.examples:
        for name, kind, classifier in models(args.seed, n):
            if args.models and name not in args.models:
                continue
            result = measure(classifier, rows[kind], y, groups, folds, n)
            result["predict"] += seconds[kind]
            results[f"{name}, {n or 'all'}"] = result
            low, high = result["interval"]
            print(
                f"{n or 'all':>4} {name:32} {result['accuracy']:.4f} ({low:.4f}-{high:.4f})  weights "
                f"{result['weights']:>8}  multiply-adds {result['multiply_adds']:>10}  fit {result['fit']:7.1f} s  "
                f"predict {result['predict'] * 1e3:6.2f} ms{result['note']}",
                flush=True,
            )
            write(args, results)


def measure(classifier, rows, y, groups, folds, n_examples):
    """Train on each fold, and test."""
    right, speakers, fit, predict, kept = [], [], [], [], 0
    tuned = getattr(classifier, "train_embedding", "frozen") != "frozen"
    for rest, test in folds:
        rng = np.random.default_rng([n_examples, test[0]])
        train = draw_examples(y, rest, n_examples, rng) if n_examples else rest
        begin = perf_counter()
        speakers_of = {"groups": groups[train]} if tuned else {}
        fitted = clone(classifier).fit(rows[train], y[train], **speakers_of)
        fit.append(perf_counter() - begin)
        fitted.predict(rows[test])  # what is compiled at the first call is another question
        begin = perf_counter()
        right.append(fitted.predict(rows[test]) == y[test])
        predict.append((perf_counter() - begin) / len(test))
        speakers.append(groups[test])
        kept += getattr(fitted, "fine_tuned_", False)
    right, speakers = np.concatenate(right), np.concatenate(speakers)
    weights, multiply_adds = cost(fitted)
    return {
        "accuracy": float(right.mean()),
        "interval": accuracy_interval(right, speakers),
        "weights": weights,
        "multiply_adds": multiply_adds,
        "fit": float(np.median(fit)),
        "predict": float(np.median(predict)),
        "note": f"  kept in {kept} of {len(folds)} folds" if tuned else "",
    }


def cost(fitted):
    """Return weights and multiply-adds of a network; for the others there are none."""
    if not isinstance(fitted, KeywordHeadClassifier | KeywordNetClassifier):
        return 0, 0
    model = fitted.to_keras()
    heads = isinstance(fitted, KeywordHeadClassifier) or fitted.network in ("head", "flat_head")
    weights, multiply_adds = model.count_params(), of_model(model)
    if heads:  # behind the embedding of one second
        embedding = speech_embedding()
        weights += embedding.count_params()
        multiply_adds += of_model(embedding, (98 + PADDING, 32))
    return weights, multiply_adds


if __name__ == "__main__":
    main()
