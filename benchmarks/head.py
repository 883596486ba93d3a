"""Time to train the keyword head: ours against plain ``keras.Model.fit`` on the same rows, network and optimizer.

    python benchmarks/head.py --repeat 3 --output head.json

Rows are random vectors with a weak class signal, so that the two accuracies on held-out rows can be compared.
"""

import argparse
import json
import os
import platform
from pathlib import Path
from statistics import median
from time import perf_counter

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf

from skkws import KeywordHeadClassifier
from skkws.networks import keyword_head

N_VECTORS, N_DIMS, N_CLASSES = 13, 96, 10


def make_rows(n_rows, rng):
    """Vectors of one of ten directions, buried in noise."""
    directions = np.random.RandomState(0).normal(size=(N_CLASSES, N_DIMS))
    y = rng.randint(N_CLASSES, size=n_rows)
    X = rng.normal(size=(n_rows, N_VECTORS, N_DIMS))
    X[:, 4:7] += 0.35 * directions[y][:, None]
    return X.astype(np.float32), y


def time_ours(train, test, args, seed):
    """Seconds of a fit and accuracy on the test rows."""
    head = KeywordHeadClassifier(
        epochs=args.epochs, batch_size=args.batch_size, schedule="constant", standardize=False, random_state=seed
    )
    start = perf_counter()
    head.fit(train[0].reshape(len(train[0]), -1), train[1])
    seconds = perf_counter() - start
    return seconds, head.score(test[0].reshape(len(test[0]), -1), test[1])


def time_keras(train, test, args, seed):
    """Seconds and accuracy of the same network in Keras' own loop."""
    settings = KeywordHeadClassifier().get_params()
    start = perf_counter()
    model = keyword_head(N_VECTORS, N_DIMS, N_CLASSES, dropout=settings["dropout"], seed=seed)
    optimizer = keras.optimizers.Adam(settings["learning_rate"])
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(*train, epochs=args.epochs, batch_size=args.batch_size, verbose=0)
    seconds = perf_counter() - start
    return seconds, float(np.mean(model.predict(test[0], verbose=0).argmax(axis=1) == test[1]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=5000)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--output", type=Path)
    args = parser.parse_args()

    rng = np.random.RandomState(1)
    train, test = make_rows(args.clips, rng), make_rows(2000, rng)
    runs = {"skkws": [], "keras.Model.fit": []}
    for seed in range(args.repeat):
        runs["skkws"].append(time_ours(train, test, args, seed))
        runs["keras.Model.fit"].append(time_keras(train, test, args, seed))
    print(
        f"{args.clips} clips x {N_VECTORS} vectors, {args.epochs} epochs, batches of {args.batch_size}, median (range)"
    )
    for name, results in runs.items():
        seconds = [s for s, _ in results]
        accuracy = np.mean([a for _, a in results])
        print(f"{name:16} {median(seconds):6.2f} s ({min(seconds):.2f} to {max(seconds):.2f})  accuracy {accuracy:.4f}")
    ratio = median(k / s for (s, _), (k, _) in zip(runs["skkws"], runs["keras.Model.fit"], strict=True))
    print(f"keras.Model.fit takes {ratio:.1f} times as long")
    if args.output:
        machine = {"cores": os.cpu_count(), "platform": platform.platform()}
        versions = {"tensorflow": tf.__version__, "keras": keras.__version__, "numpy": np.__version__}
        content = {"settings": vars(args) | {"output": None}, "machine": machine, "versions": versions}
        args.output.write_text(json.dumps(content | {"runs": runs, "ratio": ratio}, indent=2) + "\n")


if __name__ == "__main__":
    main()
