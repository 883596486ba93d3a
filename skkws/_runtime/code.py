"""The code of functions and classes that no version number stands for: a user's own, in a file or a notebook."""

import functools
import sys
import sysconfig
from functools import lru_cache
from pathlib import Path
from types import CodeType, FunctionType, MethodType, ModuleType

_OWN = "skkws"
# Folders that packages are installed into, of an environment, a user or a distribution.
_PACKAGES = {"site-packages", "dist-packages"}


def is_function(value):
    """Tell whether a value is a function, a method, a class, or one of these with arguments bound to it."""
    return isinstance(value, FunctionType | MethodType | functools.partial | type) or _is_decorated(value)


def _is_decorated(value):
    """Tell whether a value is what a decorator such as `functools.cache` made of a function."""
    return callable(value) and isinstance(getattr(value, "__wrapped__", None), FunctionType)


def describe_code(value, describe):
    """Describe what a function or a class does, in nested lists of strings.

    Of what comes with Python, skkws or an installed package it is the name and the version of that. Of all else it is
    the compiled code, with that of the functions and classes that it names, and the values that it uses.

    Parameters
    ----------
    value : function, method, partial or type
        What is asked for.
    describe : callable
        Describes other values, or raises `ValueError`.

    Returns
    -------
    description : list
    """
    return _Describer(describe).of(value)


@lru_cache
def _python_folders():
    paths = sysconfig.get_paths()
    return tuple(Path(paths[name]).resolve() for name in ("stdlib", "platstdlib"))


@lru_cache
def is_versioned(module_name):
    """Tell whether a module came with Python, skkws or an installed package, whose version stands for its code."""
    root = module_name.partition(".")[0]
    if root == "__main__":
        return False
    if root == _OWN or root in sys.builtin_module_names:
        return True
    file = getattr(sys.modules.get(module_name), "__file__", None)
    if file is None:
        return root in sys.stdlib_module_names
    path = Path(file).resolve()
    return bool(_PACKAGES & set(path.parts)) or any(folder in path.parents for folder in _python_folders())


def _version(module_name):
    return str(getattr(sys.modules.get(module_name.partition(".")[0]), "__version__", ""))


class _Describer:
    def __init__(self, describe):
        self._describe, self._seen = describe, set()

    def of(self, value):
        if isinstance(value, functools.partial):
            bound = [self._value(value.args), self._value(value.keywords)]
            return ["partial", self.of(value.func), *bound]
        if isinstance(value, MethodType):
            return ["method", self._value(value.__self__), self.of(value.__func__)]
        if not isinstance(value, FunctionType | type):
            return [type(value).__qualname__, self.of(value.__wrapped__)]
        name = [str(value.__module__), value.__qualname__]
        if is_versioned(str(value.__module__)):
            return [*name, _version(value.__module__)]
        if id(value) in self._seen:  # which may be within itself
            return name
        self._seen.add(id(value))
        return [*name, self._class(value) if isinstance(value, type) else self._function(value)]

    def _class(self, kind):
        parts = []
        for base in kind.__mro__:
            if not is_versioned(base.__module__):
                # What else a class has under such names is about itself: its place, its text, what copying noted in it.
                shown = {name: v for name, v in vars(base).items() if is_function(v) or not name.startswith("__")}
                parts += [[base.__qualname__, name, self._attribute(shown[name])] for name in sorted(shown)]
        return parts

    def _attribute(self, value):
        if isinstance(value, staticmethod | classmethod):
            return self._attribute(value.__func__)
        if isinstance(value, property):
            return [self._attribute(part) for part in (value.fget, value.fset, value.fdel) if part]
        return self._value(value)

    def _function(self, function):
        names = set()
        code = self._code(function.__code__, names, function.__doc__)
        used = [self._value(function.__defaults__), self._value(function.__kwdefaults__)]
        used += [self._cell(cell) for cell in function.__closure__ or ()]
        for name in sorted(names & function.__globals__.keys()):
            used.append([name, self._global(function.__globals__[name], names)])
        if wrapped := getattr(function, "__wrapped__", None):
            used.append(self._value(wrapped))
        return [code, used]

    def _code(self, code, names, doc=None):
        """Describe compiled code without its docstring, and add to `names` all that it may look up."""
        names |= set(code.co_names)
        constants = [
            self._code(constant, names) if isinstance(constant, CodeType) else _constant(constant)
            for i, constant in enumerate(code.co_consts)
            if i or doc is None or constant != doc
        ]
        return [code.co_code.hex(), constants, list(code.co_names), list(code.co_varnames)]

    def _global(self, value, names):
        if not isinstance(value, ModuleType):
            return self._value(value)
        if is_versioned(value.__name__):
            return [value.__name__, _version(value.__name__)]
        return [[name, self._value(vars(value)[name])] for name in sorted(names & vars(value).keys())]

    def _cell(self, cell):
        try:
            return self._value(cell.cell_contents)
        except ValueError:  # not filled yet
            return "empty"

    def _value(self, value):
        if is_function(value):
            return self.of(value)
        if isinstance(value, ModuleType):
            return value.__name__
        if isinstance(value, tuple | list) and any(map(is_function, value)):
            return [self._value(item) for item in value]
        try:
            return self._describe(value)
        except ValueError:  # a lock, a logger: nothing that could be told apart
            return ["object", type(value).__qualname__]


def _constant(value):
    if isinstance(value, frozenset):  # whose order differs from process to process
        return sorted(map(repr, value))
    return repr(value)
