import contextlib
import ctypes
import io
import os
import pickle
import re
import struct
import subprocess
import sys
import tracemalloc
from pathlib import Path

import joblib
import numpy as np
import pytest
import soundfile as sf
from recordings import encode_av
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import check_estimator

from skkws._runtime.quiet import quiet_stderr
from skkws.audio import AudioError, AudioLoader, fit_length, pcm_to_float, read_audio, resample

RATE = 16000


def tone(frequency=440.0, *, duration=1.0, rate=RATE, amplitude=0.5):
    return amplitude * np.sin(2 * np.pi * frequency * np.arange(round(duration * rate)) / rate)


def encode(y, rate=RATE, **options):
    file = io.BytesIO()
    sf.write(file, y, rate, **({"format": "WAV", "subtype": "PCM_16"} | options))
    return file.getvalue()


def wav(samples, *, riff_size=None, data_size=None, after=b""):
    """A 16-bit WAV file built by hand, with the sizes its header is told to give."""
    data = np.asarray(samples, dtype="<i2").tobytes()
    riff_size = 36 + len(data) + len(after) if riff_size is None else riff_size
    data_size = len(data) if data_size is None else data_size
    header = struct.pack("<4sI4s4sIHHIIHH", b"RIFF", riff_size, b"WAVE", b"fmt ", 16, 1, 1, RATE, 2 * RATE, 2, 16)
    return header + struct.pack("<4sI", b"data", data_size) + data + after


def mp3_in_wav(mp3, rate=RATE):
    """MP3 frames in a WAV container (format tag 0x55)."""
    fmt = struct.pack("<HHIIHHHHIHHH", 0x55, 1, rate, 4000, 1, 0, 12, 1, 2, 576, 1, 1393)
    chunks = b"WAVEfmt " + struct.pack("<I", len(fmt)) + fmt + struct.pack("<4sI", b"data", len(mp3)) + mp3
    return struct.pack("<4sI", b"RIFF", len(chunks)) + chunks


