"""YAML files as data with places: read, validate, and say every problem in plain words."""

from carewatch.spec.document.checking import validate
from carewatch.spec.document.model import LANGUAGES, Strict, Text
from carewatch.spec.document.reading import Document, parse_document, read_document
from carewatch.spec.problems import Place, Problem, SpecError, SpecProblem, nearest, raise_all

__all__ = [
    "LANGUAGES",
    "Document",
    "Place",
    "Problem",
    "SpecError",
    "SpecProblem",
    "Strict",
    "Text",
    "nearest",
    "parse_document",
    "raise_all",
    "read_document",
    "validate",
]
