"""A cheap telephone on a slow line, a large letter, no mouse, no script, no sound: the pages work all the same."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from showcase import showcase
from small_pilot import person
from visitors import Doors, answers_to

KILOBYTE = 1024
MOST = 60 * KILOBYTE


@pytest.fixture
def address(doors: Doors, serve: Callable) -> str:
    return serve(doors.app)


def press(page: Page, words: str) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name=words).click()


def test_the_first_page_with_all_its_files_is_under_sixty_kilobytes(doors: Doors):
    """What goes over the line to a browser that reads gzip; the page itself is sent as it is."""
    client, base = doors.app.test_client(), doors.site.settings.base_url
    headers = {"Accept-Encoding": "gzip"}
    page = client.get(f"/p/{doors.site.slug}", base_url=base, headers=headers)
    files = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text))
    weights = {file: len(client.get(file, base_url=base, headers=headers).data) for file in files}
    assert len(files) >= 5
    assert sum(weights.values()) + len(page.data) < MOST, weights


def test_a_browser_that_reads_no_gzip_gets_the_same_style(doors: Doors):
    client, base = doors.app.test_client(), doors.site.settings.base_url
    with client.get("/static/adviespilot.css", base_url=base) as plain:
        style = plain.data
    packed = client.get("/static/adviespilot.css", base_url=base, headers={"Accept-Encoding": "gzip"})
    assert plain.headers.get("Content-Encoding") is None
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert gzip.decompress(packed.data) == style


def test_somebody_takes_part_with_the_keyboard_alone(desktop_page: Page, doors: Doors, address: str):
    page = desktop_page
    page.goto(f"{address}/p/{doors.site.slug}")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    press_until(page, "Begin")
    for _ in range(5):
        answer_by_keys(page)
        press_until(page, "Verder")
    expect(page.locator("h1")).to_have_text("In welk deel van Nederland woont u?")
    press_until(page, "Verder")
    expect(page).to_have_title(re.compile("^Fout: In welk deel"))
    expect(page.locator(".errors")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    press_until(page, "Verder")
    expect(page.locator("h1")).to_have_text("Kijk uw antwoorden na")


def press_until(page: Page, words: str) -> None:
    """Tabs on to the button with these words, and presses it; what has the focus can be seen."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == words:
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
            with page.expect_navigation():
                page.keyboard.press("Enter")
            return
    raise AssertionError(f"the keyboard never came to '{words}' on {page.url}")


def answer_by_keys(page: Page) -> None:
    """Fills in the question on the page as a person without a mouse does."""
    first = page.locator("main form :is(input[type=text], input[type=radio])")
    if first.count() == 0:
        return
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('main form input')"):
            break
    for value in answers_to(page.content(), person(1), {}).values():
        if page.evaluate("document.activeElement.type") == "radio":
            page.keyboard.press("Space")
            for _ in range(20):
                if page.evaluate("document.activeElement.value") == value:
                    return
                page.keyboard.press("ArrowDown")
        page.keyboard.type(str(value))
        page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")


TOO_WIDE = """(width) => [...document.querySelectorAll("body *")]
  .filter((one) => one.getBoundingClientRect().right > width && !one.closest(".unseen, .skip"))
  .map((one) => one.outerHTML.slice(0, 80))"""


@pytest.mark.parametrize("width", [320, 640])
def test_at_twice_the_size_nothing_falls_off_the_page(new_page, doors: Doors, address: str, width: int):
    """A window of 1280 or 640 points at 200% or 400% shows so many points; besides, the letters alone are doubled."""
    page: Page = new_page(viewport={"width": width, "height": 512}, is_mobile=False, has_touch=False)
    page.goto(f"{address}/p/{doors.site.slug}")
    press(page, "Begin")
    press(page, "Verder")
    for _ in range(3):
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert page.evaluate(TOO_WIDE, width) == [], page.url
        for button in page.locator("main button:visible").all():
            box = button.bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width
        for name, value in answers_to(page.content(), person(1), {}).items():
            field = page.locator(f'[name="{name}"]').first
            if field.get_attribute("type") == "radio":
                page.locator(f'[name="{name}"][value="{value}"]').check()
            else:
                field.fill(str(value))
        press(page, "Verder")


def test_without_a_line_what_was_typed_stays_and_goes_when_the_line_is_back(page: Page, doors: Doors, address: str):
    page.goto(f"{address}/p/{doors.site.slug}")
    press(page, "Begin")
    press(page, "Verder")
    for part, value in (("day", "3"), ("month", "7"), ("year", "1985")):
        page.locator(f"#birth_date-{part}").fill(value)
    page.context.set_offline(True)
    page.get_by_role("button", name="Verder").click()
    expect(page.locator(".offline")).to_contain_text("Er is nu geen verbinding")
    page.context.set_offline(False)
    page.reload()
    expect(page.locator("#birth_date-year")).to_have_value("1985")
    page.get_by_role("button", name="Verder").click()
    expect(page.locator("h1")).to_contain_text("Welke school")
    page.go_back()
    assert page.evaluate("sessionStorage.length") == 0


def test_what_was_typed_before_somebody_else_answered_does_not_come_back(page: Page, doors: Doors, address: str):
    page.goto(f"{address}/p/{doors.site.slug}")
    press(page, "Begin")
    press(page, "Verder")
    for part, value in (("day", "4"), ("month", "8"), ("year", "1991")):
        page.locator(f"#birth_date-{part}").fill(value)
    other = page.context.new_page()
    other.goto(page.url)
    for part, value in (("day", "3"), ("month", "7"), ("year", "1985")):
        other.locator(f"#birth_date-{part}").fill(value)
    press(other, "Verder")
    page.reload()
    expect(page.locator("#birth_date-year")).to_have_value("1985")


SPOKEN = """
window.heard = [];
speechSynthesis.speak = (words) => window.heard.push([words.lang, words.text]);
"""


def test_a_page_is_read_aloud_and_each_text_in_its_own_language(new_page, new_site, open_doors, serve, tmp_path):
    doors = open_doors(new_site(protocol=showcase(tmp_path / "p"), settings={"protocols": tmp_path / "p"}))
    page: Page = new_page(locale="ar")
    page.add_init_script(SPOKEN)
    page.goto(f"{serve(doors.app)}/p/{doors.site.slug}?lang=ar")
    press(page, "ابدأ")
    press(page, "التالي")
    page.locator("button.read").click()
    heard = page.evaluate("heard")
    assert ["nl", "Wanneer bent u geboren?"] in heard
    assert ["ar", "اليوم"] in heard
    expect(page.locator("button.read")).to_have_attribute("aria-pressed", "true")
    page.locator("button.read").click()
    expect(page.locator("button.read")).to_contain_text("اقرأ لي هذه الصفحة")


def test_without_scripts_nothing_is_offered_that_does_not_work(page_without_javascript, doors: Doors, address: str):
    page = page_without_javascript
    page.goto(f"{address}/p/{doors.site.slug}")
    press(page, "Begin")
    expect(page.locator("button.read")).to_be_hidden()
    expect(page.locator(".offline")).to_be_hidden()
    press(page, "Verder")
    press(page, "Verder")
    expect(page).to_have_title(re.compile("^Fout: "))
