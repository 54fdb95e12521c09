"""What every file of the house keeps to, so that a reader finds the room by its name and the room holds one thing."""

from __future__ import annotations

import ast
import re

from project_files import PACKAGES, functions, in_packages, project_files, texts, trees

from tooling.running import ROOT

MOST_LINES_OF_A_FILE = 500
MOST_LINES_OF_A_FUNCTION = 80
MOST_ARGUMENTS = 12
LARGEST_FILE = 2_000_000

# Put together here, so that this file does not hold what it forbids.
PLACES_ON_ONE_MACHINE = re.compile(
    r"(?<![\w.~])/(?:" + "|".join(["work", "farm", "root", "home", "tmp", "Users"]) + r")/\w"
)
HOSTS_OF_REGISTRIES = re.compile("|".join(["pypi" + r"\.org", "pythonhosted" + r"\.org", "npmjs" + r"\.(?:org|com)"]))
UNFINISHED = re.compile(r"\b(?:" + "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX"]) + r")\b")


def holding(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{name}:{number}: {line.strip()[:80]}"
        for name, text in texts().items()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def own_code() -> dict[str, ast.Module]:
    """Everything but tests and generated migrations."""
    return {
        name: tree for name, tree in trees().items() if not name.startswith(("tests/", "pilot/migrations/versions/"))
    }


def test_no_file_names_a_place_on_one_machine():
    assert holding(PLACES_ON_ONE_MACHINE) == []


def test_no_file_names_a_package_registry():
    assert holding(HOSTS_OF_REGISTRIES) == []


def test_nothing_is_left_unfinished():
    stubs = [
        f"{name}:{node.lineno}"
        for name, tree in own_code().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Raise) and "NotImplementedError" in ast.dump(node)
    ]
    assert holding(UNFINISHED) + stubs == []


def test_a_file_answers_one_question():
    long = {name: lines for name in own_code() if (lines := texts()[name].count("\n")) > MOST_LINES_OF_A_FILE}
    assert long == {}


def test_a_function_fits_on_a_screen():
    long = {}
    for name, tree in own_code().items():
        for function in functions(tree):
            body = function.body[1:] if ast.get_docstring(function) else function.body
            lines = (function.end_lineno or 0) - (body or function.body)[0].lineno + 1
            if lines > MOST_LINES_OF_A_FUNCTION:
                long[f"{name}:{function.name}"] = lines
    assert long == {}


def test_a_function_takes_few_arguments():
    many = {}
    # A closed form of power takes the parameters that its published formula names.
    formulas = in_packages("analysis/power")
    for name, tree in own_code().items() - formulas.items():
        for function in functions(tree):
            taken = function.args
            count = len(taken.posonlyargs) + len(taken.args) + len(taken.kwonlyargs)
            if count > MOST_ARGUMENTS:
                many[f"{name}:{function.name}"] = count
    assert many == {}


def test_every_module_opens_with_why_it_exists():
    silent = [name for name, tree in trees().items() if not ast.get_docstring(tree) and texts()[name].strip()]
    assert silent == []


def test_no_third_party_or_generated_file_is_committed():
    names = [path.relative_to(ROOT).as_posix() for path in project_files()]
    assert [
        name for name in names if re.search(r"\.min\.(js|css)$|(^|/)node_modules/|/vendor/|\.mo$|\.sqlite3", name)
    ] == []
    assert [name for name in names if (ROOT / name).stat().st_size > LARGEST_FILE] == []


def test_every_package_says_that_it_is_typed():
    assert [package for package in PACKAGES if not (ROOT / package / "py.typed").is_file()] == []


def test_no_folder_of_tests_is_a_package():
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def public_functions(tree: ast.Module) -> list[ast.FunctionDef]:
    """Functions of the module and of its classes; those inside functions are nobody else's business."""
    bodies = [tree.body, *(node.body for node in tree.body if isinstance(node, ast.ClassDef))]
    found = [node for body in bodies for node in body if isinstance(node, ast.FunctionDef)]
    return [function for function in found if not function.name.startswith("_")]


def test_every_public_function_is_annotated_completely():
    bare = []
    for name, tree in in_packages().items():
        for function in public_functions(tree):
            taken = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
            unannotated = {argument.arg for argument in taken if not argument.annotation} - {"self", "cls"}
            if unannotated or function.returns is None:
                bare.append(f"{name}:{function.lineno} {function.name}")
    assert bare == []
