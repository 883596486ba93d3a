"""Damaged recordings of every format that is read."""

import io
import struct

import numpy as np
import pytest
import soundfile as sf
from mutation import BYTES, complaints, mutants, names_the_file
from recordings import encode_av

from skkws.audio import AudioLoader

RATE = 16000
# Formats and encodings of libsndfile.
FORMATS = [
    *[("WAV", subtype) for subtype in ("PCM_16", "PCM_24", "FLOAT", "DOUBLE", "ULAW", "IMA_ADPCM", "GSM610")],
    *[("FLAC", "PCM_16"), ("FLAC", "PCM_24"), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III")],
    *[("AIFF", "PCM_16"), ("AIFF", "FLOAT"), ("AU", "PCM_16"), ("AU", "ULAW"), ("CAF", "PCM_16"), ("CAF", "ALAC_16")],
    *[("W64", "PCM_16"), ("RF64", "PCM_16"), ("NIST", "PCM_16"), ("VOC", "PCM_16"), ("SVX", "PCM_16")],
]


def load(path):
    """Load a recording as a row; what comes out has to be samples."""
    row = AudioLoader(duration=0.5).fit_transform([path])[0]
    assert row.shape == (8000,)
    assert np.isfinite(row).all()


def recording(format, subtype):
    rng = np.random.default_rng(0)
    y = 0.3 * np.sin(2 * np.pi * 440 * np.arange(4800) / RATE)[:, None] + rng.normal(scale=0.01, size=(4800, 2))
    file = io.BytesIO()
    mono = subtype in ("GSM610", "IMA_ADPCM") or format == "SVX"
    sf.write(file, y[:, 0] if mono else y, RATE, format=format, subtype=subtype)
    return file.getvalue()


# What is put over fields of headers: rates, sizes and counts at their edges.
_VALUES = (0, 1, 7, 999, 768_001, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1)


def change_field(content, wholes, rng):
    """Write a number into the header, of two bytes or four, in either order."""
    value, size = int(_VALUES[rng.integers(len(_VALUES))]), int(rng.choice([2, 4]))
    at = 2 * int(rng.integers(max(1, min(len(content), 120) // 2)))
    field = struct.pack(rng.choice(["<", ">"]) + {2: "H", 4: "I"}[size], value % 256**size)
    return content[:at] + field + content[at + size :]


def check(child, wholes, n, folder):
    inputs = mutants(wholes, n, damages=[*BYTES, *[change_field] * 4])
    lines = complaints(child, load, inputs, folder, suffix=".bin", accepts=names_the_file)
    assert not lines, "\n".join(lines)


@pytest.mark.inputs(150)
def test_a_damaged_recording_is_refused_by_its_name_or_read(child, n_inputs, tmp_path):
    there = [(name, kind) for name, kind in FORMATS if sf.check_format(name, kind)]
    assert len(there) > 15
    check(child, [recording(*one) for one in there], n_inputs, tmp_path)


@pytest.mark.inputs(40)
def test_what_pyav_reads_damaged_is_refused_by_its_name_or_read(child, n_inputs, tmp_path):
    y = 0.3 * np.sin(2 * np.pi * 440 * np.arange(9600) / 48000)
    kinds = [("ipod", "aac"), ("adts", "aac"), ("webm", "libopus")]
    wholes = [encode_av(y, container, codec, 48000) for container, codec in kinds]
    check(child, wholes, n_inputs, tmp_path)


@pytest.mark.inputs(30)
def test_bytes_of_any_kind_are_refused_by_their_name_or_read(child, n_inputs, tmp_path):
    rng = np.random.default_rng(0)
    beginnings = [b"RIFF", b"fLaC", b"OggS", b"ID3\x03", b"\xff\xfb", b"FORM", b".snd", b"caff", b"\xff\xf1", b""]
    wholes = [start + rng.bytes(int(rng.integers(0, 3000))) for start in beginnings for _ in range(3)]
    check(child, wholes, n_inputs, tmp_path)


def test_nothing_that_a_decoder_prints_reaches_the_streams(child, tmp_path):
    whole = recording("MP3", "MPEG_LAYER_III")
    for i, content in enumerate(mutants([whole, recording("AIFF", "PCM_16")], 20, seed=1)):
        path = tmp_path / f"{i}.bin"
        path.write_bytes(content)
        assert child.call(load, path).printed == ""
