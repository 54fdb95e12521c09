"""The one place that reads settings: environment first, then `pilot.toml` in the home folder, then the default.

Every setting is named, typed and documented here; nothing else in the project looks at the environment. The value
is frozen: what a process was started with is what it runs with.
"""

from __future__ import annotations

import base64
import os
import secrets
import threading
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, get_type_hints
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pilot.errors import SettingsError

PREFIX = "PILOT_"
KINDS = ("production", "demo", "test")


def _setting(default: Any, about: str) -> Any:
    return field(default=default, metadata={"about": about})


@dataclass(frozen=True, slots=True)
class Settings:
    """What a process of Adviespilot is started with. Read it with `load`."""

    home: Path = _setting(
        Path("var/pilot"), "Folder of the database, keys, outbox, freezes and logs of this installation."
    )
    kind: str = _setting(
        "production", "production, demo (a banner; the clock can be moved; secrets made by itself) or test."
    )
    database_url: str = _setting("", "SQLAlchemy address of the database; empty means SQLite in the home folder.")
    secret_key: str = _setting(
        "", "Signs cookies and personal links; at least 32 characters. Empty: kept in the home folder."
    )
    password_salt: str = _setting("", "Second secret of the password hashes. Empty: kept in the home folder.")
    data_key: str = _setting(
        "", "base64 of 32 bytes that encrypt names and contact data. Empty: kept in the home folder."
    )
    keys: Path = _setting(
        Path(), "Folder of the allocation keys, outside the database and its backups. Empty: home/keys."
    )
    outbox: Path = _setting(Path(), "Folder where messages are written when no mail server is set. Empty: home/outbox.")
    freezes: Path = _setting(Path(), "Folder of the data freezes. Empty: home/freezes.")
    protocols: Path = _setting(Path("protocols"), "Folder with one folder a pilot: protocol.yaml and its instruments.")
    base_url: str = _setting(
        "http://127.0.0.1:8000", "Address under which people reach the site; used in letters and messages."
    )
    trusted_hosts: str = _setting(
        "", "Host names the site answers to, separated by commas. Empty: the host of base_url."
    )
    timezone: str = _setting("Europe/Amsterdam", "Time zone of dates that people see and of quiet hours.")
    smtp_url: str = _setting(
        "", "smtp://user:password@host:port (smtps:// for TLS from the start). Empty: messages go to the outbox."
    )
    sms_url: str = _setting(
        "", "Address of a provider of text messages: https://… Empty: text messages go to the outbox."
    )
    sms_token: str = _setting("", "What the provider of text messages knows this installation by.")
    sms_sender: str = _setting("Adviespilot", "Sender of text messages; most providers take at most 11 letters.")
    sms_seconds: float = _setting(15.0, "How long the provider of text messages may take over an answer.")
    sms_keyed: int = _setting(
        0, "1: the provider sends a message once, however often it is asked with the same Idempotency-Key."
    )
    sender: str = _setting("Adviespilot <noreply@example.org>", "Sender of messages.")
    help_phone: str = _setting("0800 - 0000", "Telephone number for help, shown on every participant page.")
    log_level: str = _setting("INFO", "DEBUG, INFO, WARNING or ERROR.")
    proxy_hops: int = _setting(0, "Number of reverse proxies in front whose X-Forwarded headers are trusted.")
    login_limit: str = _setting("10 per minute", "Rate limit of sign-in and of codes, per address, over all processes.")
    session_hours: int = _setting(8, "Hours after which staff sign in again.")
    lock_seconds: float = _setting(10.0, "How long a request waits for the database before it answers 503.")
    pool_size: int = _setting(8, "Database connections a process keeps; at least the number of its threads.")

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise SettingsError(f"PILOT_KIND is '{self.kind}'; choose one of {', '.join(KINDS)}.")
        if self.secret_key and len(self.secret_key) < 32:
            raise SettingsError("PILOT_SECRET_KEY has fewer than 32 characters; make one with `openssl rand -hex 32`.")
        if not self.base_url.startswith(("http://", "https://")):
            raise SettingsError(f"PILOT_BASE_URL is '{self.base_url}'; it starts with http:// or https://.")
        if self.log_level not in ("DEBUG", "INFO", "WARNING", "ERROR"):
            raise SettingsError(f"PILOT_LOG_LEVEL is '{self.log_level}'; choose DEBUG, INFO, WARNING or ERROR.")
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError):
            raise SettingsError(f"PILOT_TIMEZONE is '{self.timezone}', which is no known time zone.") from None

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def secure(self) -> bool:
        """Whether cookies may travel over https only."""
        return self.base_url.startswith("https://")

    def data_key_bytes(self) -> bytes:
        """The 32 bytes behind `data_key`; raises SettingsError when they are not 32."""
        try:
            key = base64.b64decode(self.data_key, validate=True)
        except ValueError:
            key = b""
        if len(key) != 32:
            raise SettingsError("PILOT_DATA_KEY is not base64 of 32 bytes; make one with `openssl rand -base64 32`.")
        return key


