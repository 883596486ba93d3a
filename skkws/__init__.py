"""Keyword spotting with scikit-learn's verbs, on Google's speech embedding.

Names and rooms are loaded when they are first used: ``import skkws`` alone starts neither TensorFlow nor librosa nor
matplotlib, and yet ``skkws.AudioLoader`` and ``skkws.datasets.load_esc50`` are there.
"""

from importlib import import_module as _import_module

__version__ = "0.1.0"

# The room that each name comes from. ``__init__.pyi`` tells editors the same.
_ROOM_OF = {
    "AudioAugmenter": "augment",
    "AudioLoader": "audio",
    "AugmentedClassifier": "augment",
    "BandScaler": "features",
    "CachedTransformer": "extraction",
    "FrameStacker": "features",
    "KeywordHeadClassifier": "classifiers",
    "KeywordNetClassifier": "classifiers",
    "LogMelTransformer": "features",
    "LogSpectrogramTransformer": "features",
    "LoudnessNormalizer": "preparation",
    "MFCCTransformer": "features",
    "PeakNormalizer": "preparation",
    "PrototypeClassifier": "classifiers",
    "Resample": "preparation",
    "RescoringClassifier": "classifiers",
    "SpectrogramAutoencoder": "reconstruction",
    "SpeechEmbeddingTransformer": "embedding",
    "TelephoneBand": "preparation",
    "TrimSilence": "preparation",
    "UNetDenoiser": "reconstruction",
    "VoiceActivityFilter": "preparation",
    "compare_classifiers": "compare",
    "embed": "embedding",
    "extract_features": "extraction",
    "iter_batches": "extraction",
    "load_head": "persistence",
    "load_keyword_folder": "datasets",
    "load_model": "persistence",
    "log_mel": "features",
    "make_keyword_pipeline": "spotting",
    "mfcc": "features",
    "save_backbone": "persistence",
    "save_head": "persistence",
    "save_model": "persistence",
    "synthesize_keywords": "synthesis",
    "train_backbone": "classifiers",
    "train_keyword_spotter": "spotting",
}
_ROOMS = (
    "audio",
    "augment",
    "classifiers",
    "cluster",
    "compare",
    "datasets",
    "displays",
    "embedding",
    "extraction",
    "features",
    "inspection",
    "metrics",
    "networks",
    "persistence",
    "preparation",
    "reconstruction",
    "report",
    "spotting",
    "synthesis",
)

__all__ = list(_ROOM_OF) + list(_ROOMS)


def __getattr__(name):
    if name in _ROOM_OF:
        return getattr(_import_module(f"skkws.{_ROOM_OF[name]}"), name)
    if name in _ROOMS:
        return _import_module(f"skkws.{name}")
    raise AttributeError(f"module 'skkws' has no attribute {name!r}")


def __dir__():
    return sorted([*__all__, *(name for name in globals() if name.startswith("__"))])
