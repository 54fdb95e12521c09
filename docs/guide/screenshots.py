"""The pictures of the guides, taken anew from a small demo in a real Chromium: `python3 run.py screenshots`.

The demo is built by the same code as `pilot demo`, in a temporary folder, with a fixed seed and a clock that stands
still, so that the pictures change only when the pages do. The site listens on this computer only, for as long as it
takes.

    python3 run.py screenshots        every picture, in docs/guide/img/

As a program of its own (`PYTHONPATH=. .venv/bin/python docs/guide/screenshots.py`) it also takes

    --only advisor                    the pictures of one role
    --home FOLDER                     keep the demo there, and use it again next time
"""

from __future__ import annotations

import argparse
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, FloatRect, Page, sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from pilot import demo, schema
from pilot.app import create_app
from pilot.db import Database
from pilot.settings import Settings, load
from tooling.programs import find_chromium
from tooling.running import ROOT

PICTURES = ROOT / "docs" / "guide" / "img"
NOW = datetime(2026, 11, 20, 10, 30, tzinfo=UTC)
SEED, PEOPLE, RECRUITING = 2026, 300, 48
PASSWORD = "tulp-fiets-molen-zeil-brug"  # noqa: S105  # of synthetic people, for as long as the pictures take
FINISHED, OPEN = "ontwikkeladvies", "ontwikkeladvies-noord"
LARGEST = 200_000
PATIENCE_MS = 60_000
MOST_PAGES = 80
MARGIN = 16
TALLEST = {360: 1000, 1280: 1000}
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)
WIDTHS: Mapping[int, dict[str, Any]] = {
    360: {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True, "device_scale_factor": 1.5},
    1280: {"viewport": {"width": 1280, "height": 900}},
}


@dataclass(frozen=True, slots=True)
class Shot:
    """A page of staff: who looks, at what, how wide, and, for a part of the page, which part."""

    name: str
    role: str
    path: str
    width: int = 1280
    part: str = ""


PERSON = f"/{OPEN}/caseload >> tbody th a"
ANSWERED = "kind=share&groups=2&base=15&gain=6&whom=takers"
# Adding a picture is adding a line. ` >> ` follows the first such link of the page before it.
SHOTS: tuple[Shot, ...] = (
    Shot("advisor-caseload", "advisor", f"/{OPEN}/caseload"),
    Shot("advisor-caseload", "advisor", f"/{OPEN}/caseload", 360),
    Shot("advisor-participant", "advisor", PERSON),
    Shot("advisor-participant", "advisor", PERSON, 360),
    Shot("advisor-talk", "advisor", f"{PERSON} >> .deeds a[href$='/talk']", 360),
    Shot("advisor-talk", "advisor", f"{PERSON} >> .deeds a[href$='/talk']"),
    Shot("interviewer-queue", "interviewer", f"/{OPEN}/interviews"),
    Shot("interviewer-call", "interviewer", f"/{OPEN}/interviews >> tbody th a"),
    Shot("researcher-flow", "researcher", f"/{FINISHED}/flow", part="#section-flow"),
    Shot("researcher-baseline", "researcher", f"/{FINISHED}/flow", part="#section-baseline"),
    Shot("researcher-protocol", "researcher", f"/{FINISHED}/protocol"),
    Shot("researcher-masked", "researcher", f"/{OPEN}/flow"),
    Shot("researcher-checks", "researcher", f"/{FINISHED}/checks"),
    Shot("researcher-sample-size", "researcher", f"/{FINISHED}/sample-size"),
    Shot("researcher-wizard", "researcher", f"/{FINISHED}/sample-size/wizard/take_up?{ANSWERED}", 360),
    Shot("statistician-looks", "statistician", f"/{FINISHED}/looks"),
    Shot("statistician-looks-closed", "statistician", f"/{OPEN}/looks"),
    Shot("statistician-effects", "statistician", f"/{FINISHED}/flow", part="#section-effects"),
    Shot("policymaker-results", "policymaker", f"/{FINISHED}/results"),
    Shot("policymaker-results", "policymaker", f"/{FINISHED}/results", 360),
    Shot("policymaker-effects", "policymaker", f"/{FINISHED}/results", part="#section-effects"),
    Shot("policymaker-reach", "policymaker", f"/{FINISHED}/results", part="#section-reach"),
    Shot("policymaker-masked", "policymaker", f"/{OPEN}/results"),
    Shot("steward-overview", "steward", f"/{OPEN}/steward"),
    Shot("steward-people", "steward", f"/{OPEN}/steward/people"),
    Shot("steward-audit", "steward", f"/{FINISHED}/audit"),
    Shot("administrator-people", "administrator", "/administrator/people"),
    Shot("administrator-desk", "administrator", "/desk"),
)


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    program = find_chromium()
    if program is None:
        print("No Chromium was found; `python3 run.py test` installs one or says how.", file=sys.stderr)
        return 1
    started = time.monotonic()
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        settings = settings_for(options.home or Path(folder))
        build(settings, options.people)
        with serving(settings) as base:
            browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
            camera = Camera(browser, base)
            if options.only in ("", "participant"):
                take_part(camera)
            for role in dict.fromkeys(shot.role for shot in SHOTS if options.only in ("", shot.role)):
                look_around(camera, role)
            browser.close()
    print(f"{camera.taken} pictures in {PICTURES.relative_to(ROOT)}, {time.monotonic() - started:.0f} s")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=PEOPLE, help="synthetic people in the finished pilot")
    parser.add_argument("--home", type=Path, help="folder in which the demo is kept")
    parser.add_argument("--only", default="", choices=["participant", *dict.fromkeys(s.role for s in SHOTS)])
    return parser


