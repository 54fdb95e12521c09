"""What every template can use besides its own values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Flask, g
from flask_babel import get_locale

from pilot.web import assets, language, navigation
from pilot.web.state import state


def install(app: Flask) -> None:
    settings = state(app).settings
    assets.install(app)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        in_own_words=in_own_words,
        words_of=language.words_of,
        said_in=language.said_in,
        sentences_of=language.sentences_of,
        menu_of=navigation.items,
        demo=settings.kind == "demo",
        help_phone=settings.help_phone,
        help_phone_plain="".join(sign for sign in settings.help_phone if sign.isdigit() or sign == "+"),
    )
    app.context_processor(lambda: {"user": g.get("user")})


def in_own_words(text: Mapping[str, Any] | str | None) -> str:
    """A text of the protocol, {"nl": …, "en": …}, in the language of the reader, else in the first it has."""
    if text is None or isinstance(text, str):
        return text or ""
    return str(text.get(str(get_locale())) or text.get(language.DEFAULT) or next(iter(text.values()), ""))
