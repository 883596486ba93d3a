import pickle
from importlib import resources
from pathlib import Path

import keras
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from skkws._engine.spec import weight_shapes
from skkws.embedding import (
    SpeechEmbeddingTransformer,
    _embed,
    _transformer,
    _weights,
    embed,
    pool_vectors,
    read_weights,
)
from skkws.features import LogMelTransformer, log_mel
from skkws.networks import speech_embedding

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "synthetic.npz")
GOLDEN_SIGNALS = pytest.mark.parametrize("i", range(len(GOLDEN["names"])), ids=GOLDEN["names"])
RATE = 16000


def noise(*shape, seed=0):
    return np.random.default_rng(seed).uniform(-0.5, 0.5, shape).astype(np.float32)


def relative_error(actual, expected):
    """Frobenius norm of the difference over that of what is expected."""
    return np.linalg.norm(actual - expected) / np.linalg.norm(expected)


@pytest.fixture
def no_networks(monkeypatch):
    """A process that has loaded no network yet."""
    monkeypatch.setattr(_weights, "_networks", {})


@pytest.fixture
def google_arrays():
    with resources.files("skkws.embedding").joinpath("weights/google_speech_embedding.npz").open("rb") as file:
        return dict(np.load(file))


# Parity with the original


@GOLDEN_SIGNALS
def test_audio_rows_give_the_vectors_of_the_original(i):
    audio, expected = GOLDEN[f"audio_{i}"], GOLDEN[f"embedding_{i}"]
    transformer = SpeechEmbeddingTransformer(padding=0).fit(audio[None])
    assert transformer.output_shape_ == expected.shape
    assert relative_error(transformer.transform(audio[None]).reshape(expected.shape), expected) < 1e-5


@GOLDEN_SIGNALS
def test_log_mel_rows_give_the_vectors_of_the_original(i):
    audio, expected = GOLDEN[f"audio_{i}"], GOLDEN[f"embedding_{i}"]
    pipeline = make_pipeline(LogMelTransformer(), SpeechEmbeddingTransformer("logmel", padding=0))
    assert relative_error(pipeline.fit_transform(audio[None]).reshape(expected.shape), expected) < 1e-5


def test_a_network_that_lost_its_first_activation_would_not_pass(google_arrays, monkeypatch):
    monkeypatch.setattr(keras.layers, "ReLU", keras.layers.Identity)
    model = speech_embedding()
    for name in weight_shapes():
        layer, variable = name.split("/")
        next(v for v in model.get_layer(layer).weights if v.name == variable).assign(google_arrays[name])
    errors = [
        relative_error(model(log_mel(GOLDEN[f"audio_{i}"])[None])[0], GOLDEN[f"embedding_{i}"])
        for i in range(len(GOLDEN["names"]))
    ]
    assert max(errors) > 1e-2


# embed


def test_leading_axes_are_kept():
    frames = log_mel(noise(2, 3, RATE))
    vectors = embed(frames)
    assert vectors.shape == (2, 3, 3, 96)
    assert vectors.dtype == np.float32
    np.testing.assert_array_equal(vectors[1, 2], embed(frames[1, 2]))


@pytest.mark.parametrize("n_samples", [3 * RATE, 3 * RATE + 500, 3 * RATE + 1280])
def test_a_long_signal_in_parts_equals_the_signal_in_one(monkeypatch, n_samples):
    frames = log_mel(noise(2, n_samples))
    monkeypatch.setattr(_embed, "_LEAST_PART", 10**6)
    whole = embed(frames)
    monkeypatch.setattr(_embed, "_LEAST_PART", 7)
    np.testing.assert_array_equal(embed(frames), whole)


def test_a_vector_is_the_same_to_the_last_bit_wherever_its_frames_stand():
    frames = log_mel(noise(3, 4 * RATE))
    vectors = embed(frames)
    np.testing.assert_array_equal(embed(frames[1, 8 * 20 : 8 * 20 + 76]), vectors[1, 20:21])
    np.testing.assert_array_equal(embed(frames[2, 8:]), vectors[2, 1:])


def test_many_clips_in_blocks_equal_the_clips_at_once(monkeypatch):
    clips = noise(7, RATE)
    whole = SpeechEmbeddingTransformer().fit_transform(clips)
    monkeypatch.setattr(_transformer, "_BLOCK_FRAMES", 350)  # two clips a block
    np.testing.assert_array_equal(SpeechEmbeddingTransformer().fit_transform(clips), whole)


@pytest.mark.parametrize("shape", [(75, 32), (100, 40), (32,)], ids=str)
def test_frames_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"frames must have the shape \(\.\.\., n_frames >= 76, 32\), got \("):
        embed(np.zeros(shape))


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e20, 1e40])
def test_frames_that_are_no_log_mel_energies_are_refused_with_the_place(bad):
    frames = log_mel(noise(2, RATE)).astype(np.float64)
    frames[1, 40, 3] = bad
    with pytest.raises(ValueError, match=r"frames holds .* at 1, 40, 3; log-mel energies are finite and no larger"):
        embed(frames)


