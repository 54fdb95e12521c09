"""The columns of a REDCap data dictionary, as its CSV export names them, and the types that go with ours.

Source: REDCap help and FAQ, "Data dictionary" (columns A to R) and "Field validation types".
"""

from __future__ import annotations

__all__ = ["ANNOTATION", "BRANCHING", "CHOICES", "COLUMNS", "FORM", "HEADER", "IDENTIFIER", "LABEL", "MATRIX",
"MAXIMUM", "MINIMUM", "NAME", "NOTE", "RANKING", "REQUIRED", "TYPE", "VALIDATION"]  # fmt: skip

NAME = "Variable / Field Name"
FORM = "Form Name"
HEADER = "Section Header"
TYPE = "Field Type"
LABEL = "Field Label"
CHOICES = "Choices, Calculations, OR Slider Labels"
NOTE = "Field Note"
VALIDATION = "Text Validation Type OR Show Slider Number"
MINIMUM = "Text Validation Min"
MAXIMUM = "Text Validation Max"
IDENTIFIER = "Identifier?"
BRANCHING = "Branching Logic (Show field only if...)"
REQUIRED = "Required Field?"
MATRIX = "Matrix Group Name"
RANKING = "Matrix Ranking?"
ANNOTATION = "Field Annotation"
COLUMNS: tuple[str, ...] = (
    NAME, FORM, HEADER, TYPE, LABEL, CHOICES, NOTE, VALIDATION, MINIMUM, MAXIMUM, IDENTIFIER, BRANCHING, REQUIRED,
    "Custom Alignment", "Question Number (surveys only)", MATRIX, RANKING, ANNOTATION,
)  # fmt: skip
