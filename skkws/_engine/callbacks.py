"""What looks at the epochs of a training: checkpoints on disk, and callbacks of Keras."""

import copy
import json
import re
import zipfile
from pathlib import Path

import joblib
import numpy as np

from skkws._engine.spec import BLOCKS
from skkws._runtime.files import whole_file


class Companion:
    """Looks at each epoch of a training, and does nothing."""

    def begin(self):
        """See the training begin."""

    def end(self):
        """See it end well."""

    def rate(self, rate):
        """Return the learning rate of the next epoch."""
        return rate

    def end_epoch(self, scores):
        """See what an epoch brought."""


class Companions(Companion):
    """Several companions as one; a context in which the training lies."""

    def __init__(self, companions):
        self._companions = companions

    def __enter__(self):
        for companion in self._companions:
            companion.begin()
        return self

    def __exit__(self, kind, error, trace):
        if kind is None:
            for companion in self._companions:
                companion.end()

    def rate(self, rate):
        """Let each change the learning rate."""
        for companion in self._companions:
            rate = companion.rate(rate)
        return rate

    def end_epoch(self, scores):
        """Show each what an epoch brought."""
        for companion in self._companions:
            companion.end_epoch(scores)


class Checkpoints(Companion):
    """Keeps the training in a file from which it goes on after a killed run.

    Parameters
    ----------
    run : Run
        The training.
    folder : str or path-like
        Where the file is. Its name is that of what is trained on what, so that trainings share a folder.
    what : object
        All that decides what comes out.
    """

    def __init__(self, run, folder, what):
        self._run = run
        self.path = Path(folder).expanduser().absolute() / f"training-{joblib.hash(what)}.npz"

    def begin(self):
        """Go on where an earlier training stopped."""
        if not self.path.exists():
            return
        try:
            with np.load(self.path) as file:
                arrays = dict(file)
            self._run.restore(arrays, json.loads(str(arrays.pop("numbers"))))
        except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise ValueError(
                f"{self.path} is no checkpoint that can be gone on from: {error}. Delete it to begin anew."
            ) from error

    def end_epoch(self, scores):
        """Write the state of the training."""
        arrays, numbers = self._run.state()
        with whole_file(self.path) as draft:
            np.savez(draft, numbers=json.dumps(numbers), **arrays)

    def end(self):
        """Remove the file of a training that is finished."""
        self.path.unlink(missing_ok=True)


class KerasCallbacks(Companion):
    """Lets callbacks of Keras see each epoch as they would in ``keras.Model.fit``.

    Parameters
    ----------
    run : Run
        The training.
    callbacks : list of keras.callbacks.Callback
        Copies of them are called.
    net : Net
        What is trained.
    optimizer : str
        Name of the optimizer that the model shows.
    epochs : int
        Epochs there will be.
    """

    def __init__(self, run, callbacks, net, optimizer, epochs):
        self._run, self._factor, self._rate = run, 1.0, None
        self._callbacks, self._net, self._optimizer, self._epochs = callbacks, net, optimizer, epochs

    def begin(self):
        """Show them the model."""
        import keras

        self._model = self._net.model()
        self._model.set_weights(self._run.training.weights)
        self._model.compile(self._optimizer, self._net.loss)
        self._model.stop_training = False
        params = {"epochs": self._epochs, "verbose": 0, "steps": None}
        self._list = keras.callbacks.CallbackList(
            copy.deepcopy(self._callbacks), add_history=False, model=self._model, **params
        )
        self._list.on_train_begin()

    def rate(self, rate):
        """Begin an epoch; the learning rate that the callbacks leave."""
        self._model.optimizer.learning_rate = rate * self._factor
        shown = float(self._model.optimizer.learning_rate)  # in single precision
        self._list.on_epoch_begin(self._run.epoch)
        self._rate = float(self._model.optimizer.learning_rate)
        return rate * self._factor if self._rate == shown else self._rate

    def end_epoch(self, scores):
        """End an epoch."""
        self._model.set_weights(self._run.training.weights)
        self._list.on_epoch_end(self._run.epoch - 1, logs=dict(scores))
        # A rate that was lowered after the epoch stays lower, whatever the schedule.
        after = float(self._model.optimizer.learning_rate)
        if after != self._rate:
            self._factor *= after / self._rate
        self._run.stopped |= bool(self._model.stop_training)

    def end(self):
        """Let them finish, and take the weights that they leave."""
        left = self._model.get_weights()
        self._list.on_train_end()
        now = self._model.get_weights()
        if not all(map(np.array_equal, left, now)):
            self._run.best_weights = now


class BlockByBlock(Companion):
    """Trains the last block of the embedding first, and one more after every fifth of the epochs.

    Parameters
    ----------
    run : Run
        The training.
    epochs : int
        Epochs there will be.
    """

    def __init__(self, run, epochs):
        self._run, self._epochs = run, epochs
        part_of, names = run.training.parts()
        self._blocks = np.array([_block_of(name) for name in names])[part_of]

    def rate(self, rate):
        """Rate of each weight: 0 in blocks whose turn has not come."""
        first = len(BLOCKS) - len(BLOCKS) * self._run.epoch // self._epochs
        return np.where(self._blocks >= first, np.float32(rate), np.float32(0))


def _block_of(name):
    """Block of the embedding that a weight belongs to; the head lies behind all of them."""
    layer = name.split("/")[0]
    if layer in ("stem", "stem_norm"):
        return 1
    match = re.fullmatch(r"block(\d)_.*", layer)
    return int(match[1]) if match else len(BLOCKS)
