"""The paper's keyword head as a classifier."""

from dataclasses import asdict
from numbers import Integral, Real
from typing import TYPE_CHECKING

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from skkws._engine.cost import of_head
from skkws._engine.frame_rows import EMBEDDING_VECTORS
from skkws._engine.head_kernels import ACTIVATIONS
from skkws._engine.head_network import HeadNetwork
from skkws.classifiers._base import NetworkClassifier

if TYPE_CHECKING:
    import keras


class KeywordHeadClassifier(NetworkClassifier):
    """The paper's head on embedding vectors: two convolutions over time and a softmax.

    The network is :func:`skkws.networks.keyword_head` [1]_, trained on cross-entropy. It is trained and evaluated by
    machine code made for the processor at hand, which needs no TensorFlow: a fit on few recordings takes a fraction of
    a second. A fit uses one core. Batch norm works on batches in `fit` and on its running statistics in `predict`.

    Parameters
    ----------
    n_vectors : int or None, default=None
        Vectors in a row, frame-major: the first of the transformer's `output_shape_`. None: rows are vectors of the
        speech embedding, as the names of their columns must say, where they have the names of a transformer of ours;
        without these their length must be a multiple of 96, and a row of fewer columns is one vector. Set it for other
        features: 98 for the log-mel frames of a one-second clip, 1 for rows that have no order in time.
    epochs : int, default=60
        Passes over the training rows.
    batch_size : int, default=64
        Rows per update of the weights.
    learning_rate : float, default=3e-3
        Learning rate at the beginning.
    schedule : {"cosine", "constant"}, default="cosine"
        Whether the learning rate falls to zero over the epochs along half a cosine, or stays.
    optimizer : {"adam", "adamw", "nadam", "rmsprop", "sgd"}, default="adam"
        Optimizer, at Keras' defaults but for the learning rate.
    filters : int, default=96
        Filters of both convolutions.
    kernel_size : int, default=3
        Their width, in vectors.
    activation : {"elu", "leaky_relu", "relu", "selu", "silu", "tanh"}, default="elu"
        Activation behind each convolution, as Keras defines it.
    dropout : float, default=0.5
        Share of the channels behind each convolution that an update leaves out, the same ones for all its rows.
    l1, l2 : float, default=0.0
        Penalties on the absolute and squared weights of convolutions and dense layer.
    standardize : bool, default=True
        Whether each dimension of the vectors is first brought to mean 0 and variance 1 over the training rows.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, as in scikit-learn.
    early_stopping : bool, default=False
        Whether to hold out rows for validation, to stop when their loss has not fallen for `patience` epochs, and to
        keep the weights of the best epoch. The rows are drawn at random within each class, whoever speaks.
    validation_fraction : float, default=0.1
        Share of the rows held out for early stopping.
    patience : int, default=5
        Epochs without improvement before stopping early.
    warm_start : bool, default=False
        Whether `fit` goes on from the weights of the previous `fit`, on the same classes.
    random_state : int, RandomState instance or None, default=None
        Seeds the initial weights, the order of the rows, the dropout and the validation rows.
    verbose : int, default=0
        0 is silent, 1 draws a progress bar, 2 writes a line per epoch, both to the standard error stream.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels.
    history_ : dict of str to list of float
        ``"loss"`` and ``"accuracy"`` of each epoch over its batches, ``"val_loss"`` and ``"val_accuracy"`` with early
        stopping.
    input_shape_ : tuple of (int, int)
        Vectors of a row and their dimensions.
    n_features_in_ : int
        Columns of a row.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where `X` has names.
    n_iter_ : int
        Epochs trained.
    scaler_ : StandardScaler or None
        The scaler of the dimensions.
    weights_ : list of ndarray
        Weights of the network, in the order of ``to_keras().get_weights()``.

    See Also
    --------
    SpeechEmbeddingTransformer : Makes the rows.
    extract_features : Makes them from files, in memory or on disk.

    Notes
    -----
    The network is computed in the precision of `X`, float32 or float64, as scikit-learn's own networks are.
    Whatever is random is drawn from `random_state`; no global seed is set.

    Rows are taken and standardised a batch at a time, in `fit` and in `predict`: a float array on disk, such as
    ``np.load("features.npy", mmap_mode="r")``, is never in memory as a whole, and is fitted to the last bit like the
    same array in memory.

    References
    ----------
    .. [1] Lin, Kilgour, Roblek, Sharifi (2020), "Training Keyword Spotters with Limited and Synthesized Speech
       Data", arXiv:2002.01322.

    Examples
    --------
    >>> import numpy as np
    >>> from skkws import KeywordHeadClassifier
    >>> rng = np.random.RandomState(0)
    >>> y = np.repeat(["yes", "no"], 20)
    >>> X = rng.normal(size=(40, 13 * 96)) + (y == "yes")[:, None]
    >>> head = KeywordHeadClassifier(random_state=0).fit(X, y)
    >>> head.predict(X[[0, 39]])
    array(['yes', 'no'], dtype='<U3')
    """

    _parameter_constraints = {
        **NetworkClassifier._parameter_constraints,
        "n_vectors": [Interval(Integral, 1, None, closed="left"), None],
        "filters": [Interval(Integral, 1, None, closed="left")],
        "kernel_size": [Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "dropout": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(
        self,
        *,
        n_vectors=None,
        epochs=60,
        batch_size=64,
        learning_rate=3e-3,
        schedule="cosine",
        optimizer="adam",
        filters=96,
        kernel_size=3,
        activation="elu",
        dropout=0.5,
        l1=0.0,
        l2=0.0,
        standardize=True,
        class_weight=None,
        early_stopping=False,
        validation_fraction=0.1,
        patience=5,
        warm_start=False,
        random_state=None,
        verbose=0,
    ):
        self.n_vectors = n_vectors
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.optimizer = optimizer
        self.filters = filters
        self.kernel_size = kernel_size
        self.activation = activation
        self.dropout = dropout
        self.l1 = l1
        self.l2 = l2
        self.standardize = standardize
        self.class_weight = class_weight
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    def __setstate__(self, state):
        """Take a state, of which nobody knows who wrote it: machine code trusts the weights that it is given."""
        super().__setstate__(state)
        if not hasattr(self, "weights_"):
            return
        self._validate_params()
        n_vectors, n_dims = self.input_shape_
        whole = isinstance(n_vectors, Integral) and isinstance(n_dims, Integral) and min(n_vectors, n_dims) > 0
        if not whole or n_vectors * n_dims != self.n_features_in_:
            raise ValueError(f"a head with rows of {self.n_features_in_} columns cannot take {n_vectors} x {n_dims}")
        self.weights_ = self._network().checked(self.weights_)
        if self.scaler_ is not None:
            scale = self.scaler_.mean_, self.scaler_.scale_
            if any(np.shape(values) != (n_dims,) or not np.isfinite(values).all() for values in scale):
                raise ValueError(f"the scaler of a head must hold {n_dims} finite numbers for mean and scale")
            if not (self.scaler_.scale_ > 0).all():
                raise ValueError("the scaler of a head must divide by positive numbers")

    def to_keras(self) -> "keras.Model":
        """Build the trained network as a Keras model.

        Returns
        -------
        model : keras.Model
            From standardised vectors of shape (n_clips, n_vectors, n_dims), ``scaler_.transform(X.reshape(-1,
            n_dims))`` in the shape of `input_shape_`, to probabilities of shape (n_clips, n_classes). A new one at each
            call, with copies of the weights.

        Raises
        ------
        NotFittedError
            If the classifier is not fitted.

        Examples
        --------
        >>> import numpy as np
        >>> from skkws import KeywordHeadClassifier
        >>> X = np.random.RandomState(0).normal(size=(8, 13 * 96))
        >>> KeywordHeadClassifier(epochs=1).fit(X, ["yes", "no"] * 4).to_keras().output_shape
        (None, 2)
        """
        from skkws.networks import keyword_head

        check_is_fitted(self)
        settings = asdict(self._network())
        shape = settings.pop("n_vectors"), settings.pop("n_dims")
        model = keyword_head(shape, **settings)
        model.set_weights(self.weights_)
        return model

    def multiply_adds(self) -> int:
        """Count the multiplications of the network for one clip.

        Returns
        -------
        n : int
            Those of its convolutions and of the dense layer.

        Raises
        ------
        NotFittedError
            If the classifier is not fitted.
        """
        check_is_fitted(self)
        return of_head(self._network())

    def _adopt(self, network, weights, scaler, classes):
        """Be fitted with what was trained as part of a larger network."""
        self.classes_, self.weights_, self.scaler_ = classes, list(weights), scaler
        self.input_shape_, self._dtype = (network.n_vectors, network.n_dims), network.dtype
        self.n_features_in_ = network.n_vectors * network.n_dims
        self._random_state, self._optimizer_state = check_random_state(self.random_state), None
        self.history_, self.n_iter_ = {}, 0
        return self

    def _row_shape(self, n_features):
        if self.n_vectors is not None and n_features % self.n_vectors:
            raise ValueError(
                f"n_vectors={self.n_vectors} does not divide rows of {n_features} columns evenly; set it to the first "
                "number of the transformer's output_shape_."
            )
        return EMBEDDING_VECTORS.shape(
            n_features,
            getattr(self, "feature_names_in_", ()),
            None if self.n_vectors is None else (self.n_vectors, n_features // self.n_vectors),
            who=type(self).__name__,
            parameter="n_vectors",
        )

    def _network(self):
        names = ("filters", "kernel_size", "activation", "dropout", "l1", "l2")
        settings = {name: getattr(self, name) for name in names}
        return HeadNetwork(*self.input_shape_, len(self.classes_), **settings, dtype=self._dtype)
