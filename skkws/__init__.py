"""Keyword spotting with scikit-learn's verbs, on Google's speech embedding.

Names are loaded when they are first used: ``import skkws`` alone starts neither TensorFlow nor librosa nor matplotlib.
"""

from importlib import import_module
from importlib.metadata import version

_HOME_OF = {
    "AudioAugmenter": "skkws.augment",
    "AudioLoader": "skkws.audio",
    "AugmentedClassifier": "skkws.augment",
    "BandScaler": "skkws.features",
    "CachedTransformer": "skkws.extraction",
    "FrameStacker": "skkws.features",
    "KeywordHeadClassifier": "skkws.classifiers",
    "KeywordNetClassifier": "skkws.classifiers",
    "LogMelTransformer": "skkws.features",
    "LogSpectrogramTransformer": "skkws.features",
    "LoudnessNormalizer": "skkws.preparation",
    "MFCCTransformer": "skkws.features",
    "PeakNormalizer": "skkws.preparation",
    "PrototypeClassifier": "skkws.classifiers",
    "Resample": "skkws.preparation",
    "RescoringClassifier": "skkws.classifiers",
    "SpectrogramAutoencoder": "skkws.reconstruction",
    "SpeechEmbeddingTransformer": "skkws.embedding",
    "TelephoneBand": "skkws.preparation",
    "TrimSilence": "skkws.preparation",
    "UNetDenoiser": "skkws.reconstruction",
    "VoiceActivityFilter": "skkws.preparation",
    "embed": "skkws.embedding",
    "extract_features": "skkws.extraction",
    "iter_batches": "skkws.extraction",
    "load_head": "skkws.persistence",
    "load_model": "skkws.persistence",
    "log_mel": "skkws.features",
    "make_keyword_pipeline": "skkws.spotting",
    "mfcc": "skkws.features",
    "save_backbone": "skkws.persistence",
    "save_head": "skkws.persistence",
    "save_model": "skkws.persistence",
    "train_backbone": "skkws.classifiers",
    "train_keyword_spotter": "skkws.spotting",
}

__all__ = list(_HOME_OF)
__version__ = version("skkws")


def __getattr__(name):
    if name not in _HOME_OF:
        raise AttributeError(f"module 'skkws' has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)


def __dir__():
    return sorted({*globals(), *__all__})
