"""The pretrained speech embedding as a transformer."""

from numbers import Integral
from pathlib import Path

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from skkws._engine.cost import of_embedding
from skkws._engine.row_names import read_names
from skkws._engine.rows import FrameTransformer
from skkws._engine.spec import (
    FRAMES_PER_VECTOR,
    HOP_LENGTH,
    MIN_SAMPLES,
    N_BANDS,
    N_DIMS,
    SILENCE,
    WIN_LENGTH,
    count_vectors,
)
from skkws.embedding._embed import POOLINGS, both_sides, embed, pad_with_silence, pool_vectors
from skkws.embedding._weights import EmbeddingWeights, as_carried
from skkws.features import log_mel

# Clips whose log-mel frames are held at once, counted in frames.
_BLOCK_FRAMES = 16384


class SpeechEmbeddingTransformer(FrameTransformer):
    """Waveform or log-mel rows to vectors of Google's speech embedding, one 96-d vector every 80 ms.

    The network of [1]_ with its published weights (google/speech_embedding/1, Apache-2.0), which come with the
    package; every result equals the original module's to 1e-5. The network is fully convolutional, so all vectors
    of a clip come from one pass.

    `fit` trains nothing. The network is no part of the estimator: it is loaded once per process, when first needed,
    and a pickle holds the parameters and lengths alone. A model that :func:`skkws.save_model` keeps holds weights of
    one's own too.

    Parameters
    ----------
    input : {"audio", "logmel"}, default="audio"
        What a row is: samples at 16 kHz in [-1, 1], or the output of a :class:`LogMelTransformer` at its defaults.
    weights : {"google"}, path, EmbeddingWeights or None, default="google"
        Weights of the network: the original's, an ``.npz`` file of the same layout, those of
        :class:`skkws.embedding.EmbeddingWeights`, or None for an untrained network (always the same one; it shows what
        pretraining gives).
    pooling : {"mean", "max", "mean_max"} or None, default=None
        How the vectors of a clip become one row: not at all, their mean, their maximum, or both side by side.
    padding : int, default=6000
        Zero samples in front of and behind each clip (for log-mel rows the corresponding frames of silence). A
        vector covers 12,400 samples; without padding a clip of one second keeps 3 vectors and a word at its edge is
        seen by none of them whole, with 6,000 samples (0.375 s) it keeps 13. Chosen on recordings of digits and
        commands, see ``benchmarks/README.md``. A clip still shorter than one vector is padded on both sides to its
        length.

    Attributes
    ----------
    output_shape_ : tuple of (int, int)
        Vectors and dimensions of a row: ``row.reshape(output_shape_)``.
    n_features_in_ : int
        Columns of a row in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the input columns, where `X` has names.

    See Also
    --------
    embed : The same network as a function on log-mel frames.
    KeywordHeadClassifier : The classifier made for these rows.

    References
    ----------
    .. [1] Lin, Kilgour, Roblek, Sharifi (2020), "Training Keyword Spotters with Limited and Synthesized Speech
       Data", arXiv:2002.01322.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws import SpeechEmbeddingTransformer
    >>> clips = np.random.RandomState(0).uniform(-0.1, 0.1, (2, 16000))
    >>> embedding = SpeechEmbeddingTransformer().fit(clips)
    >>> embedding.transform(clips).shape, embedding.output_shape_
    ((2, 1248), (13, 96))
    """

    _parameter_constraints = {
        "input": [StrOptions({"audio", "logmel"})],
        "weights": [str, Path, EmbeddingWeights, None],
        "pooling": [StrOptions(set(POOLINGS)), None],
        "padding": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(self, input="audio", *, weights="google", pooling=None, padding=6000):
        self.input = input
        self.weights = weights
        self.pooling = pooling
        self.padding = padding

    def __getstate__(self):
        state = super().__getstate__()
        return state | {"weights": as_carried(state["weights"])}

    def multiply_adds(self) -> int:
        """Count the multiplications of the network for one clip.

        Returns
        -------
        n : int
            Those of its convolutions, on a clip as long as those of `fit` and its padding.

        Raises
        ------
        NotFittedError
            If the transformer is not fitted.
        """
        check_is_fitted(self)
        return of_embedding(self._n_padded_frames(self.n_features_in_))

    _axis_names = ("embedding_v", "_d")

    def _output_names(self):
        if self.pooling is None:
            return super()._output_names()
        return [f"embedding_{how}_d{d:02d}" for how in self.pooling.split("_") for d in range(N_DIMS)]

    def _shape_for(self, n_features):
        if self.pooling is not None:
            return 1, N_DIMS * len(POOLINGS[self.pooling])
        return count_vectors(self._n_padded_frames(n_features)), N_DIMS

    def _n_padded_frames(self, n_features):
        if self.input == "audio":
            frames = 1 + max(0, n_features + 2 * self.padding - WIN_LENGTH) // HOP_LENGTH
        else:
            frames = n_features // N_BANDS + 2 * self.padding // HOP_LENGTH
        return max(frames, FRAMES_PER_VECTOR)

    def _frames(self, X):
        out = np.empty((len(X), *self._shape_for(X.shape[1])), dtype=np.float32)
        clips = max(1, _BLOCK_FRAMES // self._n_padded_frames(X.shape[1]))
        for i in range(0, len(X), clips):
            vectors = embed(self._padded_log_mel(X[i : i + clips]), weights=self.weights)
            out[i : i + clips] = vectors if self.pooling is None else pool_vectors(vectors, self.pooling)[:, None]
        return out

    def _padded_log_mel(self, X):
        if self.input == "audio":
            missing = max(0, MIN_SAMPLES - X.shape[1] - 2 * self.padding)
            return log_mel(np.pad(X, ((0, 0), both_sides(2 * self.padding + missing))))
        return pad_with_silence(X.reshape(len(X), -1, N_BANDS), 2 * self.padding // HOP_LENGTH)

    def _validate(self, X, reset):
        X = super()._validate(X, reset)
        if self.input == "logmel":
            names = getattr(self, "feature_names_in_", ())
            rows = read_names(names)
            is_log_mel = rows and rows.kind == "logmel" and rows.shape and rows.shape[1] == N_BANDS
            if X.shape[1] % N_BANDS or (len(names) and not is_log_mel):
                named = f" named {names[0]} to {names[-1]}" if len(names) else ""
                raise ValueError(
                    f'SpeechEmbeddingTransformer(input="logmel") needs rows of frames x {N_BANDS} bands, got '
                    f"{X.shape[1]} columns{named}; pass the output of LogMelTransformer() at its defaults, or waveform "
                    'rows with input="audio".'
                )
            if X.min(initial=0.0) < SILENCE - 1e-3:
                raise ValueError(
                    f'SpeechEmbeddingTransformer(input="logmel") got {X.min():.3f}, below log(0.001) = {SILENCE:.3f}, '
                    "the least that LogMelTransformer() gives at its defaults; the network knows no other log_offset, "
                    "scaling or feature."
                )
        return X
