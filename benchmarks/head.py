"""Time to train the keyword head: ours against plain ``keras.Model.fit`` and scikit-learn's MLP on the same rows.

    python benchmarks/head.py --repeat 3

Keras trains the same network with the same optimizer and batches; the MLP has one hidden layer of 96. Rows are vectors
of noise with a weak signal, so that accuracies on 2,000 held-out rows can be compared.
"""

import numpy as np
from harness import parser_for, run

N_VECTORS, N_DIMS, N_CLASSES = 13, 96, 10


def make_rows(n_rows, rng):
    """Vectors of one of ten directions, buried in noise."""
    directions = np.random.RandomState(0).normal(size=(N_CLASSES, N_DIMS))
    y = rng.randint(N_CLASSES, size=n_rows)
    X = rng.normal(size=(n_rows, N_VECTORS, N_DIMS))
    X[:, 4:7] += 0.35 * directions[y][:, None]
    return X.reshape(n_rows, -1).astype(np.float32), y


def make_ours(train, args, models):
    from skkws import KeywordHeadClassifier

    def fit():
        head = KeywordHeadClassifier(
            epochs=args.epochs, batch_size=args.batch_size, schedule="constant", standardize=False, random_state=0
        )
        models["skkws"] = head.fit(*train).predict

    return fit


def make_keras(train, args, models):
    import keras

    from skkws import KeywordHeadClassifier
    from skkws.networks import keyword_head

    settings = KeywordHeadClassifier().get_params()
    vectors = train[0].reshape(-1, N_VECTORS, N_DIMS)

    def fit():
        model = keyword_head(N_VECTORS, N_DIMS, N_CLASSES, dropout=settings["dropout"])
        model.compile(keras.optimizers.Adam(settings["learning_rate"]), "sparse_categorical_crossentropy")
        model.fit(vectors, train[1], epochs=args.epochs, batch_size=args.batch_size, verbose=0)
        models["keras.Model.fit"] = lambda X: model.predict(X.reshape(-1, N_VECTORS, N_DIMS), verbose=0).argmax(axis=1)

    return fit


def make_mlp(train, args, models):
    from warnings import catch_warnings, simplefilter

    from sklearn.neural_network import MLPClassifier

    def fit():
        mlp = MLPClassifier(96, batch_size=args.batch_size, max_iter=args.epochs, n_iter_no_change=args.epochs)
        with catch_warnings():
            simplefilter("ignore")  # that it has not converged after these epochs
            models["MLPClassifier"] = mlp.fit(*train).predict

    return fit


def main():
    peers = {
        "keras.Model.fit": lambda: make_keras(train, args, models),
        "MLPClassifier": lambda: make_mlp(train, args, models),
    }
    parser = parser_for(__doc__, peers, repeat=3)
    parser.add_argument("--clips", type=int, default=5000)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--batch-size", type=int, default=64)
    args = parser.parse_args()
    models, rng = {}, np.random.RandomState(1)
    train, (X, y) = make_rows(args.clips, rng), make_rows(2000, rng)
    title = f"Head on {args.clips} clips x {N_VECTORS} vectors, {args.epochs} epochs, batches of {args.batch_size}"
    run(title, lambda: make_ours(train, args, models), peers, args, warm=False)
    for name, predict in models.items():
        print(f"{name:24} accuracy {np.mean(predict(X) == y):.4f}")


if __name__ == "__main__":
    main()
