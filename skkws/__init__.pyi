"""The names of ``skkws`` for editors; ``__init__.py`` loads them lazily and holds the same."""

from skkws import (
    audio,
    augment,
    classifiers,
    cluster,
    compare,
    datasets,
    displays,
    embedding,
    extraction,
    features,
    inspection,
    metrics,
    networks,
    persistence,
    preparation,
    reconstruction,
    report,
    spotting,
    synthesis,
)
from skkws.audio import AudioLoader
from skkws.augment import AudioAugmenter, AugmentedClassifier
from skkws.classifiers import (
    KeywordHeadClassifier,
    KeywordNetClassifier,
    PrototypeClassifier,
    RescoringClassifier,
    train_backbone,
)
from skkws.compare import compare_classifiers
from skkws.datasets import load_keyword_folder
from skkws.embedding import SpeechEmbeddingTransformer, embed
from skkws.extraction import CachedTransformer, extract_features, iter_batches
from skkws.features import (
    BandScaler,
    FrameStacker,
    LogMelTransformer,
    LogSpectrogramTransformer,
    MFCCTransformer,
    log_mel,
    mfcc,
)
from skkws.persistence import load_head, load_model, save_backbone, save_head, save_model
from skkws.preparation import (
    LoudnessNormalizer,
    PeakNormalizer,
    Resample,
    TelephoneBand,
    TrimSilence,
    VoiceActivityFilter,
)
from skkws.reconstruction import SpectrogramAutoencoder, UNetDenoiser
from skkws.spotting import make_keyword_pipeline, train_keyword_spotter
from skkws.synthesis import synthesize_keywords

__version__: str
__all__ = [
    "AudioAugmenter",
    "AudioLoader",
    "AugmentedClassifier",
    "BandScaler",
    "CachedTransformer",
    "FrameStacker",
    "KeywordHeadClassifier",
    "KeywordNetClassifier",
    "LogMelTransformer",
    "LogSpectrogramTransformer",
    "LoudnessNormalizer",
    "MFCCTransformer",
    "PeakNormalizer",
    "PrototypeClassifier",
    "Resample",
    "RescoringClassifier",
    "SpectrogramAutoencoder",
    "SpeechEmbeddingTransformer",
    "TelephoneBand",
    "TrimSilence",
    "UNetDenoiser",
    "VoiceActivityFilter",
    "audio",
    "augment",
    "classifiers",
    "cluster",
    "compare",
    "compare_classifiers",
    "datasets",
    "displays",
    "embed",
    "embedding",
    "extract_features",
    "extraction",
    "features",
    "inspection",
    "iter_batches",
    "load_head",
    "load_keyword_folder",
    "load_model",
    "log_mel",
    "make_keyword_pipeline",
    "metrics",
    "mfcc",
    "networks",
    "persistence",
    "preparation",
    "reconstruction",
    "report",
    "save_backbone",
    "save_head",
    "save_model",
    "spotting",
    "synthesis",
    "synthesize_keywords",
    "train_backbone",
    "train_keyword_spotter",
]
