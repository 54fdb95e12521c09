"""The files beside a workbook: lists and tables as CSV, loose or in a zip, and the pictures that a form names.

A zip is judged by its directory before anything is unpacked, and unpacked no further than its declared size: what lies
about its size is refused, and so is whatever would land outside.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from surveys.definition import Instrument
from surveys.errors import Finding, InstrumentError
from surveys.tables import LARGEST

__all__ = ["MOST_FILES", "gather", "missing_media", "near", "read_within"]

MOST_FILES = 50
LARGEST_TOGETHER = 10 * 2**20


def gather(files: Iterable[tuple[str, bytes]]) -> dict[str, bytes]:
    """The files by name, zips opened. Raises InstrumentError, naming the file, for what is too many, too large, not
    what it says, or there twice with another content.

    >>> gather([("towns.csv", b"name,label"), ("lists/jobs.csv", b"name,label")]).keys()
    dict_keys(['towns.csv', 'jobs.csv'])
    """
    found: dict[str, bytes] = {}
    together = 0
    for given, content in files:
        loose = [(given, content)] if not given.lower().endswith(".zip") else _unpacked(given, content)
        for path, inside in loose:
            name = PurePosixPath(path.replace("\\", "/")).name
            together += len(inside)
            if len(found) >= MOST_FILES:
                raise _refused(given, f"more than {MOST_FILES} files", "leave out what the form does not use")
            if together > LARGEST_TOGETHER:
                raise _refused(
                    given, f"the files hold more than {LARGEST_TOGETHER // 2**20} MB together", "shorten them"
                )
            if found.get(name, inside) != inside:
                raise _refused(name, "this file is there twice, with another content", "keep one of them")
            found[name] = inside
    return found


def read_within(path: Path) -> bytes:
    """The content of a file, refused by its size before it is read. Raises InstrumentError."""
    if path.stat().st_size > LARGEST_TOGETHER:
        raise _refused(path.name, f"the file is larger than {LARGEST_TOGETHER // 2**20} MB", "shorten it")
    return path.read_bytes()


def _unpacked(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, ValueError, OSError):
        raise _refused(name, "this is no zip file, or it is damaged", "pack the files again") from None
    with archive:
        parts = [part for part in archive.infolist() if not part.is_dir() and not _hidden(part.filename)]
        if len(archive.infolist()) > 10 * MOST_FILES or len(parts) > MOST_FILES:
            raise _refused(name, f"the zip holds more than {MOST_FILES} files", "leave out what the form does not use")
        if sum(part.file_size for part in parts) > LARGEST_TOGETHER:
            raise _refused(name, "the zip is far larger inside than is read", "shorten the lists")
        if any(part.flag_bits & 1 for part in parts):
            raise _refused(name, "the zip is protected by a password", "pack it without a password")
        for part in parts:
            if part.filename.lower().endswith(".zip"):
                raise _refused(name, f"'{part.filename}' is a zip within a zip", "put the files in one zip")
            yield part.filename, _read(archive, part, name)


def _read(archive: zipfile.ZipFile, part: zipfile.ZipInfo, name: str) -> bytes:
    try:
        with archive.open(part) as stream:
            content = stream.read(part.file_size + 1)
    except (zipfile.BadZipFile, NotImplementedError, OSError, EOFError, ValueError, RuntimeError):
        raise _refused(name, f"'{part.filename}' is damaged", "pack the files again") from None
    if len(content) > part.file_size:
        raise _refused(name, f"'{part.filename}' is larger than the zip says", "pack the files again")
    return content


def _hidden(path: str) -> bool:
    """What a computer packs along of its own accord."""
    parts = PurePosixPath(path.replace("\\", "/")).parts
    return "__MACOSX" in parts or (bool(parts) and parts[-1].startswith("."))


def near(workbook: Path) -> dict[str, bytes]:
    """The CSV files in the folder of a workbook, those too large to be read left out."""
    files = sorted(workbook.parent.glob("*.csv"))
    return {file.name: file.read_bytes() for file in files if file.is_file() and file.stat().st_size <= LARGEST}


def missing_media(instrument: Instrument, given: Iterable[str]) -> tuple[Finding, ...]:
    """A warning for every picture and recording that the form names and that is not among the files."""
    there = set(given)
    found = []
    for question in instrument.questions:
        for medium, texts in question.media.items():
            found += [_not_there("survey", question.row, medium, file) for file in _once(texts) if file not in there]
    for list_, choices in instrument.lists.items():
        for choice in choices:
            for medium, texts in choice.media.items():
                place = f"media::{medium} of '{choice.name}' in '{list_}'"
                found += [_not_there("choices", None, place, file) for file in _once(texts) if file not in there]
    return tuple(dict.fromkeys(found))


def _once(texts: Mapping[str, str]) -> list[str]:
    return list(dict.fromkeys(texts.values()))


def _not_there(sheet: str, row: int | None, medium: str, file: str) -> Finding:
    column = medium if medium.startswith("media") else f"media::{medium}"
    remedy = "hand it in beside the workbook; with a protocol it stands in the folder 'media'"
    return Finding(sheet, row, column, f"the file '{file}' is not there", remedy, "warning")


def _refused(file: str, message: str, remedy: str) -> InstrumentError:
    return InstrumentError([Finding(file, None, None, message, remedy)])
