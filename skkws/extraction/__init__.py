"""Many files to feature rows, each computed once."""

from skkws._engine.keras_networks import require_keras
from skkws.extraction._caching import CachedTransformer
from skkws.extraction._extract import extract, extract_features, iter_batches
from skkws.extraction._file_rows import FileRows

__all__ = ["CachedTransformer", "FeaturePyDataset", "FileRows", "extract", "extract_features", "iter_batches"]


def __getattr__(name):
    if name == "FeaturePyDataset":  # a class of Keras, which takes seconds to load
        require_keras(name)
        from skkws.extraction._keras_dataset import FeaturePyDataset

        return FeaturePyDataset
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
