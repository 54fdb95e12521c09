"""Files that somebody made to do harm, or that are something else by mistake: refused in words, and nothing written."""

from __future__ import annotations

import gzip
import hashlib
import io
import random
import re
import zipfile

import pytest
from sqlalchemy import select

from pilot import problems
from pilot.db import Base
from pilot.web.steward import wrong

PAGES = ("invitations", "participants", "catalogue")
HEAD = {
    "invitations": b"reference,name,address\n",
    "participants": b"reference,name,phone,consent__participate\n",
    "catalogue": b"reference,kind,title,provider\n",
}


def zipped(*names: str, content: bytes = b"x") -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, content)
    return packed.getvalue()


HOSTILE: dict[str, bytes] = {
    "nothing": b"",
    "a byte order mark and no more": b"\xef\xbb\xbf",
    "a head without rows": b"{head}",
    "noise": random.Random(1).randbytes(4096),
    "zero bytes between the letters": b"{head}A1,A\0ns,x\n",
    "letters of an old code page": b"{head}A1,Zo\xeb,x\n",
    "two bytes a letter": "reference,name\nA1,Ans\n".encode("utf-16"),
    "half a surrogate": b"{head}A1,\xed\xa0\x80,x\n",
    "an overlong slash": b"{head}A1,\xc0\xaf,x\n",
    "a workbook": zipped("[Content_Types].xml", "xl/workbook.xml"),
    "a zip that names a file outside": zipped("../../etc/passwd"),
    "a zip that grows a thousandfold": zipped("a.csv", content=b"0" * 5_000_000),
    "a compressed bomb": gzip.compress(b"0" * 5_000_000),
    "a picture": b"\x89PNG\r\n\x1a\n" + b"\0" * 64,
    "a document": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    "a program": b"\x7fELF\x02\x01\x01" + b"\0" * 64,
    "a page with a script": b"<html><script>alert(1)</script>\n<p>,</p>\n",
    "entities that multiply": b'<!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;">]>\n<a>&c;</a>\n',
    "a quote that is never closed": b'{head}A1,"Ans,x\nA2,Bert,y\n',
    "a quote in the middle of a cell": b'{head}A1,"An"s,x\n',
    "a cell of two hundred thousand letters": b"{head}A1," + b"a" * 200_000 + b",x\n",
    "one line without an end": b"a" * 500_000,
    "ten thousand columns": b",".join(b"c%d" % n for n in range(10_000)) + b"\n1\n",
    "a column that is there twice": b"reference,name,name\nA1,Ans,Bert\n",
    "more cells than columns": b"{head}A1,Ans,x,y,z,rm -rf,extra\n",
    "a number that is there twice": b"{head}A1,Ans,x\nA1,Bert,y\n",
    "rows without a number": b"{head},Ans,x\n" * 50,
    "a name that never ends": b"{head}A1," + b"A" * 10_000 + b",x\n",
    "a number that never ends": b"{head}" + b"9" * 5_000 + b",Ans,x\n",
    "statements of a database instead of a table": b"'; DROP TABLE participants; --\n1\n",
}


def everything(office) -> str:
    """A fingerprint of every row of every table."""
    seen = hashlib.sha256()
    with office.database.reading() as session:
        for table in Base.metadata.sorted_tables:
            rows = sorted(map(repr, session.execute(select(table)).all()))
            seen.update(repr((table.name, rows)).encode())
    return seen.hexdigest()


def files(office) -> set[str]:
    home = office.settings.home
    kept = {path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file()}
    return {name for name in kept if not re.search(r"sqlite3(-wal|-shm|-journal|\.lock)?$|\.lock$", name)}


def send(office, page: str, content: bytes, *, lang: str = "en", name: str = "list.csv"):
    path = f"steward/imports/{page}"
    return office.post("steward", path, file=(io.BytesIO(content), name), lang=lang)


@pytest.mark.parametrize("page", PAGES)
def test_a_hostile_file_is_refused_and_nothing_is_written(office, page: str):
    before, kept = everything(office), files(office)
    for what, content in HOSTILE.items():
        answer = send(office, page, content.replace(b"{head}", HEAD[page]))
        assert answer.status_code == 422, (what, answer.status_code)
        assert "Nothing was imported" in answer.text, what
        assert "<script>alert" not in answer.text, what
        assert len(answer.data) < 400_000, what
    assert everything(office) == before
    assert files(office) == kept


@pytest.mark.parametrize(
    "name", ["../../../etc/cron.d/x", "a\\..\\b.csv", "list.csv\r\nX-Evil: 1", "=cmd|' /C calc'!A0.csv"]
)
def test_the_name_of_a_file_is_never_used(office, name: str):
    kept = files(office)
    answer = send(office, "invitations", HEAD["invitations"], name=name)
    assert answer.status_code == 422
    assert "X-Evil" not in answer.headers
    assert files(office) == kept


def test_a_file_that_is_too_large_is_not_read(office):
    before, client = everything(office), office.browser("steward")
    path, form = f"/{office.slug}/steward/imports/invitations", "multipart/form-data; boundary=b"
    answer = client.post(path, data=b"a" * (16 * 1024 * 1024 + 1), content_type=form)
    assert answer.status_code == 413
    assert everything(office) == before


def test_what_is_wrong_with_a_line_is_said_in_the_readers_language(office):
    rows = HEAD["participants"] + b"P1,Ans,12,ja\nP2,Bert,0612345678,misschien\n"
    client, site, path = (
        office.browser("steward"),
        office.settings.base_url,
        f"/{office.slug}/steward/imports/participants",
    )
    shown = client.get(path, query_string={"lang": "nl"}, base_url=site).text
    token = re.search(r'name="csrf_token" value="([^"]+)"', shown)
    assert token
    form = {"csrf_token": token[1], "file": (io.BytesIO(rows), "l.csv")}
    answer = client.post(path, data=form, base_url=site, headers={"Referer": f"{site}{path}"})
    assert answer.status_code == 422
    said = re.findall(r"<li><strong>(.+?)</strong> (.+?)</li>", answer.text)
    assert said == [(f"Regel {line}:", "screening__birth_date: Vul een datum in.") for line in (2, 3)]


@pytest.mark.parametrize("code", problems.TEXTS)
def test_every_reason_has_words_with_the_same_values(code: str):
    gaps = set(re.findall(r"{(\w+)}", problems.TEXTS[code]))
    assert set(re.findall(r"%\((\w+)\)s", str(wrong.WORDS[code]))) == gaps
    reason = problems.Reason(code, **{gap: f"<{gap}>" for gap in gaps})
    assert all(f"<{gap}>" in wrong.said(reason) for gap in gaps)


def test_no_words_are_kept_for_a_reason_that_is_gone():
    assert set(wrong.WORDS) == set(problems.TEXTS)
