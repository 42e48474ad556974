"""A proxy that disturbs: clients speak plain HTTP to it, and it speaks TLS to the API server.

It reads requests and answers as HTTP, so that a fault can be put where it hurts: before a request
reaches the server, after the server has done it, or in the midst of a watch.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import attrs

Lines = Callable[[bytes], list[bytes]]


@attrs.frozen
class Fault:
    """What befalls the next request whose first line holds `match`.

    `answer`: it never reaches the server, and gets this answer (status line, headers, body).
    `swallow`: the server does it, and the connection is cut instead of its answer.
    `delay`: seconds that its answer is held back.
    `cut_after`: the body breaks off after that many bytes; with `reset` by a TCP reset.
    `silent`: after the head nothing comes any more.
    `rewrite`: each line of a watch becomes these lines.
    `times`: how many requests it befalls.
    """

    match: str
    answer: bytes | None = None
    swallow: bool = False
    delay: float = 0.0
    cut_after: int | None = None
    reset: bool = False
    silent: bool = False
    rewrite: Lines | None = None
    times: int = 1


def status(code: int, reason: str = "", headers: str = "", message: str = "") -> bytes:
    """A whole answer with a Kubernetes Status."""
    body = (
        f'{{"kind":"Status","apiVersion":"v1","status":"Failure","code":{code},'
        f'"reason":"{reason}","message":"{message}"}}'
    ).encode()
    head = f"HTTP/1.1 {code} {reason or 'Fault'}\r\nContent-Type: application/json\r\n{headers}"
    return head.encode() + f"Content-Length: {len(body)}\r\n\r\n".encode() + body


class Proxy:
    """Faults are taken in the order in which they were added; `seen` are the requests' first
    lines, with `!` before those that a fault befell."""

    def __init__(self, url: str, ca: Path) -> None:
        where = urlsplit(url)
        assert where.hostname is not None
        self._host, self._port = where.hostname, where.port or 443
        self._tls = ssl.create_default_context(cafile=str(ca))
        self._faults: list[Fault] = []
        self.seen: list[str] = []
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def add(self, *faults: Fault) -> None:
        """Let these befall what comes."""
        self._faults += faults

    def _fault(self, line: str) -> Fault | None:
        for n, fault in enumerate(self._faults):
            if fault.match in line:
                left = attrs.evolve(fault, times=fault.times - 1)
                self._faults[n : n + 1] = [left] if left.times else []
                self.seen.append("!" + line)
                return fault
        self.seen.append(line)
        return None

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Every request has a connection of its own to the server, and ends the client's."""
        upstream: asyncio.StreamWriter | None = None
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            body = await reader.readexactly(_length(head))
            line = head.split(b"\r\n", 1)[0].decode()
            fault = self._fault(line)
            if fault is not None and fault.answer is not None:
                writer.write(fault.answer)
                await writer.drain()
                return
            answer, upstream = await asyncio.open_connection(
                self._host, self._port, ssl=self._tls, limit=2**24
            )
            upstream.write(_closing(head) + body)
            await self._pass_on(answer, writer, fault or Fault(""))
        except (OSError, asyncio.IncompleteReadError):
            pass  # one of both has gone: so goes the other
        finally:
            if upstream is not None:
                upstream.transport.abort()  # a farewell in TLS would outlast the loop
            writer.close()

    async def _pass_on(
        self, answer: asyncio.StreamReader, writer: asyncio.StreamWriter, fault: Fault
    ) -> None:
        head = await answer.readuntil(b"\r\n\r\n")
        if fault.swallow:
            await answer.read()
            return
        if fault.delay:
            await asyncio.sleep(fault.delay)
        chunked = b"chunked" in head.lower()
        writer.write(_unframed(head) if chunked else _closing(head))
        await writer.drain()
        if fault.silent:
            await answer.read()
            return
        left = fault.cut_after
        pieces = _chunks(answer) if chunked else _plain(answer)
        rest = b""
        async for piece in pieces:
            if fault.rewrite is not None:
                *lines, rest = (rest + piece).split(b"\n")
                piece = b"".join(new + b"\n" for line in lines for new in fault.rewrite(line))
            if left is not None and len(piece) >= left:
                writer.write(piece[:left])
                await writer.drain()
                if fault.reset:
                    writer.transport.abort()
                return
            left = None if left is None else left - len(piece)
            writer.write(piece)
            await writer.drain()

    async def close(self) -> None:
        """End all connections."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0.01)  # transports close in the loop's next rounds


@asynccontextmanager
async def disturbing(url: str, ca: Path) -> AsyncIterator[Proxy]:
    """A proxy before the API server at `url`."""
    proxy = Proxy(url, ca)
    server = await asyncio.start_server(proxy._accept, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await proxy.close()


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


def _without(head: bytes, *names: bytes) -> bytes:
    lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    return b"\r\n".join(line for line in lines if line.lower().partition(b":")[0] not in names)


def _closing(head: bytes) -> bytes:
    return _without(head, b"connection") + b"\r\nConnection: close\r\n\r\n"


def _unframed(head: bytes) -> bytes:
    """The head of an answer whose body ends with the connection."""
    return _without(head, b"connection", b"transfer-encoding") + b"\r\nConnection: close\r\n\r\n"


async def _plain(answer: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while piece := await answer.read(65536):
        yield piece


async def _chunks(answer: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while size := int(await answer.readuntil(b"\r\n"), 16):
        yield await answer.readexactly(size)
        await answer.readexactly(2)
