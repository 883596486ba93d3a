"""What networks of Keras need, and that they are built alike whatever Keras is set to.

Keras itself is imported only where a network is built.
"""

import logging
import os
import threading
from contextlib import contextmanager
from functools import lru_cache, wraps

from skkws._runtime.optional import require
from skkws._runtime.quiet import quiet_stderr

_BACKEND = "tensorflow"
_settings_lock = threading.RLock()
_process = None


def require_keras(*features):
    """Make sure that Keras can be used here, with TensorFlow below it.

    Parameters
    ----------
    *features : str
        What needs it, as a user knows it.

    Raises
    ------
    ImportError
        If a package is missing, or Keras runs on something else.
    RuntimeError
        If this process was forked from one that has used TensorFlow.
    """
    require(_BACKEND, *features)
    check_process()
    found = _backend()
    if found != _BACKEND:
        raise ImportError(
            f"{' and '.join(features)} needs Keras on TensorFlow, and Keras is set to {found!r}. Set the environment "
            "variable KERAS_BACKEND=tensorflow, or the backend in ~/.keras/keras.json, before Keras is imported."
        )


@contextmanager
def quiet_tensorflow():
    """Keep TensorFlow's lines on processors, sessions and its own inner calls from our users meanwhile."""
    logger = logging.getLogger("tensorflow")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with quiet_stderr():
            yield
    finally:
        logger.setLevel(level)


def quiet_at_first(function):
    """Return a function of TensorFlow that says nothing when it is compiled, in its first call."""
    compiled = False

    @wraps(function)
    def call(*args):
        nonlocal compiled
        if compiled:
            return function(*args)
        with quiet_tensorflow():
            result = function(*args)
        compiled = True
        return result

    return call


@lru_cache(1)
def _backend():
    """Load Keras, and name what is below it; TensorFlow begins with lines on processors, not for our users."""
    with quiet_tensorflow():
        try:
            import keras
        except ImportError:
            wanted = os.environ.get("KERAS_BACKEND", _BACKEND)
            if wanted == _BACKEND:
                raise
            return wanted  # and not installed
        if keras.config.backend() == _BACKEND:
            import tensorflow as tf

            tf.constant(0)
    return keras.config.backend()


def check_process():
    """Refuse to go on in a process that was forked from one that has used TensorFlow; it would wait for ever.

    Raises
    ------
    RuntimeError
        In such a process.
    """
    global _process  # noqa: PLW0603 - TensorFlow, too, there is once in a process
    _process = os.getpid() if _process is None else _process
    if _process != os.getpid():
        raise RuntimeError(
            "networks of Keras were used before this process was forked, and TensorFlow does not survive that. Start "
            'processes by multiprocessing.get_context("spawn"), or by joblib, whose "loky" does so.'
        )


@contextmanager
def as_written():
    """Build layers as the code says: in single precision, channels last, whatever Keras is set to elsewhere."""
    from keras import config

    with _settings_lock:
        data_format, precision, policy = config.image_data_format(), config.floatx(), config.dtype_policy()
        config.set_image_data_format("channels_last")
        config.set_floatx("float32")
        config.set_dtype_policy("float32")
        try:
            yield
        finally:
            config.set_image_data_format(data_format)
            config.set_floatx(precision)
            config.set_dtype_policy(policy)


def network(build):
    """Decorate a function that builds a network: see `require_keras` and `as_written`."""

    @wraps(build)
    def built(*args, **kwargs):
        require_keras(build.__name__)
        with as_written():
            return build(*args, **kwargs)

    return built
