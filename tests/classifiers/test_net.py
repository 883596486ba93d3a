"""Networks as classifiers: shapes, training, checkpoints, callbacks, and training the embedding."""

import inspect
import pickle
import threading

import keras
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skkws import (
    AudioAugmenter,
    AugmentedClassifier,
    KeywordHeadClassifier,
    KeywordNetClassifier,
    LogMelTransformer,
    SpeechEmbeddingTransformer,
    TrimSilence,
)
from skkws._engine import graph
from skkws._engine import net as engine_net
from skkws.augment import Gain
from skkws.classifiers._improvement import Improvement
from skkws.classifiers._net_classifier import _ROWS
from skkws.networks import keyword_head, mlp

FAST = {"epochs": 3, "random_state": 0}
N_FRAMES, N_BANDS = 12, 8


@pytest.fixture(scope="module")
def rows():
    """Rows of 12 frames and 8 bands in which the word lies at another time in each."""
    rng = np.random.default_rng(0)
    y = np.repeat(["no", "yes"], 30)
    X = rng.normal(0, 0.5, (60, N_FRAMES, N_BANDS)).astype(np.float32)
    for row, word in zip(X, y, strict=True):
        start = rng.integers(0, 8)
        row[start : start + 4, :4] += 2 if word == "yes" else -2
    return X.reshape(60, -1), y


@pytest.fixture(scope="module")
def sounds():
    """Log-mel rows of a high and of a low tone in noise."""
    rng = np.random.default_rng(1)
    y = np.repeat(["high", "low"], 20)
    pitch = np.where(y == "high", 1800, 400)[:, None] * rng.uniform(0.8, 1.2, (40, 1))
    clips = 0.1 * np.sin(2 * np.pi * pitch * np.arange(12000) / 16000) + rng.normal(0, 0.03, (40, 12000))
    return LogMelTransformer().fit_transform(clips.astype(np.float32)), y


def slow_where_large(networks):
    return [pytest.param(n, marks=pytest.mark.slow) if n in ("crnn", "keyword_net", "lstm") else n for n in networks]


@pytest.mark.parametrize("network", slow_where_large(sorted(_ROWS.keys() - {"embedding+head", "wavception"})))
def test_every_network_learns(network, rows):
    X, y = rows
    net = KeywordNetClassifier(network, input_shape=(N_FRAMES, N_BANDS), epochs=40, batch_size=20, random_state=0)
    assert net.fit(X[::2], y[::2]).score(X[1::2], y[1::2]) > 0.75


@pytest.mark.slow
def test_wavception_learns_from_waveforms():
    rng = np.random.default_rng(0)
    y = np.repeat(["high", "low"], 12)
    X = np.sin(np.where(y == "high", 1.0, 0.2)[:, None] * np.arange(600) + rng.uniform(0, 6, (24, 1)))
    net = KeywordNetClassifier(
        "wavception", network_params={"width": 2, "depths": (1, 2), "stride": 1}, epochs=40, random_state=0
    )
    net.fit(X[::2].astype(np.float32), y[::2])
    assert net.input_shape_ == (600, 1)
    assert net.score(X[1::2], y[1::2]) > 0.9


def test_a_batch_that_memory_does_not_hold_is_refused_before_it_is_tried(rows, monkeypatch):
    net = KeywordNetClassifier("cnn", input_shape=(N_FRAMES, N_BANDS), epochs=1, batch_size=50, random_state=0)
    monkeypatch.setattr(engine_net, "available_memory", lambda: 1_000_000)
    with pytest.raises(
        MemoryError, match=r"A step on \d+ rows .* takes about .* GB in cnn, .* free; set batch_size to \d+"
    ):
        net.fit(*rows)
    monkeypatch.setattr(engine_net, "available_memory", lambda: None)
    net.fit(*rows)


