"""Name and contact data as somebody types them, read the same wherever they are asked."""

from __future__ import annotations

from collections.abc import Mapping

from email_validator import EmailNotValidError, validate_email
from flask_babel import get_locale
from flask_babel import gettext as _

from pilot.journey import addresses, enrolment
from pilot.web import forms
from surveys.catalogue import message as survey_message
from surveys.contact import read_phone
from surveys.errors import InputError


def typed_contact(form: Mapping[str, str]) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """What was typed, cleaned, the number in one notation as `phone_read`; and what is not right, field by field."""
    typed: dict[str, str] = {"phone_read": "", "second_phone_read": ""}
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
    errors += _second(typed)
    for name in ("phone", "second_phone"):
        if not typed[name] or any(field == name for field, _message in errors):
            continue
        try:
            typed[f"{name}_read"] = read_phone(typed[name])
        except InputError as error:
            errors.append((name, survey_message(error.code, str(get_locale()))))
    if typed["email"]:
        try:
            typed["email"] = validate_email(typed["email"], check_deliverability=False).normalized
        except EmailNotValidError:
            errors.append(("email", _("This is not an e-mail address. Example: name@example.nl")))
    return typed, sorted(errors, key=lambda error: list(enrolment.LIMITS).index(error[0]))


def contact_of(typed: Mapping[str, str], *, birth_date: str | None) -> enrolment.Contact:
    """What was typed and is right, as the record takes it."""
    return enrolment.Contact(
        name=typed["name"],
        phone=typed["phone_read"] or None,
        email=typed["email"] or None,
        postcode=typed["postcode"] or None,
        birth_date=birth_date,
        second_name=typed["second_name"] or None,
        second_phone=typed["second_phone_read"] or None,
    )


def typed_address(form: Mapping[str, str]) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """An address as it was typed, its postcode in one spelling; and what is not right. All empty: no address."""
    typed: dict[str, str] = {}
    errors: list[tuple[str, str]] = []
    for name, longest in addresses.LIMITS.items():
        try:
            typed[name] = forms.text(form, name, longest=longest)
        except forms.TooLong:
            typed[name] = form.get(name, "")[:longest]
            errors.append((name, _("This is too long. Write at most %(longest)s characters.", longest=longest)))
    if not any(typed[name] for name in addresses.FIELDS if name != "postcode"):
        return typed, errors
    missing = {
        "postcode": _("Write your postcode."),
        "house_number": _("Write your house number."),
        "street": _("Write your street."),
        "town": _("Write your town."),
    }
    errors += [(name, message) for name, message in missing.items() if not typed[name]]
    read = addresses.read_postcode(typed["postcode"])
    if typed["postcode"] and read is None:
        errors.append(("postcode", _("This is not a postcode. Example: 1234 AB")))
    typed["postcode"] = read or typed["postcode"]
    return typed, sorted(errors, key=lambda error: addresses.FIELDS.index(error[0]))


def address_of(typed: Mapping[str, str]) -> addresses.Address | None:
    """The address that was typed without errors; None when nothing but a postcode was."""
    if not typed["street"]:
        return None
    return addresses.Address(**{name: typed[name] for name in addresses.FIELDS})


def unticked(form: Mapping[str, str], typed: Mapping[str, str]) -> list[tuple[str, str]]:
    """What a participant who names somebody else must still say yes to."""
    if not typed["second_name"] and not typed["second_phone"]:
        return []
    missing = [name for name in ("second_yes", "second_knows") if form.get(name) != "yes"]
    return [
        (name, _("Tick this box. Or leave out the other person: empty the name and the number.")) for name in missing
    ]


def _second(typed: Mapping[str, str]) -> list[tuple[str, str]]:
    """Somebody else to call has both a name and a number, or is left out."""
    if typed["second_phone"] and not typed["second_name"]:
        return [("second_name", _("Write the name of the other person."))]
    if typed["second_name"] and not typed["second_phone"]:
        return [("second_phone", _("Write the telephone number of the other person."))]
    return []
