"""Classifiers on feature rows."""

from skkws.classifiers._head import KeywordHeadClassifier

__all__ = ["KeywordHeadClassifier"]
