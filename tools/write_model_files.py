"""Write a saved model of each kind, which later versions have to load, and what it answers.

    python tools/write_model_files.py

Run it again only where the format has changed for good: files of earlier versions are what the tests are about.
"""

from pathlib import Path

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import skkws
from skkws.augment import ColoredNoise, Gain
from skkws.embedding import EmbeddingWeights, read_weights
from skkws.persistence import save_head, save_model
from skkws.preparation import normalize_peak

FOLDER = Path(__file__).parent.parent / "tests" / "persistence" / "files"


def square_waves():
    """Clips of 0.775 s, in turn of a high and a low pitch, and their labels."""
    labels = np.tile(["high", "low"], 4)
    periods = np.where(labels == "high", 20, 80)[:, None] + 2 * np.arange(8)[:, None]
    return np.where(np.arange(12400) % periods < periods // 2, 0.25, -0.25).astype(np.float32), labels


def sparse_weights():
    """Weights of an embedding that a file can hold in a few kilobytes: some of the published ones, louder."""
    arrays = read_weights("google")
    rng = np.random.default_rng(0)
    return EmbeddingWeights(
        {
            name: np.float16(np.where(rng.random(array.shape) < 0.02, 7 * array, 0)) if array.ndim > 1 else array
            for name, array in arrays.items()
        }
    )


def models():
    """Fitted models by name, and the rows that each takes."""
    clips, labels = square_waves()
    frames = skkws.LogMelTransformer().fit_transform(clips)
    small = {"epochs": 2, "random_state": 0}
    augmenter = skkws.AudioAugmenter([Gain(), ColoredNoise()], n_copies=1, random_state=0)
    # Of ours too: what scikit-learn's classifiers hold changes with their version.
    head = skkws.KeywordHeadClassifier(n_vectors=1, filters=4, **small)
    pooled = make_pipeline(skkws.SpeechEmbeddingTransformer(pooling="mean"), clone(head))
    on_clips = {
        "augmented": skkws.AugmentedClassifier(pooled, augmenter),
        "denoiser": skkws.UNetDenoiser(n_mels=16, channels=(2, 4), epochs=1, random_state=0),
        "head_pipeline": make_pipeline(
            skkws.SpeechEmbeddingTransformer(padding=0), skkws.KeywordHeadClassifier(filters=4, **small)
        ),
        "mfcc": make_pipeline(FunctionTransformer(normalize_peak), skkws.MFCCTransformer(), clone(head)),
        "own_weights": make_pipeline(skkws.SpeechEmbeddingTransformer(weights=sparse_weights(), pooling="max"), head),
        "prototypes": make_pipeline(skkws.MFCCTransformer(n_mfcc=4), skkws.PrototypeClassifier(["high"])),
    }
    on_frames = {
        "autoencoder": skkws.SpectrogramAutoencoder(n_components=2, channels=(2, 4), epochs=1, random_state=0),
        "net": skkws.KeywordNetClassifier(
            "ds_cnn", network_params={"filters": 4, "n_blocks": 1}, epochs=30, random_state=0
        ),
    }
    fitted = {name: (model.fit(clips, labels), clips) for name, model in on_clips.items()}
    return fitted | {name: (model.fit(frames, labels), frames) for name, model in on_frames.items()}


def answer(model, X):
    """Return what a model makes of rows."""
    return model.predict_proba(X) if hasattr(model, "predict_proba") else model.transform(X)


def main():
    """Write all of it."""
    FOLDER.mkdir(exist_ok=True)
    rows, answers = {}, {}
    fitted = models()
    for name, (model, X) in fitted.items():
        save_model(model, FOLDER / f"{name}.skops")
        rows[name], answers[name] = X[:2], answer(model, X[:2])
    pipeline, clips = fitted["head_pipeline"]
    save_head(pipeline, FOLDER / "head.skops")
    rows["head"] = pipeline[0].transform(clips[:2])
    answers["head"] = answers["head_pipeline"]
    np.savez_compressed(FOLDER / "rows.npz", **rows)
    np.savez_compressed(FOLDER / "answers.npz", **answers)


if __name__ == "__main__":
    main()
