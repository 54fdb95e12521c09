"""Freezes, looks and exports: what research may see, when, and that it is what was written."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pyreadstat
import pytest
from small_pilot import STAFF, START, Site, changed, make, person, settings_for, shipped
from sqlalchemy import delete, select, update

from pilot import dataset, exports, locking, results
from pilot.db import Database
from pilot.errors import Refused, Tampered
from pilot.journey import answering, consent, withdrawal
from pilot.models import Allocation, Freeze, Participant, Submission
from pilot.protocol import InvalidProtocol, Protocol, from_record
from surveys import Choice, Context, Question, Section

YEAR = START + timedelta(days=420)
LAST = "followup_12m"


@pytest.fixture(scope="module")
def filled_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty-four people in one stratum, all of them with a list after twelve months; two in three began training."""
    home = tmp_path_factory.mktemp("filled")
    site = make(settings_for(home))
    with site.writing() as (session, pilot):
        _version, protocol = locking.in_force(session, pilot.id)
        for number in range(24):
            participant = site.enrol(session, person(8 * number))
            later = START + timedelta(days=366)
            for wave in protocol.waves[1:]:
                started = {"training_started": "yes" if number % 3 else "no"}
                site.fill(session, protocol, participant, wave.name, person(8 * number), later, given=started)
                answering.submit(session, protocol, participant, wave.name, now=later)
    site.database.dispose()
    return home


@pytest.fixture
def filled(filled_home: Path, tmp_path: Path) -> Iterator[Site]:
    """A copy of that installation, for one test to change."""
    shutil.copytree(filled_home, tmp_path / "home")
    settings = settings_for(tmp_path / "home")
    database = Database(settings)
    yield Site(settings, database, {role: number for number, role in enumerate(STAFF, 1)})
    database.dispose()


def freeze(site: Site, *, with_arms: bool = False) -> Freeze:
    with site.writing() as (session, pilot):
        return dataset.freeze(
            session, pilot, protocol_of(session, pilot), folder=site.settings.freezes, with_arms=with_arms,
            actor_id=None, now=YEAR,
        )  # fmt: skip


def protocol_of(session, pilot) -> Protocol:
    return locking.in_force(session, pilot.id)[1]


def test_a_freeze_before_a_look_gives_no_arm_away(filled: Site):
    row = freeze(filled)
    data = dataset.read_freeze(filled.settings.freezes, row)
    assert len(data) == row.rows == 24
    assert not set(dataset.BY_ARM) & set(data.columns)
    assert "training_started_12m" in data.columns
    assert set(row.manifest["columns"]) == set(data.columns)
    arms = {"portal", "advice", "voucher"}
    assert not any(arms & set(map(str, data[name].unique())) for name in data.columns)


def test_the_derived_outcome_follows_the_answers(filled: Site):
    data = dataset.read_freeze(filled.settings.freezes, freeze(filled, with_arms=True))
    said = (data["followup_12m__training_started"] == "yes").astype(float)
    assert data["training_started_12m"].tolist() == said.tolist()
    assert data["study_id"].is_unique
    assert set(data["arm"]) == {"portal", "advice", "voucher"}


@pytest.mark.parametrize(
    "derive", ["${followup_12m__work} = 'employed'", "if(${followup_12m__work} = 'employed', 1, 0)"]
)
def test_who_answered_nothing_has_no_outcome_and_does_not_count_as_a_no(filled: Site, derive: str):
    protocol = changed(lambda data: data["outcomes"][0].update(source={"derive": derive}))
    name = protocol.plan.outcomes[0].name
    with filled.writing() as (session, pilot):
        people = session.scalars(select(Participant).order_by(Participant.id)).all()
        silent, stopped = people[0].study_id, people[1].study_id
        session.execute(delete(Submission).where(Submission.participant_id == people[0].id, Submission.wave == LAST))
        withdrawal.withdraw(session, people[1], "no_data", actor_id=None, now=YEAR)
        data = dataset.build(session, pilot, protocol).data.set_index("study_id")
    employed = (data[f"{LAST}__work"] == "employed").astype(float)
    due = employed.mask(data.index.isin([silent, stopped]))
    assert due.notna().sum() == len(data) - 2
    pd.testing.assert_series_equal(data[name], due, check_names=False)