def settings_for(home: Path) -> Settings:
    """A demo on this computer. Its address is written in letters that nobody gets."""
    return load({}, home=home, kind="demo", protocols=ROOT / "protocols", login_limit="1000 per minute")


def build(settings: Settings, people: int) -> None:
    """The two pilots of the demo, unless they stand already."""
    database = Database(settings)
    try:
        schema.upgrade(database)
        if not demo.is_ready(database):
            demo.build(
                database, settings, password=PASSWORD, seed=SEED, now=NOW, count=people, small=RECRUITING,
                progress=lambda what, done, of: print(f"  {what}: {done} of {of}", flush=True),
            )  # fmt: skip
    finally:
        database.dispose()


class Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        """Requests are not told."""


@contextmanager
def serving(settings: Settings) -> Iterator[str]:
    """The site on a free port of this computer."""
    app = create_app(settings, clock=lambda: NOW)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        app.extensions["adviespilot"].database.dispose()


class Camera:
    """Opens pages in English and keeps what is on the screen, under a name and a width."""

    def __init__(self, browser: Browser, base: str) -> None:
        self.browser, self.base, self.taken = browser, base, 0

    def page(self, width: int) -> Page:
        context = self.browser.new_context(**WIDTHS[width], locale="en-GB", reduced_motion="reduce")
        context.set_default_timeout(PATIENCE_MS)
        context.add_cookies([{"name": "language", "value": "en", "url": self.base}])
        return context.new_page()

    def open(self, page: Page, path: str) -> None:
        answer = page.goto(path if path.startswith("http") else self.base + path)
        if answer is None or not answer.ok:
            raise SystemExit(f"{path} answered {answer and answer.status}: the picture cannot be taken")

    def take(self, page: Page, name: str, width: int, part: str = "") -> None:
        """The page from its top, or from the top of a part of it, as far as a reader would look."""
        file = PICTURES / f"{name}-{width}.png"
        top, bottom = 0.0, page.evaluate("document.documentElement.scrollHeight")
        if part:
            box = page.locator(part).first.bounding_box()
            if box is None:
                raise SystemExit(f"there is no part '{part}' on {page.url}")
            top, bottom = box["y"], box["y"] + box["height"] + MARGIN
        clip: FloatRect = {"x": 0, "y": top, "width": width, "height": min(bottom - top, TALLEST[width])}
        page.screenshot(path=file, animations="disabled", full_page=True, clip=clip)
        if file.stat().st_size > LARGEST:
            raise SystemExit(f"{file.name} has {file.stat().st_size} bytes; a picture of a guide has {LARGEST} at most")
        self.taken += 1


