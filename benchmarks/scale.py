"""How the cost of features and of training grows with the number of clips, and what that makes for many.

    python benchmarks/scale.py RECORDINGS --clips 1000 10000 --output scale.json

Files are those of RECORDINGS, over and over; nothing is cached. Measured are the numbers of --clips, in one process
that uses all cores. The second table multiplies the cost per clip of the largest of them: it is no measurement.
"""

import argparse
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from harness import write
from sklearn.linear_model import SGDClassifier

from skkws import AudioLoader, KeywordHeadClassifier, SpeechEmbeddingTransformer, extract_features
from skkws.datasets import load_keyword_folder

STEPS = {
    "vectors": "files to vectors, s",
    "pooled": "files to pooled rows, s",
    "head": "an epoch of the head, s",
    "linear": "an epoch of a linear classifier, s",
    "vector_bytes": "vectors, bytes",
    "pooled_bytes": "pooled rows, bytes",
}
EXTRAPOLATED = (10**4, 10**5, 10**6, 10**7, 10**8)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--clips", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--labels", help="words to take, separated by commas")
    parser.add_argument("--output", type=Path, help="JSON file for the results")
    args = parser.parse_args()

    data = load_keyword_folder(args.folder, labels=args.labels.split(",") if args.labels else None)
    loader = AudioLoader(on_error="skip")
    loader.fit_transform(data.filenames)
    files, y = data.filenames[loader.kept_], np.unique(data.target[loader.kept_], return_inverse=True)[1]
    extract_features(files[:300])  # what loads and compiles at first
    results = {}
    for n in args.clips:
        order = np.random.default_rng(0).permutation(np.resize(np.arange(len(files)), n))
        results[n] = measure(files[order].tolist(), y[order])
        print(f"{n} clips: {', '.join(f'{STEPS[k]} {v:.4g}' for k, v in results[n].items())}", flush=True)
    most = max(args.clips)
    print(f"\nThe cost per clip at {most} clips, times the number of clips (no measurement)")
    for n in EXTRAPOLATED:
        cost = {k: v * n / most for k, v in results[most].items()}
        times = "  ".join(f"{cost[k] / 3600:9.3g} h" for k in ("vectors", "pooled", "head", "linear"))
        sizes = "  ".join(f"{cost[k] / 1e9:8.3g} GB" for k in ("vector_bytes", "pooled_bytes"))
        print(f"{n:>11,}  {times}  {sizes}")
    write(args, results)


def measure(files, y):
    """Return seconds and bytes of each step."""
    with TemporaryDirectory() as folder:
        cost = {}

        def timed(name, function):
            start = perf_counter()
            result = function()
            cost[name] = perf_counter() - start
            return result

        X = timed("vectors", lambda: extract_features(files, out=Path(folder, "vectors.npy")))
        pooling = SpeechEmbeddingTransformer(pooling="mean_max")
        pooled = timed("pooled", lambda: extract_features(files, pooling, out=Path(folder, "pooled.npy")))
        head = KeywordHeadClassifier(epochs=1, random_state=0)
        head.fit(X[:200], y[:200])  # which compiles
        timed("head", lambda: head.fit(X, y))
        linear = SGDClassifier(loss="log_loss", max_iter=1, tol=None, random_state=0)
        timed("linear", lambda: linear.fit(pooled, y))
        return cost | {"vector_bytes": X.nbytes, "pooled_bytes": pooled.nbytes}


if __name__ == "__main__":
    main()
