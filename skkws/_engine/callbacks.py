"""Callbacks of a training: checkpoints on disk, Keras' own callbacks, gradual unfreezing."""

import copy
import json
import re
from pathlib import Path

import joblib
import numpy as np

from skkws._engine.spec import BLOCKS
from skkws._runtime.files import whole_file
from skkws._runtime.npz import read_npz

# Bytes: some hundred for each epoch of a long training.
_LONGEST_HISTORY = 2**24


class Callback:
    """Looks at each epoch of a training, and does nothing."""

    def on_train_begin(self):
        """See the training begin."""

    def learning_rate(self, rate):
        """Begin an epoch; return its learning rate."""
        return rate

    def on_epoch_end(self, scores):
        """See what an epoch brought."""

    def on_train_end(self):
        """See it end well."""


class CallbackList(Callback):
    """Several callbacks as one."""

    def __init__(self, callbacks):
        self._callbacks = callbacks

    def on_train_begin(self):
        """Show each the beginning."""
        for callback in self._callbacks:
            callback.on_train_begin()

    def learning_rate(self, rate):
        """Let each change the learning rate."""
        for callback in self._callbacks:
            rate = callback.learning_rate(rate)
        return rate

    def on_epoch_end(self, scores):
        """Show each what an epoch brought."""
        for callback in self._callbacks:
            callback.on_epoch_end(scores)

    def on_train_end(self):
        """Show each the end."""
        for callback in self._callbacks:
            callback.on_train_end()


class Checkpoint(Callback):
    """Keeps a training in a file, from which it goes on if it was killed.

    Parameters
    ----------
    run : skkws._engine.training.Run
        The training.
    folder : str or path-like
        Where the file is. Its name is that of what is trained on what, so that trainings share a folder.
    what : object
        All that decides what comes out.
    """

    def __init__(self, run, folder, what):
        self._run = run
        self.path = Path(folder).expanduser().absolute() / f"training-{joblib.hash(what)}.npz"

    def on_train_begin(self):
        """Go on where an earlier training stopped."""
        if not self.path.exists():
            return
        begun = self._run.state()
        try:
            arrays, numbers = self._read(*begun)
            self._run.restore(arrays, numbers)
        except Exception as error:  # what is damaged fails anywhere, also in what takes the numbers
            reason = str(error) or type(error).__name__
            raise ValueError(
                f"{self.path} is no checkpoint that a training can go on from: {reason}. Delete it to begin anew."
            ) from error

    def _read(self, begun, numbers):
        """Return what is in the file, if it is like the state of the training at its beginning."""
        # Beside it are the best weights so far, which are no more, and a history of some numbers an epoch.
        most = 3 * sum(array.nbytes for array in begun.values()) + _LONGEST_HISTORY
        arrays = read_npz(self.path, max_bytes=most)
        found = json.loads(str(arrays.pop("numbers")))
        kinds = {name: type(value) for name, value in json.loads(json.dumps(numbers)).items()}
        if not begun.keys() <= arrays.keys() or {name: type(found.get(name)) for name in kinds} != kinds:
            raise ValueError("some of it is missing")
        for name, array in arrays.items():
            right = begun.get(name, array)
            if array.shape != right.shape or array.dtype != right.dtype:
                raise ValueError(
                    f"{name} must be {right.dtype} of the shape {right.shape}, got {array.dtype} of {array.shape}"
                )
            if array.dtype.kind not in "biuf" or not np.isfinite(array).all():
                raise ValueError(f"{name} must hold finite numbers")
        best = [arrays[f"best_{i}"].shape for i in range(len(arrays.keys() - begun.keys()))]
        if best and best != [weight.shape for weight in self._run.training.weights]:
            raise ValueError("the best weights are not those of the network")
        return arrays, found

    def on_epoch_end(self, scores):
        """Write the state of the training."""
        arrays, numbers = self._run.state()
        with whole_file(self.path) as draft:
            np.savez(draft, numbers=json.dumps(numbers), **arrays)

    def on_train_end(self):
        """Remove the file of a training that is complete."""
        self.path.unlink(missing_ok=True)


class KerasCallbacks(Callback):
    """Lets callbacks of Keras see each epoch as they would in ``keras.Model.fit``.

    Parameters
    ----------
    run : skkws._engine.training.Run
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

    def on_train_begin(self):
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

    def learning_rate(self, rate):
        """Begin an epoch; the learning rate that the callbacks leave."""
        self._model.optimizer.learning_rate = rate * self._factor
        shown = float(self._model.optimizer.learning_rate)  # in single precision
        self._list.on_epoch_begin(self._run.epoch)
        self._rate = float(self._model.optimizer.learning_rate)
        return rate * self._factor if self._rate == shown else self._rate

    def on_epoch_end(self, scores):
        """End an epoch."""
        self._model.set_weights(self._run.training.weights)
        self._list.on_epoch_end(self._run.epoch - 1, logs=dict(scores))
        # A rate that was lowered after the epoch stays lower, whatever the schedule.
        after = float(self._model.optimizer.learning_rate)
        if after != self._rate:
            self._factor *= after / self._rate
        self._run.stopped |= bool(self._model.stop_training)

    def on_train_end(self):
        """Let them finish, and take the weights that they leave."""
        left = self._model.get_weights()
        self._list.on_train_end()
        now = self._model.get_weights()
        if not all(map(np.array_equal, left, now)):
            self._run.best_weights = now


class GradualUnfreezing(Callback):
    """Trains the last block of the embedding first, and one more after every fifth of the epochs.

    Parameters
    ----------
    run : skkws._engine.training.Run
        The training.
    epochs : int
        Epochs there will be.
    """

    def __init__(self, run, epochs):
        self._run, self._epochs = run, epochs
        part_of, names = run.training.parts()
        self._blocks = np.array([_block_of(name) for name in names])[part_of]

    def learning_rate(self, rate):
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
