"""Log-mel frames to vectors of the speech embedding."""

from skkws.embedding._embed import embed, embed_with, pad_with_silence, pool_vectors
from skkws.embedding._transformer import SpeechEmbeddingTransformer
from skkws.embedding._weights import EmbeddingWeights, carry_weights, google_weights, load_network, read_weights

__all__ = [
    "EmbeddingWeights",
    "SpeechEmbeddingTransformer",
    "carry_weights",
    "embed",
    "embed_with",
    "google_weights",
    "load_network",
    "pad_with_silence",
    "pool_vectors",
    "read_weights",
]
