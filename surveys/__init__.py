"""Questionnaires: read from the workbooks that researchers write, asked one question at a time, made ready for
analysis.

No web and no database: an instrument and the answers come in as values, and values go out.

>>> import surveys
>>> age = surveys.Question("age", "integer", {"nl": "Hoe oud bent u?"})
>>> surveys.Instrument("screening", (age,)).languages
('nl',)
"""

from surveys.codebook import Codebook, Variable
from surveys.definition import Choice, Instrument, Question, Section
from surveys.errors import (
    ExpressionError,
    Finding,
    InputError,
    InstrumentError,
    ScoringError,
    ScoringUnknown,
    SurveyError,
    WaveError,
)
from surveys.path import Path, Step, walk
from surveys.runner import Accepted, FieldError, Refused, accept, analysable
from surveys.state import Context
from surveys.xlsform import check_xlsform, read_xlsform

__all__ = [
    "Accepted",
    "Choice",
    "Codebook",
    "Context",
    "ExpressionError",
    "FieldError",
    "Finding",
    "InputError",
    "Instrument",
    "InstrumentError",
    "Path",
    "Question",
    "Refused",
    "ScoringError",
    "ScoringUnknown",
    "Section",
    "Step",
    "SurveyError",
    "Variable",
    "WaveError",
    "accept",
    "analysable",
    "check_xlsform",
    "read_xlsform",
    "walk",
]
