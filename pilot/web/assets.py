"""Addresses of static files, each with a mark of its content: a browser keeps it long and never shows an old one."""

from __future__ import annotations

import hashlib
from pathlib import Path

from flask import Flask, url_for

LONG = 30 * 24 * 3600


def install(app: Flask) -> None:
    folder = Path(str(app.static_folder))
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = LONG
    marks: dict[str, str] = {}

    def mark(name: str) -> str:
        """The first figures of the file's SHA-256; read once a process, anew when the file was absent."""
        if name not in marks:
            path = folder / name
            if not path.is_file():
                return ""
            marks[name] = hashlib.sha256(path.read_bytes()).hexdigest()[:10]
        return marks[name]

    def asset(name: str) -> str:
        return url_for("static", filename=name, v=mark(name) or None)

    def has_asset(name: str) -> bool:
        return bool(mark(name))

    app.jinja_env.globals.update(asset=asset, has_asset=has_asset)
