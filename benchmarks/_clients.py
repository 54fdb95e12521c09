"""Clients of a web server that cost little themselves: open connections, bytes written before, answers only counted."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Load:
    """What came of a burst of requests: how many a second, and how many were answered with each status."""

    rate: float
    statuses: dict[int, int]
    waits: tuple[float, ...]

    def expect(self, status: int) -> Load:
        if set(self.statuses) != {status}:
            raise SystemExit(f"expected only {status}, and got {self.statuses}")
        return self


def burst(port: int, requests: Sequence[bytes], connections: int) -> Load:
    """All requests over so many connections at once, each connection one after the other."""
    hands = [requests[number::connections] for number in range(connections)]
    answers: list[tuple[int, float]] = []
    gate = threading.Barrier(connections + 1)
    threads = [threading.Thread(target=_one, args=(port, hand, gate, answers)) for hand in hands]
    for thread in threads:
        thread.start()
    gate.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    statuses: dict[int, int] = {}
    for status, _wait in answers:
        statuses[status] = statuses.get(status, 0) + 1
    return Load(len(answers) / seconds, statuses, tuple(wait for _status, wait in answers))


def _one(port: int, requests: Sequence[bytes], gate: threading.Barrier, answers: list[tuple[int, float]]) -> None:
    with contextlib.ExitStack() as stack:
        line = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        gate.wait()
        for request in requests:
            began = time.perf_counter()
            line.sendall(request)
            status, _body, closing = answer_of(line)
            answers.append((status, time.perf_counter() - began))
            if closing:
                line.close()
                line = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))


def answer_of(line: socket.socket) -> tuple[int, bytes, bool]:
    """Status, everything that was sent, and whether the connection ends here."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = line.recv(65536)
        if not part:
            raise ConnectionError("the server closed the connection")
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    wanted = int(length[1]) if length else 0
    while len(body) < wanted:
        part = line.recv(65536)
        if not part:
            raise ConnectionError("the server closed the connection in the middle of an answer")
        body += part
    return int(head[9:12]), head + b"\r\n\r\n" + body, b"connection: close" in head.lower()


def get(port: int, path: str) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as line:
        line.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/html\r\n\r\n".encode())
        return answer_of(line)[1]


def post(port: int, path: str, body: str = "", cookie: str = "") -> bytes:
    """The bytes of a form that a browser sends."""
    lines = [
        f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Referer: http://127.0.0.1:{port}{path}",
        "Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}", f"Cookie: {cookie}", "",
        body,
    ]  # fmt: skip
    return "\r\n".join(lines).encode()


@contextlib.contextmanager
def served(app: str, port: int, environment: dict[str, str], log: Path, *, workers: int = 2) -> Iterator[int]:
    """The app behind gunicorn, with the threads that `pilot serve` gives it; gives the number of its process."""
    command = [sys.executable, "-m", "gunicorn", app, "-k", "gthread", "-w", str(workers), "--threads", "8",
               "-b", f"127.0.0.1:{port}", "--timeout", "120", "--no-control-socket", "--keep-alive", "60"]  # fmt: skip
    with log.open("w") as output:
        process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=output, stderr=output)
    try:
        _wait_for(port, process, log)
        yield process.pid
    except BaseException:
        sys.stderr.write(log.read_text(errors="replace")[-3000:])
        raise
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"gunicorn ended:\n{log.read_text()[-3000:]}")
        with contextlib.suppress(OSError, ConnectionError):
            get(port, "/healthz")
            return
        time.sleep(0.2)
    raise SystemExit("gunicorn did not answer within two minutes")


def cpu_of(process: int) -> float:
    """Seconds of processor time of a process and everything below it, those that have ended included."""
    below: dict[int, list[int]] = {}
    times: dict[int, tuple[float, float]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            words = stat.read_text().rpartition(")")[2].split()
            number = int(stat.parent.name)
            below.setdefault(int(words[1]), []).append(number)
            times[number] = (int(words[11]) + int(words[12]), int(words[13]) + int(words[14]))
    total, waiting = 0.0, [process]
    while waiting:
        number = waiting.pop()
        total += sum(times.get(number, (0.0, 0.0)))
        waiting += below.get(number, [])
    return total / TICK
