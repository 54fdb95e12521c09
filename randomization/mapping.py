"""From the human form to a design: `allocation:` in a protocol, or a design file for batch work."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from importlib import import_module
from typing import Any

from randomization.design import Design
from randomization.designs import METHODS
from randomization.errors import DesignError, RandomizationError


def constructor(method: Any) -> Callable[..., Design]:
    """The public constructor of a method; `DesignError` names the nearest one when there is no such method."""
    if not isinstance(method, str) or method not in METHODS:
        raise DesignError(
            f"allocation method {method!r} is not known", path=("method",), remedy=_nearest(str(method), list(METHODS))
        )
    return getattr(import_module(f"randomization.designs.{METHODS[method]}"), method)


def from_dict(mapping: Mapping[str, Any]) -> Design:
    """The design written as a mapping with `method` and the keywords of its constructor.

    Raises `DesignError` for an unknown key (naming the nearest right one) or a missing one, and whatever the
    constructor raises; `.path` names the place.

    >>> d = from_dict({"method": "permuted_blocks", "ratio": {"portal": 1, "advice": 1}, "multiples": [2, 3]})
    >>> d.sizes, from_dict(d.to_dict()) == d
    ((4, 6), True)
    >>> from_dict({"method": "simple", "ratios": {"portal": 1, "advice": 1}})
    Traceback (most recent call last):
    ...
    randomization.errors.DesignError: 'ratios' is not a setting of simple; did you mean 'ratio'?
    """
    if not isinstance(mapping, Mapping):
        raise DesignError(f"a design is a mapping, not {mapping!r}", remedy="write method, ratio and so on")
    if "method" not in mapping:
        raise DesignError("the design names no method", path=("method",), remedy=f"write one of {', '.join(METHODS)}")
    make = constructor(mapping["method"])
    settings = inspect.signature(make).parameters
    values = {key: value for key, value in mapping.items() if key != "method"}
    for key in values:
        if key not in settings:
            raise DesignError(
                f"{key!r} is not a setting of {mapping['method']}",
                path=(key,),
                remedy=_nearest(str(key), list(settings)),
            )
    for name, setting in settings.items():
        if setting.default is inspect.Parameter.empty and name not in values:
            raise DesignError(f"{mapping['method']} needs {name!r}", path=(name,), remedy="add it")
    for name in ("base", "first", "second"):
        if isinstance(values.get(name), Mapping) and "method" in values[name]:
            values[name] = _inner(values[name], name)
    try:
        return make(**values)
    except (TypeError, AttributeError) as error:
        raise DesignError(
            f"a value of {mapping['method']} has the wrong shape: {error}", remedy="see the method's page"
        ) from error


def _inner(mapping: Mapping[str, Any], name: str) -> Design:
    try:
        return from_dict(mapping)
    except RandomizationError as error:
        error.path = (name, *error.path)
        raise


def _nearest(word: str, words: list[str]) -> str:
    close = get_close_matches(word, words, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"choose from {', '.join(words)}"