def load(environment: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
    """Settings from overrides, environment and `<home>/pilot.toml`; folders and own secrets are made when missing.

    Raises SettingsError for an unknown key in the file and for a value of the wrong kind.
    """
    environment = os.environ if environment is None else environment
    hints = get_type_hints(Settings)
    named = {f.name for f in fields(Settings)}
    home = Path(overrides.get("home") or environment.get(PREFIX + "HOME") or Settings.home)
    values: dict[str, Any] = {"home": home, **_from_file(home / "pilot.toml", named)}
    values.update({n: environment[PREFIX + n.upper()] for n in named if environment.get(PREFIX + n.upper())})
    values.update({n: v for n, v in overrides.items() if v is not None})
    typed = {name: _typed(name, value, hints[name]) for name, value in values.items()}
    home = typed["home"].resolve()
    for folder in ("keys", "outbox", "freezes"):
        if not typed.get(folder) or typed[folder] == Path():
            typed[folder] = home / folder
    typed["home"] = home
    if not typed.get("database_url"):
        typed["database_url"] = f"sqlite:///{home / 'pilot.sqlite3'}"
    _own_secrets(typed)
    return Settings(**typed)


def _from_file(path: Path, named: set[str]) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} cannot be read: {error}") from None
    unknown = sorted(set(values) - named)
    if unknown:
        raise SettingsError(f"{path} has the unknown setting '{unknown[0]}'; see docs/guide/settings.md.")
    return values


def _typed(name: str, value: Any, kind: Any) -> Any:
    try:
        return kind(value)
    except (TypeError, ValueError):
        raise SettingsError(f"PILOT_{name.upper()} is '{value}', which is no {kind.__name__}.") from None


def _own_secrets(values: dict[str, Any]) -> None:
    """Secrets that were not handed in live in files that only the owner can read; they are made once."""
    folder: Path = values["home"] / "secrets"
    makers = {
        "secret_key": lambda: secrets.token_hex(32),
        "password_salt": lambda: secrets.token_hex(16),
        "data_key": lambda: base64.b64encode(secrets.token_bytes(32)).decode(),
    }
    for name, make in makers.items():
        if values.get(name):
            continue
        path = folder / name
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            _write_once(path, make)
        except OSError as error:
            raise SettingsError(f"the home folder {values['home']} cannot be written ({error.strerror}).") from None
        values[name] = path.read_text(encoding="ascii").strip()


def _write_once(path: Path, make: Callable[[], str]) -> None:
    """The file appears whole or not at all, and of several processes that start at once the first one decides."""
    if path.exists():
        return
    beside = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(make())
    try:
        os.link(beside, path)
    except FileExistsError:
        pass
    finally:
        beside.unlink()


def documentation() -> list[tuple[str, str, str]]:
    """(environment name, default, meaning) of every setting, for the help page and its test."""
    return [(PREFIX + f.name.upper(), str(f.default), f.metadata["about"]) for f in fields(Settings)]
