"""Clips that are too long, of the wrong level or of another rate: nothing is lost without a word."""

import warnings

import numpy as np
import pytest
import soundfile as sf
from sklearn.ensemble import BaggingClassifier
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skkws import AudioLoader, CachedTransformer, extract_features, iter_batches
from skkws.audio import AudioError, fit_length, level_doubt, pcm_to_float, resample
from skkws.features import LogMelTransformer

RATE = 16000


def tone(duration=1.0, rate=RATE, frequency=440.0):
    return 0.5 * np.sin(2 * np.pi * frequency * np.arange(round(duration * rate)) / rate)


def said(function, *args):
    """What a function returns, and the warnings that it gives."""
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        return function(*args), [
            str(w.message) for w in record if w.category is UserWarning and "clips" in str(w.message)
        ]


# Longer than a row


def test_longer_clips_are_counted_and_named():
    clips = [tone(), tone(3.2), tone(1.04), tone(0.5), tone(1.1)]
    _, [message] = said(AudioLoader().fit_transform, clips)
    assert message.startswith("2 of 5 clips are longer than duration=1 s, up to 3.2 s, and are cut: clip 1; clip 4.")
    assert "Raise the duration" in message
    assert "pad='loudest'" in message


@pytest.mark.parametrize("options", [{"duration": 4}, {"pad": "loudest"}, {"duration": None}])
def test_what_is_not_cut_blindly_gives_no_warning(options):
    assert said(AudioLoader(**options).fit_transform, [tone(3), tone(3)])[1] == []


@pytest.mark.parametrize("cached", [False, True])
def test_longer_files_are_counted_once_for_all_batches(tmp_path, cached):
    files = [tmp_path / f"{seconds}.wav" for seconds in (1, 2, 3)]
    for file in files:
        sf.write(file, tone(int(file.stem)), RATE)
    options = {"batch_size": 1, "cache_dir": tmp_path / "cache" if cached else None}
    for run in (
        lambda: extract_features(files, LogMelTransformer(), **options),
        lambda: list(iter_batches(files, None, LogMelTransformer(n_mels=20), **options)),
    ):
        _, [message] = said(run)
        assert message.startswith("2 of 3 clips are longer than duration=1 s, up to 3.0 s, and are cut:")
        assert "2.wav" in message


@pytest.mark.parametrize("at", [0.0, 0.35, 1.1, 2.0, 2.4])
@pytest.mark.parametrize("as_file", [False, True])
def test_the_loudest_stretch_is_in_the_middle_of_the_row(at, as_file, tmp_path):
    y = np.random.default_rng(0).normal(scale=0.003, size=3 * RATE)
    word = tone(0.6)
    y[round(at * RATE) : round(at * RATE) + len(word)] += word
    clip = tmp_path / "clip.wav" if as_file else y
    if as_file:
        sf.write(clip, y, RATE, subtype="FLOAT")
    row = AudioLoader(pad="loudest").fit_transform([clip])[0]
    assert np.sum(row**2) == pytest.approx(np.sum(y**2), rel=0.01)  # the whole word
    if 0.2 <= at <= 2.2:
        middle = np.average(np.arange(RATE), weights=row**2) / RATE
        assert middle == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("shape", [(48000,), (3, 48000), (2, 2, 48000), (0, 48000)])
def test_the_loudest_stretch_of_each_signal_is_found(shape):
    y = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    y[..., 20000:30000] *= 10
    cut = fit_length(y, 16000, pad="loudest")
    assert cut.shape == (*shape[:-1], 16000)
    for row, whole in zip(cut.reshape(-1, 16000), y.reshape(-1, 48000), strict=True):
        assert np.sum(np.abs(row) > 8) == np.sum(np.abs(whole) > 8)
    np.testing.assert_array_equal(fit_length(y, 50000, pad="loudest"), fit_length(y, 50000))
    assert fit_length(y, 47999, pad="loudest").shape == (*shape[:-1], 47999)
    assert fit_length(y, 7, pad="loudest").shape == (*shape[:-1], 7)


# Levels


@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
def test_pcm_of_64_bits_is_refused_since_its_full_scale_is_unknown(dtype):
    y = np.array([0, 1, 12000], dtype=dtype)
    with pytest.raises(ValueError, match=rf"samples of dtype {np.dtype(dtype)} do not say how wide"):
        pcm_to_float(y)
    with pytest.raises(AudioError, match=r"clip 1: samples of dtype"):
        AudioLoader().fit_transform([tone(), y])
    skipping = AudioLoader(on_error="skip")
    assert len(said(skipping.fit_transform, [tone(), y])[0]) == 1
    np.testing.assert_array_equal(pcm_to_float(np.array([0, 1, 2], dtype=dtype)), [0, 1, 2])
    with pytest.raises(ValueError, match="do not say how wide"):
        pcm_to_float(np.array([np.iinfo(dtype).min or np.iinfo(dtype).max], dtype=dtype))


@pytest.mark.parametrize(
    ("y", "doubt"),
    [
        (np.array([-20000, 500], dtype=np.int32), "int32 up to 20000"),
        (np.array([-20000.0, 500.0]), "float64 up to 20000"),
        (np.array([-(2**31), 500], dtype=np.int32), None),
        (np.array([-20000, 500], dtype=np.int16), None),
        (np.zeros(4, dtype=np.int32), None),
        (np.array([-1.7, 0.5]), None),
        (np.array([]), None),
    ],
)
def test_levels_that_look_wrong_are_told(y, doubt):
    assert level_doubt(y) == doubt


