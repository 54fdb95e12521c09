"""Static files: each address has a mark of its content, so that a browser keeps it long and never shows an old one,
and styles and scripts go over the line compressed, for telephones on a slow one.

Pages themselves are not compressed: they are small, and hold what a form posted beside what only its owner may know.
"""

from __future__ import annotations

import gzip
import hashlib
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, request, url_for

LONG = 30 * 24 * 3600
SMALL = 500
COMPRESSED = ("text/css", "text/javascript", "application/javascript", "image/svg+xml")


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
    app.after_request(_compress)


def _compress(response: Response) -> Response:
    """A static text in fewer bytes, for a browser that can read it; made once a process for each content."""
    if request.endpoint != "static" or response.status_code != 200 or response.mimetype not in COMPRESSED:
        return response
    response.vary.add("Accept-Encoding")
    if "gzip" not in request.accept_encodings or request.range or request.method != "GET":
        return response
    response.direct_passthrough = False
    file = response.response
    content = response.get_data()
    if hasattr(file, "close"):
        file.close()  # type: ignore[union-attr]
    if len(content) > SMALL:
        response.set_data(_packed(content))
        response.headers["Content-Encoding"] = "gzip"
    return response


@lru_cache(maxsize=64)
def _packed(content: bytes) -> bytes:
    return gzip.compress(content, compresslevel=9, mtime=0)
