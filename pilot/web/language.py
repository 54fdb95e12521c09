"""The reader's language, and the one place that writes dates, numbers and money in it.

Message ids are English; catalogues are the .po files of `pilot/translations`, read as they are, so that a translation
never waits for a compiler and never goes stale.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from urllib.parse import urlencode

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_currency, format_decimal, format_percent
from babel.support import Translations
from flask import Flask, Response, current_app, g, has_request_context, request, url_for
from flask_babel import Babel, Domain, get_locale
from markupsafe import Markup, escape

from pilot.web.force import in_force, is_known
from pilot.web.state import state
from surveys.readability import sentences

FOLDER = Path(__file__).parent.parent / "translations"
LANGUAGES = {"nl": "Nederlands", "en": "English"}
"""The languages of every page, those of staff included."""
INTERFACE = {"ar": "العربية", "tr": "Türkçe", "pl": "Polski", "uk": "Українська"}
"""Languages of the buttons and messages on pages of participants; a pilot says in its protocol which it offers. What a
pilot itself writes (questions, consent) may be in Dutch only, and then says so by its own `lang` and `dir`."""
DEFAULT = "nl"
COOKIE = "language"
YEAR = 365 * 24 * 3600


class Catalogue(Domain):
    """Translations read from .po files. `files` gives those of a language, a later one adding to an earlier one."""

    def __init__(self, name: str, files: Callable[[str], Iterable[Path]]) -> None:
        super().__init__(domain=name)
        self.files = files

    def get_translations(self) -> Translations:
        language = str(get_locale() or DEFAULT)
        if language not in self.cache:
            found = Translations(domain=self.domain[0])
            for path in self.files(language):
                part = _compiled(path, self.domain[0])
                found.merge(part)
                found.plural = part.plural  # merging keeps the words and forgets how many forms a number has
            self.cache[language] = found
        return self.cache[language]


def _compiled(path: Path, name: str) -> Translations:
    with path.open("rb") as file:
        catalogue = read_po(file)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled, name)


def of_the_pages(language: str) -> list[Path]:
    return sorted((FOLDER / language / "LC_MESSAGES").glob("*.po"))


def install(app: Flask) -> None:
    zone = state(app).settings.timezone
    babel = Babel()
    babel.init_app(app, default_locale=DEFAULT, default_timezone=zone, locale_selector=chosen)
    babel.domain_instance = Catalogue("messages", of_the_pages)  # type: ignore[assignment]  # a cached property
    app.after_request(_remember)
    app.context_processor(
        lambda: {"languages": offered(), "language": str(get_locale()), "text_direction": direction()}
    )
    app.jinja_env.globals.update(in_language=in_language, left_to_right=left_to_right)
    app.jinja_env.filters.update(day=day, moment=moment, number=number, percent=percent, euros=euros)


def chosen() -> str:
    """The language of this page: asked for, kept in a cookie, the reader's own, the browser's, or Dutch."""
    if not has_request_context():
        return DEFAULT
    known = offered()
    wishes = [request.args.get("lang"), request.cookies.get(COOKIE)]
    wishes += [getattr(g.get(name), "language", None) for name in ("participant", "user")]
    wishes.append(request.accept_languages.best_match(list(known)))
    return next((wish for wish in wishes if wish in known), DEFAULT)


def offered() -> dict[str, str]:
    """The languages of this page by code: those of every page, and for participants those that the pilot adds.

    On a page that knows no pilot, such as an error, whoever chose a language before keeps it.
    """
    if not has_request_context() or g.get("user") is not None or request.blueprint not in (None, "participant", "home"):
        return LANGUAGES
    if is_known():
        wanted = in_force()[1].pilot.interface_languages
    else:
        wanted = tuple(code for code in (request.cookies.get(COOKIE),) if code in INTERFACE)
    return {**LANGUAGES, **{code: INTERFACE[code] for code in wanted}}


def direction(code: str = "") -> str:
    """`ltr` or `rtl`, of this language or of the page's; `auto` for a language that nobody has described.

    >>> direction("ar"), direction("nl"), direction("zh-Hans"), direction("tigrinya")
    ('rtl', 'ltr', 'ltr', 'auto')
    """
    try:
        return Locale.parse((code or str(get_locale() or DEFAULT)).replace("-", "_")).text_direction
    except (UnknownLocaleError, ValueError):
        return "auto"


def spoken_in(text: Mapping[str, str]) -> str:
    """The language in which the reader gets a text that may not exist in the language of the page."""
    own = str(get_locale() or DEFAULT)
    return own if text.get(own) else DEFAULT if text.get(DEFAULT) else next((code for code in text if text[code]), own)


def said_in(code: str, words: str) -> Markup:
    """Words in a language of their own: where it is not that of the page they carry their `lang` and `dir`."""
    if not words or code == str(get_locale() or DEFAULT):
        return escape(words)
    return Markup('<span lang="{}" dir="{}">{}</span>').format(code, direction(code), words)


def words_of(text: Mapping[str, str] | str | None) -> Markup:
    """A text of the protocol, {"nl": …, "en": …}, for a page: in the reader's language where it exists."""
    if text is None or isinstance(text, str):
        return escape(text or "")
    code = spoken_in(text)
    return said_in(code, text.get(code, ""))


def sentences_of(text: Mapping[str, str]) -> list[Markup]:
    """The same, a sentence at a time: each is a line of its own for who reads with effort."""
    code = spoken_in(text)
    return [said_in(code, sentence) for sentence in sentences(text.get(code, ""))]


def left_to_right(words: str) -> Markup:
    """An address or a code within a sentence that may run from right to left."""
    return Markup('<bdi dir="ltr">{}</bdi>').format(words)


def in_language(code: str) -> str:
    """The address of this very page in another language; of the front page where the page cannot be opened again."""
    kept = {name: values for name, values in request.args.lists() if name != "lang"}
    adapter = current_app.create_url_adapter(request)
    if adapter is None or not adapter.test(request.path, method="GET"):
        return url_for("home.start", lang=code)
    return request.path + "?" + urlencode({**kept, "lang": code}, doseq=True)


def _remember(response: Response) -> Response:
    """A language that was asked for holds for a year."""
    wish = request.args.get("lang")
    if wish and wish in offered():
        secure = state().settings.secure
        response.set_cookie(COOKIE, wish, max_age=YEAR, secure=secure, httponly=True, samesite="Lax")
    return response


def _written_in() -> Locale:
    """The locale of dates and numbers: English as Europe writes it, the day before the month."""
    locale = get_locale() or Locale.parse(DEFAULT)
    return Locale("en", "GB") if locale.language == "en" else locale


def day(value: date | datetime | None, form: str = "long") -> str:
    """A date as people write it: 3 maart 2026."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        value = value.astimezone(state().settings.zone).date()
    return format_date(value, form, locale=_written_in())


def moment(value: datetime | None, form: str = "medium") -> str:
    """A date and time in the zone of the pilot."""
    if value is None:
        return ""
    return format_datetime(value, form, tzinfo=state().settings.zone, locale=_written_in())


def number(value: float | int, decimals: int = 0) -> str:
    pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
    return format_decimal(value, pattern, locale=_written_in())


def percent(value: float, decimals: int = 0) -> str:
    """A share between 0 and 1 as a percentage."""
    pattern = "#,##0" + ("." + "0" * decimals if decimals else "") + "%"
    return format_percent(value, pattern, locale=_written_in())


def euros(cents: int) -> str:
    return format_currency(cents / 100, "EUR", locale=_written_in())
