"""Recordings as scikit-learn data: folders and synthesized speech."""

from skkws.datasets._folder import load_keyword_folder
from skkws.datasets._synthesis import synthesize_keywords

__all__ = ["load_keyword_folder", "synthesize_keywords"]