def test_pool_vectors_pools_over_time():
    vectors = np.array([[[1.0, 5.0], [3.0, 1.0]], [[0.0, -2.0], [0.0, -4.0]]])
    np.testing.assert_array_equal(pool_vectors(vectors, "mean"), [[2, 3], [0, -3]])
    np.testing.assert_array_equal(pool_vectors(vectors, "max"), [[3, 5], [0, -2]])
    np.testing.assert_array_equal(pool_vectors(vectors, "mean_max"), [[2, 3, 3, 5], [0, -3, 0, -2]])
    with pytest.raises(ValueError, match=r"pooling must be one of \['max', 'mean', 'mean_max'\], got 'median'"):
        pool_vectors(vectors, "median")


# Shapes, padding, pooling, names


@pytest.mark.parametrize(
    ("n_samples", "padding", "n_vectors"),
    [
        (16000, 6000, 13),
        (16000, 0, 3),
        (12400, 0, 1),
        (13679, 0, 1),
        (13680, 0, 2),
        (3000, 0, 1),
        (300, 0, 1),
        (300, 6000, 1),
        (1, 0, 1),
    ],
)
def test_vector_count(n_samples, padding, n_vectors):
    clips = noise(2, n_samples)
    transformer = SpeechEmbeddingTransformer(padding=padding).fit(clips)
    assert transformer.output_shape_ == (n_vectors, 96)
    rows = transformer.transform(clips)
    assert rows.shape == (2, n_vectors * 96)
    assert rows.dtype == np.float32


