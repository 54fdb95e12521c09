"""The real server: it starts only when it may, answers, and lets requests under way finish when it is told to stop."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from urllib.request import urlopen

import pytest

from pilot import schema
from pilot.db import Database
from pilot.settings import load

PILOT = [sys.executable, "-c", "from pilot.cli import main; main()"]


def free_port() -> int:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.fixture
def server(tmp_path):
    """(process, port) of `pilot serve` on an SQLite database of its own."""
    database = Database(load({}, home=tmp_path, kind="test"))
    schema.upgrade(database)
    database.dispose()
    port = free_port()
    environment = {**os.environ, "PILOT_HOME": str(tmp_path), "PILOT_KIND": "test"}
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen([*PILOT, "serve", "--port", str(port)], env=environment, stderr=log)
    deadline = time.monotonic() + 60
    while not answers(port):
        assert process.poll() is None, (tmp_path / "log").read_text()
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.05)
    yield process, port
    process.kill()
    process.wait()


def answers(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def test_a_request_that_is_under_way_is_finished_before_the_server_stops(server, tmp_path):
    process, port = server
    body = b"email=a%40b.nl"
    head = (
        f"POST /login HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with closing(socket.create_connection(("127.0.0.1", port), timeout=30)) as visitor:
        visitor.sendall(head.encode() + body[:5])
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        visitor.sendall(body[5:])
        assert visitor.recv(12) == b"HTTP/1.1 400"
    assert process.wait(timeout=40) == 0
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [line["status"] for line in lines if line.get("path") == "/login"] == [400]