def zero_crossing_frequency(y, rate):
    middle = y[len(y) // 10 : -len(y) // 10]
    rising = np.flatnonzero((middle[:-1] < 0) & (middle[1:] >= 0))
    return (len(rising) - 1) * rate / (rising[-1] - rising[0])


@pytest.fixture
def paths(tmp_path):
    """Two words of eight clips, told apart by their pitch, at several rates and lengths."""
    files, labels = [], []
    for index in range(16):
        label, frequency = [("low", 1500), ("high", 2000)][index % 2]
        rate = [8000, 16000, 44100][index % 3]
        path = tmp_path / f"{label}_{index:02d}.wav"
        sf.write(path, tone(frequency, duration=0.6 + 0.05 * index, rate=rate), rate)
        files.append(path)
        labels.append(label)
    return files, np.array(labels)


# read_audio


@pytest.mark.parametrize(
    ("options", "tolerance"),
    [
        ({"subtype": "PCM_16"}, 2**-15),
        ({"subtype": "PCM_24"}, 2**-23),
        ({"subtype": "PCM_32"}, 2**-23),
        ({"subtype": "PCM_U8"}, 2**-7),
        ({"subtype": "FLOAT"}, 2**-23),
        ({"subtype": "DOUBLE"}, 2**-23),
        ({"subtype": "ULAW"}, 0.02),
        ({"subtype": "ALAW"}, 0.02),
        ({"subtype": "IMA_ADPCM"}, 0.05),
        ({"subtype": "MS_ADPCM"}, 0.05),
        ({"format": "WAVEX"}, 2**-15),
        ({"format": "RF64"}, 2**-15),
        ({"endian": "BIG"}, 2**-15),
        ({"format": "AIFF"}, 2**-15),
        ({"format": "AU"}, 2**-15),
        ({"format": "CAF"}, 2**-15),
        ({"format": "FLAC"}, 2**-15),
        ({"format": "FLAC", "subtype": "PCM_24"}, 2**-23),
        ({"format": "OGG", "subtype": "VORBIS"}, 0.05),
        ({"format": "OGG", "subtype": "OPUS"}, 0.05),
        ({"format": "MP3", "subtype": "MPEG_LAYER_III"}, 0.05),
    ],
    ids=lambda value: "-".join(value.values()) if isinstance(value, dict) else None,
)
def test_every_format_is_read_at_its_level(tmp_path, options, tolerance):
    path = tmp_path / "tone"  # no extension: the content counts
    path.write_bytes(encode(tone(), **options))
    y, rate = read_audio(path)
    assert rate == RATE
    assert y.dtype == np.float32
    assert y.ndim == 1
    assert len(y) - RATE in range(600)  # ADPCM fills its last block
    np.testing.assert_allclose(y[500:15500], tone()[500:15500], atol=tolerance)


def test_mp3_inside_wav_is_read_like_the_mp3(tmp_path):
    mp3 = encode(tone(), format="MP3", subtype="MPEG_LAYER_III")
    named_wav = tmp_path / "mp3.wav"
    named_wav.write_bytes(mp3)
    y, rate = read_audio(named_wav)
    assert (len(y), rate) == (RATE, RATE)
    wrapped, rate = read_audio(mp3_in_wav(mp3))
    assert rate == RATE
    np.testing.assert_allclose(wrapped[:RATE], y, atol=1e-6)


def test_long_mp3_is_decoded_without_a_seam():
    y = np.tile(tone(440), 40)
    decoded, _ = read_audio(encode(y, format="MP3", subtype="MPEG_LAYER_III"))
    np.testing.assert_allclose(decoded[500:-500], y[500:-500], atol=0.05)


def test_a_recording_reads_alike_from_path_bytes_and_file_object(tmp_path):
    content = encode(tone())
    path = tmp_path / "tone.wav"
    path.write_bytes(content)
    expected, _ = read_audio(path)
    with open(path, "rb") as file:
        file.seek(100)  # wherever it stands
        sources = [str(path), content, bytearray(content), memoryview(content), io.BytesIO(content), file]
        for source in sources:
            np.testing.assert_array_equal(read_audio(source)[0], expected)


def test_channels_are_averaged():
    left, right = tone(300), tone(700, amplitude=0.2)
    y, _ = read_audio(encode(np.stack([left, right], axis=1), subtype="FLOAT"))
    np.testing.assert_allclose(y, (left + right) / 2, atol=1e-6)


def test_read_audio_resamples_to_sample_rate():
    y, rate = read_audio(encode(tone(rate=44100), 44100), sample_rate=8000)
    assert (len(y), rate) == (8000, 8000)
    assert zero_crossing_frequency(y, 8000) == pytest.approx(440, rel=1e-2)


@pytest.mark.parametrize(
    ("riff_size", "data_size"),
    [
        (0xFFFFFFFF, 0xFFFFFFFF),  # FFmpeg
        (0x7FFFF024, 0x7FFFF000),  # SoX
        (0x80000024, 0x80000000),  # arecord
        (0, 0),
        (36, 0),  # a header written before the samples and never filled in
        (0, 2000),
        (99999, 2000),
        (2036, 2044),  # the header counted in
    ],
)
def test_a_wav_file_with_placeholder_sizes_is_read_to_its_end(riff_size, data_size):
    samples = np.arange(1000)
    y, _ = read_audio(wav(samples, riff_size=riff_size, data_size=data_size))
    np.testing.assert_allclose(y * 32768, samples)


def test_chunks_after_the_samples_are_not_sound():
    extra = b"LIST" + struct.pack("<I", 4) + b"abcd"
    y, _ = read_audio(wav(np.arange(1000), after=extra))
    assert len(y) == 1000
    with pytest.raises(AudioError, match="holds no samples"):
        read_audio(wav([], after=extra))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"endian": "BIG"},
        {"subtype": "IMA_ADPCM"},
        {"format": "AIFF"},
        {"format": "FLAC"},
        {"format": "OGG", "subtype": "VORBIS"},
        {"format": "OGG", "subtype": "OPUS"},
        {"format": "MP3", "subtype": "MPEG_LAYER_III"},
        {"format": "CAF"},
    ],
    ids=lambda options: "-".join(options.values()) or "WAV",
)
@pytest.mark.parametrize("fraction", [0.02, 0.5, 0.9])
def test_a_file_cut_off_is_refused(tmp_path, options, fraction):
    content = encode(np.tile(tone(), 20), **options)
    path = tmp_path / "cut.wav"
    path.write_bytes(content[: int(fraction * len(content))])
    with pytest.raises(AudioError, match=rf"{re.escape(str(path))}: .*cut off.* leave it out"):
        read_audio(path)


def test_an_mp3_file_without_length_tag_is_read_as_far_as_it_goes():
    noise = np.concatenate([np.zeros(64000), np.random.default_rng(0).uniform(-0.5, 0.5, 64000), np.zeros(64000)])
    options = {"format": "MP3", "subtype": "MPEG_LAYER_III", "bitrate_mode": "VARIABLE", "compression_level": 0.2}
    content = encode(noise, **options)
    first_frame = content.index(content[:2], 2)  # the tag takes the place of the first frame
    assert b"Xing" in content[:first_frame]
    y, _ = read_audio(content[first_frame:])
    assert len(y) > 0


