"""Headers, sizes, hosts, languages, error pages, health and the log: what holds for every page alike."""

from __future__ import annotations

import json
import re

import pytest
from flask import Blueprint, abort, flash, g, request
from sqlalchemy import select

from pilot import log
from pilot.models import Pilot
from pilot.web import device, wording
from pilot.web.rules import rule
from pilot.web.state import state

SITE = "https://pilot.example.org"


@pytest.fixture
def pages(house):
    bp = Blueprint("pages", __name__)

    @bp.get("/fails/<int:status>")
    @rule.public
    def fails(status: int) -> None:
        abort(status)

    @bp.post("/form")
    @rule.public
    def form() -> str:
        return str(len(request.form))

    @bp.get("/door/<token>")
    @rule.public
    def link(token: str) -> str:
        flash(f"{g.now:%Y-%m-%d}")
        return "opened"

    house.app.config["WTF_CSRF_ENABLED"] = False
    house.app.register_blueprint(bp)
    return house


@pytest.mark.parametrize("path", ["/", "/login", "/nowhere", "/static/adviespilot.css", "/healthz"])
def test_no_page_lets_a_browser_run_what_is_not_ours(house, path):
    with house.visitor().get(path) as answer:
        headers = answer.headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


def test_pages_are_not_kept_by_browsers_and_static_files_are(house):
    client = house.visitor()
    page = client.get("/")
    assert page.headers["Cache-Control"] == "private, no-store"
    (style,) = re.findall(r'href="(/static/adviespilot.css\?v=[0-9a-f]+)"', page.text)
    with client.get(style) as answer:
        assert "max-age=2592000" in answer.headers["Cache-Control"]


def test_no_page_holds_a_script_or_a_style_of_its_own(house):
    staff = house.signed_in("advisor@noord.nl")
    for client, path in ((house.visitor(), "/"), (house.visitor(), "/login"), (staff, "/desk")):
        page = client.get(path).text
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page)


def test_https_is_demanded_where_the_site_has_it(new_house, house):
    secure = new_house(kind="production", base_url=SITE)
    answer = secure.visitor().get("/", base_url=SITE)
    assert "max-age=63072000" in answer.headers["Strict-Transport-Security"]
    assert "Strict-Transport-Security" not in house.visitor().get("/").headers


def test_a_name_that_is_not_ours_gets_no_answer(new_house):
    secure = new_house(kind="production", base_url=SITE)
    assert secure.visitor().get("/login", base_url="https://elsewhere.example").status_code == 400


def test_addresses_of_visitors_are_taken_from_our_own_proxy_only(new_house):
    seen = {}
    for hops in (0, 1):
        house = new_house(proxy_hops=hops)
        bp = Blueprint("who", __name__)

        @bp.get("/who")
        @rule.public
        def who() -> str:
            return str(request.remote_addr)

        house.app.register_blueprint(bp)
        seen[hops] = house.visitor().get("/who", headers={"X-Forwarded-For": "203.0.113.9"}).text
    assert seen == {0: "127.0.0.1", 1: "203.0.113.9"}


def test_a_long_survey_page_is_accepted_and_a_flood_is_not(pages):
    client = pages.visitor()
    assert client.post("/form", data={f"q{n}": "antwoord" for n in range(3_000)}).text == "3000"
    assert client.post("/form", data={"q": "x" * 2_000_000}).status_code == 413
    head = b'--edge\r\nContent-Disposition: form-data; name="file"; filename="list.csv"\r\n\r\n'
    for size, status in ((4_000_000, 200), (17_000_000, 413)):
        body = head + b"x" * size + b"\r\n--edge--\r\n"
        assert client.post("/form", data=body, content_type="multipart/form-data; boundary=edge").status_code == status


@pytest.mark.parametrize("status", sorted(set(wording.BY_STATUS) - {409, 410}))
def test_every_error_is_a_page_in_plain_words_in_both_languages(pages, status):
    texts = {}
    for language in ("nl", "en"):
        answer = pages.visitor().get(f"/fails/{status}?lang={language}")
        assert answer.status_code == status
        assert f'<html lang="{language}"' in answer.text
        assert pages.settings.help_phone in answer.text
        texts[language] = re.search(r"<h1>(.*?)</h1>", answer.text)[1]
    assert texts["nl"] != texts["en"]


def test_a_status_without_words_of_its_own_still_gets_a_page(pages):
    assert "We could not read this" in pages.visitor().get("/fails/418?lang=en").text
    assert pages.visitor().get("/fails/501?lang=en").status_code == 500


def test_who_asks_for_json_gets_json(pages):
    answer = pages.visitor().get("/nowhere", headers={"Accept": "application/json"})
    assert answer.json["error"] == 404


