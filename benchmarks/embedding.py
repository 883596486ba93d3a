"""Waveforms to embedding vectors: ours against openWakeWord, which computes each vector from its own 76 frames.

    python benchmarks/embedding.py --repeat 5

Both get the same unpadded clips of noise and all cores.
"""

import os

import numpy as np
from harness import parser_for, run


def make_ours(X):
    from skkws import SpeechEmbeddingTransformer

    embedding = SpeechEmbeddingTransformer(padding=0).fit(X)
    return lambda: embedding.transform(X)


def make_openwakeword(X):
    from openwakeword.utils import AudioFeatures

    features = AudioFeatures(ncpu=os.cpu_count())
    pcm = (X * 32767).astype(np.int16)
    return lambda: features.embed_clips(pcm, batch_size=len(pcm), ncpu=os.cpu_count())


def main():
    peers = {"openwakeword": lambda: make_openwakeword(X)}
    parser = parser_for(__doc__, peers)
    parser.add_argument("--clips", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=2.0)
    args = parser.parse_args()
    X = np.random.default_rng(0).normal(0, 0.1, (args.clips, round(16000 * args.seconds))).astype(np.float32)
    run(f"Embedding of {args.clips} clips of {args.seconds:g} s", lambda: make_ours(X), peers, args)


if __name__ == "__main__":
    main()