def test_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.wav: no such file\. Check the path"):
        read_audio(tmp_path / "nowhere.wav")


def test_folder_is_refused(tmp_path):
    with pytest.raises(AudioError, match=f"{re.escape(str(tmp_path))}: a folder, not an audio file"):
        read_audio(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"the file is empty \(0 bytes\)"),
        (b"hello, this is text\n" * 50, r"cannot be decoded: not audio, damaged or cut off \(.*Convert it to WAV"),
        (wav([]), "holds no samples. Record it again"),
        (encode(np.array([0.0, np.nan]), subtype="FLOAT"), "sample 1 is nan; samples must be finite"),
        (encode(np.array([0.0, 0.0, -np.inf]), subtype="DOUBLE"), "sample 2 is -inf; samples must be finite"),
    ],
    ids=["empty", "text", "no samples", "nan", "inf"],
)
def test_unusable_file_is_named_with_the_rule_it_breaks(tmp_path, content, message):
    path = tmp_path / "bad.wav"
    path.write_bytes(content)
    with pytest.raises(AudioError, match=f"{re.escape(str(path))}: {message}"):
        read_audio(path)


def test_a_flac_stream_without_length_is_refused():
    content = bytearray(encode(tone(), format="FLAC"))
    content[21] &= 0xF0  # the 36 bits of the sample count in STREAMINFO
    content[22:26] = bytes(4)
    with pytest.raises(AudioError, match=r"does not give the true number of samples. Convert it to WAV"):
        read_audio(bytes(content))


@pytest.mark.parametrize("rate", [1, 999, 768_001, 2**31 - 1])
def test_a_rate_that_no_recording_has_is_refused(rate):
    content = bytearray(encode(np.zeros(67_000)))
    content[24:28] = struct.pack("<I", rate)
    message = rf"has a sample rate of {rate:,} Hz, and recordings have whole numbers from 1,000 to 768,000\. Correct"
    with pytest.raises(AudioError, match=f"the recording: {message}"):
        read_audio(bytes(content), sample_rate=RATE)
    with pytest.raises(AudioError, match=f"clip 0: {message}"):
        AudioLoader().fit_transform([bytes(content)])


def test_arrays_of_an_impossible_rate_are_refused():
    with pytest.raises(ValueError, match=r"'source_rate' .* in the range \[1000, 768000\]"):
        AudioLoader(source_rate=1).fit_transform(np.zeros((1, 67_000)))
    with pytest.raises(AudioError, match=r"resample: 134,000 samples at 1 Hz would become 2,144,000,000 at 16,000 Hz"):
        resample(np.zeros(134_000, np.float32), orig_sr=1, target_sr=RATE)
    with pytest.raises(ValueError, match="orig_sr must be a positive rate in Hz, got inf"):
        resample(np.zeros(10), orig_sr=np.inf, target_sr=RATE)


def test_a_row_longer_than_memory_is_refused_before_a_clip_is_read():
    with pytest.raises(
        ValueError, match=r"duration=1,000,000,000\.0 s are 16,000,000,000,000 samples a row .* Lower it"
    ):
        AudioLoader(duration=1e9).fit(["nowhere.wav"])


@pytest.mark.parametrize("n_channels", [1, 2])
def test_what_a_recording_unpacks_to_is_bounded(monkeypatch, n_channels):
    content = encode(np.zeros((RATE, n_channels)), format="FLAC")
    monkeypatch.setattr("skkws.audio._decoding.MAX_SAMPLES", RATE * n_channels)
    assert len(read_audio(content)[0]) == RATE
    monkeypatch.setattr("skkws.audio._decoding.MAX_SAMPLES", RATE * n_channels - 1)
    with pytest.raises(AudioError, match=rf"unpacks to {RATE * n_channels:,} samples, .* Cut it into pieces"):
        read_audio(content)
    row = AudioLoader(duration=0.5).fit_transform([content])  # of this, less is unpacked
    assert row.shape == (1, RATE // 2)


def test_a_file_too_large_to_read_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("skkws.audio._source.MAX_BYTES", 1000)
    path = tmp_path / "large.wav"
    path.write_bytes(encode(tone()))
    with open(path, "rb") as file:
        for source in (path, path.read_bytes(), file):
            with pytest.raises(AudioError, match=r"larger than 1,000 bytes.* Cut it into pieces"):
                read_audio(source)


def test_what_is_cropped_is_not_unpacked_first():
    content = encode(np.zeros((60 * 44100, 2)), 44100, format="FLAC")
    loader = AudioLoader()
    loader.transform([content])  # loads the packages
    tracemalloc.start()
    try:
        loader.transform([content])
        assert tracemalloc.get_traced_memory()[1] < 10e6  # the whole is 21 MB, the row 64 kB
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("pad", ["center", "start", "end"])
@pytest.mark.parametrize("rate", [8000, 11025, 16000, 44101])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"format": "FLAC"},
        {"format": "OGG", "subtype": "VORBIS"},
        {"format": "MP3", "subtype": "MPEG_LAYER_III"},
        {"subtype": "IMA_ADPCM"},
    ],
    ids=lambda options: "-".join(options.values()) or "WAV",
)
def test_a_cropped_row_is_that_of_the_whole_recording(options, rate, pad):
    if (options.get("format"), rate) == ("MP3", 44101):
        pytest.skip("MP3 has no such rate")
    content = encode(np.random.default_rng(0).uniform(-0.5, 0.5, round(2.337 * rate)), rate, **options)
    loader = AudioLoader(duration=0.4, pad=pad)
    expected = fit_length(read_audio(content, sample_rate=RATE)[0], 6400, pad=pad)
    np.testing.assert_allclose(loader.fit_transform([content])[0], expected, atol=1e-6)
    if not options:
        samples = np.frombuffer(content[44:], "<i2")
        np.testing.assert_allclose(loader.set_params(source_rate=rate).fit_transform([samples])[0], expected, atol=1e-6)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX has files that are no files")
