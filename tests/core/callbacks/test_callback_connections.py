"""How the sender connects: by look-ups that others do not wait for, to what was judged, bounded."""

import asyncio
import gc
import socket
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import httpcore
import httpx
import pytest
from tests.campaign.listening import listening
from tests.core.callbacks.receiver import Behaviour, answers, receiving
from tests.core.callbacks.sending import BODY, delivery, exchange, floods, refused, sender
from tests.patience import PATIENCE

from wf_core.adapters.tenant_threads import AT_ONCE
from wf_core.callbacks import backend
from wf_core.callbacks.http import MOST_OPEN
from wf_core.ports import Delivered, Delivery, Receipt

OPEN = backend.OwnBackend(None)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


async def through_a_proxy(monkeypatch: pytest.MonkeyPatch, behaviour: Behaviour) -> Receipt:
    async with receiving(behaviour) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url(""))
        under_test = sender()
        receipt = await under_test.send(delivery("http://shop.test/"))
        await under_test.close()
        assert [each.line for each in proxy.got] == ["POST http://shop.test/ HTTP/1.1"]
        return receipt


def test_a_proxy_that_the_surroundings_name_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    receipt = asyncio.run(through_a_proxy(monkeypatch, answers(200)))
    assert receipt == Receipt(Delivered.DELIVERED)


def test_interim_answers_without_end_are_bounded_behind_a_proxy_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    receipt = asyncio.run(through_a_proxy(monkeypatch, floods))
    assert "more than 32,768 bytes came" in receipt.error


def test_certificates_that_the_surroundings_name_are_believed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    with pytest.raises(FileNotFoundError):
        exchange(answers(200))


def test_a_client_that_could_not_be_fenced_sends_nothing() -> None:
    """Of a later httpx, whose inner parts have other names."""
    with pytest.raises(TypeError, match="is not supported"):
        backend._replace_backend(httpx.MockTransport(lambda _: httpx.Response(200)), OPEN)


def test_slow_names_of_one_namespace_hold_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name's own server says how long its look-up takes, and a look-up can't be stopped."""
    hold = threading.Event()
    real = socket.getaddrinfo

    def look_up(host: str, *rest: Any, **options: Any) -> list[Any]:
        if host == "slow.test":
            hold.wait()
        return real("127.0.0.1", *rest, **options)

    async def main() -> tuple[list[Receipt], Receipt, int]:
        async with receiving(answers(200)) as receiver:
            under_test = sender(timeout=100)
            before = threading.active_count()
            slow = f"http://slow.test:{receiver.port}/"
            held = await asyncio.gather(*(under_test.send(delivery(slow)) for _ in range(200)))
            threads = threading.active_count() - before
            patient = sender()
            other = {**BODY, "namespace": "other"}
            fast = Delivery(f"http://fast.test:{receiver.port}/", "uid-2/1", other, True)
            receipt = await patient.send(fast)
            await under_test.close()
            await patient.close()
            return held, receipt, threads

    monkeypatch.setattr("socket.getaddrinfo", look_up)
    try:
        held, receipt, threads = asyncio.run(main())
    finally:
        hold.set()
    assert {each.error for each in held} == {"no answer within 0.1 s"}
    assert receipt == Receipt(Delivered.DELIVERED)
    assert threads == AT_ONCE


def test_an_address_that_does_not_answer_leaves_time_for_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[str, float | None]] = []

    def look_up(*_: object, **__: object) -> list[Any]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0))
            for address in ("1.1.1.1", "1.0.0.1")
        ]

    async def connect(
        _: object, host: str, _port: int, timeout: float | None, *__: object
    ) -> object:
        asked.append((host, timeout))
        raise httpcore.ConnectTimeout

    monkeypatch.setattr("socket.getaddrinfo", look_up)
    monkeypatch.setattr(httpcore.AnyIOBackend, "connect_tcp", connect)
    assert "1.1.1.1: ConnectTimeout; 1.0.0.1" in refused("http://two.example/").error
    assert asked == [("1.1.1.1", 1.0), ("1.0.0.1", None)]


def test_what_is_connected_to_is_what_was_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that has another address at its second look-up gains nothing by it."""
    connected: list[str] = []
    left = ["1.1.1.1", "127.0.0.1"]

    def look_up(*_: object, **__: object) -> list[Any]:
        address = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0))]

    async def connect(_: object, host: str, *__: object) -> object:
        connected.append(host)
        raise httpcore.ConnectError("unreachable")

    async def main() -> Receipt:
        monkeypatch.setattr("socket.getaddrinfo", look_up)
        monkeypatch.setattr(httpcore.AnyIOBackend, "connect_tcp", connect)
        under_test = sender(public_only=True)
        receipt = await under_test.send(delivery("http://rebinding.example/"))
        await under_test.close()
        return receipt

    assert "1.1.1.1: unreachable" in asyncio.run(main()).error
    assert connected == ["1.1.1.1"]