ITEMS = ["baseline__training_intention", "baseline__opportunities", "baseline__digital_skills",
         "followup_12m__satisfaction"]  # fmt: skip


def with_a_scale(**section) -> Protocol:
    """The protocol with one more outcome: the score of a scale of four items."""
    outcome = {
        "name": "adaptability", "label": {"nl": "Aanpassen", "en": "Adaptability"}, "kind": "continuous",
        "family": "secondary", "timepoint": "12 months",
        "source": {"scale": {"name": "caas_ssf", "items": ITEMS, **section}},
        "missing": {"handling": "complete_cases", "assumption": "As for the primary outcome.", "bounds": "none"},
    }  # fmt: skip
    return changed(lambda data: data["outcomes"].append(outcome))


def test_an_outcome_that_is_a_scale_is_scored_and_the_freeze_says_by_which_rule(filled: Site):
    for section, least in (({}, 4), ({"missing_items": {"at_least": 0.5}}, 2)):
        protocol = with_a_scale(**section)
        with filled.writing() as (session, pilot):
            data = dataset.build(session, pilot, protocol).data
            row = dataset.freeze(
                session, pilot, protocol, folder=filled.settings.freezes, with_arms=False, actor_id=None, now=YEAR
            )
        data.loc[:2, ITEMS[3]] = None
        scored = dataset.outcomes(data, protocol)["adaptability"]
        items = data[ITEMS].astype(object).apply(pd.to_numeric, errors="coerce")
        due = items.mean(axis=1).where(items.notna().sum(axis=1) >= least)
        assert due.notna().any()
        assert due.isna().sum() == (3 if least == 4 else 0)
        pd.testing.assert_series_equal(scored, due, check_names=False)
        told = "registered in the protocol" if section else "no item may be missing"
        assert told in row.manifest["scoring"]["adaptability"]


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"name": "caas_sssf"}, "there is no scale 'caas_sssf'"),
        ({"items": ITEMS[:3]}, "has 4 items, each once; here stand 3"),
        ({"items": [*ITEMS[:3], "baseline__mood"]}, "'baseline__mood' is no column of the data"),
        ({"part": "concern"}, "has no part 'concern'; it has total"),
        ({"name": "spe", "items": [*ITEMS, "baseline__work"]}, "which items of .* are reversed"),
        ({"missing_items": {"at_least": 0}}, "greater than 0"),
        ({"missing_items": {"atleast": 0.5}}, "at_least is missing"),
    ],
)
def test_a_scale_that_cannot_be_scored_stops_the_protocol_and_names_the_place(section, said: str):
    with pytest.raises(InvalidProtocol, match=said) as refused:
        with_a_scale(**section)
    assert any("scale" in problem.path for problem in refused.value.problems)


@pytest.mark.parametrize("damage", [lambda raw: raw[:-1], lambda raw: raw[:40] + bytes([raw[40] ^ 1]) + raw[41:]])
def test_a_freeze_whose_file_was_changed_is_refused(filled: Site, damage):
    row = freeze(filled)
    path = filled.settings.freezes / row.file
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(Tampered, match="SHA-256 differs"):
        dataset.read_freeze(filled.settings.freezes, row)


def test_freezes_are_numbered_and_the_same_record_gives_the_same_data(filled: Site):
    first, second = freeze(filled), freeze(filled)
    assert (first.number, second.number) == (1, 2)
    folder = filled.settings.freezes
    assert dataset.read_freeze(folder, first).equals(dataset.read_freeze(folder, second))
    heads = first.manifest["audit_heads"]
    assert sum(head["positions"] for head in heads.values()) == 24


def test_nothing_can_be_frozen_before_anybody_was_drawn(site: Site):
    with pytest.raises(Refused) as found:
        freeze(site)
    assert found.value.code == "empty"


