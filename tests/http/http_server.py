"""A server on a real socket that behaves as it is told, one answer a request, each connection in a
thread of its own."""

import contextlib
import gzip
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs

Behaviour = Callable[["Request", "Peer"], None]


@attrs.frozen
class Request:
    """What came in. Names of headers are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)


@attrs.frozen
class Peer:
    """The connection a request came over. `over` is set when the test ends."""

    socket: socket.socket
    over: threading.Event

    def write(self, data: bytes) -> None:
        self.socket.sendall(data)

    def head(self, status: int, *headers: str) -> None:
        self.write("\r\n".join([f"HTTP/1.1 {status} Whatever", *headers, "", ""]).encode())


def answers(status: int, document: Any = None, *headers: str, content: bytes = b"") -> Behaviour:
    """Answer like a well-behaved service."""
    body = content if document is None else json.dumps(document).encode()

    def behave(_: Request, peer: Peer) -> None:
        peer.head(status, f"content-length: {len(body)}", *headers)
        peer.write(body)

    return behave


def hangs(_: Request, peer: Peer) -> None:
    """Never answer."""
    peer.over.wait()


def drips(what: bytes, pause: float = 0.02) -> Behaviour:
    """Send something, and then a byte at a time without end."""

    def behave(_: Request, peer: Peer) -> None:
        peer.write(what)
        while not peer.over.wait(pause):
            peer.write(b"x")

    return behave


DRIPPING_HEAD = drips(b"HTTP/1.1 200 OK\r\nx-long: ")
DRIPPING_BODY = drips(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n{")


def resets(after: bytes = b"") -> Behaviour:
    """Send something and break the connection off."""

    def behave(_: Request, peer: Peer) -> None:
        peer.write(after)
        linger = struct.pack("ii", 1, 0)
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        peer.socket.close()

    return behave


def closes(_: Request, peer: Peer) -> None:
    """Close without an answer."""
    peer.socket.close()


def talks_nonsense(_: Request, peer: Peer) -> None:
    """Answer something that is no HTTP."""
    peer.write(b"hello\r\n\r\n")
    peer.socket.close()


def babbles(_: Request, peer: Peer) -> None:
    """A body without end, in chunks."""
    peer.head(200, "transfer-encoding: chunked")
    while not peer.over.is_set():
        peer.write(b"1000\r\n" + b"x" * 0x1000 + b"\r\n")


def bomb(size: int) -> Behaviour:
    """A small body that unpacks to a large one."""
    return answers(200, None, "content-encoding: gzip", content=gzip.compress(b"0" * size))


@attrs.define
class Server:
    """What it got, and how it goes on: the last behaviour repeats; `routes` come before."""

    behaviours: list[Behaviour]
    scheme: str = "http"
    port: int = 0
    got: list[Request] = attrs.field(factory=list)
    routes: dict[str, Behaviour] = attrs.field(factory=dict)
    handshakes_failed: int = 0
    over: threading.Event = attrs.field(factory=threading.Event)

    def url(self, path: str = "/orders", host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"

    @property
    def seen(self) -> list[str]:
        """Method and path of each request."""
        return [f"{each.method} {each.path}" for each in self.got]

    def _behaviour(self, request: Request) -> Behaviour:
        route = self.routes.get(f"{request.method} {request.path}")
        if route is not None:
            return route
        left = self.behaviours
        return left.pop(0) if len(left) > 1 else left[0]

    def _serve(self, connected: socket.socket, context: ssl.SSLContext | None) -> None:
        try:
            if context is not None:
                connected = context.wrap_socket(connected, server_side=True)
        except OSError:
            self.handshakes_failed += 1
            connected.close()
            return
        with connected, contextlib.suppress(OSError, EOFError, ValueError):
            request = _read(connected)
            self.got.append(request)
            self._behaviour(request)(request, Peer(connected, self.over))


def _read(connected: socket.socket) -> Request:
    with connected.makefile("rb") as stream:
        lines = []
        while (line := stream.readline()) not in (b"\r\n", b""):
            lines.append(line.decode("latin-1").rstrip("\r\n"))
        if not lines:
            raise EOFError
        method, path, _ = lines[0].split(" ", 2)
        pairs = [line.split(": ", 1) for line in lines[1:]]
        headers = {name.lower(): value for name, value in pairs}
        content = stream.read(int(headers.get("content-length", 0)))
    return Request(method, path, headers, content)


@contextlib.contextmanager
def serving(
    *behaviours: Behaviour, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> Iterator[Server]:
    """A server on a port of its own."""
    server = Server(list(behaviours), "http" if tls is None else "https")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as listening:
        server.port = listening.getsockname()[1]
        threads: list[threading.Thread] = []

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connected, _ = listening.accept()
                    connected.settimeout(10)
                    thread = threading.Thread(target=server._serve, args=(connected, tls))
                    threads.append(thread)
                    thread.start()

        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield server
        finally:
            server.over.set()
            listening.shutdown(socket.SHUT_RDWR)
            accepting.join()
            for thread in threads:
                thread.join()


def serving_context(certificate: Path, key: Path, clients: Path | None = None) -> ssl.SSLContext:
    """TLS for a server; with `clients` it wants a certificate that those have signed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    if clients is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(clients)
    return context
