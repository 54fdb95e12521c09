"""The moment that must not fail: the POST that allocates, against the database alone and against the least endpoint.

    python benchmarks/enrolment.py [--json] [--rounds 5] [--people 320]

A temporary PostgreSQL that waits for the disk, gunicorn with two processes, sixteen connections. Earlier pages
are on record before the clock starts; what is measured is the click on the draw. Rounds are interleaved, and figures
are medians over the rounds:

- requests a second against pgbench, which sends the very statements of that request with the same number of clients;
- processor time of one enrolment, web and database together, against `_minimal_enrolment.py` in the same run;
- one stratum against eight strata; and, for information, against a page that only says that the site is alive.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from _clients import Load, burst, cpu_of, get, post, served
from _timing import Figure, report

sys.path.insert(1, str(Path(__file__).resolve().parent.parent / "tests" / "fixtures"))

import psycopg
from arrivals import get_ready
from postgres_cluster import Cluster, cluster, free_port
from small_pilot import Site, changed, make, settings_for
from sqlalchemy import event, select, text

from pilot import access
from pilot.app import create_app
from pilot.models import Participant

CLIENTS = 16
STRATA = 8
MARK = 987_654_321
PLACE = 987_654_322


@dataclass(slots=True)
class Measured:
    """The rounds of one kind of request."""

    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return statistics.median(self.rates)

    @property
    def each(self) -> float:
        return statistics.median(self.cpu)


class Bench:
    """Three pilots on one server: behind the real app, behind the least endpoint, and for pgbench alone."""

    def __init__(self, server: Cluster, folder: Path, arguments: Namespace) -> None:
        self.server, self.folder, self.arguments = server, folder, arguments
        self.postmaster = int((server.data / "postmaster.pid").read_text().split()[0])
        self.ports = {"real": free_port(), "minimal": free_port()}
        self.sites = {name: a_site(server, folder / name, self.ports.get(name, 0)) for name in (*self.ports, "pgbench")}
        self.processes: dict[str, int] = {}
        self.measured = {name: Measured() for name in ("eight", "one", "minimal", "pgbench", "alive")}
        self.crowds: dict[str, list[bytes]] = {}
        self.next_person = 0

    def prepare(self) -> None:
        """Everybody's earlier pages, written to the record; and the requests that are still to come."""
        wanted = self.arguments.people * self.arguments.rounds
        real = self.sites["real"]
        crowd = {"eight": get_ready(real, wanted, name="e"), "one": get_ready(real, wanted + 1, strata=1, name="o")[1:]}
        token = self.form_token(tokens(real, crowd["eight"][:1])[0])
        for name, ids in crowd.items():
            links = tokens(real, ids)
            self.crowds[name] = [post(self.ports["real"], f"/e/{one}/draw", *token) for one in links]
        ids = get_ready(self.sites["minimal"], wanted)
        found = study_ids(self.sites["minimal"], ids)
        self.crowds["minimal"] = [post(self.ports["minimal"], f"/draw/{one}") for one in found]
        self.crowds["alive"] = [request_of(self.ports["real"], "/healthz")] * wanted

    def form_token(self, token: str) -> tuple[str, str]:
        """Body and cookie of the form on the page of the draw, as a browser has them."""
        page = get(self.ports["real"], f"/e/{token}/draw").decode()
        cookie, csrf = re.search(r"Set-Cookie: (session=[^;]+)", page), re.search(r'csrf_token" value="([^"]+)"', page)
        if cookie is None or csrf is None:
            raise SystemExit(f"the page of the draw has no form:\n{page[:2000]}")
        return f"csrf_token={csrf[1]}", cookie[1]

    def round(self, number: int) -> None:
        """One burst of each kind, one after the other."""
        people = self.arguments.people
        for name, server, status in (
            ("eight", "real", 303), ("minimal", "minimal", 303), ("one", "real", 303), ("alive", "real", 200),
        ):  # fmt: skip
            mine = self.crowds[name][number * people : (number + 1) * people]
            before = self.cpu(server)
            load: Load = burst(self.ports[server], mine, CLIENTS).expect(status)
            self.measured[name].cpu.append((self.cpu(server) - before) / len(mine))
            self.measured[name].rates.append(load.rate)

    def cpu(self, server: str) -> float:
        return cpu_of(self.processes[server]) + cpu_of(self.postmaster)


