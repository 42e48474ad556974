"""A receiver on a real socket that behaves as it is told, one answer a request."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import attrs
import msgspec

Writer = asyncio.StreamWriter
Behaviour = Callable[["Request", Writer], Awaitable[None]]


@attrs.frozen
class Request:
    """What came in; `connection` counts connections from 1."""

    line: str
    headers: dict[str, str]
    content: bytes
    connection: int

    @property
    def json(self) -> object:
        return msgspec.json.decode(self.content)


def answers(status: int, *headers: str, content: bytes = b"") -> Behaviour:
    """Answer like a well-behaved server."""

    async def behave(_: Request, writer: Writer) -> None:
        lines = [f"HTTP/1.1 {status} Whatever", f"content-length: {len(content)}", *headers]
        writer.write("\r\n".join([*lines, "", ""]).encode() + content)
        await writer.drain()

    return behave


async def closes(_: Request, writer: Writer) -> None:
    """Close without an answer."""
    writer.close()


async def hangs(_: Request, _writer: Writer) -> None:
    """Never answer."""
    await asyncio.sleep(3600)


async def babbles(_: Request, writer: Writer) -> None:
    """Answer with a status and a body without end."""
    writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"1000\r\n" + b"x" * 0x1000 + b"\r\n")
        await writer.drain()


async def stalls(_: Request, writer: Writer) -> None:
    """Answer with a status and never end the body."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nx")
    await writer.drain()
    await asyncio.sleep(3600)


async def talks_nonsense(_: Request, writer: Writer) -> None:
    """Answer something that is no HTTP."""
    writer.write(b"hello\r\n\r\n")
    writer.close()


@attrs.define
class Receiver:
    """The server: what it got, how it goes on (the last behaviour repeats), who is connected."""

    behaviours: list[Behaviour]
    port: int = 0
    got: list[Request] = attrs.field(factory=list)
    connections: int = 0
    open: int = 0

    def url(self, path: str = "/hook") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    async def _serve(self, reader: asyncio.StreamReader, writer: Writer) -> None:
        self.connections += 1
        self.open += 1
        number = self.connections
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                line, *fields = head.strip().split("\r\n")
                pairs = [field.split(": ", 1) for field in fields]
                headers = {name.lower(): value for name, value in pairs}
                content = await reader.readexactly(int(headers.get("content-length", 0)))
                request = Request(line, headers, content, number)
                self.got.append(request)
                left = self.behaviours
                await (left.pop(0) if len(left) > 1 else left[0])(request, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the sender has closed: that is how a connection ends
        finally:
            self.open -= 1
            writer.close()


@asynccontextmanager
async def receiving(*behaviours: Behaviour) -> AsyncIterator[Receiver]:
    """A receiver on a port of its own, on the loop of the test."""
    receiver = Receiver(list(behaviours))
    tasks: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: Writer) -> None:
        task = asyncio.create_task(receiver._serve(reader, writer))
        tasks.add(task)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
