"""Recordings that the tests make."""

import io

import numpy as np
import pytest


def encode_av(y, container, codec, rate=16000):
    """A recording in a container that FFmpeg alone writes."""
    av = pytest.importorskip("av")
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate, layout="stereo" if y.ndim == 2 else "mono")
        context = stream.codec_context
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(np.atleast_2d(y.T), "f4"), "fltp", context.layout.name)
        frame.sample_rate = rate
        pieces = av.AudioResampler(context.format, context.layout, rate, context.frame_size)
        for piece in [*pieces.resample(frame), *pieces.resample(None), None]:
            output.mux(stream.encode(piece))
    return file.getvalue()
