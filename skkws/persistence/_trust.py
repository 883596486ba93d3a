"""Which types a file may hold: those that can do nothing but hold data and compute on it.

A name in a file is not only looked up. By the kind of its node, an object is made of it and given a state, it is called
with what the file holds, or it is put where a model calls it later. So every rule is for one kind of node.
"""

import inspect
import re
import sys
from functools import cache
from importlib import import_module

from skkws.persistence._schema import nodes

# Kinds of nodes whose names skops checks, beside those that we add. Others reach for methods (MethodNode), call what
# they please (PartialNode, OperatorFuncNode, DefaultDictNode), or go by another name than what they are (CachedNode).
_KINDS = {
    "BytearrayNode",
    "BytesNode",
    "ConstructorFromReduceNode",
    "DTypeNode",
    "DictNode",
    "FunctionNode",
    "JsonNode",
    "ListNode",
    "LossNode",
    "MaskedArrayNode",
    "NdArrayNode",
    "ObjectNode",
    "RandomGeneratorNode",
    "RandomStateNode",
    "SetNode",
    "SliceNode",
    "TreeNode",
    "TupleNode",
    "TypeNode",
}
_NAMED = {
    # Called with what the file holds: the one makes a name of a file, the other checks arrays.
    "ConstructorFromReduceNode": {"pathlib.Path", "skkws.embedding.EmbeddingWeights"},
    "DTypeNode": {"numpy.dtype"},
    "DictNode": {"sklearn.utils._bunch.Bunch"},
    "ObjectNode": {
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.metrics._scorer._MultimetricScorer",
        "sklearn.metrics._scorer._PassthroughScorer",
        "sklearn.neighbors._ball_tree.BallTree",
        "sklearn.neighbors._kd_tree.KDTree",
        "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
        "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
        "sklearn.utils._metadata_requests.MetadataRequest",
        "sklearn.utils._metadata_requests.MethodMetadataRequest",
        "xgboost.core.Booster",
    },
    "TreeNode": {"sklearn.tree._tree.Tree"},
}
# Classes of scikit-learn that hold parameters and arrays alone.
_SKLEARN_BASES = (
    "sklearn.base.BaseEstimator",
    "sklearn.gaussian_process.kernels.Kernel",
    "sklearn.metrics._scorer._BaseScorer",
    "sklearn.model_selection.BaseCrossValidator",
    "sklearn.model_selection.BaseShuffleSplit",
)
_DISTANCE = re.compile(r"sklearn\.metrics\._dist_metrics\.(?!PyFunc)\w+Distance(32|64)")
# Rooms whose functions compute arrays from arrays, and functions of other rooms that do.
_ROOMS_OF_FUNCTIONS = {"skkws.augment", "skkws.features", "skkws.networks", "skkws.preparation"}
_FUNCTIONS = {"skkws.embedding.embed", "skkws.embedding.pool_vectors", "skkws.spotting.mean_and_maximum"}


def _name_of(node):
    """Name of the type of a node, or of the method that it reaches for."""
    name = f"{node['__module__']}.{node['__class__']}"
    return f"{name}.{node['content']['func']}" if node["__loader__"] == "MethodNode" else name


def sort_names(schema, trusted):
    """Tell which names skops has to be told to trust, and which must not be.

    Parameters
    ----------
    schema : dict
        As skops writes it.
    trusted : iterable of str
        What the user trusts beyond our rules.

    Returns
    -------
    ours, untrusted : set of str
        Names beyond skops' own, and names that are refused whatever skops says.
    """
    found = {(str(node["__loader__"]), _name_of(node)) for node in nodes(schema)}
    ours = {name for kind, name in found if is_trusted(kind, name)}
    untrusted = {name for kind, name in found if kind not in _KINDS or (name in ours and not is_trusted(kind, name))}
    # The types of keys are called with the keys.
    keys = (key for node in nodes(schema) if "key_types" in node for key in nodes(node["key_types"]["content"]))
    untrusted |= {_name_of(key) for key in keys if key["__loader__"] != "TypeNode"}
    return ours, untrusted - set(trusted)


@cache
def is_trusted(kind, name):
    """Whether we trust a name in a node of this kind."""
    if name in _NAMED.get(kind, ()):
        return True
    if kind == "ObjectNode":
        return _is_our_class(name) or _is_sklearn_class(name) or _is_xgboost_class(name)
    return kind == "FunctionNode" and (_is_our_function(name) or _is_sklearn_function(name))


def _found(name):
    """Return what a module has under this name."""
    module, _, attribute = name.rpartition(".")
    try:
        return getattr(import_module(module), attribute, None)
    except ImportError:
        return None


def _ours(name):
    """Return what one of our rooms offers under this name."""
    if not re.fullmatch(r"skkws\.[a-z]+\.[A-Za-z]\w*", name):
        return None
    room, _, attribute = name.rpartition(".")
    found = _found(name)
    return found if attribute in getattr(sys.modules.get(room), "__all__", ()) else None


def _is_our_class(name):
    from sklearn.base import BaseEstimator

    from skkws.augment import Transform

    found = _ours(name)
    return isinstance(found, type) and issubclass(found, (BaseEstimator, Transform))


def _is_our_function(name):
    known = name in _FUNCTIONS or name.rpartition(".")[0] in _ROOMS_OF_FUNCTIONS
    return known and inspect.isfunction(_ours(name))


def _is_sklearn_class(name):
    if not re.fullmatch(r"sklearn(\.\w+)+", name) or re.search(r"\.(tests|externals|conftest)\.", name):
        return False
    if _DISTANCE.fullmatch(name):
        return True
    found, bases = _found(name), tuple(filter(None, map(_found, _SKLEARN_BASES)))
    return isinstance(found, type) and f"{found.__module__}.{found.__name__}" == name and issubclass(found, bases)


def _is_sklearn_function(name):
    matched = re.fullmatch(r"(sklearn\.(?:metrics|feature_selection))(\.\w+)+", name)
    if not matched:
        return False
    module, found = import_module(matched[1]), _found(name)
    attribute = name.rpartition(".")[2]
    return inspect.isfunction(found) and attribute in module.__all__ and getattr(module, attribute) is found


def _is_xgboost_class(name):
    if not re.fullmatch(r"xgboost\.sklearn\.\w+", name):
        return False
    from sklearn.base import BaseEstimator

    found = _found(name)
    offered = getattr(import_module("xgboost"), "__all__", ()) if found else ()
    return isinstance(found, type) and found.__name__ in offered and issubclass(found, BaseEstimator)