@pytest.mark.parametrize("as_file", [False, True])
def test_samples_that_nobody_scaled_are_named_in_one_warning(as_file, tmp_path):
    raw = 20000 * tone()
    clips = [tone(), raw.astype(np.int32), raw, raw.astype(np.int16)]
    if as_file:
        for i, clip in enumerate(clips):
            if clip.dtype != np.int32:
                sf.write(tmp_path / f"{i}.wav", clip, RATE, subtype="FLOAT" if clip.dtype.kind == "f" else "PCM_16")
        clips = sorted(tmp_path.iterdir())
    _, [message] = said(AudioLoader().fit_transform, clips)
    assert message.startswith(f"{1 if as_file else 2} of {len(clips)} clips look like 16-bit PCM that was not scaled: ")
    assert ("2.wav (float32 up to 10000)" if as_file else "clip 1 (int32 up to 10000)") in message


# Channels and rates of arrays


@pytest.mark.parametrize("shape", [(1, -1), (-1, 1)])
def test_one_channel_is_mono_whichever_way_it_lies(shape):
    rows = AudioLoader().fit_transform([tone(), tone().reshape(shape)])
    np.testing.assert_array_equal(rows[1], rows[0])


@pytest.mark.parametrize(("shape", "axis"), [((2, 16000), 0), ((16000, 2), 1)])
def test_channels_are_to_be_averaged_over_their_own_axis(shape, axis):
    with pytest.raises(AudioError, match=rf"clip 1: .* as in y\.mean\(axis={axis}\)"):
        AudioLoader().fit_transform([tone(), np.zeros(shape)])


@pytest.mark.parametrize("rate", [8000, 16000, 44100])
def test_a_pair_brings_its_rate(rate):
    samples = (32767 * tone(rate=rate)).astype(np.int16)
    stereo = np.stack([samples, 0 * samples], axis=1)
    rows = AudioLoader(source_rate=22050).fit_transform([(rate, samples), (np.int64(rate), stereo)])
    right = resample(pcm_to_float(samples), orig_sr=rate, target_sr=RATE)
    np.testing.assert_array_equal(rows[0], right)
    np.testing.assert_allclose(rows[1], right / 2, atol=1e-6)


def test_pairs_that_are_none_are_named():
    for clip, message in (
        ((tone(), 16000), "clip 1: expected a pair of rate and samples, got samples first"),
        ((50, tone()), "clip 1: has a sample rate of 50 Hz"),
        ((16000.5, tone()), "clip 1: has a sample rate of 16,000.5 Hz"),
        ((16000, tone().reshape(100, -1)), r"clip 1: expected a 1-D array, got shape \(100, 160\)"),
        ((16000, np.zeros(4, dtype=complex)), "clip 1: expected a path"),
    ):
        with pytest.raises(AudioError, match=message):
            AudioLoader().fit_transform([tone(), clip])
    with pytest.raises(ValueError, match=r"got a single pair of rate and samples. Pass a list: \[X\]"):
        AudioLoader().fit((16000, tone()))


def test_a_cache_tells_pairs_apart_by_their_rate(tmp_path):
    loader = CachedTransformer(AudioLoader(), tmp_path)
    slow, fast = loader.fit([tone()]).transform([(16000, tone()), (32000, tone())])
    assert np.abs(slow - fast).max() > 0.1
    np.testing.assert_array_equal(loader.transform([(32000, tone())])[0], fast)


# Paths as a column


@pytest.mark.parametrize("kind", [object, str])
def test_paths_may_be_a_column(kind, tmp_path):
    for i in range(6):
        sf.write(tmp_path / f"{i}.wav", tone(frequency=300 * (i % 2 + 1) + i), RATE)
    paths = np.array(sorted(map(str, tmp_path.iterdir())), dtype=kind)
    column, y = paths[:, None], np.arange(6) % 2
    np.testing.assert_array_equal(AudioLoader().fit_transform(column), AudioLoader().fit_transform(paths))
    model = make_pipeline(AudioLoader(), LogMelTransformer(), LogisticRegression())
    assert BaggingClassifier(model, 3, random_state=0).fit(column, y).score(column, y) > 0.5
    importances = permutation_importance(model.fit(column, y), column, y, n_repeats=2, random_state=0)
    assert importances.importances.shape == (1, 2)
    frame = pytest.importorskip("pandas").DataFrame({"path": paths})
    np.testing.assert_array_equal(model.fit(frame, y).predict(frame), y)


def test_of_many_longer_files_only_the_first_are_named(tmp_path):
    for i in range(12):
        sf.write(tmp_path / f"{i:02}.wav", tone(2), RATE)
    _, [message] = said(lambda: extract_features(sorted(tmp_path.iterdir()), LogMelTransformer(), batch_size=5))
    assert message.startswith("12 of 12 clips are longer than duration=1 s, up to 2.0 s, and are cut:")
    assert message.count(".wav") == 5
    assert "04.wav and 7 more. Raise the duration" in message
