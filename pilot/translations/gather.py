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
    "paper",
    "researcher",
    "design",
    "instruments",
    "policymaker",
    "steward",
    "administrator",
    "catalogue",
)
INTERFACE = ("ar", "tr", "pl", "uk")
"""Languages of pages of participants only; their catalogue is `participant.po` and holds shared texts as well."""
FACES = (
    "web/participant",
    "web/templates/participant",
    *(f"web/templates/{name}.html" for name in ("base_participant", "skeleton", "home/start", "errors/page")),
    *(f"web/templates/macros/{name}.html" for name in ("forms", "questions", "languages", "addresses", "cards")),
    *(f"web/{name}.py" for name in ("questions", "contacts", "wording")),
)
"""Where the texts stand that a participant can meet."""
PLURALS = {
    "nl": "nplurals=2; plural=(n != 1);",
    "tr": "nplurals=1; plural=0;",
    "ar": "nplurals=6; plural=(n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : n%100>=11 ? 4 : 5);",
    "pl": "nplurals=3; plural=(n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);",
    "uk": "nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);",
}
"""The rules of CLDR for whole numbers; Turkish leaves a noun after a number in the singular."""
HEAD = r"""msgid ""
msgstr ""
"Language: {language}\n"
"Plural-Forms: {plurals}\n"
"MIME-Version: 1.0\n"
"Content-Type: text/plain; charset=utf-8\n"
"Content-Transfer-Encoding: 8bit\n"
{more}
"""
REVIEW = '"X-Review: needed by a translator\\n"\n'
OWNERS = {"findings.py": "instruments"}
"""Modules below the pages that hold texts for people."""
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


def for_participants() -> Catalog:
    """Every text that a participant can meet."""
    found = Catalog(charset="utf-8", fuzzy=False)
    for name, _line, message, _comments, _context in extract_from_dir(SOURCES, METHODS, OPTIONS, KEYWORDS):
        if name.startswith(FACES):
            found.add(message)  # type: ignore[arg-type]
    return found


def _persona(name: str) -> str:
    """web/advisor.py, web/advisor/…, web/advisor_plan.py and web/templates/advisor/… speak to the advisor."""
    if name in OWNERS:
        return OWNERS[name]
    parts = Path(name.replace("web/templates/", "web/")).parts
    word = Path(parts[1]).stem.partition("_")[0] if len(parts) > 1 and parts[0] == "web" else ""
    return word if word in PERSONAS else SHARED


def catalogue(name: str, language: str = LANGUAGE) -> Path:
    return FOLDER / language / "LC_MESSAGES" / f"{name}.po"


def _read(path: Path, language: str = LANGUAGE) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=language)


def known(language: str = LANGUAGE) -> dict[object, object]:
    """What is translated, in whatever catalogue."""
    folder = catalogue(SHARED, language).parent
    read = (message for path in sorted(folder.glob("*.po")) for message in _read(path, language))
    return {message.id: message.string for message in read if message.id and _done(message.string)}


def missing() -> list[str]:
    """Texts of the pages that have no translation; for the languages of the interface those of participants."""
    wanted = {LANGUAGE: [message for part in texts().values() for message in part if message.id]}
    faces = tuple(message for message in for_participants() if message.id)
    wanted |= {language: [*faces] for language in INTERFACE}
    return [
        message.id if language == LANGUAGE else f"{language}: {message.id}"
        for language, messages in wanted.items()
        for translated in [known(language)]
        for message in messages
        if message.id not in translated
    ]  # type: ignore[return-value]


def _done(string: object) -> bool:
    return all(string) if isinstance(string, list | tuple) else bool(string)


def update(name: str) -> None:
    """Write one catalogue anew: its translations kept, new texts added, texts that left the pages dropped.

    With the catalogue of participants go those of the other languages of the interface; whether a translator has
    looked at one stands in its head and stays as it is.
    """
    _renew(name, LANGUAGE, texts()[name])
    if name == PERSONAS[0]:
        for language in INTERFACE:
            _renew(name, language, for_participants())


def _renew(name: str, language: str, wanted: Catalog) -> None:
    translated = known(language)
    new = Catalog(locale=language, project="Adviespilot", charset="utf-8", fuzzy=False)
    for message in wanted:
        if message.id:
            new.add(message.id, translated.get(message.id))  # type: ignore[arg-type]
    path = catalogue(name, language)
    if not len(new):
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, new)


def write(path: Path, new: Catalog) -> None:
    """Write a catalogue, its texts in order and its head without dates, so that a change shows only what changed."""
    body, language = io.BytesIO(), str(new.locale)
    reviewed = path.exists() and "X-Review" not in path.read_text(encoding="utf-8")
    head = HEAD.format(
        language=language,
        plurals=PLURALS[language],
        more="" if language not in INTERFACE or reviewed else REVIEW,
    )
    write_po(body, new, width=120, sort_output=True, no_location=True, omit_header=True)
    path.write_text(head + body.getvalue().decode(), encoding="utf-8")