def test_a_proxy_is_not_used_where_addresses_are_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it would connect to can't be judged here."""

    async def main() -> tuple[Receipt, int]:
        async with receiving(answers(200)) as proxy:
            monkeypatch.setenv("HTTP_PROXY", proxy.url(""))
            under_test = sender(public_only=True)
            receipt = await under_test.send(delivery("http://127.0.0.1:1/"))
            await under_test.close()
            return receipt, proxy.connections

    receipt, connections = asyncio.run(main())
    assert connections == 0
    assert "not a public address" in receipt.error


Serving = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


async def never_reads(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(3600)


async def reads_slowly(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    while await reader.read(1):
        await asyncio.sleep(0.01)


def says_slowly(piece: bytes, first: bytes = b"") -> Serving:
    """Says `first`, and that piece again and again."""

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.01)

    return serve


def until_closed(serve: Serving) -> Serving:
    """The same, which leaves nothing open."""

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except ConnectionError:
            pass  # the sender has had enough
        finally:
            writer.close()

    return served


LARGE = {**BODY, "attributes": {"a": "x" * 32_000_000}}
"""More than the buffers of both ends take in."""


@pytest.mark.parametrize(
    ("serve", "body", "scheme"),
    [
        (never_reads, LARGE, "http"),
        (reads_slowly, LARGE, "http"),
        (never_reads, BODY, "https"),
        (says_slowly(b"x"), BODY, "http"),
        (says_slowly(b"a: b\r\n", b"HTTP/1.1 200 OK\r\n"), BODY, "http"),
        (says_slowly(b"HTTP/1.1 100 Continue\r\n\r\n"), BODY, "http"),
    ],
    ids=["body unread", "body read slowly", "tls", "status", "headers", "continue"],
)
def test_f_no_part_of_a_request_outlasts_its_time(
    serve: Serving, body: dict[str, Any], scheme: str
) -> None:
    async def main() -> tuple[Receipt, Receipt]:
        under_test = sender(timeout=200)
        async with listening(until_closed(serve)) as address:
            url = address.replace("http", scheme)
            held = await under_test.send(Delivery(url, "uid-1/7", body, True))
        async with receiving(answers(200)) as receiver:
            after = await under_test.send(delivery(receiver.url()))
        await under_test.close()
        return held, after

    held, after = asyncio.run(main())
    assert held == Receipt(Delivered.RETRY, "no answer within 0.2 s")
    assert after == Receipt(Delivered.DELIVERED)


def test_a_handshake_that_is_cut_off_leaves_no_connection() -> None:
    """Whoever answers no handshake could otherwise use up all files that may be open."""

    async def main() -> None:
        closed = asyncio.Event()

        async def says_nothing(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
            while await reader.read(65536):
                pass
            closed.set()

        under_test = sender(timeout=200)
        async with listening(until_closed(says_nothing)) as address:
            await under_test.send(delivery(address.replace("http", "https")))
            async with asyncio.timeout(PATIENCE):
                await closed.wait()
        await under_test.close()

    gc.disable()  # it closes what nobody knows of any more, at some time
    try:
        asyncio.run(main())
    finally:
        gc.enable()


def test_f_receivers_that_are_many_leave_few_connections_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each is kept for the next callback, and looked at before each."""
    real = socket.getaddrinfo
    monkeypatch.setattr(
        "socket.getaddrinfo", lambda _, *rest, **options: real("127.0.0.1", *rest, **options)
    )

    async def main() -> None:
        async with receiving(answers(200)) as receiver, asyncio.timeout(PATIENCE):
            under_test = sender()
            for number in range(MOST_OPEN + 36):
                await under_test.send(delivery(f"http://shop{number}.test:{receiver.port}/"))
            assert receiver.connections == MOST_OPEN + 36
            while receiver.open > MOST_OPEN:
                await asyncio.sleep(0.01)
            await under_test.close()

    asyncio.run(main())