@pytest.mark.slow
def test_rounding_does_not_grow_in_the_depth_of_wavception():
    rng = np.random.default_rng(0)
    X, y, weight = rng.normal(size=(15, 30)), np.arange(15) % 3, np.arange(15) % 4 + 1
    net = KeywordNetClassifier("wavception", network_params={"width": 1, "stride": 1}, epochs=5, random_state=0)
    weighted = clone(net).fit(X, y, sample_weight=weight).predict_proba(X)
    repeated = clone(net).fit(X.repeat(weight, axis=0), y.repeat(weight)).predict_proba(X)
    np.testing.assert_allclose(weighted, repeated, atol=1e-10)


def test_the_keras_model_answers_as_the_classifier(rows):
    X, y = rows
    net = KeywordNetClassifier("cnn", input_shape=(N_FRAMES, N_BANDS), **FAST).fit(X, y)
    frames = net.scaler_.transform(X.reshape(-1, N_BANDS)).reshape(60, N_FRAMES, N_BANDS)
    np.testing.assert_allclose(net.to_keras().predict(frames, verbose=0), net.predict_proba(X), atol=1e-6)


def test_a_network_can_be_looked_at_before_and_after_fit(rows):
    net = KeywordNetClassifier("mlp", epochs=1, random_state=0)
    for known in (net, net.fit(*rows)):
        assert "to_keras" in dict(inspect.getmembers(known))
        assert not hasattr(known, "head_")
        assert not hasattr(known, "backbone_")
    with pytest.raises(AttributeError, match=r"parts of network='embedding\+head', got network='mlp'.* fit"):
        net.head_  # noqa: B018 (the access is what is tested)


