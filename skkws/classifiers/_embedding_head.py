"""Embedding and head as one network: predicted by machine code, its head trained by it, the whole by TensorFlow."""

from dataclasses import dataclass

import numpy as np

from skkws._engine.embedding_kernel import SpeechEmbeddingKernel
from skkws._engine.head_network import Clips, HeadNetwork
from skkws._engine.net import Net
from skkws._engine.spec import FRAMES_PER_VECTOR, N_DIMS, PADDING_FRAMES, count_vectors, weight_shapes
from skkws.embedding import embed_with, pad_with_silence, read_weights

_BACKBONE = tuple(weight_shapes())
_N_BACKBONE = len(_BACKBONE)
_N_STANDARDIZE = 2
# Log-mel rows whose vectors are computed at once.
_BLOCK = 256


@dataclass(frozen=True)
class EmbeddingHead:
    """The network of :func:`skkws.networks.embedding_head`; weights are in the order of that model.

    Parameters
    ----------
    head : HeadNetwork
        Shape and settings of the head.
    whole : Net
        The same as part of the whole network.
    start : str, path or None
        Weights that the embedding begins with, as in :class:`SpeechEmbeddingTransformer`.
    """

    head: HeadNetwork
    whole: Net
    start: object

    @classmethod
    def of(cls, whole, start):
        """Make it of the whole network and the weights to begin with."""
        settings = {"dropout": 0.5} | dict(whole.settings)
        n_frames = whole.input_shape[0]
        n_vectors = count_vectors(max(n_frames + PADDING_FRAMES, FRAMES_PER_VECTOR))
        penalties = {"l1": whole.l1, "l2": whole.l2, "dropout": settings["dropout"], "dtype": "float32"}
        shape = n_vectors, N_DIMS, whole.n_classes
        return cls(HeadNetwork(*shape, filters=96, kernel_size=3, activation="elu", **penalties), whole, start)

    def weight_shapes(self):
        """Shapes of the weights."""
        vectors = [(self.head.n_dims,)] * _N_STANDARDIZE
        return [*weight_shapes().values(), *vectors, *self.head.weight_shapes()]

    def initial_weights(self, random_state):
        """Weights of the embedding, vectors as they are, and a head that knows nothing."""
        arrays = read_weights(self.start)
        neutral = [np.zeros(self.head.n_dims, np.float32), np.ones(self.head.n_dims, np.float32)]
        return [*(arrays[name] for name in _BACKBONE), *neutral, *self.head.initial_weights(random_state)]

    def vectors(self, weights, X, rows):
        """Vectors of these log-mel rows, a row for each."""
        kernel = SpeechEmbeddingKernel(backbone(weights))
        out = np.empty((len(rows), *self.vectors_shape), np.float32)
        for start in range(0, len(rows), _BLOCK):
            frames = np.asarray(X[rows[start : start + _BLOCK]], np.float32).reshape(-1, *self.whole.input_shape)
            out[start : start + _BLOCK] = embed_with(kernel, pad_with_silence(frames, PADDING_FRAMES))
        return out.reshape(len(rows), -1)

    @property
    def vectors_shape(self):
        """Vectors of a row and their dimensions."""
        return self.head.n_vectors, self.head.n_dims

    def standardized(self, weights, vectors):
        """Rows of vectors as the head takes them."""
        mean, variance = scale(weights)
        return Clips(vectors, *(np.tile(v, self.head.n_vectors) for v in (mean, np.sqrt(variance))))

    def probabilities(self, weights, clips, rows):
        """Class probabilities (n_rows, n_classes) of these rows of the clips, in inference."""
        vectors = self.standardized(weights, self.vectors(weights, clips.X, rows))
        return self.head.probabilities(head(weights), vectors, np.arange(len(rows)))

    @property
    def loss(self):
        """Name of the loss of the whole."""
        return self.whole.loss

    def training(self, weights, clips, data, **settings):
        """Begin a training of the whole."""
        return self.whole.training(weights, clips, data, **settings)

    def model(self):
        """Build the ``keras.Model``."""
        return self.whole.model()


def backbone(weights):
    """Weights of the embedding, by their names."""
    return dict(zip(_BACKBONE, weights[:_N_BACKBONE], strict=True))


def head(weights):
    """Weights of the head."""
    return weights[_N_BACKBONE + _N_STANDARDIZE :]


def scale(weights):
    """Mean and variance by which vectors are standardised."""
    return weights[_N_BACKBONE : _N_BACKBONE + _N_STANDARDIZE]


def with_head(weights, trained):
    """Weights with another head."""
    return [*weights[: _N_BACKBONE + _N_STANDARDIZE], *trained]


def with_scale(weights, scaler):
    """Weights that standardise vectors as this scaler does."""
    scale = [value.astype(np.float32) for value in (scaler.mean_, scaler.scale_**2)]
    return [*weights[:_N_BACKBONE], *scale, *head(weights)]
