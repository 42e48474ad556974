"""However an exchange ends, an effect is never left behind an undo that says it is done (B2)."""

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from typing import Any, Literal

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.http.conftest import Certificates
from tests.http.http_bench import KIND, running, undoing
from tests.http.http_server import answers, serving, serving_context

from wf_core.kinds import Fatal, Previous, Retryable
from wf_core.model.phases import Ended
from wf_core.testing.calls import Checkpoint, RecordedCall

BODY = "x" * 300_000
"""More than the buffers of two sockets hold: a server may answer, or leave, in the middle of it."""


@attrs.frozen
class Ending:
    """How a server treats one request: bytes it reads (None: all), what it says, how it leaves."""

    reads: int | None
    says: bytes
    leaves: Literal["closes", "resets", "hangs"]


@attrs.define
class Hostile:
    """A server for one ending. `heard`: it got a byte of a request."""

    ending: Ending
    context: ssl.SSLContext | None
    port: int = 0
    heard: bool = False
    over: threading.Event = attrs.field(factory=threading.Event)

    def treat(self, connected: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if self.context is not None:
                connected = self.context.wrap_socket(connected, server_side=True)
            with connected:
                self._converse(connected)

    def _converse(self, connected: socket.socket) -> None:
        left = self.ending.reads
        connected.settimeout(5)
        read = b""
        while left is None or len(read) < left:
            got = connected.recv(65536 if left is None else left - len(read))
            if not got:
                return
            self.heard = True
            read += got
            if left is None and read.endswith(b"x") and read.count(b"x") >= len(BODY):
                break
        connected.sendall(self.ending.says)
        if self.ending.leaves == "hangs":
            self.over.wait(5)
        elif self.ending.leaves == "resets":
            linger = struct.pack("ii", 1, 0)
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


@contextlib.contextmanager
def hostile(ending: Ending, context: ssl.SSLContext | None) -> Iterator[Hostile]:
    server = Hostile(ending, context)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server.port = listening.getsockname()[1]

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    server.treat(listening.accept()[0])

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


STATUSES = st.sampled_from(
    [100, 101, 200, 201, 202, 204, 206, *range(300, 309), 408, 499, 500, 599]
)
"""All but those that say that nothing was done."""
LOCATIONS = st.sampled_from(
    [
        "",
        "/v2",
        "http://other.example/",
        "http://127.0.0.1:1/",
        "//[",
        "\x7f:",
        "ftp://a/",
        "/x" * 999,
    ]
)
HEADERS = st.lists(
    st.sampled_from(
        [
            "content-length: 5",
            "content-length: -1",
            "content-length: 99999999999999999999",
            "transfer-encoding: chunked",
            "transfer-encoding: gzip",
            "content-encoding: gzip",
            "content-encoding: br",
            "no colon",
            "x: " + "y" * 200_000,
        ]
    ),
    max_size=3,
)


@st.composite
def said(draw: st.DrawFn) -> bytes:
    """What comes as an answer: whole, cut off anywhere, or nonsense."""
    if draw(st.integers(0, 5)) == 0:
        return draw(st.one_of(st.binary(max_size=30), st.just(b"")))
    location = draw(LOCATIONS)
    lines = [f"HTTP/1.1 {draw(STATUSES)} So", *draw(HEADERS)]
    if location:
        lines.append(f"location: {location}")
    body = draw(st.sampled_from([b"", b"hello", b'{"id": 1}', b"5\r\nhello\r\n", b"zz\r\n"]))
    whole = "\r\n".join([*lines, "", ""]).encode("latin-1") + body
    cut = draw(st.one_of(st.just(len(whole)), st.integers(0, min(len(whole), 80))))
    return whole[:cut]


ENDINGS = st.builds(
    Ending,
    st.sampled_from([None, None, 1, 100]),
    said(),
    st.sampled_from(["closes", "closes", "resets", "hangs"]),
)


@pytest.fixture(params=["plain", "tls"])
def context(request: pytest.FixtureRequest, certificates: Certificates) -> ssl.SSLContext | None:
    if request.param == "plain":
        return None
    return serving_context(*certificates.issue("hostile", "IP:127.0.0.1"))


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(ENDINGS)
def test_b2_what_a_server_heard_of_is_undone_however_the_run_ended(
    context: ssl.SSLContext | None, ending: Ending
) -> None:
    with serving(answers(204)) as fine, hostile(ending, context) as server:
        call = _ran(server, fine.url("/orders/{key}"))
        undo = undoing(
            fine.url(), {"url": fine.url("/orders/{key}")}, previous=_left_by(call), run_attempt=1
        )
        assert KIND.rollback(undo) is None
    assert len(fine.got) == 1 or not server.heard


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(ENDINGS)
def test_b2_an_undo_without_the_id_that_it_needs_is_never_done(
    context: ssl.SSLContext | None, ending: Ending
) -> None:
    with serving(answers(302, None, "location: /login")) as other, hostile(ending, context) as it:
        undo = {"url": other.url("/orders/{id}")}
        call = _ran(it, undo["url"], attributes={"id": "/id"})
        told = call.checkpoints[-1].attributes if call.checkpoints else None
        if not it.heard or "id" in (told or {}):
            return
        again = undoing(other.url(), undo, attributes={"id": "/id"}, previous=_left_by(call))
        with pytest.raises(Fatal, match=r"the undo needs \{id\}, which no answer told"):
            KIND.rollback(again)


def _ran(server: Hostile, undo: str, **more: Any) -> RecordedCall:
    scheme = "http" if server.context is None else "https"
    call = running(
        f"{scheme}://127.0.0.1:{server.port}/orders",
        run={"body": BODY, "timeoutSeconds": 0.15},
        rollback={"url": undo},
        tls={"insecureSkipVerify": True},
        **more,
    )
    with contextlib.suppress(Fatal, Retryable):
        answer = KIND.run(call)
        if answer is not None:
            call.checkpoints.append(Checkpoint(answer.resource, answer.attributes))
    return call


def _left_by(call: RecordedCall) -> Previous:
    resource = call.checkpoints[-1].resource if call.checkpoints else None
    return Previous(Ended.FAILED, resource)
