"""Typed words to speech, and words that sound like them."""

from skkws.synthesis._engines import list_voices
from skkws.synthesis._negatives import confusable_words, hard_negatives, keyword_parts, unrelated_words
from skkws.synthesis._synthesis import check_words, synthesize_keywords

__all__ = [
    "check_words",
    "confusable_words",
    "hard_negatives",
    "keyword_parts",
    "list_voices",
    "synthesize_keywords",
    "unrelated_words",
]