def test_what_only_looks_like_a_file_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr("skkws.audio._source.MAX_BYTES", 1000)
    fifo = tmp_path / "fifo.wav"
    os.mkfifo(fifo)
    for path, kind in ((fifo, "a pipe"), ("/dev/zero", "a device"), ("/dev/null", "a device")):
        with pytest.raises(AudioError, match=f"{path}: {kind}, not an audio file. Save what comes from it"):
            read_audio(path)
    with open("/dev/zero", "rb") as file, pytest.raises(AudioError, match="larger than"):
        read_audio(file)
    with pytest.warns(UserWarning, match="1 of 2 clips left out: .*null (byte|character).* Correct it"):
        assert len(AudioLoader(on_error="skip").fit_transform([tone(), "a\0b.wav"])) == 1


FORMATS = [
    *({"format": name} for name in sf.available_formats() if name not in ("RAW", "SD2", "OGG", "MP3")),
    {"format": "OGG", "subtype": "VORBIS"},
    {"format": "OGG", "subtype": "OPUS"},
    {"format": "MP3", "subtype": "MPEG_LAYER_III"},
]


def damaged(content, rng, n=30):
    """Change some bytes, most of them near the beginning."""
    for _ in range(n):
        changed = bytearray(content)
        for _ in range(rng.integers(1, 12)):
            changed[rng.integers(min(len(changed), rng.choice([60, 200, len(changed)])))] = rng.integers(256)
        yield bytes(changed)


@pytest.mark.parametrize("options", FORMATS, ids=lambda options: "-".join(options.values()))
def test_a_damaged_recording_is_named_and_its_decoder_prints_nothing(options, capfd):
    good = encode(tone(duration=0.2, rate=8000), 8000, **({"subtype": sf.default_subtype(options["format"])} | options))
    rng = np.random.default_rng(0)
    for content in damaged(good, rng):
        with contextlib.suppress(AudioError):
            y, _ = read_audio(content[: rng.choice([len(content), rng.integers(1, len(content))])])
            assert np.isfinite(y).all()
    if sys.platform != "win32":
        ctypes.CDLL(None).fflush(None)  # what C has printed and keeps
    assert capfd.readouterr() == ("", "")


# What PyAV decodes


CONTAINERS = [
    ("ipod", "aac", RATE),
    ("ipod", "alac", RATE),
    ("3gp", "aac", RATE),
    ("adts", "aac", RATE),
    ("webm", "libopus", 48000),
    ("matroska", "pcm_s16le", RATE),
]