def main(arguments: Namespace) -> list[Figure]:
    with cluster(max_connections="200") as server, tempfile.TemporaryDirectory() as name:
        bench = Bench(server, Path(name), arguments)
        with (
            served("pilot.app:wsgi()", bench.ports["real"], environment(bench.sites["real"]), Path(name) / "a") as web,
            served(
                "_minimal_enrolment:make()", bench.ports["minimal"], environment(bench.sites["minimal"]),
                Path(name) / "b",
            ) as least,
        ):  # fmt: skip
            bench.processes = {"real": web, "minimal": least}
            bench.prepare()
            database = Raw(bench)
            for number in range(arguments.rounds):
                bench.round(number)
                database.round()
        if "--json" not in sys.argv:
            tell(bench)
        return figures(bench)


def figures(bench: Bench) -> list[Figure]:
    real, raw = bench.measured["eight"], bench.measured["pgbench"]
    raw_rate = raw.rate if raw.rates else None
    return [
        Figure("allocating POST, requests a second", raw_rate and real.rate / raw_rate, 0.15, "pgbench, same SQL"),
        Figure("processor time of one enrolment", real.each / bench.measured["minimal"].each, 1.5,
               "a minimal Core and chain endpoint", at_most=True),
        Figure("one stratum", bench.measured["one"].rate / real.rate, 0.7, "eight strata"),
        Figure("allocating POST", real.rate / bench.measured["alive"].rate, None, "a page that says it is alive"),
    ]  # fmt: skip


def tell(bench: Bench) -> None:
    for name, measured in bench.measured.items():
        cpu = f"{1000 * measured.each:6.2f} ms of processor time each" if measured.cpu else ""
        rate = f"{measured.rate:8.1f} a second" if measured.rates else "not measured"
        print(f"{name:<10} {rate}   {cpu}")


def a_site(server: Cluster, home: Path, port: int) -> Site:
    """A pilot that recruits today, whatever day that is."""
    today = datetime.now(UTC).date()
    dates = {"start": str(today - timedelta(days=30)), "end": str(today + timedelta(days=400)), "target": 11880}
    protocol = changed(lambda data: data["pilot"].update(recruitment=dates))
    url = server.url(server.create_database())
    settings = settings_for(home, url, base_url=f"http://127.0.0.1:{port or 80}", kind="production")
    return make(settings, protocol=protocol, now=datetime.now(UTC) - timedelta(days=1))


def environment(site: Site) -> dict[str, str]:
    names = ("home", "kind", "database_url", "secret_key", "password_salt", "data_key", "keys", "base_url")
    folders = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)]
    own = {f"PILOT_{name.upper()}": str(getattr(site.settings, name)) for name in names}
    return {**own, "PYTHONPATH": os.pathsep.join(folders)}