def test_both_databases_give_the_same_data(new_site, postgres_url: str):
    """Types come out of the JSON alike, whichever database took it in."""
    frames = []
    for address in ("", postgres_url):
        site = new_site(database_url=address)
        with site.writing() as (session, pilot):
            for number in range(6):
                site.enrol(session, number)
            frames.append(dataset.build(session, pilot, protocol_of(session, pilot)).data)
    assert frames[0].equals(frames[1])
    assert len(frames[0]) == 6


def test_answers_of_people_who_want_no_more_data_are_not_in_it(filled: Site):
    with filled.writing() as (session, _pilot):
        someone = session.scalars(select(Participant)).first()
        withdrawal.withdraw(session, someone, "no_data", actor_id=None, now=YEAR)
    data = dataset.read_freeze(filled.settings.freezes, freeze(filled)).set_index("study_id")
    assert len(data) == 24
    assert data.loc[someone.study_id, "withdrawn"] == "no_data"
    assert data.loc[[someone.study_id], ["training_started_12m", "baseline__work"]].isna().all(axis=None)


def look(site: Site, *, now=YEAR):
    with site.writing() as (session, pilot):
        return results.open_look(
            session, pilot, protocol_of(session, pilot), "final", folder=site.settings.freezes,
            statistician_id=site.staff["statistician"], now=now,
        )  # fmt: skip


def test_a_look_waits_until_recruitment_is_closed(filled: Site):
    with pytest.raises(Refused, match="waits until recruitment is closed") as found:
        look(filled)
    assert found.value.code == "look_not_permitted"
    with filled.reading() as (session, pilot):
        assert results.latest(session, pilot) is None
        assert session.scalars(select(Freeze)).all() == []


def test_a_look_waits_until_everybody_is_settled(filled: Site):
    with filled.writing() as (session, pilot):
        filled.enrol(session, person(801))
        locking.close(session, pilot, actor_id=None, now=START)
    with pytest.raises(Refused, match="24 of 25 people are settled"):
        look(filled, now=START + timedelta(days=366))


def test_a_look_nobody_planned_is_refused(filled: Site):
    with pytest.raises(Refused, match="it has final"), filled.reading() as (session, pilot):
        results.permission(session, pilot, protocol_of(session, pilot), "extra", now=YEAR)


def test_a_permitted_look_is_opened_once_and_carries_the_plan_out(filled: Site):
    with filled.writing() as (session, pilot):
        locking.close(session, pilot, actor_id=None, now=YEAR)
    opened = look(filled)
    with filled.reading() as (session, pilot):
        found = results.latest(session, pilot)
        assert found is not None
        assert found[0].fingerprint == protocol_of(session, pilot).fingerprint
        assert results.allocated_by_arm(session, pilot) == {
            arm: sum(a.arm == arm for a in session.scalars(select(Allocation)))
            for arm in ("portal", "advice", "voucher")
        }
        assert session.get_one(Freeze, opened.freeze_id).manifest["with_arms"]
    with pytest.raises(Refused, match="opened already"):
        look(filled)


def test_the_script_beside_the_data_of_a_look_draws_its_intervals_at_the_level_of_that_look(filled: Site, tmp_path):
    with filled.writing() as (session, pilot):
        locking.close(session, pilot, actor_id=None, now=YEAR)
    opened = look(filled)
    with filled.reading() as (session, pilot):
        row, protocol = session.get_one(Freeze, opened.freeze_id), protocol_of(session, pilot)
        assert results.level_of_freeze(session, row) == results.level_of(opened) == protocol.plan.analysis.alpha
        data = dataset.read_freeze(filled.settings.freezes, row)
        *_, whole = exports.write(data, row, protocol, tmp_path / "final", language="nl", alpha=0.05)
        *_, interim = exports.write(data, row, protocol, tmp_path / "interim", language="nl", alpha=0.012)
    assert "Intervals have the level of this look" not in whole.read_text(encoding="utf-8")
    assert "alpha 0.012, what its spending leaves of 0.05" in interim.read_text(encoding="utf-8")


