"""The forms of sign-in where the library's own do not fit: nobody stays signed in; choices as wtforms wants them."""

from __future__ import annotations

from flask_security import LoginForm, TwoFactorRescueForm, TwoFactorSetupForm
from wtforms import RadioField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs


class SignInForm(LoginForm):
    """Without the tick that keeps a shared computer signed in."""

    remember = None  # type: ignore[assignment]


class AppForm(TwoFactorSetupForm):
    """One method, the authenticator app, and the way out of it where the installation allows that."""

    setup = RadioField(choices=[SelectChoice("disable"), SelectChoice("authenticator")], validate_choice=False)


class RescueForm(TwoFactorRescueForm):
    """Who cannot use the app asks the administrator, or uses a recovery code."""

    help_setup = RadioField(choices=[SelectChoice("help")])
