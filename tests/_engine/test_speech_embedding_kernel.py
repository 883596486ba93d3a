"""The compiled network against the Keras model that defines it, in the layout of every kind of processor."""

import numpy as np
import pytest

from skkws._engine.embedding_kernel import SpeechEmbeddingKernel
from skkws._engine.llvm import AVX2, AVX512, NEON, SSE
from skkws._engine.spec import weight_shapes
from skkws.networks import speech_embedding

REGISTERS = pytest.mark.parametrize("registers", [AVX512, AVX2, SSE, NEON], ids=["AVX512", "AVX2", "SSE", "NEON"])


@pytest.fixture(scope="module")
def model():
    """The network with every weight at random, those of batch norm and the biases too."""
    model = speech_embedding(seed=3)
    rng = np.random.default_rng(0)
    for layer in model.layers:
        for variable in layer.weights:
            if variable.name != "kernel":
                variable.assign(rng.uniform(0.5 if variable.name == "moving_variance" else -0.5, 1.0, variable.shape))
    return model


@pytest.fixture(scope="module")
def arrays(model):
    return {f"{layer.name}/{v.name}": v.numpy() for layer in model.layers for v in layer.weights}


def frames(n, seed=0):
    return np.random.default_rng(seed).normal(-3, 2, (n, 32)).astype(np.float32)


def vectors_of(stream, *pieces):
    """Push the pieces of a signal and return its vectors."""
    n_frames = sum(map(len, pieces))
    out = np.full((1 + (n_frames - 76) // 8, 96), np.nan, np.float32)
    at = 0
    for piece in pieces:
        n = len(piece) // 8 if at else 1 + (len(piece) - 76) // 8
        stream.push(piece, out[at : at + n])
        at += n
    assert at == len(out)
    return out


def test_names_and_shapes_of_the_weights_are_those_of_the_model(arrays):
    assert {name: array.shape for name, array in arrays.items()} == weight_shapes()


@REGISTERS
@pytest.mark.parametrize("n_frames", [76, 84, 132, 140, 300])
def test_vectors_equal_those_of_the_keras_model(model, arrays, registers, n_frames):
    signal = frames(n_frames)
    expected = model(signal[None])[0].numpy()
    actual = vectors_of(SpeechEmbeddingKernel(arrays, registers).stream(), signal)
    assert np.abs(actual - expected).max() < 2e-6 * np.abs(expected).max()


@REGISTERS
def test_a_signal_in_pieces_gives_the_vectors_of_the_whole_to_the_last_bit(arrays, registers):
    kernel = SpeechEmbeddingKernel(arrays, registers)
    signal = frames(76 + 8 * 20)
    whole = vectors_of(kernel.stream(), signal)
    edges = [76, 84, 100, 164, 172]
    np.testing.assert_array_equal(vectors_of(kernel.stream(), *np.split(signal, edges)), whole)


def test_a_restarted_stream_remembers_nothing(arrays):
    kernel = SpeechEmbeddingKernel(arrays)
    stream = kernel.stream()
    vectors_of(stream, np.full((204, 32), np.nan, np.float32))
    stream.restart()
    np.testing.assert_array_equal(vectors_of(stream, frames(156)), vectors_of(kernel.stream(), frames(156)))


def test_two_streams_do_not_meet(arrays):
    kernel = SpeechEmbeddingKernel(arrays)
    signals = [frames(76 + 8 * 6, seed) for seed in (1, 2)]
    streams = [kernel.stream(), kernel.stream()]
    outs = [np.empty((7, 96), np.float32) for _ in streams]
    for v, (start, stop) in enumerate(zip([0, *range(76, 124, 8)], range(76, 125, 8), strict=True)):
        for stream, signal, out in zip(streams, signals, outs, strict=True):
            stream.push(signal[start:stop], out[v : v + 1])
    for signal, out in zip(signals, outs, strict=True):
        np.testing.assert_array_equal(out, vectors_of(kernel.stream(), signal))