@pytest.mark.parametrize(("container", "codec", "rate"), CONTAINERS)
def test_what_ffmpeg_knows_is_read_with_pyav(container, codec, rate, tmp_path):
    path = tmp_path / "tone"
    path.write_bytes(encode_av(np.stack([tone(rate=rate), tone(700, rate=rate)], axis=1), container, codec, rate))
    y, own_rate = read_audio(path)
    assert own_rate == rate
    assert y.dtype == np.float32
    assert len(y) - rate in range(0, 3 * 1024)  # an encoder of AAC begins with 1024 samples of silence
    spectrum = np.abs(np.fft.rfft(y[4000 : 4000 + rate // 2]))
    np.testing.assert_allclose(spectrum[[220, 350]], rate / 16, rtol=0.1)  # half of either channel
    row = AudioLoader(duration=0.5).fit_transform([path])[0]
    np.testing.assert_array_equal(row, fit_length(resample(y, orig_sr=rate, target_sr=RATE), 8000))


@pytest.mark.parametrize(("container", "codec", "rate"), CONTAINERS)
def test_what_pyav_cannot_read_is_named_without_a_word_besides(container, codec, rate, capfd):
    good = encode_av(tone(duration=0.3, rate=rate), container, codec, rate)
    capfd.readouterr()
    for content in damaged(good, np.random.default_rng(0)):
        with contextlib.suppress(AudioError):
            y, _ = read_audio(content)
            assert np.isfinite(y).all()
    assert capfd.readouterr() == ("", "")
    if container != "adts":
        with pytest.raises(AudioError, match=r"cut off|without sound|no samples"):
            read_audio(good[: len(good) // 2])


def test_what_pyav_unpacks_is_bounded(monkeypatch):
    content = encode_av(tone(), "ipod", "alac")
    monkeypatch.setattr("skkws.audio._decoding.MAX_SAMPLES", RATE // 2)
    with pytest.raises(AudioError, match=r"unpacks to .* Cut it into pieces"):
        read_audio(content)


@pytest.mark.parametrize(
    ("beginning", "kind"),
    [
        (b"\0\0\0\x20ftypM4A ", r"MP4 \(AAC or ALAC\)"),
        (b"\x1a\x45\xdf\xa3", "WebM or Matroska"),
        (b"\xff\xf1", "AAC"),
        (b"#!AMR", "AMR"),
    ],
)
def test_without_pyav_the_format_is_named_and_what_reads_it(beginning, kind, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(AudioError, match=f"the recording: this is {kind}, which PyAV decodes: pip install av"):
        read_audio(beginning + bytes(100))


def test_what_others_print_meanwhile_arrives(capfd):
    with quiet_stderr(), quiet_stderr():
        print("ours", file=sys.stderr, flush=True)
        os.write(2, b"a child's\n")
    assert capfd.readouterr() == ("", "ours\na child's\n")


def test_text_file_object_is_refused():
    with pytest.raises(AudioError, match=r"a file object opened as text. Open it in binary mode"):
        read_audio(io.StringIO("RIFF"))


# pcm_to_float, resample, fit_length


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.uint8, np.uint16, np.uint32])
def test_pcm_is_scaled_by_the_full_range_of_its_type(dtype):
    info = np.iinfo(dtype)
    middle = (int(info.min) + int(info.max) + 1) // 2
    y = pcm_to_float(np.array([info.min, middle, info.max], dtype=dtype))
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, [-1, 0, 1 - 2.0 ** (1 - info.bits)], rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_pass_unscaled(dtype):
    np.testing.assert_array_equal(pcm_to_float(np.array([-1, 0.25, 1.5], dtype=dtype)), [-1, 0.25, 1.5])


@pytest.mark.parametrize("y", [np.array([True]), np.array([1j]), np.array(["a"])])
def test_what_is_no_sample_is_not_scaled(y):
    with pytest.raises(ValueError, match=r"must be floats in .* or integer PCM, got dtype"):
        pcm_to_float(y)


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000])
def test_resampling_keeps_frequency_amplitude_and_duration(rate):
    y = resample(tone(rate=rate), orig_sr=rate, target_sr=RATE)
    assert len(y) == RATE
    np.testing.assert_allclose(y[1000:-1000], tone()[1000:-1000], atol=1e-3)


def test_resampling_removes_what_the_new_rate_cannot_hold():
    y = resample(tone(7000), orig_sr=RATE, target_sr=8000)
    assert np.abs(y[500:-500]).max() < 1e-3


def test_resampling_works_along_the_last_axis_and_keeps_the_dtype():
    y = np.stack([tone(300), tone(500)]).astype(np.float32).reshape(2, 1, -1)
    z = resample(y, orig_sr=RATE, target_sr=8000)
    assert z.shape == (2, 1, 8000)
    assert z.dtype == np.float32
    np.testing.assert_array_equal(z[1, 0], resample(y[1, 0], orig_sr=RATE, target_sr=8000))


def test_resample_says_what_it_needs():
    with pytest.raises(ValueError, match="needs floats, got dtype int16; scale integer PCM with pcm_to_float"):
        resample(np.zeros(10, dtype=np.int16), orig_sr=8000, target_sr=16000)
    with pytest.raises(ValueError, match="target_sr must be a positive rate in Hz, got 0"):
        resample(np.zeros(10), orig_sr=8000, target_sr=0)


@pytest.mark.parametrize(
    ("pad", "n_samples", "expected"),
    [
        ("center", 8, [0, 1, 2, 3, 4, 5, 0, 0]),
        ("start", 8, [0, 0, 0, 1, 2, 3, 4, 5]),
        ("end", 8, [1, 2, 3, 4, 5, 0, 0, 0]),
        ("center", 2, [2, 3]),
        ("start", 2, [4, 5]),
        ("end", 2, [1, 2]),
        ("center", 5, [1, 2, 3, 4, 5]),
    ],
)
def test_pad_names_the_side_that_changes(pad, n_samples, expected):
    y = np.arange(1, 6)
    assert fit_length(y, n_samples, pad=pad).tolist() == expected
    assert fit_length(np.stack([y, y]), n_samples, pad=pad).tolist() == [expected, expected]
    row = AudioLoader(sample_rate=100, duration=n_samples / 100, pad=pad).fit_transform([y / 10])[0]
    np.testing.assert_allclose(row * 10, expected, rtol=1e-6)


def test_fit_length_refuses_an_unknown_side():
    with pytest.raises(ValueError, match="pad must be one of 'center', 'start', 'end', 'loudest', got 'left'"):
        fit_length(np.zeros(3), 5, pad="left")


# AudioLoader: scikit-learn's contract


@pytest.mark.parametrize("params", [{}, {"duration": None}, {"source_rate": 8000, "duration": 0.1}])
def test_scikit_learn_checks_all_run_and_pass(params):
    results = check_estimator(AudioLoader(**params), on_skip=None)
    assert sum(result["status"] == "passed" for result in results) > 40


def test_scikit_learn_checks_with_skip():
    reason = {"check_dict_unchanged": "transform reports what it left out in kept_ and skipped_"}
    results = check_estimator(AudioLoader(on_error="skip"), expected_failed_checks=reason, on_skip=None)
    assert sum(result["status"] == "passed" for result in results) > 40


def test_importing_stays_cheap():
    code = (
        "import sys, skkws.audio; "
        "print(sorted({'librosa', 'tensorflow', 'matplotlib', 'soundfile', 'soxr', 'rich'} & set(sys.modules)))"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"


def test_clone_and_pickle_keep_the_behaviour(paths):
    files, _ = paths
    loader = AudioLoader(sample_rate=8000, duration=0.5, pad="end").fit(files)
    expected = loader.transform(files)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(loader)).transform(files), expected)
    np.testing.assert_array_equal(clone(loader).fit_transform(files), expected)


def test_columns_have_names_and_frames_come_out(paths):
    pd = pytest.importorskip("pandas")
    files, _ = paths
    loader = AudioLoader(sample_rate=1000, duration=0.003).fit(files)
    assert loader.get_feature_names_out().tolist() == ["sample_00000", "sample_00001", "sample_00002"]
    frame = loader.set_output(transform="pandas").transform(pd.Series([str(file) for file in files]))
    assert frame.shape == (16, 3)
    assert frame.columns.tolist() == loader.get_feature_names_out().tolist()


def test_only_an_array_has_columns(paths):
    files, _ = paths
    loader = AudioLoader().fit(np.zeros((3, 500)))
    assert loader.n_features_in_ == 500
    with pytest.raises(ValueError, match="X has 400 features, but AudioLoader is expecting 500"):
        loader.transform(np.zeros((3, 400)))
    assert loader.transform(files).shape == (16, RATE)
    assert not hasattr(loader.fit(files), "n_features_in_")
    assert loader.transform(np.zeros((3, 400))).shape == (3, RATE)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"sample_rate": 0}, "'sample_rate' parameter of AudioLoader must be an int in the range"),
        ({"duration": 0.0}, "'duration' parameter of AudioLoader must be a float in the range"),
        ({"pad": "left"}, "'pad' parameter of AudioLoader must be a str among"),
        ({"on_error": "ignore"}, "'on_error' parameter of AudioLoader must be a str among"),
        ({"duration": 1e-6}, "duration=1e-06 s is less than one sample at sample_rate=16000 Hz"),
    ],
)
def test_parameters_are_checked_with_or_without_fit(params, message):
    with pytest.raises(ValueError, match=message):
        AudioLoader(**params).fit([tone()])
    with pytest.raises(ValueError, match=message):
        AudioLoader(**params).transform([tone()])


