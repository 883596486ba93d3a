"""Networks of the field, each a function that returns a ``keras.Model``."""

from skkws.networks._keyword_head import keyword_head
from skkws.networks._speech_embedding import speech_embedding

__all__ = ["keyword_head", "speech_embedding"]
