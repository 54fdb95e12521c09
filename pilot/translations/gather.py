"""Which texts the pages hold, and the catalogues that translate them."""

from __future__ import annotations

import io
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

FOLDER = Path(__file__).parent
SOURCES = FOLDER.parent
LANGUAGE = "nl"
SHARED = "messages"
PERSONAS = (
    "participant",
    "advisor",
    "interviewer",
    "researcher",
    "policymaker",
    "steward",
    "administrator",
    "catalogue",
)
HEAD = r"""msgid ""
msgstr ""
"Language: nl\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\n"
"MIME-Version: 1.0\n"
"Content-Type: text/plain; charset=utf-8\n"
"Content-Transfer-Encoding: 8bit\n"

"""
METHODS = [
    ("translations/**", "ignore"),
    ("**.py", "python"),
    ("web/templates/**.html", "jinja2"),
    ("web/templates/**.txt", "jinja2"),
]
OPTIONS = {pattern: {"trimmed": "true"} for pattern, method in METHODS if method == "jinja2"}
KEYWORDS = {"_": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2)}


def texts() -> dict[str, Catalog]:
    """Every text of the pages, by the catalogue it belongs to; what several personas say belongs to the shared one."""
    owner: dict[object, set[str]] = {}
    for name, _line, message, _comments, _context in extract_from_dir(SOURCES, METHODS, OPTIONS, KEYWORDS):
        owner.setdefault(message, set()).add(_persona(name))
    found = {name: Catalog(charset="utf-8", fuzzy=False) for name in (SHARED, *PERSONAS)}
    for message, names in owner.items():
        found[names.pop() if len(names) == 1 else SHARED].add(message)  # type: ignore[arg-type]
    return found


def _persona(name: str) -> str:
    """web/advisor.py, web/advisor/…, web/advisor_plan.py and web/templates/advisor/… speak to the advisor."""
    parts = Path(name.replace("web/templates/", "web/")).parts
    word = Path(parts[1]).stem.partition("_")[0] if len(parts) > 1 and parts[0] == "web" else ""
    return word if word in PERSONAS else SHARED


def catalogue(name: str) -> Path:
    return FOLDER / LANGUAGE / "LC_MESSAGES" / f"{name}.po"


def _read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=LANGUAGE)


def known() -> dict[object, object]:
    """What is translated, in whatever catalogue."""
    read = (message for path in sorted(catalogue(SHARED).parent.glob("*.po")) for message in _read(path))
    return {message.id: message.string for message in read if message.id and _done(message.string)}


def missing() -> list[str]:
    """Texts of the pages that have no translation."""
    translated = known()
    return [str(m.id) for part in texts().values() for m in part if m.id and m.id not in translated]


def _done(string: object) -> bool:
    return all(string) if isinstance(string, list | tuple) else bool(string)


def update(name: str) -> None:
    """Write one catalogue anew: its translations kept, new texts added, texts that left the pages dropped."""
    translated = known()
    new = Catalog(locale=LANGUAGE, project="Adviespilot", charset="utf-8", fuzzy=False)
    for message in texts()[name]:
        if message.id:
            new.add(message.id, translated.get(message.id))  # type: ignore[arg-type]
    path = catalogue(name)
    if not len(new):
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, new)


def write(path: Path, new: Catalog) -> None:
    """Write a catalogue, its texts in order and its head without dates, so that a change shows only what changed."""
    body = io.BytesIO()
    write_po(body, new, width=120, sort_output=True, no_location=True, omit_header=True)
    path.write_text(HEAD + body.getvalue().decode(), encoding="utf-8")
