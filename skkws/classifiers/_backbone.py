"""An embedding of one's own, trained in the way of the original."""

from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state

from skkws._engine.spec import N_BANDS
from skkws._runtime.files import whole_file
from skkws.classifiers._net_classifier import KeywordNetClassifier
from skkws.networks import embedding_weights, keyword_groups


def train_backbone(
    X: ArrayLike,
    y: ArrayLike,
    path: str | Path,
    *,
    words_per_group: int = 40,
    epochs: int = 20,
    random_state: int | np.random.RandomState | None = None,
    **settings: object,
) -> list[float]:
    """Train an embedding on words, and save it for :class:`SpeechEmbeddingTransformer`.

    The words are drawn into groups. A head for each group tells its words apart on the vectors of one embedding for
    all, as in [1]_: there 125 groups of 40 words, of which 200 million clips came from recordings of the web. The more
    words, the better the embedding serves words that it was never trained on: ``benchmarks/README.md`` has what 40 to
    640 synthesized words are worth, and ``benchmarks/backbone.py`` is the recipe.

    Parameters
    ----------
    X : array-like of shape (n_clips, n_features)
        Rows of a :class:`LogMelTransformer` at its defaults.
    y : array-like of shape (n_clips,)
        The word of each.
    path : str or Path
        An ``.npz`` file; written whole or not at all.
    words_per_group : int, default=40
        Words of a group, about.
    epochs : int, default=20
        Passes over the rows.
    random_state : int, RandomState instance or None, default=None
        Seeds groups, initial weights, order and dropout.
    **settings
        Other parameters of :class:`KeywordNetClassifier`, such as ``batch_size``, ``learning_rate``,
        ``checkpoint_dir`` or ``verbose``.

    Returns
    -------
    losses : list of float
        The loss of each epoch: the mean cross-entropy of the heads, each on the words of its group.

    Raises
    ------
    ValueError
        If the rows are no log-mel rows, a parameter is out of its range, or `path` is no ``.npz`` file.

    References
    ----------
    .. [1] Lin, Kilgour, Roblek, Sharifi (2020), "Training Keyword Spotters with Limited and Synthesized Speech
       Data", arXiv:2002.01322.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from skkws import LogMelTransformer, SpeechEmbeddingTransformer, train_backbone
    >>> from skkws.synthesis import synthesize_keywords
    >>> speech = synthesize_keywords(["yes", "no", "up", "down"], n_per_word=4, random_state=0)
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "own.npz"
    >>> rows = LogMelTransformer().fit_transform(speech.data)
    >>> losses = train_backbone(rows, speech.target, path, words_per_group=2, epochs=1, random_state=0)
    >>> SpeechEmbeddingTransformer(weights=path).fit_transform(speech.data).shape
    (16, 1248)
    """
    path = Path(path)
    if path.suffix != ".npz":
        raise ValueError(f"A backbone is kept in an .npz file, got {path}; choose another name.")
    rows = np.asarray(X)
    if rows.ndim != 2 or rows.shape[1] % N_BANDS or np.abs(rows[:1]).max(initial=0) <= 1:
        raise ValueError(
            f"X must hold rows of LogMelTransformer at its defaults, frames of {N_BANDS} bands, got an array of shape "
            f"{rows.shape} that is none; waveforms first go through LogMelTransformer().fit_transform."
        )
    words, labels = np.unique(y, return_inverse=True)
    # Groups are neighbouring classes: which words these are is drawn.
    drawn = check_random_state(random_state).permutation(len(words))
    n_groups = max(1, round(len(words) / words_per_group))
    net = KeywordNetClassifier(
        keyword_groups,
        network_params={"n_groups": n_groups},
        input_shape=(rows.shape[1] // N_BANDS, N_BANDS),
        standardize=False,
        epochs=epochs,
        random_state=random_state,
        **settings,
    )
    arrays = embedding_weights(net.fit(X, drawn[labels]).to_keras())
    with whole_file(path) as draft:
        np.savez(draft, **arrays)
    return [loss - float(np.log(n_groups)) for loss in net.history_["loss"]]
