"""The servers of hostile authors: one that never answers, and those whose answers are costly."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from tests.campaign.listening import listening

UNPACKED = 64 * 1024 * 1024
"""Bytes of the bomb; some 64 KB on the wire."""
HEAD = "HTTP/1.1 {}\r\nContent-Type: application/json\r\n{}Content-Length: {}\r\n\r\n"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
PAUSE = 0.05
"""Between two pieces of what does not end: a server without any would take all of the machine."""


def _whole(status: str, body: bytes, headers: str = "") -> bytes:
    return HEAD.format(status, headers, len(body)).encode() + body


def pages() -> dict[str, bytes]:
    """The answers that end, by path."""
    keys = json.dumps({f"k{n}": "v" * 40 for n in range(60_000)}).encode()
    bomb = gzip.compress(b'{"a": "' + b"0" * UNPACKED + b'"}', 9)
    return {
        "/ok": _whole("200 OK", b"{}"),
        "/bomb": _whole("200 OK", bomb, "Content-Encoding: gzip\r\n"),
        "/keys": _whole("200 OK", keys),
        "/accepted": _whole("202 Accepted", b"{}", "Location: /accepted\r\n"),
    }


class Servers:
    """All of them at one address; `asked` counts requests."""

    def __init__(self) -> None:
        self.url = ""
        self.asked = 0
        self._pages = pages()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        # Whoever asked may go away at any time.
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            try:
                head = await reader.readuntil(b"\r\n\r\n")
                self.asked += 1
                await self._answer(head.split(b" ", 2)[1].decode("latin-1"), writer)
            finally:
                writer.close()

    async def _answer(self, path: str, writer: asyncio.StreamWriter) -> None:
        if path in self._pages:
            writer.write(self._pages[path])
            await writer.drain()
        elif path == "/hints":
            while True:
                await _say(writer, HINTS * 100)
        elif path == "/drip":
            await _say(writer, b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
            while True:
                await _say(writer, b"0")
        else:
            await asyncio.Event().wait()


async def _say(writer: asyncio.StreamWriter, piece: bytes) -> None:
    writer.write(piece)
    await writer.drain()
    await asyncio.sleep(PAUSE)


@asynccontextmanager
async def serving() -> AsyncIterator[Servers]:
    """Servers at a free port of this machine."""
    servers = Servers()
    async with listening(servers.serve) as servers.url:
        yield servers
