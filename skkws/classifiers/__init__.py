"""Classifiers on feature rows."""

from skkws.classifiers._backbone import train_backbone
from skkws.classifiers._head import KeywordHeadClassifier
from skkws.classifiers._net_classifier import KeywordNetClassifier
from skkws.classifiers._prototype import PrototypeClassifier
from skkws.classifiers._rescoring import RescoringClassifier

__all__ = [
    "KeywordHeadClassifier",
    "KeywordNetClassifier",
    "PrototypeClassifier",
    "RescoringClassifier",
    "train_backbone",
]
