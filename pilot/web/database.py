"""One request, one transaction: `g.session` opens when it is first used, and the edge commits when the page stands.

A GET reads; every other method writes. A database that is away or locked makes the request run again, which is safe:
every form carries a nonce that makes a second run find what the first one did.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flask import Response, g, has_request_context, request
from flask.ctx import _AppCtxGlobals
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from pilot.db import is_passing
from pilot.errors import Busy
from pilot.web.state import state

logger = logging.getLogger("pilot.web")
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
TRIES = 6
FIRST_PAUSE = 0.05


class Globals(_AppCtxGlobals):
    """Flask's `g`, whose `session` is opened by the first who asks for it."""

    @property
    def session(self) -> Session:
        if "_session" not in self.__dict__:
            self._session = state().database.session(writes=_writes())
        return self._session


def _writes() -> bool:
    return has_request_context() and request.method not in SAFE


@contextmanager
def writing() -> Iterator[Session]:
    """For a page that is read (GET) and yet has to write one thing: a session of its own, committed at the end."""
    with state().database.writing() as session:
        yield session


def commit_when_it_stands(view: Callable[[], Response], forget: Callable[[], None]) -> Response:
    """Run the view; commit what it did when its page is not an error; run it again when the database was away.

    `forget` drops what the request remembers of the session that broke. Raises Busy when no try succeeded.
    """
    deadline = time.monotonic() + state().settings.lock_seconds
    for attempt in range(TRIES):
        try:
            response = view()
            if response.status_code < 400 and _writes():
                commit()
            else:
                close()
            return response
        except (DBAPIError, PoolTimeout, Busy) as error:
            if isinstance(error, DBAPIError) and not is_passing(error):
                raise
            close(broken=True)
            forget()
            pause = FIRST_PAUSE * 2**attempt * random.uniform(0.5, 1.5)
            if attempt == TRIES - 1 or time.monotonic() + pause > deadline:
                raise Busy("the database cannot answer now; nothing was changed, try again") from error
            time.sleep(pause)
    raise AssertionError("unreachable: the last try returns or raises")


def afterwards(deed: Callable[[], object]) -> None:
    """Something to do once what this request did is kept, and not at all when it is undone. It may fail: whoever asks
    for it sees to it that somebody else does it later.
    """
    g.setdefault("_afterwards", []).append(deed)


def commit() -> None:
    """Keep what this request did, and then do what was to come after it."""
    session: Session | None = g.get("_session")
    if session is not None:
        session.commit()
    for deed in g.pop("_afterwards", []):
        try:
            deed()
        except Exception:
            logger.exception("what was to come after the commit failed; the worker does it")


def close(_error: Any = None, *, broken: bool = False) -> None:
    """Undo what was not committed and give the connection back; a broken one is thrown away."""
    g.pop("_afterwards", None)
    session: Session | None = g.pop("_session", None)
    if session is None:
        return
    if broken:
        session.invalidate()
    else:
        session.close()
