"""Letters on paper: the address where a window envelope shows it, plain words, and a square code beside the address."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape

import segno

from pilot.post import markup
from pilot.post.wording import Letter

STYLE = """
@page { size: A4; margin: 25mm 22mm 20mm 25mm }
body { font-family: "DejaVu Sans", "Liberation Sans", sans-serif; font-size: 12pt; line-height: 1.5; color: #111 }
address { font-style: normal; white-space: pre-line; height: 38mm; margin-top: 22mm }
section + section { break-before: page }
h1 { font-size: 16pt; line-height: 1.25; margin: 0 0 6mm }
p { margin: 0 0 4mm; overflow-wrap: anywhere }
bdi { display: inline-block; max-width: 100% }
.number { color: #444; font-size: 10pt }
.code { display: flex; gap: 8mm; align-items: center; margin-top: 8mm }
.code img { width: 38mm; height: 38mm }
"""


def html(letters: Sequence[Letter]) -> str:
    """Letters as one HTML page; every letter begins on a new sheet, in its own language and direction."""
    first = letters[0]
    sheets = "".join(_sheet(letter) for letter in letters)
    return (
        f'<!DOCTYPE html><html lang="{first.language}"><head><meta charset="utf-8">'
        f"<title>{escape(first.subject)}</title>"
        f"<style>{STYLE}</style></head><body>{sheets}</body></html>"
    )


def _sheet(letter: Letter) -> str:
    """One letter, the square code drawn into it."""
    words = "".join(markup.paragraphs(letter, links=False))
    return (
        f'<section lang="{letter.language}" dir="{markup.direction(letter.language)}">'
        f'<address dir="ltr">{escape(letter.to)}</address><h1>{escape(letter.subject)}</h1>'
        f'{words}<div class="code"><img src="{_square(letter.link)}" alt="{escape(letter.link)}">'
        f"{_number(letter)}</div></section>"
    )


def _number(letter: Letter) -> str:
    """What whoever opens a returned envelope types to say which letter it was."""
    return f'<p class="number" dir="ltr">Nr. {letter.number:06d}</p>' if letter.number else ""


def batch(letters: Sequence[Letter]) -> bytes:
    """Several letters as one PDF/UA file for the printer, which can also be read aloud. ValueError without letters."""
    from weasyprint import HTML

    if not letters:
        raise ValueError("there is no letter to print")
    written = HTML(string=html(letters)).write_pdf(pdf_variant="pdf/ua-1")
    assert written is not None
    return written


def _square(text: str) -> str:
    drawn = io.BytesIO()
    segno.make(text, error="m").save(drawn, kind="svg", scale=4, border=2)

    return "data:image/svg+xml;base64," + base64.b64encode(drawn.getvalue()).decode()
