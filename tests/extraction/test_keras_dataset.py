"""FeaturePyDataset: what keras.Model.fit and predict get from it."""

import pickle

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.pipeline import make_pipeline

from skkws import AudioLoader, LogMelTransformer, MFCCTransformer, extract_features
from skkws.extraction import FeaturePyDataset
from skkws.networks import keyword_head


class Loudness(TransformerMixin, BaseEstimator):
    """A transformer without `output_shape_`."""

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        return (X**2).mean(axis=1, keepdims=True)


@pytest.fixture(scope="module")
def files(speech_folder):
    """36 recordings of three words, in an order that is none of theirs."""
    paths = sorted(speech_folder.glob("*/*.wav"))
    return [paths[i] for i in np.random.default_rng(0).permutation(len(paths))]


@pytest.fixture(scope="module")
def words(files):
    return [file.parent.name for file in files]


@pytest.fixture(scope="module")
def rows(files):
    return extract_features(files)


def model_for(dataset):
    model = keyword_head((13, 96), len(dataset.classes_))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def epoch_of(dataset):
    return [np.concatenate(parts) for parts in zip(*dataset, strict=True)]


def test_batches_are_shaped_rows_and_indices_of_classes_(files, words, rows):
    dataset = FeaturePyDataset(files, words, batch_size=10)
    assert dataset.classes_.tolist() == ["no", "stop", "yes"]
    assert [len(X) for X, _ in dataset] == [10, 10, 10, 6]
    assert dataset.num_batches == len(dataset) == 4
    X, labels = epoch_of(dataset)
    np.testing.assert_array_equal(X, rows.reshape(36, 13, 96))
    assert dataset.classes_[labels].tolist() == words
    assert X.dtype == np.float32
    with pytest.raises(IndexError, match="there are 4 batches, got index 4"):
        dataset[4]


@pytest.mark.parametrize("workers", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_a_head_learns_words_and_predicts_them_in_order(files, words, tmp_path, workers):
    training = FeaturePyDataset(
        files, words, batch_size=9, shuffle=True, random_state=0, cache_dir=tmp_path, workers=workers, max_queue_size=2
    )
    assert (training.workers, training.max_queue_size) == (workers, 2)
    model = model_for(training)
    validation = FeaturePyDataset(files[:9], words[:9], classes=training.classes_, cache_dir=tmp_path)
    history = model.fit(training, epochs=15, validation_data=validation, shuffle=False, verbose=0).history
    assert history["accuracy"][-1] > 0.9
    assert len(history["val_loss"]) == 15
    for y in (None, words):
        probabilities = model.predict(FeaturePyDataset(files, y, batch_size=10, cache_dir=tmp_path), verbose=0)
        assert np.mean(training.classes_[probabilities.argmax(axis=1)] == words) > 0.9


@pytest.mark.parametrize("place", ["memory", "disk"])
def test_rows_in_an_array_or_a_file_are_used_as_they_are(files, words, tmp_path, rows, place):
    array = rows
    if place == "disk":
        array = extract_features(files, out=tmp_path / "x.npy")
    dataset = FeaturePyDataset(array.reshape(-1, 13, 96), words, batch_size=10)
    X, labels = epoch_of(dataset)
    np.testing.assert_array_equal(X, rows.reshape(36, 13, 96))
    assert dataset.classes_[labels].tolist() == words
    model_for(dataset).fit(dataset, verbose=0)


def test_each_epoch_has_another_order_and_the_same_seed_the_same_ones(rows, words):
    def epochs(seed):
        dataset = FeaturePyDataset(rows, words, sample_weight=np.arange(36), shuffle=True, random_state=seed)
        orders = []
        for _ in range(3):
            X, labels, weights = epoch_of(dataset)
            places = weights.astype(int)
            np.testing.assert_array_equal(X, rows[places])
            assert dataset.classes_[labels].tolist() == [words[i] for i in places]
            assert sorted(places) == list(range(36))
            orders.append(places.tolist())
            dataset.on_epoch_end()
        return orders

    first = epochs(0)
    assert first == epochs(0) != epochs(1)
    assert first[0] != first[1] != first[2]


def test_without_shuffle_epochs_are_in_order(rows, words):
    dataset = FeaturePyDataset(rows, words, random_state=0)
    dataset.on_epoch_end()
    np.testing.assert_array_equal(epoch_of(dataset)[0], rows)


@pytest.mark.parametrize(
    ("transformer", "shape"),
    [
        (LogMelTransformer(), LogMelTransformer().fit(np.zeros((1, 16000))).output_shape_),
        (make_pipeline(LogMelTransformer()), LogMelTransformer().fit(np.zeros((1, 16000))).output_shape_),
        (Loudness(), (1,)),
    ],
)
def test_rows_have_the_shape_of_the_transformer_where_it_has_one(files, transformer, shape):
    ((X,),) = FeaturePyDataset(files[:3], transformer=transformer)
    assert X.shape == (3, *shape)


def test_a_second_epoch_finds_its_rows(files, words, tmp_path):
    gone = [tmp_path / f"{i}.wav" for i in range(3)]
    for file, copy in zip(files, gone, strict=False):
        copy.write_bytes(file.read_bytes())
    dataset = FeaturePyDataset(gone, words[:3], cache_dir=tmp_path / "cache")
    first = epoch_of(dataset)
    shards = list(tmp_path.glob("cache/*/*.npy"))
    np.testing.assert_array_equal(epoch_of(dataset)[0], first[0])
    assert list(tmp_path.glob("cache/*/*.npy")) == shards  # nothing was computed, or it would have been kept


def test_it_can_be_sent_to_a_process(files, words, tmp_path):
    dataset = FeaturePyDataset(files[:9], words[:9], shuffle=True, random_state=0, cache_dir=tmp_path)
    copy = pickle.loads(pickle.dumps(dataset))
    np.testing.assert_array_equal(copy[0][0], dataset[0][0])


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (([],), {}, r"files holds no path \(0 samples\)"),
        ((np.zeros((0, 5)),), {}, r"X holds no row \(0 samples\)"),
        ((["a.wav"], ["a", "b"]), {}, r"inconsistent numbers of samples: \[1, 2\]"),
        ((np.zeros((2, 5)), [0, 1]), {"sample_weight": [1]}, r"inconsistent numbers of samples: \[2, 1\]"),
        ((np.zeros((2, 5)),), {"sample_weight": [1, 1]}, "sample_weight needs labels, got y=None"),
        ((np.zeros((2, 5)), [0, 1]), {"batch_size": 0}, "batch_size must be 1 or more, got 0"),
        ((np.zeros((2, 5)), [0, 1], MFCCTransformer()), {}, "are for files, and X is an array"),
        ((np.zeros((2, 5)), ["go", "no"]), {"classes": ["go"]}, r"\['no'\], which are not among the classes \['go'\]"),
        ((["a.wav"],), {"loader": AudioLoader(on_error="skip")}, "loader must have on_error='raise'"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        FeaturePyDataset(*arguments, **options)
