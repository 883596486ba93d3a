"""A user's own code is part of what rows depend on; that of installed packages is their version."""

import functools
import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from sklearn.preprocessing import FunctionTransformer

from skkws._runtime.code import is_versioned
from skkws._runtime.fingerprint import fingerprint

TEMPLATE = """
    import functools
    import numpy as np
    from sklearn.base import BaseEstimator, TransformerMixin

    GAIN = {gain}
    KNOWN = {{"a", "b", "c"}}

    def helper(x):
        return {helper}

    def decorated(function):
        @functools.wraps(function)
        def call(x):
            return {decorated}
        return call

    @decorated
    def wrapped(x):
        return {wrapped}

    class Inner:
        factor = {factor}

        @staticmethod
        def apply(x):
            return {static}

        @property
        def level(self):
            return {level}

    class Own(TransformerMixin, BaseEstimator):
        def __init__(self, gain=1.0):
            self.gain = gain

        def fit(self, X, y=None):
            self.n_features_in_ = X.shape[1]
            return self

        def transform(self, X):
            "{doc}"
            inner = [Inner.apply(row) * Inner().level * Inner.factor for row in X]
            return GAIN * np.asarray(list(map(lambda x: {inner}, inner))) * ("a" in KNOWN)

    def function(x, power={default}):
        return wrapped(helper(x)) ** power
"""
PLAIN = {
    "gain": 1.0,
    "helper": "x + 1",
    "decorated": "function(x)",
    "wrapped": "x",
    "factor": 2,
    "static": "x",
    "level": 1,
    "doc": "Change rows.",
    "inner": "x",
    "default": 2,
}
CHANGES = {
    "gain": 2.0,
    "helper": "x + 2",
    "decorated": "-function(x)",
    "wrapped": "x - 1",
    "factor": 3,
    "static": "-x",
    "level": 2,
    "inner": "x * 2",
    "default": 3,
}
OF_CLASS = {"gain", "factor", "static", "level", "inner"}


def made(tmp_path=None, **changes):
    """What a module of somebody's defines, after changes; as after a new import or in a notebook."""
    names = {"__name__": "somebodys_module"}
    exec(compile(textwrap.dedent(TEMPLATE).format(**PLAIN | changes), "somebodys_module.py", "exec"), names)
    return names


def of_class(**changes):
    return fingerprint(made(**changes)["Own"]().fit(np.zeros((2, 3))))


def of_function(**changes):
    return fingerprint(FunctionTransformer(made(**changes)["function"]))


@pytest.mark.parametrize("changed", CHANGES)
def test_an_edit_of_what_a_function_or_a_class_uses_is_seen(changed):
    change = {changed: CHANGES[changed]}
    assert (of_class(**change) != of_class()) == (changed in OF_CLASS)
    assert (of_function(**change) != of_function()) == (changed not in OF_CLASS)


def test_what_does_not_change_the_rows_is_not_seen():
    assert of_class(doc="Change them.", helper="x + 2") == of_class()
    assert fingerprint(FunctionTransformer(lambda X: X + 1)) == fingerprint(FunctionTransformer(lambda X: X + 1))


def test_values_that_a_function_closes_over_and_arguments_bound_to_it_are_seen():
    def scaled(factor):
        return lambda X: X * factor

    prints = [fingerprint(FunctionTransformer(f)) for f in (scaled(2), scaled(3), lambda X: X, np.abs, np.exp)]
    prints += [fingerprint(FunctionTransformer(functools.partial(made()["helper"], **kw))) for kw in ({}, {"x": 1})]
    prints += [fingerprint(FunctionTransformer(method)) for method in (Doubling(1).call, Doubling(2).call)]
    assert len(set(prints)) == len(prints)
    assert fingerprint(FunctionTransformer(scaled(2))) == prints[0]


class Doubling:
    def __init__(self, times):
        self.times = times

    def call(self, X):
        return X * 2**self.times


def test_functions_that_name_each_other_have_an_end():
    names = {"__name__": "somebodys_module"}
    exec("def even(n): return n == 0 or odd(n - 1)\ndef odd(n): return n != 0 and even(n - 1)", names)
    assert fingerprint(FunctionTransformer(names["even"])) != fingerprint(FunctionTransformer(names["odd"]))


def test_it_is_the_same_in_every_process(tmp_path):
    (tmp_path / "somebodys_module.py").write_text(textwrap.dedent(TEMPLATE).format(**PLAIN))
    code = (
        "import numpy as np\nfrom sklearn.preprocessing import FunctionTransformer\nimport somebodys_module as own\n"
        "from skkws._runtime.fingerprint import fingerprint\n"
        "print(fingerprint(own.Own().fit(np.zeros((2, 3)))), fingerprint(FunctionTransformer(own.function)))"
    )
    run, place = [sys.executable, "-c", code], os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    options = {"cwd": tmp_path, "capture_output": True, "text": True}
    found = [subprocess.run(run, env=place | {"PYTHONHASHSEED": seed}, check=True, **options).stdout for seed in "12"]
    assert len(set(found)) == 1


def test_code_that_has_a_version_is_known_by_it():
    assert all(map(is_versioned, ("numpy", "sklearn.base", "skkws.features", "os.path", "builtins", "json.decoder")))
    assert not any(map(is_versioned, ("__main__", "somebodys_module", __name__)))
