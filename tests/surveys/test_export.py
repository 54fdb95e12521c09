"""What is written can be read: every example and every shipped questionnaire comes back equal."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surveys import read_xlsform
from surveys.expressions import parse
from surveys.expressions import tree as t
from surveys.expressions.write import write
from surveys.xlsform_export import write_xlsform

ROOT = Path(__file__).parents[2]
FORMS = sorted(
    [*(Path(__file__).parent / "examples").glob("*.xlsx"), *(ROOT / "protocols").glob("*/instruments/*.xlsx")]
)


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_a_form_that_is_written_and_read_is_the_same(path: Path):
    form = read_xlsform(path)
    workbook = write_xlsform(form)
    assert read_xlsform(workbook.content, tables=workbook.tables) == form


def test_the_same_form_gives_the_same_bytes():
    form = read_xlsform(FORMS[0])
    assert write_xlsform(form).content == write_xlsform(form).content


names = st.sampled_from(["age", "work-hours", "b.c", "x1"])
leaves = st.one_of(
    st.builds(t.Number, st.floats(0, 1e9, allow_nan=False).map(lambda x: round(x, 3))),
    st.builds(t.String, st.text("abc '1-", max_size=5)),
    st.builds(t.Reference, names),
    st.builds(t.Name, names),
    st.just(t.Current()),
)
operators = st.sampled_from(["or", "and", "=", "!=", "<", "<=", ">", ">=", "+", "-", "*", "div", "mod", "|"])
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(t.Binary, operators, inner, inner),
        st.builds(t.Negative, inner),
        st.builds(t.Call, st.sampled_from(["concat", "max", "jr:choice-name"]), st.lists(inner, max_size=3).map(tuple)),
    ),
    max_leaves=12,
)


def plain(node: t.Node) -> t.Node:
    """The tree without the places of its parts in the text."""
    match node:
        case t.Binary(operator, left, right):
            return t.Binary(operator, plain(left), plain(right))
        case t.Negative(operand):
            return t.Negative(plain(operand))
        case t.Call(function, arguments):
            return t.Call(function, tuple(map(plain, arguments)))
        case t.Parent(levels):
            return t.Parent(levels)
        case t.Current():
            return t.Current()
        case t.Number(value) | t.String(value):
            return type(node)(value)  # type: ignore[arg-type]
        case t.Reference(name) | t.Name(name):
            return type(node)(name)


@settings(derandomize=True, deadline=None, max_examples=80)
@given(trees)
def test_a_tree_that_is_written_and_parsed_is_the_same(node: t.Node):
    assert plain(parse(write(node))) == node