def test_files_for_elsewhere_hold_no_arm_and_no_formula(filled: Site, tmp_path):
    row = freeze(filled)
    data = dataset.read_freeze(filled.settings.freezes, row)
    data.loc[0, "baseline__work"] = "=1+1"
    with filled.reading() as (session, pilot):
        protocol = protocol_of(session, pilot)
    files = exports.write(data, row, protocol, tmp_path, language="nl")
    assert [path.suffix for path in files] == [".csv", ".dta", ".sav", ".json"]
    with files[0].open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == 24
    assert "'=1+1" in {line["baseline__work"] for line in rows}
    assert "arm" not in rows[0]
    with pytest.raises(Refused):
        exports.write(data, row, protocol, tmp_path, language="nl")


def exported(site: Site, folder: Path) -> dict[str, dict[str, dict[str, object]]]:
    """What each file of an export says of each person: by kind of file, study id and column."""
    row = freeze(site, with_arms=True)
    with site.reading() as (session, pilot):
        protocol = protocol_of(session, pilot)
    data = dataset.read_freeze(site.settings.freezes, row)
    paths = {path.suffix: path for path in exports.write(data, row, protocol, folder, language="en")}
    found = {
        ".csv": pd.read_csv(paths[".csv"], dtype={"consent_participate": str, "consent_linkage": str}),
        ".dta": pyreadstat.read_dta(str(paths[".dta"]))[0],
        ".sav": pyreadstat.read_sav(str(paths[".sav"]))[0],
    }
    assert "consent_linkage" in paths[".json"].read_text(encoding="utf-8")
    return {kind: frame.set_index("study_id").to_dict(orient="index") for kind, frame in found.items()}


def nothing(value: object) -> bool:
    return value == "" or bool(pd.isna(value))


@pytest.mark.parametrize(("degree", "used"), [("no_contact", True), ("no_data", False), ("erase", False)])
def test_each_degree_of_stopping_keeps_the_draw_and_frees_the_answers_in_every_file(
    filled: Site, tmp_path, degree: str, used: bool
):
    with filled.writing() as (session, pilot):
        first, second = session.scalars(select(Participant).order_by(Participant.id).limit(2))
        arm = session.scalars(select(Allocation.arm).where(Allocation.participant_id == first.id)).one()
        version = protocol_of(session, pilot).consent.texts[0].version
        withdrawal.withdraw(session, first, degree, actor_id=None, now=YEAR)
        one, another = first.study_id, second.study_id
    answers = ("training_started_12m", "baseline__work")
    for people in exported(filled, tmp_path / "files").values():
        assert len(people) == 24
        mine, other = people[one], people[another]
        assert (mine["arm"], mine["withdrawn"]) == (arm, degree)
        assert 0 < float(str(mine["probability"])) < 1
        assert not nothing(mine["allocated_on"])
        assert [nothing(mine[name]) for name in answers] == [not used] * 2
        assert not any(nothing(other[name]) for name in answers)
        assert nothing(other["withdrawn"])
        assert other["consent_participate"] == version
        assert mine["consent_participate"] == version if used else nothing(mine["consent_participate"])


def test_data_may_be_used_for_what_people_last_said_yes_to(filled: Site, tmp_path):
    with filled.writing() as (session, pilot):
        protocol = protocol_of(session, pilot)
        someone = session.scalars(select(Participant).order_by(Participant.id).limit(1)).one()
        versions = {text.purpose: text.version for text in protocol.consent.texts}
        for yes in (True, False):
            given = {"participate": True, "linkage": yes}
            consent.give(session, protocol, someone, given, versions=versions, language="nl", now=YEAR)
    for people in exported(filled, tmp_path / "files").values():
        assert nothing(people[someone.study_id]["consent_linkage"])
        assert people[someone.study_id]["consent_participate"] == versions["participate"]