# AudioLoader: many recordings


@pytest.mark.parametrize("form", [list, tuple, np.array, lambda files: np.array(list(map(str, files)))])
def test_paths_come_in_any_one_dimensional_collection(paths, form):
    files, _ = paths
    X = AudioLoader().fit_transform(form(files))
    assert X.shape == (16, RATE)
    assert X.dtype == np.float32
    y, _ = read_audio(files[3], sample_rate=RATE)
    np.testing.assert_array_equal(X[3], fit_length(y, RATE))


def test_clips_of_every_kind_mix(tmp_path):
    path = tmp_path / "tone.wav"
    path.write_bytes(encode(tone()))
    pcm = (tone() * 32768).round().astype(np.int16)
    clips = [path, str(path), encode(tone()), io.BytesIO(encode(tone())), pcm, tone(), tone().astype(np.float32)]
    X = AudioLoader().fit_transform(clips)
    np.testing.assert_allclose(X, np.tile(tone(), (7, 1)), atol=2**-15)


def test_ragged_arrays_and_rows_load_alike():
    rows = np.random.default_rng(0).uniform(-1, 1, (3, 500))
    loader = AudioLoader(sample_rate=100, duration=3)
    np.testing.assert_array_equal(loader.fit_transform(rows), loader.fit_transform(list(rows)))
    ragged = np.array([rows[0], rows[1, :200]], dtype=object)
    assert loader.fit_transform(ragged).shape == (2, 300)