@pytest.mark.parametrize("kind", [np.float32, pytest.param(np.float64, marks=pytest.mark.slow)])
def test_the_same_seed_gives_the_same_network_and_another_seed_another(kind, rows):
    X, y = rows
    first, again, other = (
        KeywordNetClassifier("crnn", input_shape=(N_FRAMES, N_BANDS), epochs=2, random_state=seed)
        .fit(X.astype(kind), y)
        .predict_proba(X)
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-3


def test_fits_in_threads_do_not_disturb_each_other(rows):
    X, y = rows
    nets = [KeywordNetClassifier("mlp", epochs=4, random_state=seed) for seed in (0, 1, 0, 1)]
    threads = [threading.Thread(target=net.fit, args=(X, y)) for net in nets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    alone = KeywordNetClassifier("mlp", epochs=4, random_state=1).fit(X, y)
    for net in nets[1::2]:
        np.testing.assert_array_equal(net.predict_proba(X), alone.predict_proba(X))


def test_names_of_columns_tell_the_shape(rows):
    clips = np.random.default_rng(0).normal(0, 0.1, (6, 8000)).astype(np.float32)
    frames = LogMelTransformer(n_mels=20).set_output(transform="pandas")
    pipeline = make_pipeline(frames, KeywordNetClassifier("lstm", epochs=1, random_state=0))
    pipeline.fit(clips, ["a", "b"] * 3)
    assert pipeline[-1].input_shape_ == pipeline[0].output_shape_ == (48, 20)


@pytest.mark.parametrize(
    ("network", "n_columns", "shape"),
    [
        pytest.param("keyword_net", 64, (2, 32), marks=pytest.mark.slow),
        ("cnn", 7, (1, 7)),
        ("head", 288, (3, 96)),
        ("mlp", 77, (1, 77)),
        ("light_cnn", 162, (2, 81)),
    ],
)
def test_without_names_a_frame_has_the_bands_that_the_network_was_made_for(network, n_columns, shape):
    X = np.random.default_rng(0).normal(size=(6, n_columns))
    net = KeywordNetClassifier(network, epochs=1, random_state=0).fit(X, ["a", "b"] * 3)
    assert net.input_shape_ == shape


def test_rows_that_are_no_frames_are_refused():
    with pytest.raises(
        ValueError, match=r"Rows of 100 columns are no frames of 32 columns, .* set input_shape to what"
    ):
        KeywordNetClassifier().fit(np.zeros((4, 100)), [0, 1, 0, 1])
    with pytest.raises(ValueError, match=r"input_shape=\(3, 32\) does not fit rows of 100 columns; set it to the"):
        KeywordNetClassifier(input_shape=(3, 32)).fit(np.zeros((4, 100)), [0, 1, 0, 1])
    with pytest.raises(ValueError, match=r"input_shape must be two integers above 0, frames and bands, got \(100,\)"):
        KeywordNetClassifier(input_shape=(100,)).fit(np.zeros((4, 100)), [0, 1, 0, 1])


@pytest.mark.parametrize("network", ["keyword_net", "lstm", "embedding+head"])
def test_rows_that_may_be_vectors_of_the_embedding_or_frames_are_refused(network):
    match = (
        r"Rows of 1248 columns may be 39 frames of 32 .* or 13 vectors .*; set input_shape=\(39, 32\) or .*\(13, 96\)"
    )
    with pytest.raises(ValueError, match=match):
        KeywordNetClassifier(network).fit(np.zeros((4, 13 * 96)), [0, 1, 0, 1])


def named(transformer, n_samples):
    """Rows with names."""
    clips = np.random.default_rng(0).normal(0, 0.1, (4, n_samples))
    return transformer.set_output(transform="pandas").fit_transform(clips)


def test_rows_are_checked_against_their_names():
    y = ["a", "b"] * 2
    frames, vectors = named(LogMelTransformer(), 8000), named(SpeechEmbeddingTransformer(), 8000)
    with pytest.raises(ValueError, match=r"input_shape=\(16, 96\) contradicts .* 48 frames of 32 log-mel bands"):
        KeywordNetClassifier("cnn", input_shape=(16, 96)).fit(frames, y)
    with pytest.raises(ValueError, match=r"'head' takes vectors .*, got 48 frames of 32 log-mel bands .*\(48, 32\)"):
        KeywordNetClassifier("head").fit(frames, y)
    with pytest.raises(ValueError, match=r"'embedding\+head' takes frames of 32 .*, got 6 vectors of 96 dimensions"):
        KeywordNetClassifier("embedding+head").fit(vectors, y)
    with pytest.raises(ValueError, match=r"'gru' takes whole frames, got columns of logmel rows, but no whole frames"):
        KeywordNetClassifier("gru").fit(frames.iloc[:, :40], y)
    with pytest.raises(
        ValueError, match=r"'cnn' takes frames .*, got 400 samples .* pass the rows of LogMelTransformer"
    ):
        KeywordNetClassifier("cnn").fit(named(TrimSilence(), 400), y)
    assert KeywordNetClassifier("cnn1d", epochs=1).fit(vectors, y).input_shape_ == (6, 96)


def small(input_shape, n_classes, units=4):
    """A network of one's own."""
    x = frames = keras.Input(input_shape)
    x = keras.layers.Dropout(0.1)(keras.layers.Dense(units, activation="relu")(keras.layers.Flatten()(x)))
    return keras.Model(frames, keras.layers.Dense(n_classes, activation="softmax")(x))


@pytest.mark.slow
def test_a_network_of_ones_own_is_searched_over_in_two_processes(rows):
    X, y = rows
    net = KeywordNetClassifier(small, input_shape=(N_FRAMES, N_BANDS), epochs=2, batch_size=10, random_state=0)
    grid = {"network_params": [{"units": 2}, {"units": 16}], "learning_rate": [0.01]}
    search = GridSearchCV(net, grid, cv=2, n_jobs=2).fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert {w.shape[-1] for w in search.best_estimator_.weights_} <= {2, 16}


def test_what_a_network_does_not_take_is_named(rows):
    with pytest.raises(ValueError, match=r"network='cnn' takes no 'units', but \['filters', 'dropout'\]; change netw"):
        KeywordNetClassifier("cnn", network_params={"units": 3}, input_shape=(12, 8)).fit(*rows)
    with pytest.raises(ValueError, match="change network_params or leave dropout at None"):
        KeywordNetClassifier(small, dropout=0.5, input_shape=(12, 8)).fit(*rows)


@pytest.mark.parametrize("build", [lambda shape, n_classes: None, lambda shape, n_classes: small(shape, 5)])
def test_what_is_no_network_for_the_classes_is_refused(build, rows):
    with pytest.raises(
        ValueError, match=r"must return a keras.Model whose output has the shape \(None, 2\), .* End it"
    ):
        KeywordNetClassifier(build, input_shape=(N_FRAMES, N_BANDS)).fit(*rows)


def test_penalties_and_smoothing_change_what_is_learnt(rows):
    X, y = rows
    plain, l2, l1, smooth, focal = (
        KeywordNetClassifier("mlp", epochs=20, random_state=0, **how).fit(X, y)
        for how in ({}, {"l2": 0.1}, {"l1": 0.01}, {"label_smoothing": 0.4}, {"loss": "categorical_focal_crossentropy"})
    )
    size = [np.abs(net.weights_[0]).sum() for net in (plain, l2, l1)]
    assert max(size[1:]) < 0.8 * size[0]
    sureness = [net.predict_proba(X).max(axis=1).mean() for net in (plain, smooth, focal)]
    assert max(sureness[1:]) < sureness[0]


def test_early_stopping_keeps_the_best_epoch(rows):
    X, y = rows
    y = np.random.default_rng(0).permutation(y)  # nothing to learn: the validation loss rises soon
    net = KeywordNetClassifier("mlp", epochs=60, early_stopping=True, patience=3, random_state=0).fit(X, y)
    losses = net.history_["val_loss"]
    assert net.n_iter_ == len(losses) == np.argmin(losses) + 1 + 3


class KilledError(Exception):
    """What ends a run in the middle."""


class Kill(keras.callbacks.Callback):
    """Kills the training in an epoch."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_end(self, epoch, logs=None):
        if epoch == self.epoch:
            raise KilledError


def test_a_killed_training_goes_on_to_the_same_result(rows, tmp_path):
    X, y = rows
    settings = {"network": "cnn", "input_shape": (N_FRAMES, N_BANDS), "epochs": 6, "random_state": 0}
    settings |= {"early_stopping": True, "patience": 6, "network_params": {"filters": (4, 8)}}
    whole = KeywordNetClassifier(**settings).fit(X, y)
    with pytest.raises(KilledError):
        KeywordNetClassifier(**settings, checkpoint_dir=tmp_path, callbacks=[Kill(3)]).fit(X, y)
    assert len(list(tmp_path.iterdir())) == 1
    seen = []
    watch = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: seen.append(epoch))
    resumed = KeywordNetClassifier(**settings, checkpoint_dir=tmp_path, callbacks=[watch]).fit(X, y)
    assert seen == [4, 5]
    np.testing.assert_array_equal(resumed.predict_proba(X), whole.predict_proba(X))
    assert resumed.history_ == whole.history_
    assert list(tmp_path.iterdir()) == []


def test_checkpoints_of_other_rows_are_not_taken_for_ones_own(rows, tmp_path):
    X, y = rows
    settings = {"network": "mlp", "epochs": 3, "random_state": 0, "checkpoint_dir": tmp_path}
    with pytest.raises(KilledError):
        KeywordNetClassifier(**settings, callbacks=[Kill(1)]).fit(X, y)
    other = KeywordNetClassifier(**settings).fit(X + 1, y)
    assert other.n_iter_ == 3
    assert len(list(tmp_path.iterdir())) == 1


def test_a_damaged_checkpoint_is_named(rows, tmp_path):
    X, y = rows
    settings = {"network": "mlp", "epochs": 3, "random_state": 0, "checkpoint_dir": tmp_path}
    with pytest.raises(KilledError):
        KeywordNetClassifier(**settings, callbacks=[Kill(1)]).fit(X, y)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ValueError, match=rf"{path.name} is no checkpoint that a training can go on from: .* Delete it"):
        KeywordNetClassifier(**settings).fit(X, y)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda arrays: {"flat": np.float32(1)}, r"flat must be float32 of the shape \(\d+,\), got float32 of \(\)"),
        (lambda arrays: {"optimizer_mean": None}, "some of it is missing"),
        (lambda arrays: {"numbers": '{"epoch": "one"}'}, "some of it is missing"),
        (lambda arrays: {"more": np.zeros(10**7)}, "it would take .* MB, and max_bytes"),
        (lambda arrays: {"best_0": np.zeros(3, np.float32)}, "the best weights are not those of the network"),
        (lambda arrays: {"flat": np.full_like(arrays["flat"], np.nan)}, "flat must hold finite numbers"),
    ],
)
def test_a_checkpoint_that_holds_something_else_is_named(rows, tmp_path, change, reason):
    X, y = rows
    settings = {"network": "mlp", "epochs": 2, "random_state": 0, "checkpoint_dir": tmp_path}
    with pytest.raises(KilledError):
        KeywordNetClassifier(**settings, callbacks=[Kill(1)]).fit(X, y)
    (path,) = tmp_path.iterdir()
    with np.load(path) as file:
        arrays = dict(file)
    np.savez(path, **{name: array for name, array in (arrays | change(arrays)).items() if array is not None})
    with pytest.raises(ValueError, match=rf"{path.name} is no checkpoint that a training can go on from: {reason}"):
        KeywordNetClassifier(**settings).fit(X, y)


def test_checkpoints_lie_where_they_were_asked_for(rows, tmp_path, monkeypatch):
    """A worker that gets the classifier may stand elsewhere."""
    for place in ("here", "elsewhere"):
        (tmp_path / place).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    net = KeywordNetClassifier("mlp", epochs=2, random_state=0, checkpoint_dir="checkpoints", callbacks=[Kill(1)])
    assert clone(net).checkpoint_dir == "checkpoints"
    sent = pickle.dumps(net)
    monkeypatch.chdir(tmp_path / "elsewhere")
    with pytest.raises(KilledError):
        pickle.loads(sent).fit(*rows)
    assert len(list((tmp_path / "here" / "checkpoints").iterdir())) == 1
    assert not list((tmp_path / "elsewhere").iterdir())


def test_checkpoints_need_a_seed(rows, tmp_path):
    with pytest.raises(ValueError, match=r"checkpoint_dir needs an integer random_state, .* got None"):
        KeywordNetClassifier("mlp", checkpoint_dir=tmp_path).fit(*rows)


def test_callbacks_of_keras_see_the_training_and_lead_it(rows):
    X, y = rows
    logs = []
    callbacks = [
        keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, scores: logs.append((epoch, scores["loss"]))),
        keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate if epoch < 2 else 0.0),
    ]
    net = KeywordNetClassifier("mlp", epochs=4, callbacks=callbacks, random_state=0).fit(X, y)
    assert logs == list(enumerate(net.history_["loss"]))
    shorter = KeywordNetClassifier(
        "mlp", epochs=4, callbacks=[keras.callbacks.LambdaCallback(), StopAfter(2)], schedule="constant", random_state=0
    ).fit(X, y)
    assert shorter.n_iter_ == 2
    assert callbacks[0].__dict__.get("_model") is None  # a copy was called


def test_tensorboard_and_model_checkpoint_work_as_in_keras(rows, tmp_path):
    pytest.importorskip("tensorboard")
    X, y = rows
    callbacks = [keras.callbacks.TensorBoard(tmp_path), keras.callbacks.ModelCheckpoint(tmp_path / "net.keras")]
    net = KeywordNetClassifier("mlp", epochs=2, callbacks=callbacks, random_state=0).fit(X, y)
    assert len(list(tmp_path.glob("train/events.*"))) == 1
    kept = keras.models.load_model(tmp_path / "net.keras", compile=False)
    trained = [[weight.numpy() for weight in model.trainable_weights] for model in (kept, net.to_keras())]
    assert all(map(np.array_equal, *trained))


class StopAfter(keras.callbacks.Callback):
    """Stops a training after some epochs."""

    def __init__(self, epochs):
        super().__init__()
        self.epochs = epochs

    def on_epoch_end(self, epoch, logs=None):
        self.model.stop_training = epoch + 1 == self.epochs


def test_a_rate_that_a_callback_lowers_stays_lower(rows):
    X, y = rows
    rates = []
    lower = keras.callbacks.ReduceLROnPlateau(monitor="loss", factor=0.1, patience=1, min_delta=100.0)
    net = KeywordNetClassifier("mlp", epochs=4, schedule="constant", learning_rate=0.01, random_state=0)
    net.set_params(callbacks=[Rates(rates), lower]).fit(X, y)
    np.testing.assert_allclose(rates, [0.01, 0.01, 0.001, 0.0001], rtol=1e-5)


class Rates(keras.callbacks.Callback):
    """Writes down the learning rate of each epoch in a list of its maker's."""

    def __init__(self, rates):
        super().__init__()
        self.rates = rates

    def __deepcopy__(self, memo):
        return Rates(self.rates)

    def on_epoch_begin(self, epoch, logs=None):
        self.rates.append(float(self.model.optimizer.learning_rate))


def test_frozen_is_the_head_on_the_embedding(sounds):
    X, y = sounds
    net = KeywordNetClassifier("embedding+head", epochs=20, random_state=0).fit(X[::2], y[::2])
    assert not net.fine_tuned_
    assert {"head_", "backbone_"} <= dict(inspect.getmembers(net)).keys()
    assert net.score(X[1::2], y[1::2]) > 0.9
    embedding = SpeechEmbeddingTransformer(input="logmel").fit(X)
    vectors = embedding.transform(X).reshape(len(X), *embedding.output_shape_)
    mean, variance = net.weights_[-14:-12]
    head = keyword_head(embedding.output_shape_, 2)
    head.set_weights(net.weights_[-12:])
    expected = head.predict((vectors - mean) / np.sqrt(variance), verbose=0)
    np.testing.assert_allclose(net.predict_proba(X), expected, atol=1e-5)


@pytest.fixture
def decided(monkeypatch):
    """Decide whether training the embedding helps, which two rounds of training need not agree about."""

    def decide(is_sure):
        improvement = Improvement(12, gain=1.0 if is_sure else -1.0, error=0.1, before=0.7, after=0.9)
        monkeypatch.setattr(Improvement, "measure", lambda *args: improvement)

    return decide


@pytest.mark.parametrize("how", ["full", pytest.param("gradual", marks=pytest.mark.slow)])
def test_the_whole_is_trained_and_kept_only_if_it_helps(how, sounds, capsys, decided):
    X, y = sounds
    settings = {"epochs": 1, "embedding_epochs": 1, "validation_fraction": 0.3, "random_state": 0, "verbose": 2}
    net = KeywordNetClassifier("embedding+head", train_embedding=how, **settings)
    frozen = KeywordNetClassifier("embedding+head", **settings).fit(X, y)

    decided(True)
    assert net.fit(X, y).fine_tuned_
    assert "Training the embedding is kept: " in capsys.readouterr().err
    assert not np.array_equal(net.weights_[-16], frozen.weights_[-16])
    frames = X.reshape(len(X), *net.input_shape_)
    np.testing.assert_allclose(net.to_keras().predict(frames, verbose=0), net.predict_proba(X), atol=1e-5)

    decided(False)
    assert not net.fit(X, y).fine_tuned_
    assert "is dropped, and the embedding stays as it was" in capsys.readouterr().err
    for weights, expected in zip(net.weights_, frozen.weights_, strict=True):
        np.testing.assert_array_equal(weights, expected)


def test_rows_in_double_precision_are_taken_too(sounds):
    X, y = sounds
    settings = {"train_embedding": "full", "validation_fraction": 0.3, "epochs": 2, "embedding_epochs": 1}
    single, double = (
        KeywordNetClassifier("embedding+head", **settings, random_state=0).fit(X.astype(kind), y).predict_proba(X)
        for kind in (np.float32, np.float64)
    )
    np.testing.assert_allclose(double, single, atol=1e-3)


def test_it_is_trained_on_varied_copies_of_each_clip():
    rng = np.random.default_rng(0)
    y = np.repeat(["high", "low"], 8)
    pitch = np.where(y == "high", 1800, 400)[:, None]
    clips = 0.1 * np.sin(2 * np.pi * pitch * np.arange(10000) / 16000) + rng.normal(0, 0.02, (16, 10000))
    pipeline = make_pipeline(LogMelTransformer(), KeywordNetClassifier("embedding+head", epochs=10, random_state=0))
    spotter = AugmentedClassifier(pipeline, AudioAugmenter([Gain()], n_copies=2, random_state=0))
    assert spotter.fit(clips[::2].astype(np.float32), y[::2]).score(clips[1::2], y[1::2]) > 0.9


def test_too_few_rows_to_tell_leave_the_embedding_as_it_was(sounds):
    X, y = sounds
    net = KeywordNetClassifier("embedding+head", epochs=5, train_embedding="full", random_state=0)
    with pytest.warns(UserWarning, match="there are too few: the embedding stays as it is. Add clips"):
        net.fit(X[[0, -1]], y[[0, -1]])
    assert not net.fine_tuned_


def test_embedding_and_head_need_frames_of_32_bands(rows):
    with pytest.raises(ValueError, match="takes log-mel frames of 32 bands, got 8; compute them with"):
        KeywordNetClassifier("embedding+head", input_shape=(N_FRAMES, N_BANDS)).fit(*rows)


def test_partial_fit_goes_on(rows, sounds):
    X, y = rows
    net = KeywordNetClassifier("cnn", input_shape=(N_FRAMES, N_BANDS), random_state=0)
    for _ in range(40):
        net.partial_fit(X, y, classes=["maybe", "no", "yes"])
    assert net.score(X, y) > 0.9
    head = KeywordNetClassifier("embedding+head", random_state=0)
    for _ in range(8):
        head.partial_fit(*sounds, classes=["high", "low"])
    assert head.score(*sounds) > 0.9
    with pytest.raises(ValueError, match="partial_fit trains the head alone, and train_embedding='full' asks for more"):
        head.set_params(train_embedding="full").partial_fit(*sounds)


def test_heads_of_both_classifiers_are_one_network(rows):
    """The network "head" is that of KeywordHeadClassifier, whoever trains it."""
    X, y = rows
    ours = KeywordHeadClassifier(n_vectors=N_FRAMES, epochs=1, random_state=0).fit(X, y)
    theirs = KeywordNetClassifier("head", input_shape=(N_FRAMES, N_BANDS), epochs=1, random_state=0).fit(X, y)
    assert [w.shape for w in ours.weights_] == [w.shape for w in theirs.weights_]


def test_a_second_fit_with_the_same_seed_builds_no_network(rows):
    X, y = rows
    built = []

    def network(input_shape, n_classes):
        built.append(n_classes)
        return mlp(input_shape, n_classes)

    net = KeywordNetClassifier(network, input_shape=(N_FRAMES, N_BANDS), epochs=1, random_state=0)
    first = net.fit(X, y).predict_proba(X)
    n_built = len(built)
    np.testing.assert_array_equal(clone(net).fit(X, y).predict_proba(X), first)
    assert len(built) == n_built
    clone(net).set_params(random_state=1).fit(X, y)
    assert len(built) == n_built + 1


def test_what_is_compiled_once_is_not_compiled_again(rows):
    X, y = rows
    net = KeywordNetClassifier("gru", input_shape=(N_FRAMES, N_BANDS), epochs=1, random_state=0).fit(X, y)
    before = graph._graph.cache_info().misses
    net.set_params(random_state=5, epochs=2, learning_rate=0.1, batch_size=7).fit(X[:50], y[:50])
    assert graph._graph.cache_info().misses == before
