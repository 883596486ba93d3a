"""Trees out of a file, before machine code follows their indices wherever these point.

scikit-learn and XGBoost go from node to node, and to the columns of a row, without looking: in a forged file an index
would lead out of the arrays.
"""

import json

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import DistanceMetric
from sklearn.neighbors import BallTree, KDTree
from sklearn.tree import BaseDecisionTree
from sklearn.tree._tree import Tree

_HIST_BOOSTING = HistGradientBoostingClassifier, HistGradientBoostingRegressor


def check_trees(content):
    """Refuse trees that lead out of their arrays, and build those of nearest neighbours anew.

    Parameters
    ----------
    content : object
        What was loaded.

    Raises
    ------
    ValueError
        If there is such a tree, or one that is no part of an estimator that we know to use it rightly.
    """
    owned, found = set(), []
    for part in _parts(content):
        state = vars(part) if hasattr(part, "__dict__") else {}
        if isinstance(part, BaseDecisionTree) and "tree_" in state:
            _check_tree(part.tree_, part.n_features_in_)
            owned.add(id(part.tree_))
        elif isinstance(part, _HIST_BOOSTING):
            for predictor in (predictor for several in state.get("_predictors", ()) for predictor in several):
                _check_predictor(predictor, part)
                owned.add(id(predictor))
        elif isinstance(state.get("_tree"), KDTree | BallTree):
            owned.add(id(part._tree))
            metric, params = part.effective_metric_, part.effective_metric_params_
            if not isinstance(metric, str):
                raise ValueError(f"the metric of {type(part).__name__} is none that a tree can be made with")
            part._tree = type(part._tree)(part._fit_X, part.leaf_size, metric=metric, **params)
            owned.add(id(part._tree))
        elif type(part).__module__.startswith("xgboost.") and type(part).__name__ == "Booster":
            _check_booster(part)
        if "estimators_" in state:
            _check_columns(part)
        found.append(part)
    for part in found:
        stray = isinstance(part, Tree | KDTree | BallTree | DistanceMetric) or type(part).__name__ == "TreePredictor"
        if stray and id(part) not in owned:
            raise ValueError(f"a {type(part).__name__} is not where an estimator keeps it")


def _parts(root):
    """Yield an object and all that it is made of, each once."""
    seen, left = {}, [root]
    while left:
        part = left.pop()
        if id(part) in seen or isinstance(part, str | bytes | bytearray | int | float | type(None)):
            continue
        seen[id(part)] = part  # kept, so that no id is used again
        yield part
        if isinstance(part, dict):
            left.extend(part.values())
        elif isinstance(part, list | tuple | set):
            left.extend(part)
        elif isinstance(part, np.ndarray):
            left.extend(np.ma.getdata(part).ravel().tolist() if part.dtype == object else ())
        if hasattr(part, "__dict__") and not isinstance(part, type):
            left.extend(vars(part).values())


def _check_tree(tree, n_columns):
    if not (isinstance(tree, Tree) and 0 < tree.node_count <= tree.capacity and tree.n_features == n_columns):
        raise ValueError("a decision tree does not fit its estimator")
    inner = np.flatnonzero(tree.children_left != -1)
    _check_nodes(inner, tree.children_left[inner], tree.children_right[inner], tree.node_count)
    _check_range(tree.feature[inner], n_columns)


def _check_predictor(predictor, owner):
    nodes = predictor.nodes
    inner = np.flatnonzero(~nodes["is_leaf"].astype(bool))
    _check_nodes(inner, nodes["left"][inner].astype(np.int64), nodes["right"][inner].astype(np.int64), len(nodes))
    _check_range(nodes["feature_idx"][inner], owner.n_features_in_)
    categorical = inner[nodes["is_categorical"][inner].astype(bool)]
    _check_range(nodes["bitset_idx"][categorical].astype(np.int64), len(predictor.raw_left_cat_bitsets))


def _check_columns(ensemble):
    """Trees of an ensemble get its rows, or the columns that were drawn for them, without a look at their number."""
    models = np.ravel(np.asarray(ensemble.estimators_, dtype=object))
    drawn = vars(ensemble).get("estimators_features_")
    for i, model in enumerate(models):
        if isinstance(model, BaseDecisionTree):
            n_columns = ensemble.n_features_in_ if drawn is None else len(drawn[i])
            if model.n_features_in_ != n_columns:
                raise ValueError(f"a tree of {type(ensemble).__name__} does not fit its rows")


def _check_booster(booster):
    learner = json.loads(booster.save_raw("json"))["learner"]
    n_columns = int(learner["learner_model_param"]["num_feature"])
    model = learner["gradient_booster"].get("gbtree", learner["gradient_booster"]).get("model", {})
    for tree in model.get("trees", ()):
        left, right = np.asarray(tree["left_children"]), np.asarray(tree["right_children"])
        inner = np.flatnonzero(left != -1)
        _check_nodes(inner, left[inner], right[inner], len(left))
        _check_range(np.asarray(tree["split_indices"])[inner], n_columns)


def _check_nodes(nodes, left, right, n_nodes):
    """Children come after their parent, so that every way ends."""
    for children in (left, right):
        if not ((nodes < children) & (children < n_nodes)).all():
            raise ValueError("a tree leads out of its nodes")


def _check_range(indices, n):
    if not ((indices >= 0) & (indices < n)).all():
        raise ValueError("a tree asks for a column that there is not")
