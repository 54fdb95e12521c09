"""The way to the database: one engine that reads, one that writes, and one rule: the edge commits.

SQLite loses updates silently when a transaction reads first and writes later, so its writers say BEGIN IMMEDIATE,
and stand in line at a lock file before they do: SQLite's own busy handler lets waits grow to seconds. The lock is held
until COMMIT has returned. Readers use plain BEGIN and never wait. PostgreSQL needs none of this.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, DateTime, Engine, MetaData, create_engine, event, func, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import URL, Dialect, make_url
from sqlalchemy.exc import DBAPIError, DisconnectionError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

from pilot.crypto import Keyring
from pilot.errors import Busy
from pilot.settings import Settings

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


REST_SECONDS = 1.0
"""A connection to PostgreSQL that lay still for longer is asked whether it lives."""


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC. SQLite forgets the zone, so it is taken off on the way in and put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone; hand in a time in UTC")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Every table of the pilot."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {
        datetime: UtcDateTime(),
        dict[str, Any]: JSON().with_variant(JSONB(), "postgresql"),
        list[Any]: JSON().with_variant(JSONB(), "postgresql"),
    }


class Queue:
    """The line at which SQLite's writers stand: first the threads of this process, then the processes."""

    def __init__(self, path: Path, seconds: float) -> None:
        self.path, self.seconds = path, seconds
        self._threads = threading.Lock()
        self._file: int | None = None
        self._holder: int | None = None

    def enter(self, holder: int) -> None:
        deadline = time.monotonic() + self.seconds
        if not self._threads.acquire(timeout=self.seconds):
            raise Busy("the database is busy: another request holds it; nothing was changed, try again")
        try:
            if self._file is None:
                self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            pause = 0.0005
            while not self._try():
                if time.monotonic() > deadline:
                    raise Busy("the database is busy: another process holds it; nothing was changed, try again")
                time.sleep(pause)
                pause = min(pause * 1.5, 0.004)
        except BaseException:
            self._threads.release()
            raise
        self._holder = holder

    def leave(self, holder: int) -> None:
        if self._holder != holder or self._file is None:
            return
        self._holder = None
        fcntl.flock(self._file, fcntl.LOCK_UN)
        self._threads.release()

    def _try(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # type: ignore[arg-type]
        except BlockingIOError:
            return False
        return True


class SQLiteWriter(SQLiteDialect_pysqlite):
    """pysqlite whose transactions are writers from their first statement and hold the queue until they have ended."""

    supports_statement_cache = True
    queue: Queue

    def do_begin(self, dbapi_connection: Any) -> None:
        self.queue.enter(_identity(dbapi_connection))
        try:
            dbapi_connection.cursor().execute("BEGIN IMMEDIATE")
        except BaseException:
            self.queue.leave(_identity(dbapi_connection))
            raise

    def do_commit(self, dbapi_connection: Any) -> None:
        try:
            super().do_commit(dbapi_connection)
        finally:
            if not _driver(dbapi_connection).in_transaction:
                self.queue.leave(_identity(dbapi_connection))

    def do_rollback(self, dbapi_connection: Any) -> None:
        try:
            super().do_rollback(dbapi_connection)
        finally:
            self.queue.leave(_identity(dbapi_connection))

    def do_close(self, dbapi_connection: Any) -> None:
        try:
            super().do_close(dbapi_connection)
        finally:
            self.queue.leave(_identity(dbapi_connection))


def _driver(connection: Any) -> Any:
    return getattr(connection, "dbapi_connection", None) or connection


def _identity(connection: Any) -> int:
    return id(_driver(connection))


class Database:
    """Both engines of one installation. Made before a fork, it connects only after it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.url: URL = make_url(settings.database_url)
        self.keyring = Keyring({1: settings.data_key_bytes()})

    @property
    def is_sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"

    @cached_property
    def write_engine(self) -> Engine:
        return self._sqlite(writes=True) if self.is_sqlite else self._server()

    @cached_property
    def read_engine(self) -> Engine:
        return self._sqlite(writes=False) if self.is_sqlite else self.write_engine

    def _sqlite(self, *, writes: bool) -> Engine:
        path = Path(self.url.database or "")
        path.parent.mkdir(parents=True, exist_ok=True)
        wait = {"timeout": self.settings.lock_seconds, "check_same_thread": False}
        engine = create_engine(self.url, pool_size=self.settings.pool_size, max_overflow=0, connect_args=wait,
                               pool_timeout=self.settings.lock_seconds)  # fmt: skip
        if writes:
            engine.dialect.__class__ = SQLiteWriter
            engine.dialect.queue = Queue(path.with_name(path.name + "-queue"), self.settings.lock_seconds)  # type: ignore[attr-defined]
        else:
            event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
        engine.dialect.keyring = self.keyring  # type: ignore[attr-defined]

        @event.listens_for(engine, "connect")
        def prepare(connection: Any, _record: Any) -> None:
            connection.isolation_level = None
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON",
                           f"busy_timeout={int(self.settings.lock_seconds * 1000)}"):  # fmt: skip
                connection.execute(f"PRAGMA {pragma}")
            if not writes:
                connection.execute("PRAGMA query_only=ON")

        return engine

    def _server(self) -> Engine:
        wait = int(self.settings.lock_seconds * 1000)
        options = (
            f"-c lock_timeout={wait} -c statement_timeout={wait * 6} -c idle_in_transaction_session_timeout={wait * 6}"
        )
        url = self.url.set(drivername="postgresql+psycopg") if self.url.drivername == "postgresql" else self.url
        engine = create_engine(
            url,
            pool_size=self.settings.pool_size,
            max_overflow=2,
            pool_timeout=self.settings.lock_seconds,
            connect_args={"connect_timeout": 5, "options": options},
        )
        _ask_after_a_rest(engine)
        engine.dialect.keyring = self.keyring  # type: ignore[attr-defined]
        return engine

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that only reads; whatever happens, nothing is written."""
        with translated(), Session(self.read_engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session that commits when the block ends well and undoes everything when it does not."""
        with translated(), Session(self.write_engine, expire_on_commit=False) as session:
            yield session
            session.commit()

    def session(self, *, writes: bool) -> Session:
        """A bare session for an edge that commits by itself (the web request)."""
        return Session(self.write_engine if writes else self.read_engine, expire_on_commit=False)

    def ready(self) -> None:
        """Raises Busy unless the database answers."""
        with self.reading() as session:
            session.execute(text("SELECT 1"))

    def dispose(self) -> None:
        for name in ("read_engine", "write_engine"):
            if name in self.__dict__:
                self.__dict__.pop(name).dispose()


def _ask_after_a_rest(engine: Engine) -> None:
    """A connection that lay still is asked whether it lives before it is used: a firewall may have cut it.

    One that was used a moment ago is not: that would cost every busy request a journey to the database. When it turns
    out to be dead all the same, the edge runs the request again on a fresh one.
    """

    @event.listens_for(engine, "checkin")
    def laid_down(_connection: Any, record: Any) -> None:
        record.info["used_at"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def taken_up(connection: Any, record: Any, _proxy: Any) -> None:
        used_at = record.info.get("used_at")
        if used_at is None or time.monotonic() - used_at < REST_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError("this connection was cut while it lay still") from error


@contextmanager
def translated() -> Iterator[None]:
    """Turns a database that is away, or locked, into Busy: the one failure that trying again mends."""
    try:
        yield
    except DBAPIError as error:
        if is_passing(error):
            raise Busy("the database cannot answer now; nothing was changed, try again") from error
        raise
    except PoolTimeout as error:
        raise Busy("too many requests at once; nothing was changed, try again") from error


def shared_clock(session: Session) -> datetime:
    """The database's own clock: the one that all workers share, whatever their machines say.

    Only for leases and for attempts that are counted, where two clocks that differ would let two workers take the same
    thing. Everything else is given the time by its caller.
    """
    return session.scalars(select(func.now(type_=UtcDateTime()))).one()


def one_at_a_time(session: Session, deed: str, number: int) -> None:
    """Waits until no other transaction does this deed for this number, and keeps others out until this one ends.

    It blocks no row and nobody who does something else. SQLite has one writer as it is.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(func.hashtext(deed), number)))


