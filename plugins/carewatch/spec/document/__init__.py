"""YAML files as data with places: read, validate, and say every problem in plain words."""

from carewatch.spec.document.checking import validate
from carewatch.spec.document.model import LANGUAGES, Name, Strict, Text, by_name
from carewatch.spec.document.reading import Document, parse_document, read_document
from carewatch.spec.problems import Place, Problem, SpecError, SpecProblem, nearest, raise_all, unknown

__all__ = [
    "LANGUAGES",
    "Document",
    "Name",
    "Place",
    "Problem",
    "SpecError",
    "SpecProblem",
    "Strict",
    "Text",
    "by_name",
    "nearest",
    "parse_document",
    "raise_all",
    "read_document",
    "unknown",
    "validate",
]
