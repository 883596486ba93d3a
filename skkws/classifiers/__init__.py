"""Classifiers on feature rows."""

from skkws.classifiers._head import KeywordHeadClassifier
from skkws.classifiers._prototype import PrototypeClassifier

__all__ = ["KeywordHeadClassifier", "PrototypeClassifier"]
