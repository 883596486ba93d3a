"""Accuracy of the speech embedding by the zeros around each clip, speaker-disjoint, on a folder of recordings.

    python benchmarks/padding.py RECORDINGS --labels one,two --output padding.json

The classifier is a logistic regression on the mean and maximum of the vectors.
"""

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from harness import load, write
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skkws import SpeechEmbeddingTransformer
from skkws.compare import speaker_folds
from skkws.metrics import accuracy_interval


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--labels", help="words to take, separated by commas")
    parser.add_argument("--padding", type=int, nargs="+", default=[0, 3000, 6000, 9000])
    parser.add_argument("--output", type=Path, help="JSON file for the results")
    args = parser.parse_args()

    X, y, groups = load(args.folder, args.labels)
    folds = speaker_folds(y, groups)[0]
    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
    results = []
    for padding in args.padding:
        embedding = SpeechEmbeddingTransformer(pooling="mean_max", padding=padding)
        correct = cross_val_predict(classifier, embedding.fit_transform(X), y, cv=folds) == y
        low, high = accuracy_interval(correct, groups)
        accuracy = float(np.mean(correct))
        print(f"padding {padding:5d}: accuracy {accuracy:.4f} ({low:.4f} to {high:.4f})", flush=True)
        results.append({"padding": padding, "n_clips": len(y), "accuracy": accuracy, "interval": [low, high]})
    write(args, results)


if __name__ == "__main__":
    main()
