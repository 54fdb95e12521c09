r"""Patterns of ``regex()``: answered in a time that grows with the length of the answer and never faster.

RE2 follows all ways through a pattern at once, so that no pattern and no answer can keep it busy. It knows no looking
around and no references back. What researchers write of those is mostly a rule in front of a pattern ("holds a figure
somewhere": ``^(?=.*\d)``): each such rule becomes a pattern of its own. Of the rest, only what cannot take many ways is
given to Python; everything else is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

import re2

from surveys.errors import ExpressionError

__all__ = ["CAUSES", "Matches", "matcher"]

Matches = Callable[[str], bool]
LONGEST = 2_000
MEMORY = 2 * 2**20
"""Bytes for one compiled pattern; what needs more is refused."""
MOST_STEPS = 4_000
"""From each character of the answer: the ways through a pattern of bounded length, times that length."""
MOST_ROUNDS = 100
SIGN = re.compile(
    r"""\\u[0-9A-Fa-f]{4} | \\. |                                    # what a backslash begins
        \[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\] |                    # a class, whole
        \(\?(?:P?<\w+>|P=|<?[=!]|[:>\#]|[a-zA-Z-]*[:)]) |            # a bracket with a meaning of its own
        \{[0-9]*,?[0-9]*\} | .""",
    re.DOTALL | re.VERBOSE,
)
FLAGS = re.compile(r"\(\?[is]+\)")
CAUSES = {
    "missing )": ("a bracket ( is not closed", "add the bracket )"),
    "missing ]": ("a bracket [ is not closed", "add the bracket ]"),
    "unexpected )": ("there is a bracket ) too many", r"remove it, or write \)"),
    "invalid character class range": ("a range in [ ] runs backwards", "write the first sign before the last: a-z"),
    "invalid character class": ("what stands in [ ] is not understood", "test the pattern first"),
    "no argument for repetition operator": ("there is nothing to repeat before * + ? or {", "test the pattern first"),
    "bad repetition operator": ("two signs of repetition stand behind each other", "take one of them away"),
    "invalid repetition size": ("a part is repeated too many times", "repeat it 1000 times at most"),
    "trailing \\": ("it ends with a \\", r"write \\ for the sign itself"),
    "invalid escape sequence": (
        "a sign behind \\ is not understood, or refers back to an earlier part",
        "write what is meant in full",
    ),
    "invalid perl operator": (
        "it looks ahead or behind, or uses another extension",
        "put rules that look ahead first, directly behind ^, or write several regex() joined by 'and'",
    ),
    "pattern too large": ("it is too large", "make it shorter, or repeat its parts fewer times"),
}
"""How RE2 begins to say what is wrong: the same in the words of these checks, and what to do."""


@lru_cache(maxsize=512)
def matcher(pattern: str) -> Matches:
    r"""Whether a text holds the pattern, as a function of the text.

    Classes such as ``\d`` and ``\w`` are ASCII, and ``$`` is the very end. Time is linear in the length of the text.
    Raises ExpressionError when the pattern is not valid, or could be matched in no bounded time.

    >>> holds = matcher(r"^(?=.*[0-9])(?!.*\s)(\w|\d)+$")
    >>> [holds(text) for text in ("abc1", "abc", "ab c1")]
    [True, False, False]
    >>> matcher("(a|a)+$")("a" * 10_000 + "!"), matcher(r"^(.)\1*$")("1111")
    (False, True)
    >>> matcher(r"(a+)\1")
    Traceback (most recent call last):
    surveys.errors.ExpressionError: a sign behind \ is not understood, or refers back to an earlier part
    """
    if len(pattern) > LONGEST:
        raise _refused("pattern too large")
    signs = SIGN.findall(pattern)
    if any(re.fullmatch(r"\{,[0-9]+\}", sign) for sign in signs):
        raise ExpressionError("a repetition lacks the number before its comma", remedy="write {0,5} for at most five")
    rules = [(wanted, _one(part)) for wanted, part in _rules(signs)]
    return lambda text: all(holds(text) == wanted for wanted, holds in rules)


def _rules(signs: list[str]) -> Iterator[tuple[bool, list[str]]]:
    """The rules in front of the pattern, each with whether it must hold, and the pattern itself."""
    flags = [signs[0]] if signs and FLAGS.fullmatch(signs[0]) else []
    rest = signs[len(flags) :]
    if rest[:1] != ["^"] or _forks_at_top(rest):
        yield True, signs
        return
    rest, found = rest[1:], list[tuple[bool, list[str]]]()
    while rest and rest[0] in ("(?=", "(?!"):
        end = _closing(rest)
        found.append((rest[0] == "(?=", [*flags, "^", "(?:", *rest[1:end], ")"]))
        rest = rest[end + 1 :]
    found.append((True, [*flags, "^", *rest]))
    # A reference back counts the groups from the beginning: taken apart, it would mean another one.
    counted = sum(any(map(_captures, part)) for _wanted, part in found)
    yield from found if counted < 2 or not any(map(_refers, signs)) else [(True, signs)]


def _captures(sign: str) -> bool:
    return sign == "(" or (sign.startswith(("(?P<", "(?<")) and sign[-1] == ">")


def _refers(sign: str) -> bool:
    return bool(re.fullmatch(r"\\[1-9k]|\(\?P=", sign))


def _forks_at_top(signs: list[str]) -> bool:
    depth = 0
    for sign in signs:
        depth += _opens(sign) - (sign == ")")
        if sign == "|" and depth == 0:
            return True
    return False


def _closing(signs: list[str]) -> int:
    """The place of the bracket that closes the first one. Raises ExpressionError when there is none."""
    depth = 0
    for at, sign in enumerate(signs):
        depth += _opens(sign) - (sign == ")")
        if depth == 0:
            return at
    raise _refused("missing )")


def _opens(sign: str) -> bool:
    return sign.startswith("(") and not sign.endswith(")")


def _one(signs: list[str]) -> Matches:
    options = re2.Options()
    options.log_errors, options.never_capture, options.max_mem = False, True, MEMORY
    try:
        compiled = re2.compile("".join(_for_re2(sign) for sign in signs), options)
    except re2.error as error:
        said = error.args[0] if error.args else ""
        cause = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        holds = _in_few_ways(signs)
        if holds is None:
            raise _refused(cause) from None
        return holds
    except UnicodeEncodeError:
        raise ExpressionError("it holds a sign that cannot be written", remedy="test the pattern first") from None
    return lambda text: compiled.search(text.encode("utf-8", "replace")) is not None


def _for_re2(sign: str) -> str:
    if sign.startswith("\\u") and len(sign) == 6:
        return f"\\x{{{sign[2:]}}}"
    if sign.startswith("["):
        return re.sub(r"\\u([0-9A-Fa-f]{4})", r"\\x{\1}", sign)
    return r"\z" if sign == r"\Z" else sign


def _refused(cause: str) -> ExpressionError:
    for begin, (message, remedy) in CAUSES.items():
        if cause.startswith(begin):
            return ExpressionError(message, remedy=remedy)
    return ExpressionError(cause, remedy="test the pattern first")


def _in_few_ways(signs: list[str]) -> Matches | None:
    """The pattern for Python when it is plain that few ways lead through it; None when that is not plain.

    Without repetition no way is longer than the pattern. One repeated sign in a pattern that is tied to the beginning
    gives as many ways as the text has characters. More than that is not tried.
    """
    forks = sum(sign in ("?", "|") for sign in signs)
    loose = [at for at, sign in enumerate(signs) if _repeats(sign)]
    length = len(signs) + sum(int(number) for sign in signs if sign[0] == "{" for number in re.findall(r"[0-9]+", sign))
    if (
        2 ** min(forks, 20) * length > MOST_STEPS
        or len(loose) > 1
        or any(_costly(signs, at) for at in range(len(signs)))
    ):
        return None
    if loose and (signs[0] != "^" or forks):
        return None
    try:
        compiled = re.compile("".join(r"\Z" if sign == "$" else sign for sign in signs), re.ASCII)
    except (re.error, RecursionError, OverflowError):
        return None
    return lambda text: compiled.search(text) is not None


def _repeats(sign: str) -> bool:
    return sign in ("*", "+") or (sign.startswith("{") and "," in sign)


def _costly(signs: list[str], at: int) -> bool:
    """Whether a group is repeated, a sign too many times, or a class is written in a way that may change."""
    sign = signs[at]
    if sign.startswith("["):
        return "[" in sign[1:]
    if sign == "?" and at and (_repeats(signs[at - 1]) or signs[at - 1] == "?"):
        return True
    if _repeats(sign) or sign.startswith("{"):
        rounds = [int(number) for number in re.findall(r"[0-9]+", sign)]
        return at == 0 or signs[at - 1] in (")", "?", "*", "+", "}") or any(n > MOST_ROUNDS for n in rounds)
    return False
