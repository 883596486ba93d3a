"""The keyword head: time to train it and to predict with it, against Keras, scikeras and scikit-learn's MLP.

    python benchmarks/head.py --repeat 3

Keras and scikeras train the same network with the same optimizer and batches; the MLP has one hidden layer of 96. Rows
are vectors of noise with a weak signal, so that accuracies on 2,000 held-out rows can be compared. Every model predicts
as its users call it: one row, then 10,000 rows at once.
"""

import numpy as np
from harness import parser_for, run, write

N_VECTORS, N_DIMS, N_CLASSES = 13, 96, 10


def make_rows(n_rows, rng):
    """Vectors of one of ten directions, buried in noise."""
    directions = np.random.RandomState(0).normal(size=(N_CLASSES, N_DIMS))
    y = rng.randint(N_CLASSES, size=n_rows)
    X = rng.normal(size=(n_rows, N_VECTORS, N_DIMS))
    X[:, 4:7] += 0.35 * directions[y][:, None]
    return X.reshape(n_rows, -1).astype(np.float32), y


def ours(args):
    from skkws import KeywordHeadClassifier

    return KeywordHeadClassifier(
        epochs=args.epochs, batch_size=args.batch_size, schedule="constant", standardize=False, random_state=0
    )


def build_keras():
    import keras

    from skkws import KeywordHeadClassifier
    from skkws.networks import keyword_head

    settings = KeywordHeadClassifier().get_params()
    model = keyword_head((N_VECTORS, N_DIMS), N_CLASSES, dropout=settings["dropout"])
    model.compile(keras.optimizers.Adam(settings["learning_rate"]), "sparse_categorical_crossentropy")
    return model


class PlainKeras:
    """``keras.Model.fit`` and ``keras.Model.predict``, on rows."""

    def __init__(self, args):
        import keras  # noqa: F401 (whether it is there)

        self.args = args

    def fit(self, X, y):
        self.model = build_keras()
        vectors = X.reshape(-1, N_VECTORS, N_DIMS)
        self.model.fit(vectors, y, epochs=self.args.epochs, batch_size=self.args.batch_size, verbose=0)
        return self

    def predict(self, X):
        return self.model.predict(X.reshape(-1, N_VECTORS, N_DIMS), verbose=0).argmax(axis=1)


def scikeras(args):
    from scikeras.wrappers import KerasClassifier

    class Rows(KerasClassifier):
        """A classifier of rows: scikeras hands X to the network as it is."""

        def fit(self, X, y):
            return super().fit(X.reshape(-1, N_VECTORS, N_DIMS), y)

        def predict(self, X):
            return super().predict(X.reshape(-1, N_VECTORS, N_DIMS))

    return Rows(build_keras, epochs=args.epochs, batch_size=args.batch_size, verbose=0)


def mlp(args):
    from sklearn.neural_network import MLPClassifier

    return MLPClassifier(96, batch_size=args.batch_size, max_iter=args.epochs, n_iter_no_change=args.epochs)


MODELS = {"skkws": ours, "keras.Model.fit": PlainKeras, "scikeras": scikeras, "MLPClassifier": mlp}


def fitting(name, train, args, fitted):
    """Return a function that fits a new model of this name and leaves it in `fitted`."""
    from warnings import catch_warnings, simplefilter

    MODELS[name](args)  # that it is installed

    def fit():
        with catch_warnings():
            simplefilter("ignore")  # that the MLP has not converged after these epochs
            fitted[name] = MODELS[name](args).fit(*train)

    return fit


def predicting(name, rows, fitted):
    return lambda: fitted[name].predict(rows)


def main():
    parser = parser_for(__doc__, [name for name in MODELS if name != "skkws"], repeat=3)
    parser.add_argument("--clips", type=int, default=5000)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--batch-size", type=int, default=64)
    args = parser.parse_args()
    fitted, rng = {}, np.random.RandomState(1)
    train, (X, y) = make_rows(args.clips, rng), make_rows(10_000, rng)
    question = (
        f"Training on {args.clips} clips x {N_VECTORS} vectors, {args.epochs} epochs, batches of {args.batch_size}"
    )
    jobs = {name: lambda name=name: fitting(name, train, args, fitted) for name in MODELS}
    results = [run(question, jobs, args, warm=False)]
    for name, model in fitted.items():
        accuracy = float(np.mean(model.predict(X[:2000]) == y[:2000]))
        results[0]["results"][name]["accuracy"] = accuracy
        print(f"{name:24} accuracy {accuracy:.4f}")
    args.peer = [name for name in args.peer if name in fitted]
    for n_rows, repeat in ((1, 50), (10_000, args.repeat)):
        args.repeat = repeat
        jobs = {name: lambda name=name, n=n_rows: predicting(name, X[:n], fitted) for name in fitted}
        results.append(run(f"Predicting {n_rows} row{'s' * (n_rows > 1)}", jobs, args))
    write(args, results)


if __name__ == "__main__":
    main()
