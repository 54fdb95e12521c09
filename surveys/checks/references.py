"""References: every question that an expression or a text names must exist, and be asked before it is needed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from surveys.checks.places import Cell, Place
from surveys.definition import Question
from surveys.errors import Finding
from surveys.expressions import tree
from surveys.nearest import did_you_mean

__all__ = ["check"]

OUTPUT = re.compile(r"\$\{\s*([^}]*?)\s*\}")
TEXTS = ("label", "hint", "guidance", "required_message", "constraint_message")
COLUMN_OF = {"guidance": "guidance_hint"}
FIRST = ("relevant", "choice_filter", "repeat_count")
GATHERING = (
    "sum",
    "randomize",
    "count",
    "count-non-empty",
    "min",
    "max",
    "join",
    "concat",
    "indexed-repeat",
    "position",
)


def check(place: Place, cells: tuple[Cell, ...]) -> Iterator[Finding]:
    order = {name: i for i, name in enumerate(place.instrument.places)}
    for cell in cells:
        if cell.expression is not None:
            yield from _check_names(place, cell)
            yield from _check_order(place, cell, order)
            yield from _check_repeats(place, cell)
    yield from _check_texts(place)


def _check_names(place: Place, cell: Cell) -> Iterator[Finding]:
    assert cell.expression is not None
    known = place.instrument.places
    for node in tree.walk(cell.expression.tree):
        match node:
            case tree.Reference(name) if name not in known:
                yield cell.finding(f"there is no question '{name}'", did_you_mean(name, known, "check the name"))
            case tree.Name(name):
                yield from _bare(place, cell, name)
            case tree.Current() if cell.column not in ("constraint", "calculation", "required"):
                yield cell.finding("'.' is the answer itself and has no meaning here", "name a question: ${name}")
            case tree.Call("jr:choice-name", (_, tree.String(text))):
                name = text.strip().removeprefix("${").removesuffix("}").strip()
                item = known[name].item if name in known else None
                if not isinstance(item, Question) or not item.choices:
                    yield cell.finding(
                        f"there is no question '{name}' with choices", did_you_mean(name, known, "check the name")
                    )
            case tree.Call("pulldata", (tree.String(file), *_)):
                if file.removesuffix(".csv") not in place.instrument.tables:
                    yield cell.finding(f"there is no file '{file}'", "put it in the folder of the workbook")


def _bare(place: Place, cell: Cell, name: str) -> Iterator[Finding]:
    if cell.column != "choice_filter":
        yield cell.finding(f"'{name}' stands without ${{}}", f"write ${{{name}}} for a question, '{name}' for a text")
        return
    assert isinstance(cell.item, Question)
    choices = place.instrument.lists[cell.item.choices]
    columns = {column for choice in choices for column in choice.columns} | {"name", "label"}
    if name not in columns:
        message = f"the list '{cell.item.choices}' has no column '{name}'"
        yield cell.finding(message, did_you_mean(name, columns, "check the choices sheet"))


def _check_order(place: Place, cell: Cell, order: Mapping[str, int]) -> Iterator[Finding]:
    """What decides whether and how a question is asked must be known by then."""
    assert cell.expression is not None
    here = order[cell.item.name]
    later = {name for name in cell.expression.references if order.get(name, -1) > here}
    inside = {name for name in later if cell.item in place.instrument.places[name].parents}
    for name in sorted(later - inside if cell.column == "constraint" else later):
        item = place.instrument.places[name].item
        if isinstance(item, Question) and item.silent:
            continue
        if cell.column in FIRST:
            yield cell.finding(f"'{name}' is asked only later", "move one of the two questions")
        elif cell.column == "constraint":
            yield cell.finding(f"'{name}' is asked only later", "move the constraint to that question", "warning")


def _check_repeats(place: Place, cell: Cell) -> Iterator[Finding]:
    """From outside a repeat a question has an answer for each instance; only some functions look at all of them."""
    assert cell.expression is not None
    own = place.instrument.places[cell.item.name].repeats
    gathered: set[int] = set()
    for node in tree.walk(cell.expression.tree):
        if isinstance(node, tree.Call) and node.function in GATHERING:
            gathered.update(id(inner) for argument in node.arguments for inner in tree.walk(argument))
        elif isinstance(node, tree.Reference) and id(node) not in gathered and node.name in place.instrument.places:
            repeats = place.instrument.places[node.name].repeats
            if repeats != own[: len(repeats)]:
                message = f"'{node.name}' is in the repeat '{repeats[-1]}': every instance has its own answer"
                yield cell.finding(message, "use sum(), max(), join() or indexed-repeat()", "warning")


def _check_texts(place: Place) -> Iterator[Finding]:
    known = place.instrument.places
    for found in known.values():
        for column in TEXTS:
            for language, words in getattr(found.item, column, {}).items():
                for name in OUTPUT.findall(words):
                    if name not in known:
                        message = f"there is no question '{name}' to show in the text"
                        shown = COLUMN_OF.get(column, column)
                        yield place.finding(
                            found.item, shown, message, did_you_mean(name, known, "check the name"), language=language
                        )
