"""A grid over features and classifiers: `CachedTransformer` in scikit-learn's `GridSearchCV`, and the grid without it.

    python benchmarks/search.py RECORDINGS --labels down,eight,five,go,left,one,right,up,zero --output search.json

Four settings of the features, six classifiers, five folds that share no speaker, from files. The scores have to be
equal to the last digit; the script ends with an error where they are not.
"""

import argparse
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from harness import write
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skkws import AudioLoader, CachedTransformer, MFCCTransformer, SpeechEmbeddingTransformer
from skkws.compare import speaker_folds
from skkws.datasets import load_keyword_folder

FEATURES = [
    SpeechEmbeddingTransformer(pooling="mean_max"),
    SpeechEmbeddingTransformer(pooling="mean"),
    MFCCTransformer(n_mfcc=13),
    MFCCTransformer(n_mfcc=20),
]
CLASSIFIERS = [
    LogisticRegression(C=0.01, max_iter=1000),
    LogisticRegression(C=0.1, max_iter=1000),
    SVC(C=1.0),
    SVC(C=10.0),
    LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.1),
    KNeighborsClassifier(5),
]


def search(features, files, y, folds, n_jobs):
    """Run the grid over whole transformers, from files to rows, and classifiers."""
    pipeline = Pipeline([("features", features[0]), ("scale", StandardScaler()), ("classifier", CLASSIFIERS[0])])
    grid = {"features": features, "classifier": CLASSIFIERS}
    start = perf_counter()
    fitted = GridSearchCV(pipeline, grid, cv=folds, n_jobs=n_jobs, refit=False).fit(files, y)
    return perf_counter() - start, fitted.cv_results_


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--labels", help="words to take, separated by commas")
    parser.add_argument("--limit", type=int, help="recordings per word at the most")
    parser.add_argument("--n-jobs", type=int, nargs="+", default=[1], help="workers, one run with each number")
    parser.add_argument("--output", type=Path, help="JSON file for the results")
    args = parser.parse_args()

    labels = args.labels.split(",") if args.labels else None
    data = load_keyword_folder(args.folder, labels=labels, max_per_label=args.limit, random_state=0)
    loader = AudioLoader(on_error="skip")
    loader.fit_transform(data.filenames)
    files, y, groups = data.filenames[loader.kept_], data.target[loader.kept_], data.groups[loader.kept_]
    folds = speaker_folds(y, groups)[0]
    n_fits = len(FEATURES) * len(CLASSIFIERS) * len(folds)
    print(
        f"{len(files)} files; {len(FEATURES)} features, {len(CLASSIFIERS)} classifiers, {len(folds)} folds", flush=True
    )
    whole = [make_pipeline(AudioLoader(), features) for features in FEATURES]
    results = {}
    for n_jobs in args.n_jobs:
        with TemporaryDirectory() as folder:
            cached = [CachedTransformer(features, folder) for features in whole]
            fast, ours = search(cached, files, y, folds, n_jobs)
            again, _ = search(cached, files, y, folds, n_jobs)
        slow, theirs = search(whole, files, y, folds, n_jobs)
        for name in (f"split{i}_test_score" for i in range(len(folds))):
            np.testing.assert_array_equal(ours[name], theirs[name])
        results[n_jobs] = {"cached": fast, "cached, once more": again, "plain": slow}
        print(
            f"{n_jobs} workers: {slow:.1f} s without, {fast:.1f} s with the cache ({slow / fast:.1f} x as fast), "
            f"{again:.1f} s in a second run ({slow / again:.1f} x); all {n_fits} scores equal",
            flush=True,
        )
    write(args, results)


if __name__ == "__main__":
    main()
