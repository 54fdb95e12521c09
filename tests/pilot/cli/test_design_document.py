"""`pilot design-document`: the good way, JSON for programs, and each refusal, with nothing half-written."""

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from analysis.planning import EXAMPLE
from pilot.cli import main

PROTOCOL = Path(__file__).parents[3] / "protocols" / "ontwikkeladvies"


@pytest.fixture
def design(tmp_path):
    """`design(protocol, "name.pdf", …)` writes a document in a folder of its own."""

    def run(protocol, name, *words, before=()):
        typed = [*before, "design-document", str(protocol), "-o", str(tmp_path / name), *words]
        return CliRunner().invoke(main, typed)

    return run


@pytest.fixture
def alone(tmp_path):
    """A file with the section alone, changed as asked."""

    def write(**keys):
        path = tmp_path / "section.yaml"
        path.write_text(yaml.safe_dump({"sample_size": {**EXAMPLE, **keys}}))
        return path

    return write


def test_the_shipped_protocol_gets_its_document_with_its_own_words(design, tmp_path):
    done = design(PROTOCOL, "x.json", "--trials", "30", "--seed", "4")
    assert done.exit_code == 0, done.output
    assert "11880 people to recruit (portal 3960, advice 3960, voucher 3960)" in done.output
    found = json.loads((tmp_path / "x.json").read_text())
    assert found["title"] == "Pilot ontwikkeladvies"
    assert found["simulation"]["design"] == "permuted_blocks"
    assert found["simulation"]["correction"] == "dunnett"
    assert found["simulation"]["analysis"] == "registered"
    assert (found["simulation"]["estimator"], found["simulation"]["covariates"]) == ("lin", ["age", "work"])
    assert found["simulation"]["simplified"] == []
    assert len(found["simulation"]["comparisons"]) == 3
    assert len(found["origin"]["protocol"]) == 64
    assert "Alleen het scholingsoverzicht" in json.dumps(found["answer"])


def test_a_section_alone_is_enough_before_there_is_a_protocol(design, alone, tmp_path):
    done = design(alone(), "x.html", "--language", "en", "--trials", "20", before=["--json"])
    assert json.loads(done.output) == {
        "ok": True, "file": str(tmp_path / "x.html"), "total": 7275, "seed": 1, "trials": 20,
        "recruited": {"portal": 2425, "advice": 2425, "voucher": 2425},
    }  # fmt: skip
    assert '<html lang="en">' in (tmp_path / "x.html").read_text()


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(design, alone, tmp_path):
    for name, seed in (("a.json", "1"), ("b.json", "1"), ("c.json", "2")):
        assert design(alone(), name, "--trials", "30", "--seed", seed).exit_code == 0
    a, b, c = ((tmp_path / name).read_bytes() for name in ("a.json", "b.json", "c.json"))
    assert a == b != c


def test_without_trials_there_is_no_simulation(design, alone, tmp_path):
    assert design(alone(), "x.json", "--trials", "0").exit_code == 0
    assert json.loads((tmp_path / "x.json").read_text())["simulation"] is None


@pytest.mark.parametrize(("name", "words"), [
    ("x.txt", "End it in one of .html, .pdf, .docx, .json"), ("nowhere/x.pdf", "there is no folder"),
])  # fmt: skip
def test_a_file_that_cannot_be_written_is_refused_before_anything_is_computed(design, alone, name, words, tmp_path):
    section = alone()
    done = design(section, name)
    assert done.exit_code == 1
    assert words in done.output
    assert list(tmp_path.iterdir()) == [section]


@pytest.mark.parametrize(("text", "words"), [
    ("pilot: {slug: x}", "has no section 'sample_size'"),
    ("", "has no section 'sample_size'"),
    (": : [", "is no YAML"),
    ("sample_size: 3", "holds keys with values"),
    ("sample_size: {arms: [{name: a}, {name: b}], control: c, outcomes: []}", "at least 1"),
    ("sample_size: {}\npilot: {}", "name at least one instrument"),
])  # fmt: skip
def test_a_file_without_a_plan_is_refused_in_one_sentence(design, tmp_path, text, words):
    file = tmp_path / "protocol.yaml"
    file.write_text(text)
    done = design(file, "x.pdf")
    assert done.exit_code == 1
    assert words in done.output
    assert "Traceback" not in done.output
    assert list(tmp_path.iterdir()) == [file]


def test_a_plan_without_an_answer_names_what_binds(design, alone):
    done = design(alone(take_up={"value": 0.05, "range": [0.0, 0.1], "source": "x"}), "x.json")
    assert done.exit_code == 1
    assert "expected to come out the same" in done.output


def test_a_command_typed_wrongly_exits_with_2(design, alone):
    assert design("nowhere", "x.pdf").exit_code == 2
    assert design(alone(), "x.pdf", "--language", "fr").exit_code == 2
    assert design(alone(), "x.pdf", "--trials", "-1").exit_code == 2
