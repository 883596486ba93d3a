"""Models as files that are safe to load from a stranger."""

from skkws.persistence._file import check_model_path, package_versions
from skkws.persistence._model import describe_model, load_model, save_model
from skkws.persistence._parts import load_head, save_backbone, save_head

__all__ = [
    "check_model_path",
    "describe_model",
    "load_head",
    "load_model",
    "package_versions",
    "save_backbone",
    "save_head",
    "save_model",
]
