"""A server that does with its connections what no server should: every path is a function of the socket."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import struct
import threading
import time
from collections.abc import Callable

Deed = Callable[[socket.socket], None]


class RawSite:
    """Serves bytes as the functions of `deeds` send them; a path that is none of theirs is answered 404. A context manager."""

    def __init__(self, deeds: dict[str, Deed | bytes]) -> None:
        self.deeds = deeds
        self.log: list[tuple[str, float, dict[str, str]]] = []
        self.open_now = self.most_open = 0
        self._lock = threading.Lock()
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _handler(self), bind_and_activate=True)
        self._server.daemon_threads = True
        self.base = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> RawSite:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def url(self, path: str) -> str:
        return self.base + path

    def asked(self, path: str) -> list[dict[str, str]]:
        return [headers for asked, _, headers in self.log if asked == path]

    def count(self, change: int) -> None:
        with self._lock:
            self.open_now += change
            self.most_open = max(self.most_open, self.open_now)


def _handler(site: RawSite) -> type[socketserver.BaseRequestHandler]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            site.count(1)
            with contextlib.suppress(OSError):
                head = b""
                while b"\r\n\r\n" not in head:
                    more = self.request.recv(65536)
                    if not more:
                        break
                    head += more
                if head:
                    self.serve(head)
            site.count(-1)

        def serve(self, head: bytes) -> None:
            lines = head.decode("latin-1").split("\r\n")
            path = lines[0].split(" ")[1]
            fields = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
            site.log.append((path, time.monotonic(), fields))
            deed = site.deeds.get(path, answer(b"", 404))
            if callable(deed):
                deed(self.request)
            else:
                self.request.sendall(deed)

    return Handler


def answer(body: bytes, status: int = 200, *fields: str, length: int | None = -1) -> bytes:
    """A whole answer that ends the connection; `length` None leaves Content-Length out."""
    size = len(body) if length == -1 else length
    known = [*fields, "Connection: close", *([] if size is None else [f"Content-Length: {size}"])]
    return f"HTTP/1.1 {status} x\r\n".encode() + "".join(f"{f}\r\n" for f in known).encode() + b"\r\n" + body


def reset(connection: socket.socket) -> None:
    """End a connection as a crashed server does: RST instead of FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def drip(head: bytes, *, pause: float = 0.05, byte: bytes = b"x") -> Deed:
    """Send `head` at once, then a byte now and then, for ever."""

    def deed(connection: socket.socket) -> None:
        connection.sendall(head)
        while True:
            connection.sendall(byte)
            time.sleep(pause)

    return deed


def flood(head: bytes, part: bytes) -> Deed:
    """Send `head`, then `part` for ever, as fast as it goes."""

    def deed(connection: socket.socket) -> None:
        connection.sendall(head)
        block = part * max(1, 65536 // len(part))
        while True:
            connection.sendall(block)

    return deed


def cut(data: bytes) -> Deed:
    """Send some bytes, then reset the connection."""

    def deed(connection: socket.socket) -> None:
        connection.sendall(data)
        time.sleep(0.1)
        reset(connection)

    return deed
