"""The speech embedding in numbers, each in this one place: its front end, its layers and its silence.

Read off the graph of google/speech_embedding/1. The network is that of Lin, Kilgour, Roblek, Sharifi (2020), "Training
Keyword Spotters with Limited and Synthesized Speech Data", arXiv:2002.01322.
"""

import numpy as np

# The front end, which is `log_mel` at its defaults: samples per second, of a window and of a hop, points of the FFT,
# mel bands and their edges in Hz, and what is added to an energy before the logarithm.
SAMPLE_RATE = 16000
WIN_LENGTH, HOP_LENGTH, N_FFT = 400, 160, 512
N_BANDS, FMIN, FMAX = 32, 60.0, 3800.0
LOG_OFFSET = 1e-3
# A band of digital silence.
SILENCE = np.log(np.float32(LOG_OFFSET))

# What one vector covers and how far the next one lies, in frames: three of the five poolings halve the time.
FRAMES_PER_VECTOR, FRAMES_PER_HOP = 76, 8
N_DIMS = 96
# The shortest signal of which there is a vector, in samples.
MIN_SAMPLES = WIN_LENGTH + (FRAMES_PER_VECTOR - 1) * HOP_LENGTH

# Silence around a clip on each side in samples, and in frames on both sides together: a vector covers 12,400 samples,
# and without it a word at the edge of a clip is seen whole by none. Chosen on recordings of digits and commands, see
# benchmarks/README.md.
PADDING = 6000
PADDING_FRAMES = 2 * PADDING // HOP_LENGTH

# Channels, convolution pairs (1x3 in frequency, then 3x1 in time) and pooling (time, frequency) of each block. The
# paper counts the same layers shifted by half a block.
BLOCKS = ((24, 1, (2, 2)), (48, 2, (1, 2)), (72, 2, (2, 2)), (96, 2, (1, 2)), (96, 2, (2, 2)))
NORM_EPSILON = 1e-3


def count_vectors(n_frames):
    """Count the vectors of so many frames, 76 or more."""
    return 1 + (n_frames - FRAMES_PER_VECTOR) // FRAMES_PER_HOP


def weight_shapes():
    """Shapes of the weights of the network in their order, as ``{"layer/variable": shape}``."""
    stem = BLOCKS[0][0]
    shapes = {"stem/kernel": (3, 3, 1, stem)}
    shapes |= {f"stem_norm/{name}": (stem,) for name in ("gamma", "beta", "moving_mean", "moving_variance")}
    channels = stem
    for b, (filters, pairs, _) in enumerate(BLOCKS, start=1):
        for p in range(1, pairs + 1):
            for axis, size in (("frequency", (1, 3)), ("time", (3, 1))):
                shapes[f"block{b}_{axis}{p}/kernel"] = (*size, channels, filters)
                shapes[f"block{b}_{axis}{p}/bias"] = (filters,)
                channels = filters
    return shapes | {"vectors/kernel": (3, 1, channels, N_DIMS)}
