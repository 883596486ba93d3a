"""Names of columns, read back."""

import numpy as np
import pytest

from skkws import (
    FrameStacker,
    LogMelTransformer,
    LogSpectrogramTransformer,
    MFCCTransformer,
    SpeechEmbeddingTransformer,
    TrimSilence,
)
from skkws._engine.row_names import read_names

MAKERS = [
    (LogMelTransformer(n_mels=20), "logmel"),
    (LogSpectrogramTransformer(), "spectrogram"),
    (MFCCTransformer(), "mfcc"),
    (MFCCTransformer(stats=None, deltas=1), "mfcc"),
    (SpeechEmbeddingTransformer(), "embedding"),
    (SpeechEmbeddingTransformer(pooling="mean_max"), "embedding"),
    (FrameStacker(n_bands=40, left=2, right=1), "stacked"),
]


@pytest.mark.parametrize(("transformer", "kind"), MAKERS, ids=str)
def test_names_tell_the_shape_that_the_transformer_tells(transformer, kind):
    transformer.fit(np.zeros((1, 16000)))
    rows = read_names(transformer.get_feature_names_out())
    assert (rows.kind, rows.shape) == (kind, transformer.output_shape_)


def test_samples_are_frames_of_one_column():
    names = TrimSilence().fit(np.zeros((1, 400))).get_feature_names_out()
    assert read_names(names).shape == (400, 1)


@pytest.mark.parametrize(
    "names",
    [
        ["logmel_t0_b0", "logmel_t0_b1", "logmel_t1_b0"],
        ["logmel_t0_b0", "logmel_t0_b1", "logmel_t1_b0", "logmel_t1_b2"],
        ["logmel_t0_b0", "logmel_t1_b0", "logmel_t0_b1", "logmel_t1_b1"],
    ],
)
def test_chosen_or_mixed_columns_are_no_whole_frames(names):
    assert read_names(names).shape is None


@pytest.mark.parametrize("names", [[], ["pca0", "pca1"], ["logmel_t0_b0", "mfcc_t0_c0"], ["logmel", "logmel"]])
def test_names_of_others_say_nothing(names):
    assert read_names(names) is None
