"""Expressions of XLSForms: the ODK subset of XPath 1.0, parsed to a typed tree and evaluated in Python.

>>> from surveys import expressions
>>> expressions.evaluate("selected(${courses}, 'language') and ${hours} > 2", {"courses": ["language"], "hours": 4})
True
"""

from surveys.expressions.evaluate import Expression, Scope, Variables, compile, evaluate
from surveys.expressions.parse import parse

__all__ = ["Expression", "Scope", "Variables", "compile", "evaluate", "parse"]