def test_what_was_exported_is_read_by_other_packages_with_its_labels(filled: Site, tmp_path):
    row = freeze(filled, with_arms=True)
    with filled.reading() as (session, pilot):
        protocol = protocol_of(session, pilot)
    files = exports.write(dataset.read_freeze(filled.settings.freezes, row), row, protocol, tmp_path, language="en")
    data, about = pyreadstat.read_dta(str(files[1]))
    assert len(data) == 24
    assert about.column_names_to_labels["arm"] == "Arm to which the participant was allocated"
    assert about.column_names_to_labels["baseline__modes"] == "Every way in which answers were given (baseline)"
    assert "interview at the desk" in about.variable_value_labels["baseline__mode"].values()
    assert files[-1].suffix == ".R"


def test_people_of_a_test_run_are_not_in_the_data_of_the_live_run(new_site):
    site = new_site(mode="test")
    with site.writing() as (session, pilot):
        site.enrol(session, 8)
        locking.start(session, pilot, mode="live", actor_id=None, now=START)
        site.enrol(session, 16)
        frame = dataset.build(session, pilot, protocol_of(session, pilot)).data
        assert len(frame) == 1
        session.execute(update(Participant).values(language="nl"))


@pytest.mark.parametrize("kind", ["dta", "sav"])
def test_names_and_labels_that_a_format_does_not_take_are_written_as_it_takes_them(tmp_path: Path, kind: str):
    """Hyphens and stops in names, names that differ in capitals only, long labels with accents, long texts."""
    long = "Één antwoord dat te lang is voor een etiket " * 30
    data = pd.DataFrame(
        {
            "w__part-time": [1.0, None], "w__part.time": [2.0, 3.0], "w__Work": ["a", "b"], "w__work": ["é" * 9000, ""],
            "w__help__full-time": [1.0, 0.0], "w__kind": ["a-b", "c"], "w__at": ["2026-03-29T01:30:00+02:00", None],
        }
    )  # fmt: skip
    told = dict.fromkeys(data, long)
    path = tmp_path / f"data.{kind}"
    exports._statistics_package(data, path, told, {"w__kind": {"a-b": long, "c": "Één"}})
    read, about = (pyreadstat.read_dta if kind == "dta" else pyreadstat.read_sav)(str(path))
    assert list(read.columns) == [
        "w__part_time", "w__part_time_2", "w__Work", "w__work_2", "w__help__full_time", "w__kind", "w__at",
    ]  # fmt: skip
    assert read["w__work_2"].tolist() == ["é" * 9000, ""]
    assert read["w__at"].tolist() == ["2026-03-29T01:30:00+02:00", ""]
    assert read["w__kind"].tolist() == [1, 2]
    values = about.variable_value_labels["w__kind"]
    assert values[2] == "Één"
    assert long.startswith(values[1])
    assert all(long.startswith(label) for label in about.column_labels)


def every_kind() -> tuple[Question | Section, ...]:
    """A question of every kind, by itself and in a repeat within a repeat."""
    both = {"nl": "Één vraag", "en": "A question"}
    kinds = (
        "text", "integer", "decimal", "range", "select_one", "select_multiple", "rank", "date", "time", "datetime",
        "acknowledge",
    )  # fmt: skip
    listed = {"select_one": "some", "select_multiple": "some", "rank": "some"}
    plain = [Question(f"x_{kind}", kind, both, choices=listed.get(kind, "")) for kind in kinds]
    inner = [Question(f"y_{kind}", kind, both, choices=listed.get(kind, "")) for kind in kinds]
    worked_out = Question("x_twice", "calculate", calculation="${x_integer} * 2")
    job = Section("job", tuple(inner), repeats=True, label={"nl": "Baan", "en": "Job"})
    return (*plain, worked_out, Section("person", (Question("y_name", "text", both), job), repeats=True, label=both))


