"""Open the demo in the person's browser once it answers: `python -m tooling.open_browser PORT ADDRESS`.

It is a process of its own, because run.py has become the server by then.
"""

from __future__ import annotations

import socket
import sys
import time
import webbrowser


def open_when_ready(port: int, address: str, seconds: float = 30) -> bool:
    """Whether something answered on the port in time, and the browser was asked to open the address."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.2)
        else:
            return webbrowser.open(address)
    return False


if __name__ == "__main__":
    open_when_ready(int(sys.argv[1]), sys.argv[2])
