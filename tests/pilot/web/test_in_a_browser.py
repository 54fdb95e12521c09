"""The shared parts of the pages in a real Chromium: accessible, within 320 pixels, whole without scripts."""

from __future__ import annotations

import pytest
from flask import Blueprint, render_template_string

from pilot.web.rules import rule

QUESTION = """{% extends "base_participant.html" %}
{% from "macros/forms.html" import start, text, area, choices, date, tick with context %}
{% from "macros/forms.html" import pick, file, submit, error_summary with context %}
{% block title %}Vraag{% endblock %}
{% set back_url = "/" %}{% set progress = (4, 18) %}
{% block content %}
  {{ error_summary(errors) }}
  {% call start(nonce="a-mark-of-this-form") %}
    {{ choices("work", "Hebt u werk?", [("a", "Ja"), ("b", "Nee", "Ook geen uren")], chosen="b", hint="Tel alles mee.",
               error=errors and "Kies iets.", heading=True) }}
    {{ date("born", "Wanneer bent u geboren?", ("31", "2", "1985"), birth=True,
            error=errors and "Deze datum bestaat niet.") }}
    {{ text("phone", "Telefoonnummer", "06", hint="Alleen hiervoor.", type="tel", autocomplete="tel", optional=True) }}
    {{ choices("learn", "Wat wilt u leren?", [("x", "Lezen"), ("y", "Schrijven")], chosen=["x"], several=True,
               beside=True) }}
    {{ pick("region", "Regio", [("n", "Noord"), ("z", "Zuid")], chosen="z", none_label="Kies") }}
    {{ area("more", "Nog iets?") }}{{ file("list", "Bestand") }}{{ tick("read", "Gelezen", hint="Alles") }}
    {{ submit("Volgende") }}{{ submit("Later", kind="quiet", name="later", value="yes") }}
  {% endcall %}
{% endblock %}"""
ROOM = """{% extends "base.html" %}
{% from "macros/tables.html" import table, facts %}{% from "macros/notices.html" import notice, state %}
{% block title %}Kamer{% endblock %}
{% block content %}
  <h1>Kamer</h1>
  {% for kind in ("info", "good", "warning", "wrong") %}
    {% call notice(kind, "Let op") %}<p>Tekst</p>{% endcall %}
  {% endfor %}
  {{ facts([("Regio", "Noord")]) }}
  {{ table("Regio's", [("Regio", "text"), ("Mensen", "number"), ("Stand", "text")],
           [("Noord", 12, state("good", "goed")), ("Zuid", 3, state("warning", "laat")),
            ("Oost", 4, state("wrong", "mis"))]) }}
  <p class="deeds">
    <button>Doen</button><a class="button secondary" href="/">Terug</a><button class="danger">Weg</button>
  </p>
{% endblock %}"""
ERRORS = [("work-1", "Kies iets."), ("born-day", "Deze datum bestaat niet.")]


@pytest.fixture
def site(house, serve):
    bp = Blueprint("parts", __name__)

    @bp.get("/question")
    @rule.public
    def question() -> str:
        return render_template_string(QUESTION, errors=[])

    @bp.get("/wrong")
    @rule.public
    def wrong() -> str:
        return render_template_string(QUESTION, errors=ERRORS)

    @bp.get("/room")
    @rule.signed_in
    def room() -> str:
        return render_template_string(ROOM)

    house.app.register_blueprint(bp)
    return serve(house.app)


def fits(page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("path", ["/", "/wrong", "/login", "/nowhere"])
def test_pages_for_visitors_are_accessible_and_fit_the_smallest_telephone(site, new_page, axe, path):
    page = new_page(viewport={"width": 320, "height": 640})
    page.goto(site + path)
    assert axe(page) == []
    assert fits(page)


def test_pages_of_staff_are_accessible_on_telephone_and_desk(house, site, page, desktop_page, axe):
    cookie = house.signed_in("advisor@noord.nl").get_cookie("session").value
    for screen, paths in ((page, ("/room", "/tf-setup", "/desk")), (desktop_page, ("/room",))):
        screen.context.add_cookies([{"name": "session", "value": cookie, "url": site}])
        for path in paths:
            screen.goto(site + path)
            assert screen.url == site + path
            assert axe(screen) == []
            assert fits(screen)


def test_what_is_not_right_gets_the_focus_and_leads_to_its_field(site, page):
    page.goto(site + "/wrong")
    page.wait_for_function("document.activeElement.className === 'errors'")
    page.click("text=Deze datum bestaat niet. >> nth=0")
    assert page.evaluate("document.activeElement.id") == "born-day"


def test_everything_that_is_touched_is_large_enough(site, page):
    page.goto(site + "/question")
    sizes = page.evaluate(
        "[...document.querySelectorAll("
        "'.choice label, button, .field input[type=text], select, .languages a, .back, .phone')]"
        ".map(e => [e.className || e.tagName, e.getBoundingClientRect().height])"
    )
    assert [size for size in sizes if size[1] < 44] == []


def test_the_pages_work_without_scripts(site, page_without_javascript):
    page = page_without_javascript
    page.goto(site + "/login?lang=en")
    page.fill("#email", "advisor@noord.nl")
    page.fill("#password", "vier woorden die ik onthoud")
    page.click("main button")
    page.wait_for_url("**/desk")
    page.click("text=Sign out")
    page.wait_for_url(site + "/")