def look_around(camera: Camera, role: str) -> None:
    """Signs in as a role and takes its pictures; one window for each width."""
    for width in WIDTHS:
        shots = [shot for shot in SHOTS if (shot.role, shot.width) == (role, width)]
        if not shots:
            continue
        page = camera.page(width)
        camera.open(page, "/login")
        page.fill("input[name=email]", f"{role}@demo.example.org")
        page.fill("input[name=password]", PASSWORD)
        page.click("main button[type=submit]")
        page.wait_for_url("**/desk")
        for shot in shots:
            take(camera, page, shot)
        page.context.close()


def take(camera: Camera, page: Page, shot: Shot) -> None:
    path, *links = shot.path.split(" >> ")
    camera.open(page, path)
    for link in links:
        target = page.locator(link).first.get_attribute("href")
        if target is None:
            raise SystemExit(f"no link '{link}' on {page.url}")
        camera.open(page, target)
    camera.take(page, shot.name, shot.width, shot.part)


MINE = {
    "schooling": "mbo2", "work": "employed", "region": "west", "works_in_netherlands": "yes",
    "birth_date-day": "3", "birth_date-month": "7", "birth_date-year": "1985", "name": "Fatima Voorbeeld",
    "phone": "06 12345678", "postcode": "1234 AB",
}  # fmt: skip


def take_part(camera: Camera) -> None:
    """Somebody signs up for the pilot that still recruits, on a telephone, from the first page to the portal."""
    desktop = camera.page(1280)
    camera.open(desktop, f"/p/{OPEN}")
    camera.take(desktop, "participant-welcome", 1280)
    desktop.context.close()
    page = camera.page(360)
    camera.open(page, f"/p/{OPEN}")
    camera.take(page, "participant-welcome", 360)
    _send(page)
    _until(page, lambda at: at.endswith("/schooling"))
    camera.take(page, "participant-question", 360)
    _send(page)
    page.locator(".errors").wait_for()
    camera.take(page, "participant-error", 360)
    for step in ("consent", "contact", "check", "draw", "next"):
        _until(page, lambda at, step=step: f"/{step}" in at)
        camera.take(page, f"participant-{step}", 360)
    camera.open(page, page.locator("a[href*='/portal/']").first.get_attribute("href") or "")
    camera.take(page, "participant-portal", 360)
    page.context.close()


def _until(page: Page, there: Callable[[str], bool]) -> None:
    """Answers every page until the wanted one is on the screen."""
    for _ in range(MOST_PAGES):
        if there(page.url):
            return
        before = page.url
        _answer(page)
        _send(page)
        if page.locator(".errors").count():
            raise SystemExit(f"{before} was not accepted: {page.locator('.errors').inner_text()}")
    raise SystemExit(f"the wanted page never came; the last one was {page.url}")


def _send(page: Page) -> None:
    with page.expect_navigation():
        page.locator("main form[method=post] button[type=submit]").first.click()


def _answer(page: Page) -> None:
    """What this person fills in: own answers by name, else the first choice, else a dozen."""
    done = set()
    for entry in page.locator("main form[method=post] input:not([type=hidden])").all():
        name, kind = entry.get_attribute("name") or "", entry.get_attribute("type") or "text"
        if name in done or name.startswith("second_"):
            continue
        done.add(name)
        if kind in ("radio", "checkbox"):
            wanted = page.locator(f'input[name="{name}"][value="{MINE[name]}"]') if name in MINE else entry
            wanted.check(force=True)
        elif name in MINE or not (entry.input_value() or name == "email"):
            entry.fill(MINE.get(name, "12"))


if __name__ == "__main__":
    raise SystemExit(main())