def insert_once(session: Session, model: type[Base], **values: Any) -> bool:
    """Inserts the row unless a unique constraint already holds one; says whether it did. Never poisons the session."""
    session.flush()
    statement = _insert_once(model, session.get_bind().dialect.name)
    return session.execute(statement, values).first() is not None


@lru_cache(maxsize=128)
def _insert_once(model: type[Base], dialect: str) -> Any:
    """The statement, made once a table: making it costs more than running it."""
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    table = model.__table__
    return insert(table).on_conflict_do_nothing().returning(*table.primary_key)  # type: ignore[arg-type]


# Locked, or not to be opened at this moment. Any other error of SQLite (no such table, a full disk) would come again.
_SQLITE_PASSING = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_CANTOPEN", "SQLITE_PROTOCOL")
_POSTGRESQL_PASSING = frozenset({"40001", "40P01", "55P03", "57014", "57P01", "57P02", "57P03", "53300"})


def is_passing(error: DBAPIError) -> bool:
    """Whether a database error is one that trying again mends: a lost connection, a lock, a full line."""
    if error.connection_invalidated:
        return True
    sqlite_name: str | None = getattr(error.orig, "sqlite_errorname", None)
    if sqlite_name is not None:
        return sqlite_name.startswith(_SQLITE_PASSING)
    if isinstance(error, OperationalError | InterfaceError):
        return True
    return getattr(error.orig, "sqlstate", None) in _POSTGRESQL_PASSING
