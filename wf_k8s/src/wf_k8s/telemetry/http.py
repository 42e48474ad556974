"""A small HTTP server for probes and scrapes: GET only, one request a connection, all bounded."""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

import attrs

log = logging.getLogger("wf.http")
LONGEST_HEAD = 8 * 1024
PATIENCE = 5.0
"""Seconds that a client may take to ask, and again to read the answer."""
CONNECTIONS = 32

TEXT = "text/plain; charset=utf-8"
_PHRASES = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


@attrs.frozen
class Page:
    """One answer."""

    status: int
    body: bytes
    content_type: str = TEXT

    @classmethod
    def of_text(cls, status: int, text: str) -> "Page":
        """A line of text."""
        return cls(status, f"{text}\n".encode())


Answer = Callable[[], Awaitable[Page]]


class HttpServer:
    """Serves `pages`, by path. A connection above the limit is closed unanswered."""

    def __init__(self, pages: Mapping[str, Answer], *, patience: float = PATIENCE) -> None:
        self._pages = pages
        self._patience = patience
        self._server: asyncio.Server | None = None
        self._open = 0

    async def start(self, host: str, port: int) -> int:
        """Listen; the port, which is a free one for 0. The host "" is all addresses of the machine,
        of both families. Raises OSError."""
        listening = _listening(host, port)
        self._server = await asyncio.start_server(self._meet, sock=listening, limit=LONGEST_HEAD)
        chosen: int = listening.getsockname()[1]
        return chosen

    async def close(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            # A probe that hangs up is no trouble of ours.
            with suppress(TimeoutError, ConnectionError, asyncio.IncompleteReadError):
                if self._open <= CONNECTIONS:
                    async with asyncio.timeout(self._patience):
                        head_only, page = await self._ask(reader)
                    writer.write(_encoded(page, head_only=head_only))
                    async with asyncio.timeout(self._patience):
                        await writer.drain()
        finally:
            self._open -= 1
            writer.close()

    async def _ask(self, reader: asyncio.StreamReader) -> tuple[bool, Page]:
        """Whether only the head is wanted, and the answer."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            return False, Page.of_text(431, "the request is too long")
        words = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            return False, Page.of_text(400, "this is no request of HTTP/1")
        method, target, _ = words
        if method not in ("GET", "HEAD"):
            return False, Page.of_text(405, "only GET is answered")
        answer = self._pages.get(target.partition("?")[0])
        if answer is None:
            return method == "HEAD", Page.of_text(404, f"there is: {' '.join(self._pages)}")
        try:
            return method == "HEAD", await answer()
        except Exception:
            log.exception("no answer to %s", target)
            return method == "HEAD", Page.of_text(500, "see the log")


def _listening(host: str, port: int) -> socket.socket:
    # One socket for both families: two would get two different free ports.
    if not host and socket.has_dualstack_ipv6():
        # Where the machine has IPv6 switched off after all, the other family is what there is.
        with suppress(OSError):
            return socket.create_server((host, port), family=socket.AF_INET6, dualstack_ipv6=True)
    return socket.create_server((host, port))


def _encoded(page: Page, *, head_only: bool) -> bytes:
    head = (
        f"HTTP/1.1 {page.status} {_PHRASES[page.status]}\r\n"
        f"Content-Type: {page.content_type}\r\n"
        f"Content-Length: {len(page.body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode("latin-1") + (b"" if head_only else page.body)
