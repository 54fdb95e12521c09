"""What is wrong with a line of a file, as stewards read it; one text for each code of `pilot.problems`."""

from __future__ import annotations

from flask_babel import lazy_gettext as _

from pilot.problems import Reason

WORDS: dict[str, object] = {
    "empty_file": _("The file is empty. Give a line with the names of the columns, and at least one row."),
    "unknown_column": _("The column '%(column)s' is not known. Leave it out."),
    "misspelt_column": _("The column '%(column)s' is not known. Did you mean '%(near)s'?"),
    "no_reference_column": _("The column 'reference' is missing. Give every person a number of your own."),
    "empty": _("'%(column)s' is empty."),
    "no_reference": _("'reference' is empty or missing. Give every person a number of your own."),
    "too_long": _("'%(column)s' is too long: at most %(longest)s characters."),
    "twice": _("Reference '%(reference)s' stands on line %(line)s too. Keep one."),
    "known": _("Reference '%(reference)s' was imported before. Leave the row out."),
    "no_consent": _("%(column)s: without consent nobody takes part. Leave the row out."),
    "yes_or_no": _("%(column)s: write yes or no, not '%(value)s'."),
    "phone": _("phone: '%(value)s' is no telephone number."),
    "no_contact": _("Give a telephone number or an e-mail address."),
    "answer": _("%(column)s: %(message)s"),
    "one_of": _("%(column)s: '%(value)s' is not one of %(known)s."),
    "url": _("url: an address starts with https://"),
    "day": _("%(column)s: '%(value)s' is no date. Write it as 2027-12-31."),
    "amount": _("%(column)s: '%(value)s' is no amount in euro."),
    "whole": _("%(column)s: '%(value)s' is no whole number."),
    "card_twice": _("This card is there twice, or was imported before. Leave the row out."),
    "card_amount": _("This card has another amount than the others. Everybody gets the same."),
    "bounce_columns": _("Name a column 'message' or 'address', so that it is known what came back."),
    "bounce_nothing": _("This line names no message and no address."),
    "bounce_message": _("No message '%(value)s' of this pilot was sent."),
    "bounce_address": _("Nobody in this pilot has the address '%(value)s'."),
    "bounce_not_sent": _("No message was sent to '%(value)s'."),
    "bounce_passing": _("'%(value)s' is no lasting failure. The address stays in use."),
    "encoding": _("This is no UTF-8. Save the file as 'CSV UTF-8'."),
    "no_table": _("This is no table with lines and columns. Save the file as 'CSV UTF-8'."),
    "column_twice": _("The column '%(column)s' is there twice. Keep one."),
    "cells": _("This line has %(found)s cells, the first line %(columns)s. Put a text with a comma between quotes."),
    "recruitment_closed": _("Recruitment is closed."),
    "full": _("All places are taken."),
    "step": _("This row cannot be taken in now: %(message)s"),
}


def said(reason: Reason) -> str:
    """The reason in the reader's language, with its values filled in."""
    return str(WORDS[reason.code]) % reason.values
