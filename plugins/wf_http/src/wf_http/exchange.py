"""One request and its answer over one connection: HTTP/1.1 by h11, nothing kept for later."""

import contextlib
import errno
import zlib
from collections.abc import Callable
from typing import Any

import attrs
import h11

from wf_core import bounded_json
from wf_http.connection import Connection
from wf_http.patience import Patience, TimeIsUp
from wf_http.problems import Stopped, Unanswered

EXCERPT = 4096
"""Bytes that are read of an answer that says why it is none."""
MOST_INTERIM = 100
"""Answers of 1xx that are read before the one that counts: each costs time that others wait for."""


FREE_PIECES = 1000
LEAST_PIECE = 64
"""So many pieces of an answer may be of any size; the others must have so many bytes on average:
each piece costs time that others wait for, however small it is."""


class Unreadable(Exception):  # noqa: N818
    """An answer came, but its body can't be used; `str()` says why."""


@attrs.frozen
class Message:
    """What is sent: `target` is path and query, `headers` all there are."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = attrs.field(repr=False)
    content: bytes = attrs.field(default=b"", repr=False)


@attrs.frozen
class Reply:
    """What came back. Names of headers are in lower case. `flaw`: why `content` can't be used;
    `passing`: another answer to the same request may be better."""

    status: int
    headers: dict[str, str]
    content: bytes = attrs.field(default=b"", repr=False)
    flaw: str = ""
    passing: bool = False

    def document(self) -> Any:
        """The body as JSON. Raises Unreadable."""
        if self.flaw:
            raise Unreadable(self.flaw)
        try:
            return bounded_json.decode(self.content)
        except bounded_json.BadJsonError as error:
            kind = self.headers.get("content-type", "no type")
            raise Unreadable(f"its body {error} ({kind})") from None


def exchange(
    connection: Connection, message: Message, patience: Patience, most: Callable[[int], int]
) -> Reply:
    """Send `message`, take the answer. `most` says how many bytes of its body to read, by status.

    Raises Unanswered and Stopped as long as there is no status; from then on the status is the
    answer, and what happens to the body is its flaw.
    """
    answer = _Answer(connection)
    try:
        head = _ask(connection, answer, message, patience)
    except TimeIsUp:
        raise Unanswered(f"no answer within {patience.seconds:g} s") from None
    except (OSError, h11.RemoteProtocolError) as error:
        raise Unanswered(f"no answer: {_reason(error)}") from None
    headers = {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in head.headers
    }
    reply = Reply(head.status_code, headers)
    limit = most(reply.status)
    return _with_body(reply, answer, patience, limit) if limit else reply


def _ask(
    connection: Connection, answer: "_Answer", message: Message, patience: Patience
) -> h11.Response:
    protocol = answer.protocol
    opening = protocol.send(
        h11.Request(method=message.method, target=message.target, headers=list(message.headers))
    )
    rest = protocol.send(h11.Data(data=message.content)) if message.content else b""
    closing = protocol.send(h11.EndOfMessage())
    patience.left()
    patience.sent = True
    # A server may refuse a long request before its end: what it says then is the answer.
    with contextlib.suppress(OSError):
        connection.send(b"".join(each for each in (opening, rest, closing) if each))
    for _ in range(MOST_INTERIM + 1):
        event = answer.next()
        if isinstance(event, h11.Response):
            return event
    raise h11.RemoteProtocolError(f"{MOST_INTERIM} answers of 1xx came, and more")


def _with_body(reply: Reply, answer: "_Answer", patience: Patience, most: int) -> Reply:
    encoding = reply.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "", "gzip", "x-gzip"):
        return attrs.evolve(reply, flaw=f"its body is encoded by {encoding!r}, which is not known")
    body = _Body(most, packed=encoding.endswith("gzip"))
    passing = True
    try:
        while isinstance(event := answer.next(), h11.Data):
            body.take(bytes(event.data))
        flaw = body.end()
    except _TooLargeError:
        flaw = f"its body is larger than {most} bytes (maxResponseBytes)"
        passing = False
    except TimeIsUp:
        flaw = f"its body was not complete within {patience.seconds:g} s"
    except Stopped:
        flaw = "it was told to stop before the body was complete"
    except (OSError, h11.RemoteProtocolError, zlib.error) as error:
        flaw = f"its body broke off: {_reason(error)}"
    return attrs.evolve(
        reply, content=bytes(body.content), flaw=flaw, passing=bool(flaw) and passing
    )


class _Answer:
    """What comes back over a connection, as h11 reads it."""

    def __init__(self, connection: Connection) -> None:
        self.protocol = h11.Connection(h11.CLIENT)
        self._connection = connection
        self._pieces = self._bytes = 0

    def next(self) -> Any:  # one of h11's events
        """The next event. Raises OSError and RemoteProtocolError."""
        while (event := self.protocol.next_event()) is h11.NEED_DATA:
            data = self._connection.receive()
            if not data and self.protocol.their_state is h11.SEND_RESPONSE:
                raise h11.RemoteProtocolError("the connection was closed")
            self._bytes += len(data)
            self._count()
            self.protocol.receive_data(data)
        if isinstance(event, h11.Data):
            self._count()  # one read can hold thousands of chunks
        return event

    def _count(self) -> None:
        self._pieces += 1
        if self._pieces > FREE_PIECES + self._bytes // LEAST_PIECE:
            raise OSError(errno.EMSGSIZE, "it comes in too many small pieces")


class _TooLargeError(Exception):
    pass


class _Body:
    """Takes a body piece by piece and never holds more than `most` bytes of it, unpacked."""

    def __init__(self, most: int, *, packed: bool) -> None:
        self.content = bytearray()
        self._most = most
        self._unpacker = zlib.decompressobj(wbits=31) if packed else None
        self._begun = False
        self._beyond = 0

    def take(self, data: bytes) -> None:
        self._begun = True
        room = self._most - len(self.content)
        if self._unpacker is None:
            self.content += data[:room]
            if len(data) > room:
                raise _TooLargeError
            return
        if self._unpacker.eof:
            # What follows the end is of no use, and the unpacker would keep all of it.
            self._beyond += len(data)
            if self._beyond > self._most:
                raise _TooLargeError
            return
        # One byte more than there is room for tells a body that fits from one that does not.
        unpacked = self._unpacker.decompress(data, room + 1)
        self.content += unpacked[:room]
        if len(unpacked) > room:
            raise _TooLargeError

    def end(self) -> str:
        """What is wrong with the whole."""
        if self._unpacker is not None and not self._unpacker.eof and self._begun:
            return "its body broke off: the packed data have no end"
        return ""


def _reason(error: Exception) -> str:
    """Never what was sent: h11 quotes it."""
    if isinstance(error, h11.RemoteProtocolError):
        return str(error)[:200] or "it is no HTTP"
    return getattr(error, "strerror", None) or type(error).__name__