def test_integer_rows_are_scaled_by_their_type():
    X = AudioLoader(sample_rate=10, duration=0.2).fit_transform(np.array([[-32768, 16384]], dtype=np.int16))
    assert X.tolist() == [[-1.0, 0.5]]


def test_source_rate_is_the_rate_of_arrays_and_not_of_files():
    loader = AudioLoader(source_rate=8000)
    from_array, from_file = loader.fit_transform([tone(rate=8000), encode(tone(rate=44100), 44100)])
    np.testing.assert_allclose(from_array[500:-500], tone()[500:-500], atol=1e-3)
    np.testing.assert_allclose(from_file[500:-500], tone()[500:-500], atol=1e-3)


def test_stateless_with_a_duration(paths):
    files, _ = paths
    np.testing.assert_array_equal(AudioLoader().transform(files), AudioLoader().fit(files[:1]).transform(files))


def test_fit_reads_no_file_when_the_duration_is_given():
    assert AudioLoader(duration=0.5).fit(["nowhere.wav"]).n_samples_ == 8000


def test_duration_none_learns_the_length_in_fit():
    loader = AudioLoader(duration=None)
    with pytest.raises(NotFittedError):
        loader.transform([tone()])
    assert loader.fit_transform([tone(duration=0.7)] * 2).shape == (2, 11200)
    assert loader.n_samples_ == len(loader.get_feature_names_out()) == 11200


def test_duration_none_says_which_clips_differ(tmp_path):
    path = tmp_path / "long.wav"
    path.write_bytes(encode(tone(duration=2)))
    clips = [tone(), tone(duration=0.5), path, *[tone(duration=0.1)] * 5]
    message = (
        rf"equal length, 16000 samples .* differ: clip 1 \(8000\); {re.escape(str(path))} \(32000\); "
        r"clip 3 \(1600\); clip 4 \(1600\); clip 5 \(1600\) and 2 more\. Set duration"
    )
    with pytest.raises(AudioError, match=message):
        AudioLoader(duration=None).fit_transform(clips)


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_n_jobs_does_not_change_the_result(paths, backend):
    files, _ = paths
    expected = AudioLoader().fit_transform(files)
    with joblib.parallel_config(backend=backend):
        np.testing.assert_array_equal(AudioLoader(n_jobs=2).fit_transform(files), expected)


def test_progress_bar_only_when_verbose_and_only_on_stderr(paths, capsys):
    files, _ = paths
    AudioLoader().fit_transform(files)
    assert capsys.readouterr() == ("", "")
    AudioLoader(verbose=1).fit_transform(files)
    out, err = capsys.readouterr()
    assert out == ""
    assert "Loading audio" in err
    assert "16/16" in err


def spectrum(X):
    return np.log1p(np.abs(np.fft.rfft(X))[:, ::50])


@pytest.mark.parametrize("form", [list, lambda files: np.array(list(map(str, files))), np.array])
def test_first_step_of_a_pipeline_under_cross_validation(paths, form):
    files, labels = paths
    pipeline = make_pipeline(AudioLoader(), FunctionTransformer(spectrum), LogisticRegression())
    scores = cross_val_score(pipeline, form(files), labels, cv=StratifiedKFold(4))
    assert scores.mean() == 1.0


def test_rate_and_duration_can_be_searched(paths):
    files, labels = paths
    pipeline = make_pipeline(AudioLoader(), FunctionTransformer(spectrum), LogisticRegression())
    grid = {"audioloader__sample_rate": [1000, 8000], "audioloader__duration": [0.5, 1.0]}
    search = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(files, labels)
    assert len(search.cv_results_["params"]) == 4
    assert search.best_params_["audioloader__sample_rate"] == 8000  # 1000 Hz holds neither tone


