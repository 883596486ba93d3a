"""Packages that only some features need, and that may be missing."""

from importlib.util import find_spec

# Name in messages, and what brings it.
_PACKAGES = {
    "distributed": ("Dask", "pip install distributed"),
    "librosa": ("librosa", "pip install librosa"),
    "matplotlib": ("matplotlib", "pip install matplotlib"),
    "tensorflow": ("TensorFlow", "pip install tensorflow"),
    "xgboost": ("XGBoost", "pip install xgboost-cpu"),
}


def is_installed(package: str) -> bool:
    """Tell whether a package can be found, without loading it.

    Parameters
    ----------
    package : str
        The name that it is imported by.

    Returns
    -------
    installed : bool
    """
    return find_spec(package) is not None


def require(package: str, *features: str) -> None:
    """Make sure, before the work, that a package is there.

    Parameters
    ----------
    package : str
        The name that it is imported by.
    *features : str
        What needs it, as a user knows it.

    Raises
    ------
    ImportError
        If it is not installed; it says what needs it, and what brings it.

    Examples
    --------
    >>> from skkws._runtime.optional import require
    >>> require("sklearn", "KeywordHeadClassifier")
    """
    if is_installed(package):
        return
    name, how = _PACKAGES[package]
    needing = ", ".join(features[:-1]) + " and " * (len(features) > 1) + features[-1]
    verb = "need" if len(features) > 1 else "needs"
    raise ImportError(f"{needing} {verb} {name}; install it with {how}.", name=package)
