"""People who sign in: their roles, on whose behalf, and letting somebody in or keeping somebody out."""

from __future__ import annotations

import secrets

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import select
from werkzeug.wrappers import Response

from pilot import people
from pilot.errors import NotYours, Refused
from pilot.events import record
from pilot.journey.outreach import ALPHABET
from pilot.models import ROLES, Organisation, Pilot, User
from pilot.web import staff, titles
from pilot.web.administrator import bp
from pilot.web.language import LANGUAGES
from pilot.web.reading import Faults, Reading
from pilot.web.rules import rule
from pilot.web.state import state

SAID: dict[str, tuple[str, object]] = {
    "email": ("email", lazy_gettext("This is not an e-mail address. Example: name@example.nl")),
    "role": ("role", lazy_gettext("Choose a role.")),
    "pilot_missing": ("pilot", lazy_gettext("Choose the pilot. Only an administrator works for every pilot.")),
    "organisation": ("organisation", lazy_gettext("Name the organisation: an advisor sees its people only.")),
    "already": ("role", lazy_gettext("This person has that role there already.")),
}


@bp.get("/administrator/people")
@rule.may("manage_users")
def users() -> str:
    pilots = {pilot.id: pilot for pilot in g.session.scalars(select(Pilot))}
    everyone = list(g.session.scalars(select(User).order_by(User.active.desc(), User.name, User.id)))
    return render_template(
        "administrator/users.html",
        everyone=everyone,
        pilots=pilots,
        role_names=titles.ROLE_NAMES,
        me=staff.me(),
    )


@bp.get("/administrator/people/new")
@rule.may("manage_users")
def newcomer() -> str:
    return _form(Faults())


@bp.post("/administrator/people/new")
@rule.may("manage_users")
def let_in() -> str | tuple[str, int]:
    """Lets somebody in, or gives one more role. The first password is on the page that answers, and nowhere else."""
    read = Reading(request.form)
    email = read.text("email", longest=254, needed=str(SAID["email"][1]))
    name = read.text("name", longest=200, needed=_("Write the name."))
    role = read.one_of("role", ROLES, needed=str(SAID["role"][1]))
    organisation = read.text("organisation", longest=200)
    language = request.form.get("language", "")
    password = once()
    if not read.faults:
        try:
            someone = people.Newcomer(
                email=email,
                name=name,
                role=role,
                pilot=request.form.get("pilot") or None,
                organisation=organisation or None,
                language=language if language in LANGUAGES else "nl",
            )
            kept = people.hashed(state().settings, password)
            added = people.add(g.session, someone, kept, first_password=True, now=g.now)
        except Refused as error:
            if error.code not in SAID:
                raise
            field, words = SAID[error.code]
            read.faults.add(field, str(words), at="role-1" if field == "role" else field)
        else:
            values = {"email": added.email, "name": name, "password": password if added.new else None}
            return render_template("administrator/let_in.html", **values)
    return _form(read.faults), 422


@bp.post("/administrator/people/<int:user_id>/active")
@rule.may("manage_users")
def set_active(user_id: int) -> Response:
    """Keeps somebody out from this moment, or lets the person in again. Sessions that are open end at once."""
    person, wanted = _other(user_id), request.form.get("active") == "yes"
    if person.active != wanted:
        person.active = wanted
        person.fs_uniquifier = secrets.token_hex(32)
        kind = "user_activated" if wanted else "user_deactivated"
        record(g.session, kind, None, now=g.now, actor_id=staff.me().id, user=person.id)
        g.session.flush()
    words = _("%(name)s can sign in again.") if wanted else _("%(name)s cannot sign in any more.")
    flash(words % {"name": person.name or person.email}, "good")
    return redirect(url_for("administrator.users"), code=303)


@bp.post("/administrator/people/<int:user_id>/password")
@rule.may("manage_users")
def new_password(user_id: int) -> str:
    """A new first password for somebody who lost the old one; it is shown once, and open sessions end."""
    person, password = _other(user_id), once()
    person.password, person.first_password = people.hashed(state().settings, password), True
    person.fs_uniquifier = secrets.token_hex(32)
    record(g.session, "password_replaced", None, now=g.now, actor_id=staff.me().id, user=person.id)
    g.session.flush()
    values = {"email": person.email, "name": person.name or person.email, "password": password}
    return render_template("administrator/let_in.html", **values)


def once() -> str:
    """A password to be read out or written down: four groups of five, without letters that look alike."""
    return "-".join("".join(secrets.choice(ALPHABET) for _sign in range(5)) for _group in range(4)).lower()


def _other(user_id: int) -> User:
    """Somebody else: nobody locks the own door."""
    person = g.session.get(User, user_id)
    if person is None or person.id == staff.me().id:
        raise NotYours("there is no such person, or it is you")
    return person


def _form(faults: Faults) -> str:
    pilots = g.session.scalars(select(Pilot).order_by(Pilot.slug))
    return render_template(
        "administrator/new.html",
        faults=faults,
        typed=request.form,
        roles=[(role, titles.ROLE_NAMES[role]) for role in ROLES],
        pilots=list(pilots),
        organisations=list(g.session.scalars(select(Organisation.name).order_by(Organisation.name))),
    )