def test_a_page_that_cannot_be_posted_to_says_how_it_can_be_used(pages):
    answer = pages.visitor().post("/")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize(
    ("asked", "language"),
    [({}, "nl"), ({"headers": {"Accept-Language": "en-GB,en;q=0.9"}}, "en"), ({"query_string": {"lang": "en"}}, "en"),
     ({"query_string": {"lang": "xx"}}, "nl"), ({"headers": {"Accept-Language": "tlh"}}, "nl")],
)  # fmt: skip
def test_a_page_speaks_the_language_of_its_reader(house, asked, language):
    assert f'<html lang="{language}" dir="ltr"' in house.visitor().get("/", **asked).text


def test_a_language_that_was_chosen_is_kept(house):
    client = house.visitor()
    client.get("/?lang=en")
    assert '<html lang="en"' in client.get("/").text


def test_the_other_language_is_one_link_away_and_keeps_the_page(house):
    page = house.visitor().get("/login?next=/desk").text
    assert 'href="/login?next=%2Fdesk&amp;lang=en"' in page


def test_dates_numbers_and_money_are_written_as_the_reader_does(house):
    said = ("when|day", "when|moment('short')", "1234.5|number(1)", "0.123|percent(1)", "250000|euros")
    template = " / ".join(f"{{{{ {one} }}}}" for one in said)
    written = {}
    for language in ("nl", "en"):
        with house.app.test_request_context(f"/?lang={language}"):
            written[language] = house.app.jinja_env.from_string(template).render(when=house.now).replace("\xa0", " ")
    assert written["nl"] == "2 maart 2026 / 02-03-2026, 10:00 / 1.234,5 / 12,3% / € 2.500,00"
    assert written["en"].replace("\u202f", " ") == "2 March 2026 / 02/03/2026, 10:00 / 1,234.5 / 12.3% / €2,500.00"


def test_alive_needs_no_database_and_ready_does(house):
    client = house.visitor()
    assert client.get("/readyz").json == {"status": "ready"}
    (house.settings.home / "pilot.sqlite3").unlink()
    house.database.dispose()
    assert client.get("/healthz").json == {"status": "ok"}
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["reason"]) == (503, "settings")


def test_a_request_has_a_number_that_its_answer_and_its_line_in_the_log_share(pages, caplog):
    caplog.set_level("INFO", logger="pilot.web")
    answer = pages.visitor().get("/healthz", headers={"X-Request-ID": "from-the-proxy-1"})
    assert answer.headers["X-Request-ID"] == "from-the-proxy-1"
    strange = pages.visitor().get("/healthz", headers={"X-Request-ID": "x; drop table"})
    assert re.fullmatch(r"[0-9a-f]{16}", strange.headers["X-Request-ID"])
    lines = [json.loads(log.Lines().format(record)) for record in caplog.records]
    assert [line["request_id"] for line in lines] == ["from-the-proxy-1", strange.headers["X-Request-ID"]]


def test_the_log_holds_no_token_no_question_and_no_form(pages, caplog):
    caplog.set_level("DEBUG")
    client = pages.visitor()
    client.get("/door/geheim-van-jansen?naam=Jansen")
    client.get("/onbekend/Jansen?tel=0612345678")
    client.post("/form", data={"naam": "Jansen"})
    lines = [log.Lines().format(record) for record in caplog.records]
    assert [json.loads(line)["path"] for line in lines] == ["/door/***", "(unknown)", "/form"]
    assert not [line for line in lines if "ansen" in line or "0612345678" in line]


def test_a_demo_says_that_it_is_one(new_house, house):
    assert "verzonnen" in new_house(kind="demo").visitor().get("/").text
    assert "verzonnen" not in house.visitor().get("/").text


def test_a_demos_pilot_runs_on_its_own_clock_and_a_real_one_does_not(new_house):
    for kind, ahead in (("demo", 3600), ("production", 0)):
        house = new_house(kind=kind, base_url=SITE)
        with house.database.writing() as session:
            pilot = session.scalar(select(Pilot).where(Pilot.slug == "noord"))
            assert pilot is not None
            pilot.clock_shift = 3600
        assert (state(house.app).now(pilot) - house.now).total_seconds() == ahead


def test_the_mark_of_a_device_travels_over_https_only_and_belongs_to_one_host(new_house):
    house = new_house(kind="production", base_url=SITE)

    @house.app.get("/mark")
    @rule.public
    def mark() -> str:
        device.give()
        return device.known() or "no mark"

    client = house.visitor()
    answer = client.get("/mark", base_url=SITE)
    (told,) = [text for text in answer.headers.getlist("Set-Cookie") if "device" in text]
    assert told.startswith("__Host-device=")
    for word in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/", f"Max-Age={device.DAYS * 24 * 3600}"):
        assert word in told
    assert "Domain" not in told
    assert (answer.text, len(client.get("/mark", base_url=SITE).text)) == ("no mark", 32)
