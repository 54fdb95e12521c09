"""Texts for people in their languages, one catalogue a persona: `nl/LC_MESSAGES/advisor.po`; what they share stands in
`messages.po`. `python -m pilot.translations advisor` brings that catalogue up to date with the advisor's pages.

New texts stand in a catalogue without a translation until somebody writes one; a test names those that are left.
"""

from pathlib import Path

FOLDER = Path(__file__).parent
MESSAGES = FOLDER.parent / "post" / "templates"


def unreviewed(language: str) -> bool:
    """Whether a catalogue of a language, or one of its messages, says that a translator has not looked at it yet.

    >>> unreviewed("nl"), unreviewed("ar")
    (False, True)
    """
    paths = [*(FOLDER / language / "LC_MESSAGES").glob("*.po"), *(MESSAGES / language).glob("*.txt")]
    return any("X-Review: needed" in path.read_text(encoding="utf-8").partition("\n\n")[0] for path in paths)