def request_of(port: int, path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()


def study_ids(site: Site, ids: list[int]) -> list[str]:
    with site.reading() as (session, _pilot):
        found = {row.id: row.study_id for row in session.execute(select(Participant.id, Participant.study_id))}
    return [found[one] for one in ids]


def tokens(site: Site, ids: list[int]) -> list[str]:
    """The personal links of these people."""
    now = datetime.now(UTC)
    with site.reading() as (session, _pilot):
        found = {one.id: one for one in session.scalars(select(Participant))}
        return [access.link_token(site.settings.secret_key, found[one], "enrol", now=now) for one in ids]


class Raw:
    """pgbench with the statements of the real request, one script a stratum, each person used once.

    The statements are those that the app was seen to send for the last person of each stratum. Person and place
    become variables of pgbench; everything else (hashes, texts) stays as it was: the database does not look at it.
    """

    def __init__(self, bench: Bench) -> None:
        self.bench, self.site = bench, bench.sites["pgbench"]
        self.program = bench.server.programs / "pgbench"
        transactions = bench.arguments.transactions
        if not self.program.exists():
            return
        count = CLIENTS * transactions * bench.arguments.rounds
        crowd = get_ready(self.site, count + 2 * STRATA)
        self.first, seen = crowd[STRATA], crowd[-STRATA:]
        if crowd[STRATA : STRATA + count] != list(range(self.first, self.first + count)):
            raise SystemExit("the people of pgbench are not numbered one after the other")
        with self.site.database.write_engine.begin() as connection:
            connection.execute(text("UPDATE participants SET study_id = 'S' || id, nonce = 'N' || id"))
        self.files = self.scripts(seen)

    def scripts(self, seen: list[int]) -> list[Path]:
        app = create_app(self.site.settings)
        app.config["WTF_CSRF_ENABLED"] = False
        engine = app.extensions["adviespilot"].database.write_engine
        sent: list[tuple[str, Any]] = []
        event.listen(engine, "before_cursor_execute", lambda *found: sent.append((found[2], found[3])))
        files = []
        with psycopg.connect(
            self.site.settings.database_url.replace("+psycopg", ""), cursor_factory=psycopg.ClientCursor
        ) as line:
            for number, (person, token) in enumerate(zip(seen, tokens(self.site, seen), strict=True)):
                sent.clear()
                answer = app.test_client().post(f"/e/{token}/draw", base_url=self.site.settings.base_url)
                if answer.status_code != 303 or "/next" not in answer.headers["Location"]:
                    raise SystemExit(f"the draw answered {answer.status_code}")
                position = next(values["position"] for sql, values in sent if sql.startswith("INSERT INTO allocations"))
                lines = [
                    f"\\set i :i + 1\n\\set p {self.first} + :offset + :i * {CLIENTS} + :client_id", "BEGIN;"
                ]  # fmt: skip
                lines += [statement(line.cursor(), sql, values, person, position) for sql, values in sent]
                file = self.bench.folder / f"stratum{number}.sql"
                file.write_text("\n".join([*lines, "COMMIT;"]) + "\n")
                files.append(file)
        return files

    def round(self) -> None:
        """One run of all clients; each has taken its people further on when the next one starts."""
        if not self.program.exists():
            return
        bench = self.bench
        done, transactions = len(bench.measured["pgbench"].rates), bench.arguments.transactions
        scripts = [word for file in self.files for word in ("-f", str(file))]
        command = [str(self.program), "-n", "-c", str(CLIENTS), "-j", "2", "-t", str(transactions), "-D", "i=-1", "-D",
                   f"offset={done * transactions * CLIENTS}", *scripts,
                   self.site.settings.database_url.replace("+psycopg", "")]  # fmt: skip
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        rate = re.search(r"tps = ([\d.]+)", ran.stdout)
        if ran.returncode or rate is None or "failed transactions: 0" not in ran.stdout:
            raise SystemExit(f"pgbench failed:\n{ran.stdout}\n{ran.stderr[-2000:]}")
        bench.measured["pgbench"].rates.append(float(rate[1]))


def statement(cursor: Any, sql: str, values: Any, person: int, position: int) -> str:
    """One statement as pgbench runs it: for any person, and at the place that the counter just gave."""
    known = {person: MARK, f"S{person}": f"S{MARK}", f"N{person}": f"N{MARK}"}
    given = {name: known.get(value, value) if isinstance(value, int | str) else value for name, value in values.items()}
    if sql.startswith("INSERT INTO allocations") and given["position"] == position:
        given["position"] = PLACE
    written = cursor.mogrify(sql, given).replace(str(MARK), ":p").replace(str(PLACE), ":r_anon_1")
    one_line = " ".join(written.split())
    return f"{one_line} \\gset r_" if sql.startswith("UPDATE stratum_state") and "RETURNING" in sql else one_line + ";"


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--people", type=int, default=320, help="enrolments of each kind in a round")
    parser.add_argument(
        "--transactions", type=int, default=60, help="transactions of each client of pgbench in a round"
    )
    raise SystemExit(report(main(parser.parse_args())))
