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
_Server = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@attrs.frozen
class Fault:
    """What befalls the next request whose first line holds `match`.

    `answer`: it never reaches the server, and gets this answer (status line, headers, body).
    `hold`: it is passed on once that is set, `hold_for`: after so many seconds; whatever became of
    the client meanwhile.
    `swallow`: the server does it, and the connection is cut instead of its answer.
    `delay`: seconds that its answer is held back; `late`: it is held back until that is set.
    `cut_after`: the body breaks off after that many bytes; with `reset` by a TCP reset.
    `silent`: after the head nothing comes any more.
    `rewrite`: each line of a watch becomes these lines.
    `times`: how many requests it befalls.
    """

    match: str
    answer: bytes | None = None
    hold: asyncio.Event | None = None
    hold_for: float = 0.0
    swallow: bool = False
    delay: float = 0.0
    late: asyncio.Event | None = None
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
    """Faults are taken in the order in which they were added; what is left goes by `weather`.

    `seen` are the requests' first lines, with `!` before those that a fault befell; `answered` are
    those that the server answered, with the status.
    """

    def __init__(self, url: str, ca: Path) -> None:
        where = urlsplit(url)
        assert where.hostname is not None
        self._host, self._port = where.hostname, where.port or 443
        self._tls = ssl.create_default_context(cafile=str(ca))
        self._faults: list[Fault] = []
        self.weather: Callable[[str], Fault | None] = lambda line: None
        self.seen: list[str] = []
        self.answered: list[tuple[str, int]] = []
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def add(self, *faults: Fault) -> None:
        """Let these befall what comes."""
        self._faults += faults

    def _fault(self, line: str) -> Fault | None:
        fault: Fault | None
        for n, fault in enumerate(self._faults):
            if fault.match in line:
                left = attrs.evolve(fault, times=fault.times - 1)
                self._faults[n : n + 1] = [left] if left.times else []
                break
        else:
            fault = self.weather(line)
        self.seen.append(line if fault is None else "!" + line)
        return fault

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A client's connection has one of its own to the server; a fault ends both."""
        server: _Server | None = None
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                body = await reader.readexactly(_length(head))
                line = head.split(b"\r\n", 1)[0].decode()
                fault = self._fault(line)
                if fault is not None and fault.answer is not None:
                    writer.write(fault.answer)
                    await writer.drain()
                    return
                if fault is not None:
                    await _held(fault)
                server = server or await asyncio.open_connection(
                    self._host, self._port, ssl=self._tls, limit=2**24
                )
                server[1].write((head if fault is None else _closing(head)) + body)
                answer = await server[0].readuntil(b"\r\n\r\n")
                self.answered.append((line, int(answer.split(b" ", 2)[1])))
                if fault is not None:
                    await _pass_on(answer, server[0], writer, fault)
                    return
                await _pass_whole(answer, server[0], writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # one of both has gone: so goes the other
        finally:
            if server is not None:
                server[1].transport.abort()  # a farewell in TLS would outlast the loop
            writer.close()

    def cut(self) -> None:
        """Break every connection off, whatever is under way in it."""
        for task in list(self._tasks):
            task.cancel()

    async def close(self) -> None:
        """End all connections."""
        self.cut()
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


async def _held(fault: Fault) -> None:
    if fault.hold is not None:
        await fault.hold.wait()
    if fault.hold_for:
        await asyncio.sleep(fault.hold_for)


async def _pass_on(
    head: bytes, answer: asyncio.StreamReader, writer: asyncio.StreamWriter, fault: Fault
) -> None:
    """An answer as far as the fault lets it through; its body ends with the connection."""
    if fault.swallow:
        await answer.read()
        return
    if fault.delay:
        await asyncio.sleep(fault.delay)
    if fault.late is not None:
        await fault.late.wait()
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


async def _pass_whole(
    head: bytes, answer: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """An answer as it is."""
    writer.write(head)
    if b"chunked" in head.lower():
        async for piece in _chunks(answer):
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await writer.drain()
        writer.write(b"0\r\n\r\n")
    else:
        writer.write(await answer.readexactly(_length(head)))
    await writer.drain()


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
    await answer.readexactly(2)