def test_padding_is_silence_on_both_sides():
    clips = noise(2, RATE)
    padded = np.pad(clips, ((0, 0), (6000, 6000)))
    expected = SpeechEmbeddingTransformer(padding=0).fit_transform(padded)
    np.testing.assert_allclose(SpeechEmbeddingTransformer().fit_transform(clips), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("n_samples", [5000, 300])
def test_a_clip_shorter_than_a_vector_is_padded_on_both_sides_to_its_length(n_samples):
    clips = noise(2, n_samples)
    missing = 12400 - n_samples
    padded = np.pad(clips, ((0, 0), (missing // 2, missing - missing // 2)))
    expected = SpeechEmbeddingTransformer(padding=0).fit_transform(padded)
    rows = SpeechEmbeddingTransformer(padding=0).fit_transform(clips)
    np.testing.assert_allclose(rows, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("n_samples", [16000, 5000])
def test_log_mel_rows_are_padded_with_frames_of_silence(n_samples):
    clips = noise(2, n_samples)
    padding = 6080  # 38 whole hops: the frames of a clip are the same with and without the zeros in front
    rows = LogMelTransformer().fit_transform(clips)
    vectors = SpeechEmbeddingTransformer("logmel", padding=padding).fit_transform(rows)
    frames = np.pad(rows.reshape(2, -1, 32), ((0, 0), (38, 38), (0, 0)), constant_values=log_mel(np.zeros(400)).item(0))
    np.testing.assert_allclose(vectors, embed(frames).reshape(2, -1), rtol=1e-4, atol=1e-4)
    audio = SpeechEmbeddingTransformer(padding=padding).fit(clips)
    assert vectors.shape[1] == np.prod(audio.output_shape_)


@pytest.mark.parametrize("pooling", ["mean", "max", "mean_max"])
def test_pooling_pools_the_vectors_of_each_clip(pooling):
    clips = noise(3, RATE)
    vectors = SpeechEmbeddingTransformer().fit_transform(clips).reshape(3, 13, 96)
    pooled = SpeechEmbeddingTransformer(pooling=pooling).fit(clips)
    expected = pool_vectors(vectors, pooling)
    assert pooled.output_shape_ == (1, expected.shape[1])
    np.testing.assert_allclose(pooled.transform(clips), expected, rtol=1e-4, atol=1e-4)


def test_feature_names_follow_the_columns():
    clips = noise(1, RATE)
    names = SpeechEmbeddingTransformer().fit(clips).get_feature_names_out()
    assert names.shape == (13 * 96,)
    assert names[3 * 96 + 17] == "embedding_v03_d17"
    names = SpeechEmbeddingTransformer(pooling="mean_max").fit(clips).get_feature_names_out()
    assert list(names[[0, 95, 96, 191]]) == [
        "embedding_mean_d00",
        "embedding_mean_d95",
        "embedding_max_d00",
        "embedding_max_d95",
    ]


@pytest.mark.parametrize("pooling", [None, "max"])
def test_output_may_be_a_pandas_frame(pooling):
    clips = noise(2, RATE)
    transformer = SpeechEmbeddingTransformer(pooling=pooling)
    frame = clone(transformer).set_output(transform="pandas").fit_transform(clips)
    assert frame.columns[0] == ("embedding_max_d00" if pooling else "embedding_v00_d00")
    np.testing.assert_array_equal(frame.to_numpy(), transformer.fit_transform(clips))


# Where the network lives


def test_a_fitted_transformer_pickles_small_and_gives_the_same():
    clips = noise(2, RATE)
    transformer = SpeechEmbeddingTransformer(pooling="mean")
    expected = transformer.fit_transform(clips)
    pickled = pickle.dumps(transformer)
    assert len(pickled) < 1000
    np.testing.assert_array_equal(pickle.loads(pickled).transform(clips), expected)


def test_the_network_is_loaded_once_per_process_when_first_needed(no_networks, monkeypatch):
    read = []
    read_weights = _weights.read_weights

    def count(weights):
        read.append(weights)
        return read_weights(weights)

    monkeypatch.setattr(_weights, "read_weights", count)
    clips = noise(1, RATE)
    first, second = SpeechEmbeddingTransformer().fit(clips), SpeechEmbeddingTransformer(pooling="max").fit(clips)
    assert read == []
    first.transform(clips)
    second.transform(clips)
    pickle.loads(pickle.dumps(clone(first).fit(clips))).transform(clips)
    assert read == ["google"]


def test_untrained_weights_are_always_the_same_ones(monkeypatch):
    clips = noise(1, RATE)
    results = []
    for _ in range(2):
        monkeypatch.setattr(_weights, "_networks", {})
        keras.utils.set_random_seed(len(results))
        results.append(SpeechEmbeddingTransformer(weights=None).fit_transform(clips))
    np.testing.assert_array_equal(*results)
    assert relative_error(results[0], SpeechEmbeddingTransformer().fit_transform(clips)) > 0.1


def test_weights_from_a_file_of_the_same_layout(tmp_path, monkeypatch, google_arrays):
    clips = noise(1, RATE)
    expected = SpeechEmbeddingTransformer().fit_transform(clips)
    path = tmp_path / "copy.npz"
    np.savez(path, **google_arrays)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    for weights in (path, str(path), "~/copy.npz"):
        np.testing.assert_array_equal(SpeechEmbeddingTransformer(weights=weights).fit_transform(clips), expected)


def test_a_changed_weights_file_is_read_again(tmp_path, google_arrays):
    frames = log_mel(noise(RATE))
    path = tmp_path / "mine.npz"
    np.savez(path, **google_arrays)
    before = embed(frames, weights=path)
    np.savez(path, **(google_arrays | {"vectors/kernel": 2 * google_arrays["vectors/kernel"]}))
    np.testing.assert_allclose(embed(frames, weights=path), 2 * before, rtol=1e-4, atol=1e-4)


# Errors


def test_a_missing_weights_file_is_named(tmp_path):
    transformer = SpeechEmbeddingTransformer(weights=str(tmp_path / "absent.npz"))
    with pytest.raises(FileNotFoundError, match=r'weights must be "google", None or a file, .*absent\.npz; check the'):
        transformer.fit_transform(noise(1, RATE))


def test_a_damaged_installation_is_found_out(no_networks, monkeypatch):
    monkeypatch.setattr(_weights, "_GOOGLE_SHA256", 64 * "0")
    with pytest.raises(
        ValueError, match=r"google_speech_embedding\.npz of this installation is damaged.*Install skkws"
    ):
        embed(np.zeros((76, 32)))


@pytest.mark.parametrize("content", ["empty", "text", "npy", "cut"])
def test_a_file_that_is_no_npz_is_named(tmp_path, content, google_arrays):
    path = tmp_path / "weights.npz"
    if content == "npy":
        with path.open("wb") as file:
            np.save(file, np.zeros(3))
    elif content == "cut":
        np.savez(path, **google_arrays)
        path.write_bytes(path.read_bytes()[:5000])
    else:
        path.write_text("" if content == "empty" else "hello")
    with pytest.raises(ValueError, match=r"weights\.npz is no readable \.npz file of network weights"):
        embed(np.zeros((76, 32)), weights=path)


def test_weights_of_another_network_are_refused(tmp_path, google_arrays):
    path = tmp_path / "other.npz"
    np.savez(path, **{name: array for name, array in google_arrays.items() if name != "stem/kernel"})
    with pytest.raises(ValueError, match=r"does not hold the weights .*missing or unknown \['stem/kernel'\]"):
        embed(np.zeros((76, 32)), weights=path)
    np.savez(path, **google_arrays, extra=np.zeros(2))
    with pytest.raises(ValueError, match=r"missing or unknown \['extra'\]"):
        embed(np.zeros((76, 32)), weights=path)
    np.savez(path, **(google_arrays | {"vectors/kernel": np.zeros((3, 1, 96, 64))}))
    with pytest.raises(ValueError, match=r"vectors/kernel must have the shape \(3, 1, 96, 96\), got \(3, 1, 96, 64\)"):
        embed(np.zeros((76, 32)), weights=path)


@pytest.mark.parametrize(
    ("name", "wrong", "message"),
    [
        ("stem_norm/beta", np.full(24, "text"), "must hold finite numbers of a float type"),
        ("stem_norm/beta", np.full(24, 1j), "must hold finite numbers of a float type"),
        ("stem_norm/beta", np.full(24, np.nan), "must hold finite numbers of a float type"),
        ("stem_norm/beta", np.full(24, 1e300), r"float32 can hold, got dtype float64 between 1e\+300 and"),
        ("stem_norm/beta", np.full(24, None), "Object arrays cannot be loaded"),
        ("stem_norm/moving_variance", np.full(24, -0.5), r"must hold no negative number, got -0\.5"),
    ],
    ids=["text", "complex", "nan", "large", "objects", "variance"],
)
def test_numbers_that_are_no_weights_are_refused_with_the_file(tmp_path, google_arrays, name, wrong, message):
    path = tmp_path / "other.npz"
    np.savez(path, **(google_arrays | {name: wrong}))
    with pytest.raises(ValueError, match=rf"other\.npz.*{message}"):
        embed(np.zeros((76, 32)), weights=path)


def test_weights_in_another_order_or_width_are_the_same_weights(tmp_path, google_arrays):
    frames = np.random.default_rng(0).normal(size=(76, 32))
    for change in (np.asfortranarray, lambda array: array.astype(">f8")):
        np.savez(tmp_path / "own.npz", **{key: change(array) for key, array in google_arrays.items()})
        np.testing.assert_array_equal(embed(frames, weights=tmp_path / "own.npz"), embed(frames))
        assert all(a.flags.c_contiguous for a in read_weights(tmp_path / "own.npz").values())


def test_a_file_that_unpacks_to_more_than_the_weights_is_refused(tmp_path, google_arrays):
    np.savez_compressed(tmp_path / "bomb.npz", **google_arrays, more=np.zeros(2 * 10**6))
    with pytest.raises(ValueError, match=r"bomb\.npz is no readable .*: it would take .* MB, and max_bytes=\d+ allows"):
        embed(np.zeros((76, 32)), weights=tmp_path / "bomb.npz")


def test_waveforms_as_log_mel_rows_are_refused():
    with pytest.raises(ValueError, match=r"needs rows of frames x 32 bands, got 16001 columns; pass the output of Log"):
        SpeechEmbeddingTransformer("logmel").fit(noise(1, 16001))


def test_log_mel_rows_of_another_scale_are_refused():
    rows = LogMelTransformer().fit_transform(noise(2, RATE))
    transformer = SpeechEmbeddingTransformer("logmel").fit(rows)
    quiet = LogMelTransformer(log_offset=1e-6).fit_transform(1e-5 * noise(2, RATE))
    with pytest.raises(ValueError, match=r"got -\d+\.\d+, below log\(0\.001\) = -6\.908, the least"):
        transformer.transform(quiet)
    transformer.transform(LogMelTransformer().fit_transform(np.zeros((1, RATE))))  # silence itself is fine


def test_rows_must_be_as_long_as_in_fit():
    with pytest.raises(ValueError, match="X has 8000 features, but SpeechEmbeddingTransformer is expecting 16000"):
        SpeechEmbeddingTransformer().fit(noise(1, RATE)).transform(noise(1, 8000))


@pytest.mark.parametrize(("name", "value"), [("input", "file"), ("pooling", "median"), ("padding", -1), ("weights", 3)])
def test_a_parameter_out_of_range_is_named(name, value):
    with pytest.raises(ValueError, match=f"The '{name}' parameter of SpeechEmbeddingTransformer must be"):
        SpeechEmbeddingTransformer(**{name: value}).fit(noise(1, RATE))


def test_log_mel_rows_of_other_bands_are_refused_by_their_names():
    pytest.importorskip("pandas")
    clips = np.random.RandomState(0).normal(0, 0.1, (2, 16000))
    rows = LogMelTransformer(n_mels=64, fmax=7600.0, n_fft=1024).set_output(transform="pandas").fit_transform(clips)
    with pytest.raises(ValueError, match=r"got 6272 columns named logmel_t00_b00 to logmel_t97_b63; pass the output"):
        SpeechEmbeddingTransformer("logmel").fit(rows)
    rows = LogMelTransformer().set_output(transform="pandas").fit_transform(clips)
    assert SpeechEmbeddingTransformer("logmel").fit_transform(rows).shape == (2, 1248)
