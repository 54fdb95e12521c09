"""Every route has a rule, and the rule lets in whom the table says: route x role x own and other pilot.

The matrix is made from the app's own list of routes, so a new page is in it from its first day; a page whose path holds
a word that this file does not know fails until somebody says here what may stand there.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask, g
from werkzeug.routing import Rule as Route

from pilot import access, schema
from pilot.app import create_app
from pilot.errors import LinkExpired, NotYours
from pilot.models import ROLES, Membership, Organisation, Participant, Pilot, User
from pilot.settings import load
from pilot.web import rules
from pilot.web.auth import LIBRARY_RULES

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PILOTS = ("noord", "zuid")
# What may stand in a path. Apart from the first three, none of these words decides about access.
VALUES = {
    "slug": "noord",
    "study_id": "P-noord",
    "token": "no-genuine-link",
    "filename": "adviespilot.css",
    "wave": "baseline",
    "key": "q1",
    "question": "q1",
    "code": "AAAA-BBBB",
    "name": "final",
    "number": "1",
    "mode": "phone",
}


@dataclass(frozen=True, slots=True)
class Site:
    app: Flask
    people: dict[str, int]

    def routes(self) -> list[Route]:
        return [route for route in self.app.url_map.iter_rules() if route.endpoint != "static"]


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Site]:
    """Two pilots, each with one person in every role and one participant; and one administrator of everything."""
    settings = load({}, home=tmp_path_factory.mktemp("routes"), kind="test", base_url="http://localhost")
    app = create_app(settings, clock=lambda: NOW)
    app.config["WTF_CSRF_ENABLED"] = False
    database = app.extensions["adviespilot"].database
    schema.upgrade(database)
    people = {}
    with database.writing() as session:
        for number, slug in enumerate(PILOTS, 1):
            session.add(Pilot(id=number, slug=slug, title={"nl": slug}, status="running", mode="live", created_at=NOW))
            session.add(Organisation(id=number, name=f"Loket {slug}"))
            session.flush()
            person = Participant(pilot_id=number, mode="live", study_id=f"P-{slug}", nonce=slug, outreach_arm="open")
            person.language, person.created_at, person.organisation_id = "nl", NOW, number
            session.add(person)
        for role, number in [*((role, number) for role in ROLES for number in (1, 2)), ("administrator", None)]:
            name = f"{role} of {PILOTS[number - 1] if number else 'everything'}"
            user = User(email=f"{name.replace(' ', '.')}@huis.nl", active=True, fs_uniquifier=name)
            user.memberships = [Membership(role=role, pilot_id=number, organisation_id=number)]
            session.add(user)
            session.flush()
            people[name] = user.id
    yield Site(app, people)
    database.dispose()


def path_of(site: Site, route: Route, **other: str) -> str:
    values = {}
    for word in route.arguments:
        numbered = type(route._converters[word]).__name__ == "IntegerConverter"
        assert numbered or word in VALUES, f"{route.rule}: say in VALUES of tests/rules/test_routes.py what <{word}> is"
        values[word] = {**VALUES, **other}.get(word, 1) if not numbered else 1
    with site.app.test_request_context():
        return site.app.url_for(route.endpoint, **values)


def method_of(route: Route) -> str:
    return "POST" if "GET" not in (route.methods or ()) else "GET"


def answer(site: Site, path: str, method: str, who: str | None) -> str:
    """What the door says: `in`, `sign in`, `not found` or `expired`. The page behind it is not opened."""
    with site.app.test_request_context(path, method=method):
        g.user = g.session.get(User, site.people[who]) if who else None
        try:
            return "in" if rules.enforce(site.app) is None else "sign in"
        except NotYours:
            return "not found"
        except LinkExpired:
            return "expired"


def expected(rule: rules.Rule, route: Route, role: str, where: str) -> str:
    """What the table of capabilities says about somebody with this role in that pilot, asking in pilot `noord`."""
    if rule.kind in ("public", "signed_in"):
        return "in"
    if rule.kind == "token":
        return "not found"
    scoped = {"slug", "study_id"} & route.arguments
    reaches = where == "everything" or (bool(scoped) and where == "noord")
    if not (reaches and role in access.CAPABILITIES[rule.subject]):
        return "not found"
    nobody_of_theirs = where == "everything" and role in access.WITHIN_ORGANISATION
    return "not found" if nobody_of_theirs and "study_id" in route.arguments else "in"


def test_every_route_carries_a_rule_or_is_a_librarys_and_listed(site):
    without = []
    for route in site.app.url_map.iter_rules():
        try:
            rules.rule_of(site.app, route.endpoint)
        except rules.NoRule:
            without.append(route.endpoint)
    assert without == []


def test_the_list_for_libraries_names_only_routes_that_are_there(site):
    assert set(LIBRARY_RULES) <= {route.endpoint for route in site.app.url_map.iter_rules()}
    own = {endpoint for endpoint, view in site.app.view_functions.items() if hasattr(view, "rule")}
    assert set(LIBRARY_RULES) & own == set()


def test_a_rule_for_a_link_has_a_token_in_its_path_and_a_public_page_has_no_person(site):
    for route in site.routes():
        rule = rules.rule_of(site.app, route.endpoint)
        if rule.kind == "token":
            assert "token" in route.arguments, route.rule
        if rule.kind in ("public", "token", "signed_in"):
            assert "study_id" not in route.arguments, route.rule


def test_whoever_has_not_signed_in_gets_only_public_pages(site):
    wrong = {}
    for route in site.routes():
        rule = rules.rule_of(site.app, route.endpoint)
        due = {"public": "in", "token": "not found"}.get(rule.kind, "sign in")
        if (found := answer(site, path_of(site, route), method_of(route), None)) != due:
            wrong[route.rule] = (found, due)
    assert wrong == {}


def test_every_role_gets_what_the_table_says_in_the_own_pilot_and_nothing_in_another(site):
    wrong = {}
    for route in site.routes():
        rule, path = rules.rule_of(site.app, route.endpoint), path_of(site, route)
        for who in site.people:
            role, _, where = who.partition(" of ")
            due = expected(rule, route, role, where)
            if (found := answer(site, path, method_of(route), who)) != due:
                wrong[f"{route.rule} for {who}"] = (found, due)
    assert wrong == {}


def test_a_participant_of_another_pilot_is_never_found_under_the_own_one(site):
    people_pages = [route for route in site.routes() if "study_id" in route.arguments]
    found = {
        f"{route.rule} for {who}"
        for route in people_pages
        for who in site.people
        if who.endswith("of noord")
        and answer(site, path_of(site, route, study_id="P-zuid"), method_of(route), who) == "in"
    }
    assert found == set()


def test_a_genuine_link_opens_the_pages_of_its_purpose_until_it_is_too_old(site):
    database, secret = site.app.extensions["adviespilot"].database, site.app.config["SECRET_KEY"]
    with database.reading() as session:
        person = session.get(Participant, 1)
        new = {purpose: access.link_token(secret, person, purpose, now=NOW) for purpose in access.LINK_DAYS}
        long_ago = NOW - timedelta(days=1_000)
        old = {purpose: access.link_token(secret, person, purpose, now=long_ago) for purpose in access.LINK_DAYS}
    wrong = []
    for route in site.routes():
        rule = rules.rule_of(site.app, route.endpoint)
        if rule.kind != "token":
            continue
        for purpose in access.LINK_DAYS:
            due = ("in", "expired") if purpose == rule.subject else ("not found", "not found")
            paths = [path_of(site, route, token=tokens[purpose]) for tokens in (new, old)]
            if tuple(answer(site, path, method_of(route), None) for path in paths) != due:
                wrong.append((route.rule, purpose))
    assert wrong == []


def test_refused_pages_answer_the_same_as_pages_that_are_not_there(site):
    """Through the front door this time: one refused person at each page that has a person or a pilot in its path."""
    wrong = []
    for route in site.routes():
        if rules.rule_of(site.app, route.endpoint).kind != "may" or not {"slug", "study_id"} & route.arguments:
            continue
        client = site.app.test_client()
        with client.session_transaction() as cookie:
            cookie.update(_user_id="policymaker of zuid", _fresh=True, fs_paa=time.time())
        path = path_of(site, route)
        not_there = path.replace("noord", "niets")
        answers = [client.open(one, method=method_of(route)) for one in (path, not_there)]
        # A form's token holds the second in which it was made.
        texts = [re.sub(r'name="csrf_token" value="[^"]*"', "", one.text) for one in answers]
        same = texts[0].replace("noord", "niets") == texts[1]
        if [one.status_code for one in answers] != [404, 404] or not same:
            wrong.append(route.rule)
    assert wrong == []


def test_pages_are_opened_or_posted_to_and_nothing_else(site):
    known = {"GET", "HEAD", "POST", "OPTIONS"}
    assert {route.rule: route.methods for route in site.routes() if not known >= (route.methods or set())} == {}
