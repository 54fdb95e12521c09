"""The words of a message as HTML: for mail that is read on a screen, and for paper; in the direction of its language.

A number or a code stands from left to right also in a text that does not. In plain words that is said by a pair of
marks nobody sees (LRI and PDI of Unicode), here by an element of its own.
"""

from __future__ import annotations

import re
from html import escape

from babel import Locale

from pilot.post.wording import ISOLATE, RELEASE, Letter

ADDRESS = re.compile(r"https?://[^\s<>]*[^\s<>.,;:!?)\u2069]")
STYLE = "font-family:sans-serif;font-size:16px;line-height:1.5;color:#111;max-width:38em;overflow-wrap:anywhere"


def direction(language: str) -> str:
    """`rtl` for a language that is written from right to left, else `ltr`.

    >>> direction("ar"), direction("uk")
    ('rtl', 'ltr')
    """
    return Locale.parse(language).text_direction


def page(letter: Letter) -> str:
    """A mail as one HTML page without anything that has to be fetched."""
    place = f'lang="{letter.language}" dir="{direction(letter.language)}"'
    body = "".join(paragraphs(letter, links=True))
    return (
        f'<!DOCTYPE html><html {place}><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{escape(letter.subject)}</title></head>'
        f'<body><div {place} style="{STYLE}">{body}</div></body></html>'
    )


def paragraphs(letter: Letter, *, links: bool) -> list[str]:
    """Each part of the body as a paragraph; what the pilot wrote in another language has its own `lang` and `dir`."""
    foreign = {part.strip() for part in letter.foreign.split("\n\n") if part.strip()}
    other = f' lang="{letter.foreign_language}" dir="{direction(letter.foreign_language)}"' if foreign else ""
    return [
        f"<p{other if part.strip() in foreign else ''}>{_lines(part, links=links)}</p>"
        for part in letter.body.strip().split("\n\n")
    ]


def _lines(part: str, *, links: bool) -> str:
    written = "<br>".join(escape(line) for line in part.split("\n"))
    written = written.replace(ISOLATE, '<bdi dir="ltr">').replace(RELEASE, "</bdi>")
    return ADDRESS.sub(_link if links else _apart, written)


def _link(found: re.Match[str]) -> str:
    return f'<a href="{found[0]}" dir="ltr">{found[0]}</a>'


def _apart(found: re.Match[str]) -> str:
    return f'<bdi dir="ltr">{found[0]}</bdi>'
