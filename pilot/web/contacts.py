"""Name and contact data as somebody types them, read the same wherever they are asked."""

from __future__ import annotations

from collections.abc import Mapping

from email_validator import EmailNotValidError, validate_email
from flask_babel import get_locale
from flask_babel import gettext as _

from pilot.journey import enrolment
from pilot.web import forms
from surveys.catalogue import message as survey_message
from surveys.contact import read_phone
from surveys.errors import InputError


def typed_contact(form: Mapping[str, str]) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """What was typed, cleaned, the number in one notation as `phone_read`; and what is not right, field by field."""
    typed: dict[str, str] = {"phone_read": ""}
    errors: list[tuple[str, str]] = []
    for name, longest in (*enrolment.LIMITS.items(),):
        try:
            typed[name] = forms.text(form, name, longest=longest)
        except forms.TooLong:
            typed[name] = form.get(name, "")[:longest]
            errors.append((name, _("This is too long. Write at most %(longest)s characters.", longest=longest)))
    if not typed["name"]:
        errors.append(("name", _("Write your name.")))
    if not typed["phone"] and not typed["email"]:
        errors.append(("phone", _("Write a telephone number or an e-mail address.")))
    if typed["phone"] and not any(field == "phone" for field, _message in errors):
        try:
            typed["phone_read"] = read_phone(typed["phone"])
        except InputError as error:
            errors.append(("phone", survey_message(error.code, str(get_locale()))))
    if typed["email"]:
        try:
            typed["email"] = validate_email(typed["email"], check_deliverability=False).normalized
        except EmailNotValidError:
            errors.append(("email", _("This is not an e-mail address. Example: name@example.nl")))
    return typed, sorted(errors, key=lambda error: list(enrolment.LIMITS).index(error[0]))