# AudioLoader: bad input


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_bad_clip_stops_transform_and_is_named(paths, n_jobs):
    files, _ = paths
    with pytest.raises(FileNotFoundError, match=r"gone\.wav: no such file"):
        AudioLoader(n_jobs=n_jobs).fit_transform([*files, Path("gone.wav")])
    with pytest.raises(AudioError, match=r"^clip 16: the file is empty"):
        AudioLoader(n_jobs=n_jobs).fit_transform([*files, b""])


@pytest.mark.parametrize(
    ("clip", "message"),
    [
        (np.array([0.0, np.nan]), "clip 1: sample 1 is nan; samples must be finite"),
        (np.array([np.inf]), "clip 1: sample 0 is inf; samples must be finite"),
        (np.array([]), "clip 1: holds no samples"),
        (np.zeros((100, 2)), r"clip 1: expected a 1-D array, got shape \(100, 2\)\. Average the channels"),
        (None, "clip 1: expected a path, bytes, a file object, a 1-D array .* got NoneType"),
        (0.5, "clip 1: expected a path, .* got float"),
        (np.zeros(4, dtype=complex), "clip 1: expected a path, .* got ndarray"),
    ],
)
def test_bad_array_is_called_by_its_index(clip, message):
    with pytest.raises(AudioError, match=message):
        AudioLoader().fit_transform([tone(), clip])


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([], r"X holds no clips \(0 samples\)"),
        (np.array([], dtype=object), r"X holds no clips \(0 samples\)"),
        ("a.wav", r"X must be a collection of clips, got a single str\. Pass a list: \[X\]"),
        (Path("a.wav"), r"got a single \w+Path\. Pass a list"),
        (b"RIFF", r"got a single bytes\. Pass a list"),
        (tone(), "Expected 2D array, got 1D array"),
        (
            np.array([["a.wav", "b.wav"]]),
            r"paths must come as one column, got shape \(1, 2\)\. Pass one column",
        ),
        ([[0, 1], [2, 3]], r"Python integers does not say how wide its PCM is\. Pass an array"),
        (np.array([[0.0, np.nan]]), "Input X contains NaN"),
    ],
)
def test_input_that_holds_no_clips_is_refused_at_once(X, message):
    with pytest.raises(ValueError, match=message):
        AudioLoader().fit(X)
    with pytest.raises(ValueError, match=message):
        AudioLoader().transform(X)


def test_skip_leaves_bad_clips_out_and_reports_them(tmp_path):
    gone = str(tmp_path / "gone.wav")
    clips = [b"", tone(300), gone, tone(500), np.array([np.nan])]
    loader = AudioLoader(on_error="skip").fit(clips)
    with pytest.warns(UserWarning, match=r"3 of 5 clips left out: clip 0: .*gone\.wav.*clip 4.*y\[kept_\]") as record:
        X = loader.transform(clips)
    assert len(record) == 1
    assert loader.kept_.tolist() == [1, 3]
    assert [(index, name) for index, name, _ in loader.skipped_] == [(0, "clip 0"), (2, gone), (4, "clip 4")]
    assert "no such file" in loader.skipped_[1][2]
    np.testing.assert_array_equal(X, AudioLoader().fit_transform([clips[1], clips[3]]))


def test_skip_of_nothing_warns_of_nothing(recwarn):
    loader = AudioLoader(on_error="skip")
    assert loader.fit_transform([tone(), tone()]).shape == (2, RATE)
    assert loader.kept_.tolist() == [0, 1]
    assert loader.skipped_ == []
    assert not recwarn.list


def test_skip_leaves_out_rows_that_are_not_finite():
    rows = np.array([[0.1, 0.2], [np.nan, 0.1], [0.3, 0.4]])
    with pytest.warns(UserWarning, match="1 of 3 clips left out: clip 1: sample 0 is nan"):
        X = AudioLoader(sample_rate=10, duration=0.2, on_error="skip").fit_transform(rows)
    np.testing.assert_allclose(X, rows[[0, 2]], rtol=1e-6)


@pytest.mark.parametrize("duration", [1.0, None])
def test_skip_of_everything_is_an_error(duration):
    with pytest.raises(AudioError, match=r"none of the 2 clips can be used; the .* one: clip"):
        AudioLoader(duration=duration, on_error="skip").fit_transform([b"", b""])


def test_duration_none_learns_from_the_first_usable_clip():
    with pytest.raises(AudioError, match="clip 0: the file is empty"):
        AudioLoader(duration=None).fit([b"", tone()])
    assert AudioLoader(duration=None, on_error="skip").fit([b"", tone()]).n_samples_ == RATE