SOME = tuple(Choice(code, {"nl": f"Keuze é {code}", "en": f"Choice é {code}"}) for code in ("a", "part-time", "c__d"))
SAID: dict[str, object] = {
    "text": "=Één, 'twee'\nregels", "integer": 12, "decimal": 2.5, "range": 7, "select_one": "part-time",
    "select_multiple": ["a", "c__d"], "rank": ["c__d", "a", "part-time"], "date": "2026-02-28", "time": "09:30",
    "datetime": "2026-03-29T01:30:00+02:00", "acknowledge": "OK",
}  # fmt: skip


def test_every_kind_of_answer_goes_out_and_comes_back_also_from_a_repeat_in_a_repeat(filled: Site, tmp_path: Path):
    base, wave = shipped(), "followup_6m"
    form = base.instrument_of(wave)
    wider = replace(form, children=(*form.children, *every_kind()), lists={**form.lists, "some": SOME})
    protocol = from_record(base.canonical, {**base.instruments_record(), base.wave(wave).instrument: wider.to_dict()})
    answers: dict[str, object] = {f"x_{kind}": value for kind, value in SAID.items()}
    answers |= {"person.1": "yes", "person.2": "yes", "person.1.y_name": "Ali", "person.2.job.1": "yes"}
    answers |= {f"person.2.job.1.y_{kind}": value for kind, value in SAID.items()}
    context = Context(START.date(), START)
    with filled.writing() as (session, pilot):
        row = session.scalars(select(Submission).where(Submission.wave == wave).order_by(Submission.id)).first()
        assert row is not None
        study_id = session.get_one(Participant, row.participant_id).study_id
        row.analysed = {**row.analysed, **answering.flat(wider, {**row.answers, **answers}, context)}
        session.flush()
        made = dataset.freeze(
            session, pilot, protocol, folder=filled.settings.freezes, with_arms=False, actor_id=None, now=YEAR
        )
        data = dataset.read_freeze(filled.settings.freezes, made)
        files = exports.write(data, made, protocol, tmp_path / "out", language="nl")
    person = data.set_index("study_id").loc[study_id]
    flat = {**SAID, "select_multiple": "a c__d", "rank": "c__d a part-time"}
    for around, prefix in ((f"{wave}__", "x_"), (f"{wave}__person_2__job_1__", "y_")):
        assert {kind: person[f"{around}{prefix}{kind}"] for kind in SAID} == flat
        flags = [person[f"{around}{prefix}select_multiple__{choice.name}"] for choice in SOME]
        assert flags == [1, 0, 1]
    assert person[f"{wave}__x_twice"] == 24
    assert (person[f"{wave}__person_count"], person[f"{wave}__person_2__job_count"]) == (2, 1)
    assert (person[f"{wave}__person_1__y_name"], person[f"{wave}__person_1__job_count"]) == ("Ali", 0)
    described = {v["name"]: v for book in made.manifest["codebooks"] for v in book["variables"]}
    assert described[f"{wave}__person_2__job_1__y_rank"]["label"]["nl"] == "Één vraag (2, 1)"
    assert {name for name in data if "__person_" in name} <= described.keys()
    back = {path.suffix: path for path in files}
    written = pd.read_csv(back[".csv"], dtype=str, keep_default_na=False).set_index("study_id").loc[study_id]
    assert written[f"{wave}__person_2__job_1__y_text"] == "'" + str(SAID["text"])
    assert written[f"{wave}__x_datetime"] == SAID["datetime"]
    for kind, read in ((".dta", pyreadstat.read_dta), (".sav", pyreadstat.read_sav)):
        table, about = read(str(back[kind]))
        names = dict(zip(data.columns, table.columns, strict=True))
        one = table.set_index("study_id").loc[study_id]
        assert one[names[f"{wave}__person_2__job_1__y_decimal"]] == 2.5
        assert one[names[f"{wave}__person_2__job_1__y_text"]] == SAID["text"]
        chosen = one[names[f"{wave}__person_2__job_1__y_select_one"]]
        assert (
            about.variable_value_labels[names[f"{wave}__person_2__job_1__y_select_one"]][chosen] == "Keuze é part-time"
        )
