"""Rooms: simulated and measured impulse responses."""

from dataclasses import dataclass, field

import numpy as np
import scipy.signal
from numpy.typing import ArrayLike, NDArray

from skkws.audio import as_signals
from skkws.augment._recordings import as_recordings, samples_of
from skkws.augment._transform import Transform, as_generator, draw


def room_response(
    rt60: float,
    *,
    direct_to_reverberant_db: float = 6.0,
    sample_rate: int = 16000,
    random_state: int | np.random.RandomState | np.random.Generator | None = None,
) -> NDArray[np.float32]:
    """Simulate the impulse response of a room: the direct sound, then noise that decays exponentially.

    The model of [1]_: the amplitude falls as ``10 ** (-3 t / rt60)``, 60 dB within the reverberation time.

    Parameters
    ----------
    rt60 : float
        Reverberation time, in seconds: about 0.3 in a furnished room, 1 in a hall.
    direct_to_reverberant_db : float, default=6.0
        Energy of the direct sound over that of all the rest, in dB; it falls with the distance of the speaker.
    sample_rate : int, default=16000
        Samples per second.
    random_state : int, RandomState, Generator or None, default=None
        Seeds the noise.

    Returns
    -------
    response : ndarray of shape (1 + rt60 * sample_rate,), dtype float32
        Of energy 1, with the direct sound at sample 0.

    References
    ----------
    .. [1] Polack (1988), "La transmission de l'énergie sonore dans les salles", Université du Maine.

    Examples
    --------
    >>> from skkws.augment import room_response
    >>> room_response(0.3, random_state=0).shape
    (4801,)
    """
    if not 0 < rt60 < np.inf:
        raise ValueError(f"rt60 must be a finite number of seconds above 0, got {rt60!r}.")
    rng = as_generator(random_state)
    n_samples = 1 + max(1, round(rt60 * sample_rate))
    response = rng.standard_normal(n_samples, dtype=np.float32)
    response *= np.exp(np.arange(n_samples, dtype=np.float32) * np.float32(-3 * np.log(10) / (rt60 * sample_rate)))
    response[0] = 10 ** (direct_to_reverberant_db / 20) * np.linalg.norm(response[1:])
    return response / np.linalg.norm(response)


def reverberate(y: ArrayLike, response: ArrayLike) -> NDArray[np.floating]:
    """Play signals in a room.

    Parameters
    ----------
    y : array-like of shape (..., n_samples)
        Signals.
    response : array-like of shape (n_response,)
        Impulse response of the room. It is scaled to an energy of 1, so that the level stays about the same, and its
        largest absolute sample, the direct sound, does not delay the signals.

    Returns
    -------
    reverberant : ndarray of shape (..., n_samples)
        In the dtype of `y`; what rings on after the end of the clip is cut off.

    Examples
    --------
    >>> from skkws.augment import reverberate
    >>> reverberate([1.0, 0.0, 0.0, 0.0], [0.0, 0.8, 0.0, 0.6]).round(6)
    array([0.8, 0. , 0.6, 0. ])
    """
    y, response = as_signals(y, "y", dtype=None), as_signals(response, "response", dtype=None)
    energy = np.linalg.norm(response)
    if response.ndim != 1 or energy == 0:
        raise ValueError(
            f"response must be 1-D and hold a sample other than 0, got shape {response.shape} and energy {energy:g}."
        )
    response = (response / energy).astype(y.dtype).reshape((1,) * (y.ndim - 1) + (-1,))
    start = int(np.abs(response).argmax())
    return scipy.signal.oaconvolve(y, response, axes=-1)[..., start : start + y.shape[-1]]


@dataclass(frozen=True, eq=False)
class Reverberation(Transform):
    """Play in a simulated room: :func:`room_response` and :func:`reverberate`.

    Parameters
    ----------
    rt60 : float or (low, high), default=(0.1, 0.5)
        Reverberation time, in seconds.
    direct_to_reverberant_db : float or (low, high), default=(0.0, 15.0)
        Energy of the direct sound over that of all the rest, in dB.
    sample_rate : int, default=16000
        Samples per second.
    probability : float, default=1.0
        How likely a row is varied.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws.augment import Reverberation
    >>> Reverberation()(np.ones((2, 16000)), np.random.default_rng(0)).shape
    (2, 16000)
    """

    rt60: float | tuple = (0.1, 0.5)
    direct_to_reverberant_db: float | tuple = (0.0, 15.0)
    sample_rate: int = 16000

    def _check(self):
        self._check_range("rt60", above=0)
        self._check_range("direct_to_reverberant_db")
        self._check_count("sample_rate", 1)

    def _vary(self, y, rng):
        response = room_response(
            draw(rng, self.rt60),
            direct_to_reverberant_db=draw(rng, self.direct_to_reverberant_db),
            sample_rate=self.sample_rate,
            random_state=rng,
        )
        return reverberate(y, response)


@dataclass(frozen=True, eq=False)
class ImpulseResponse(Transform):
    """Play in a room, or through a device, whose impulse response was measured: :func:`reverberate`.

    Parameters
    ----------
    responses : path, array-like, or list of paths and arrays
        Impulse responses to choose from: a folder (all audio files in it and below, listed when the transform is
        made), a file, samples at `sample_rate` of shape (n_samples,) or (n_responses, n_samples), or a list of files
        and samples.
    sample_rate : int, default=16000
        Samples per second of the rows. Files are resampled to it.
    probability : float, default=1.0
        How likely a row is varied.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws.augment import ImpulseResponse
    >>> echo = np.zeros(8000)
    >>> echo[[0, 4000]] = 0.8, 0.6
    >>> ImpulseResponse(echo)(np.ones((2, 16000)), np.random.default_rng(0)).shape
    (2, 16000)
    """

    responses: tuple = field(repr=False)
    sample_rate: int = 16000

    def _check(self):
        self._check_count("sample_rate", 1)
        object.__setattr__(self, "responses", as_recordings(self.responses, "ImpulseResponse"))

    def _vary(self, y, rng):
        return reverberate(y, samples_of(self.responses[rng.integers(len(self.responses))], self.sample_rate))
