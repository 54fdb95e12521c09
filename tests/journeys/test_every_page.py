"""Every page that somebody who takes part can meet: accessible, narrow enough, and right in each language."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from screens import Screen, open_screen
from showcase import DRAWING, showcase
from small_pilot import FOLDER, START, changed, person
from sqlalchemy import select
from visitors import Doors

from pilot import access, locking
from pilot.catalogue import offers
from pilot.imports import rows_of
from pilot.models import Consent, GiftCard, Message, Participant
from pilot.post.wording import compose

GIVEN = {
    "story": "Ik werk in een magazijn.", "distance": "12", "town": "t3", "order-computer": "1", "order-taal": "2",
    "order-lassen": "3", "start_work": "8:30", "last_talk-day": "3", "last_talk-month": "2", "last_talk-year": "2026",
    "last_talk-time": "14:00", "child.1": "yes", "child.2": "no", "child.1.child_age": "7",
}  # fmt: skip


@pytest.fixture
def doors(new_site, tmp_path, open_doors) -> Doors:
    protocol = showcase(tmp_path / "protocols")
    return open_doors(new_site(protocol=protocol, settings={"protocols": tmp_path / "protocols"}))


def every_page(screen: Screen, doors: Doors, language: str) -> None:
    """From the first page to the last, with an error on each kind of page, and the pages beside the way.

    At the end the person stops, and the link of before tells so (`e`).
    """
    slug = doors.site.slug
    screen.open(f"/?lang={language}").open(f"/p/{slug}?lang={language}").fill({"code": "ZZZZ9999"})
    screen.open(f"/p/{slug}/resume").fill({"code": "AAAAAA"}).open(f"/p/{slug}/data")
    screen.open(f"/p/{slug}").fill({})
    screen.go_on("q/birth_date").fill({}).go_on("q/schooling").fill({}).go_on("check").go_on("consent").fill({})
    screen.go_on("contact").fill({"name": "", "phone": "12"}).go_on("q/child.1.child_age", GIVEN)
    screen.fill({"child.1.child_age": "400"}).go_on("check", GIVEN)
    screen.open(screen.page.url.replace("check/baseline", "later")).page.go_back()
    screen.go_on("next", GIVEN)
    first, privacy = screen.page.url, screen.page.locator("a[href*='/privacy/']").get_attribute("href")
    screen.page.locator("a[href*='/portal/']").click()
    screen.look().open(screen.page.url + "?words=xyzzy").open(f"{first}x").open(privacy or "")
    screen.press("degree", "no_data").open(first.removesuffix("/next"))


KINDS = {
    "p/ontwikkeladvies", "p/ontwikkeladvies/start", "p/ontwikkeladvies/resume", "q/welcome", "q/birth_date",
    "q/schooling", "check", "consent", "contact", "q/story", "q/mark", "q/distance", "q/town", "q/order", "q/wishes",
    "q/start_work", "q/last_talk", "q/agreed", "q/vehicle", "q/child.1", "q/child.1.child_age", "later", "draw",
    "next", "portal", "privacy", "e", "p/ontwikkeladvies/data",
}  # fmt: skip


@pytest.mark.heavy
@pytest.mark.parametrize("language", ["nl", "en", "ar"])
def test_every_page_of_participants_is_accessible_and_fits_a_small_phone(
    new_page, doors: Doors, serve, axe, artefacts, language: str
):
    page: Page = new_page(viewport={"width": 320, "height": 640}, locale=language)
    screen = open_screen(page, doors, serve, axe, folder=artefacts, name=f"page-{language}")
    every_page(screen, doors, language)
    assert set(screen.kinds) >= KINDS
    expect(page.locator("html")).to_have_attribute("dir", "rtl" if language == "ar" else "ltr")


@pytest.mark.heavy
@pytest.mark.parametrize("language", ["nl", "en", "ar"])
def test_the_pages_beside_the_way_are_accessible_too(new_page, doors: Doors, serve, axe, artefacts, language: str):
    """Other help, a no, an offer of training, the statement of the advice, and links that are too old or forged."""
    site, start = doors.site, START.date()
    young = person(7, birth_date=start.replace(year=start.year - 17))
    helped = doors.visitor(young).start().go_on("other-help").path
    declined = doors.visitor(8).start().go_on("consent").send(participate="no", linkage="no").path
    told = doors.visitor(9).start().go_on("next", GIVEN)
    with site.writing() as (session, pilot):
        offers.import_rows(session, rows_of(FOLDER / "catalogue.csv"), actor_id=None, pilot=pilot, now=START)
        participant = session.scalars(select(Participant).order_by(Participant.id.desc())).first()
        assert participant is not None
        statement = access.link_token(site.settings.secret_key, participant, "statement", now=START)
    portal = told.link("/portal/")
    offer = doors.visitor().open(portal).link(f"{portal}/")
    page: Page = new_page(viewport={"width": 320, "height": 640}, locale=language)
    screen = open_screen(page, doors, serve, axe, folder=artefacts, name=f"beside-{language}")
    screen.open(f"/p/{site.slug}?lang={language}")
    for path in (helped, declined, portal, offer, f"/statement/{statement}", f"{told.path}x"):
        screen.open(path)
    doors.now = START + timedelta(days=access.LINK_DAYS["enrol"] + 1)
    screen.open(told.path)
    assert len(screen.kinds) == 8
    expect(page.locator("html")).to_have_attribute("lang", language)


@pytest.mark.heavy
@pytest.mark.parametrize("language", ["nl", "en", "ar"])
def test_the_pages_of_an_address_and_of_a_gift_card_are_accessible_too(
    new_page, new_site, open_doors, serve, axe, language
):
    def with_letters(data: dict[str, Any]) -> None:
        data["pilot"]["interface_languages"] = ["ar"]
        for wave in data["waves"][1:]:
            wave["channels"] = ["letter", "email", "sms"]

    doors = open_doors(new_site(protocol=changed(with_letters)))
    page: Page = new_page(viewport={"width": 320, "height": 640}, locale=language)
    screen = open_screen(page, doors, serve, axe)
    screen.open(f"/p/{doors.site.slug}?lang={language}").fill({}).go_on("address").fill({"town": "Voorbeeld"})
    screen.fill({"postcode": "1234 AB", "house_number": "12", "street": "Kanariestraat", "town": "Voorbeeld"})
    screen.go_on("next")
    with doors.site.writing() as (session, pilot):
        person_ = session.scalars(select(Participant)).one()
        given = {"participant_id": person_.id, "wave": "followup_3m", "imported_at": START, "issued_at": START}
        session.add(GiftCard(pilot_id=pilot.id, code="AAA-1", code_hash="0" * 64, amount_cents=1000, **given))
        session.flush()
        link = access.link_token(doors.site.settings.secret_key, person_, "gift", now=START, wave="followup_3m")
    screen.open(f"/gift/{link}").fill({})
    expect(page.locator("main")).to_contain_text("AAA-1")
    assert {"address", "gift"} <= set(screen.kinds)
    expect(page.locator("html")).to_have_attribute("dir", "rtl" if language == "ar" else "ltr")


def test_the_first_pages_are_accessible_from_right_to_left(new_page, doors: Doors, serve, axe):
    page: Page = new_page(viewport={"width": 320, "height": 640}, locale="ar")
    screen = open_screen(page, doors, serve, axe, briefly=True)
    screen.open(f"/p/{doors.site.slug}?lang=ar").fill({}).go_on("q/birth_date").fill({}).go_on("contact")
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    assert {"q/birth_date", "q/schooling", "check", "consent", "contact"} <= set(screen.kinds)


def test_a_wrong_page_in_arabic_says_one_thing_and_several_in_the_right_form(doors: Doors):
    visitor = doors.visitor().open(f"/p/{doors.site.slug}?lang=ar").send().go_on("birth_date").send()
    assert "شيء واحد غير صحيح بعد" in visitor.page
    visitor.go_on("contact").send(name="", phone="", email="")
    assert "شيئان غير صحيحين بعد" in visitor.page


def test_a_dutch_question_in_an_arabic_page_says_that_it_is_dutch_and_its_title_does_not_hold_marks(doors: Doors):
    visitor = doors.visitor().open(f"/p/{doors.site.slug}?lang=ar").send().go_on("birth_date")
    assert '<html lang="ar" dir="rtl"' in visitor.page
    assert '<span lang="nl" dir="ltr">Wanneer bent u geboren?</span>' in visitor.page
    assert "<title>Wanneer bent u geboren?" in visitor.page
    english = visitor.open(f"{visitor.path}?lang=en")
    assert 'lang="nl"' not in english.page.partition("<main")[2]


def test_a_pilot_offers_only_the_languages_of_its_protocol(new_site, tmp_path, open_doors):
    protocol = showcase(tmp_path / "some", languages=("tr",))
    few = open_doors(new_site(protocol=protocol))
    visitor = few.visitor().open(f"/p/{few.site.slug}?lang=ar")
    assert '<html lang="nl"' in visitor.page
    assert 'hreflang="tr"' in visitor.page
    assert 'hreflang="ar"' not in visitor.page


def test_consent_in_arabic_pages_is_kept_with_the_language_that_was_read(doors: Doors):
    doors.visitor().open(f"/p/{doors.site.slug}?lang=ar").send().go_on("contact")
    with doors.site.reading() as (session, _pilot):
        assert {row.language for row in session.scalars(select(Consent))} == {"nl"}
        assert session.scalars(select(Participant)).one().language == "ar"


def test_a_person_who_reads_arabic_gets_messages_in_dutch_and_no_page_is_lost(doors: Doors):
    visitor = doors.visitor().open(f"/p/{doors.site.slug}?lang=ar").send().go_on("next", GIVEN)
    assert visitor.status == 200
    with doors.site.reading() as (session, pilot):
        _version, protocol = locking.in_force(session, pilot.id)
        message = session.scalars(select(Message)).one()
        letter = compose(session, doors.site.settings, pilot, protocol, message, now=doors.now)
    assert letter is not None
    assert letter.subject


def test_a_picture_is_shown_as_it_was_locked_and_no_other_file_is(doors: Doors):
    client, slug, base = doors.app.test_client(), doors.site.slug, doors.site.settings.base_url
    good = client.get(f"/p/{slug}/media/bus.svg", base_url=base)
    assert (good.status_code, good.mimetype, good.text) == (200, "image/svg+xml", DRAWING)
    assert client.get(f"/p/{slug}/media/protocol.yaml", base_url=base).status_code == 404
    (doors.site.settings.protocols / slug / "media" / "bus.svg").write_text(DRAWING.replace("<circle", "<text"))
    assert client.get(f"/p/{slug}/media/bus.svg", base_url=base).status_code == 404
