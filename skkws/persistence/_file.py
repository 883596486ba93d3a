"""The file that a model or a part of it is kept in: written whole, and only if it can be read again."""

import io
import json
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from skkws import __version__
from skkws._runtime.files import whole_file
from skkws._runtime.npz import TooLargeError, check_size
from skkws._runtime.public import public_module
from skkws.embedding import carry_weights
from skkws.persistence._schema import nodes, read_schema
from skkws.persistence._trust import sort_names

# Raised where a later version can no longer read what an earlier one has written.
FORMAT = 1
# Bytes that a model may take in memory unless its user says otherwise: a large forest takes some tens of megabytes.
MAX_BYTES = 2**30
_PACKAGES = ("scikit-learn", "librosa", "llvmlite", "numpy", "scipy", "soxr")
_OF_OTHERS = {
    ".h5": "Keras",
    ".joblib": "joblib",
    ".keras": "Keras",
    ".npy": "NumPy",
    ".npz": "NumPy",
    ".onnx": "ONNX",
    ".pickle": "pickle",
    ".pkl": "pickle",
    ".tflite": "LiteRT",
}


class _UntrustedTypesError(ValueError):
    """A file holds types that nobody vouches for."""

    def __init__(self, names):
        super().__init__(", ".join(sorted(names)))


def package_versions() -> dict[str, str]:
    """Versions of Python, skkws and the packages that results depend on, as far as they are installed."""
    versions = {"python": platform.python_version(), "skkws": __version__}
    for name in _PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions


def check_model_path(path: str | Path) -> Path:
    """Refuse the name of a file that promises a format which :func:`save_model` does not write.

    Parameters
    ----------
    path : str or Path
        Of a file to save a model to.

    Returns
    -------
    path : Path

    Raises
    ------
    ValueError
        If the file ends in ``.onnx``, ``.pkl``, ``.joblib``, ``.npz``, ``.h5``, ``.keras``, ``.tflite`` or the like.
    """
    path = Path(path)
    if owner := _OF_OTHERS.get(path.suffix.lower()):
        raise ValueError(
            f"skkws saves models in a format of its own, and {path} would promise one of {owner}; name it "
            f"{path.with_suffix('.skops').name}."
        )
    return path


def write(content: dict, path: str | Path, trusted=(), max_bytes: int = MAX_BYTES) -> None:
    """Write what `read` takes; refuse before anything is written what it would refuse."""
    path, trusted = check_model_path(path), _names(trusted)
    try:
        data = _dumped(content | {"format": FORMAT, "versions": package_versions()})
        _loaded(data, trusted, max_bytes)
    except TooLargeError as error:
        raise ValueError(
            f"{path} was not written, as load_model would refuse it: {error}. Pass a larger max_bytes here and there."
        ) from error
    except _UntrustedTypesError as error:
        raise ValueError(
            f"{path} was not written, as it would hold types that are not trusted when it is loaded: {error}. Leave "
            "them out, or pass their names as trusted=[...] here and to load_model, if whoever loads it has their code."
        ) from error
    except (TypeError, ValueError, AttributeError, ImportError, RecursionError) as error:  # what skops knows no way for
        reason = str(error).rstrip(".")
        raise ValueError(
            f"{path} was not written, as the model holds something that cannot be kept in it: {reason}. Leave that out."
        ) from error
    with whole_file(path) as draft:
        draft.write_bytes(data)


def read(path: str | Path, trusted=(), max_bytes: int = MAX_BYTES) -> dict:
    """Read what `write` wrote, and run nothing of it."""
    path, trusted = Path(path), _names(trusted)
    try:
        content = _loaded(_content(path, max_bytes), trusted, max_bytes)
    except (FileNotFoundError, PermissionError, IsADirectoryError):
        raise
    except _UntrustedTypesError as error:
        raise ValueError(
            f"{path} holds types that skkws does not trust and was not loaded: {error}. If they are yours, or you know "
            "who made the file and what these do, pass their names as trusted=[...]."
        ) from error
    except TooLargeError as error:
        raise ValueError(
            f"{path} was not loaded: {error}. If you know who made it, and have the memory, pass a larger max_bytes; "
            "if it should be smaller, it is damaged. Train it again."
        ) from error
    except Exception as error:  # a damaged file fails anywhere in the readers of ZIP, JSON and NumPy
        reason = str(error) or type(error).__name__
        raise ValueError(f"{path} is no model that skkws saved, or it is damaged: {reason}. Train it again.") from error
    if not _is_ours(content):
        raise ValueError(f"{path} is no model that this version of skkws saved; train it again.")
    return content


def _content(path, max_bytes):
    if not path.exists():
        raise FileNotFoundError(f"There is no model file {path}; check the path.")
    if not (path.is_file() or path.is_dir()):  # of which a folder is refused when it is read
        raise ValueError("it is no plain file")
    check_size(path.stat().st_size, max_bytes)
    return path.read_bytes()


def _is_ours(content):
    """Tell whether a file holds what `write` puts into each."""
    known = isinstance(content, dict) and isinstance(content.get("format"), int) and content["format"] == FORMAT
    return known and isinstance(content.get("versions"), dict) and isinstance(content.get("labels", 0), list | None)


def _names(trusted):
    if isinstance(trusted, str) or not all(isinstance(name, str) for name in trusted):
        raise TypeError(f'trusted must be a list of names such as ["my.module.Class"], got {trusted!r}.')
    return set(trusted)


def _dumped(content):
    """Return the file, in which our own types go by their public names."""
    import skops.io

    with carry_weights():
        data = skops.io.dumps(content)
    out = io.BytesIO()
    with ZipFile(io.BytesIO(data)) as file, ZipFile(out, "w", ZIP_DEFLATED) as renamed:
        for name in file.namelist():
            member = file.read(name)
            if name == "schema.json":
                schema = json.loads(member)
                for node in nodes(schema):
                    _rename(node)
                member = json.dumps(schema)
            renamed.writestr(name, member)
    return out.getvalue()


def _rename(node):
    module, name = node["__module__"], node["__class__"]
    if module.partition(".")[0] == "pathlib" and name in {"PosixPath", "WindowsPath"}:
        node["__module__"], node["__class__"] = "pathlib", "Path"  # that of the system that it is loaded on
    elif module.startswith("skkws."):
        found = getattr(sys.modules.get(module), name, None)
        node["__module__"] = module if found is None else public_module(found)


def _loaded(data, trusted, max_bytes):
    import skops.io

    from skkws.persistence._trees import check_trees

    with ZipFile(io.BytesIO(data)) as file:
        schema = read_schema(file, max_bytes)
    ours, untrusted = sort_names(schema, trusted)
    if not untrusted:
        known = sorted(ours | trusted)
        untrusted = set(skops.io.get_untrusted_types(data=data)) - set(known)
    if untrusted:
        raise _UntrustedTypesError(untrusted)
    content = skops.io.loads(data, trusted=known)
    check_trees(content)
    return content
