"""The server of probes and scrapes: what it answers, and what it does not put up with."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from wf_k8s.telemetry.http import CONNECTIONS, LONGEST_HEAD, HttpServer, Page

T = TypeVar("T")


async def fine() -> Page:
    return Page.of_text(200, "ok")


async def broken() -> Page:
    raise RuntimeError("no")


def serving(test: Callable[[int], Awaitable[T]], *, patience: float = 5.0) -> T:
    """What `test(port)` gives while a server runs."""

    async def run() -> T:
        server = HttpServer({"/healthz": fine, "/broken": broken}, patience=patience)
        port = await server.start("127.0.0.1", 0)
        try:
            return await test(port)
        finally:
            await server.close()

    return asyncio.run(run())


async def asked(port: int, request: bytes) -> bytes:
    """The whole answer to some bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    try:
        return await reader.read()
    finally:
        writer.close()


def answer(request: str) -> str:
    """The whole answer to a request, as text."""
    return serving(lambda port: asked(port, request.encode())).decode()


def test_a_page_is_answered_and_the_connection_closed() -> None:
    head, _, body = answer("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").partition("\r\n\r\n")
    assert head.splitlines()[0] == "HTTP/1.1 200 OK"
    assert "Connection: close" in head.splitlines()
    assert body == "ok\n"


def test_a_query_does_not_hide_the_page() -> None:
    assert answer("GET /healthz?verbose=1 HTTP/1.1\r\n\r\n").startswith("HTTP/1.1 200")


def test_head_has_no_body() -> None:
    told = answer("HEAD /healthz HTTP/1.1\r\n\r\n")
    assert told.startswith("HTTP/1.1 200")
    assert told.endswith("\r\n\r\n")


@pytest.mark.parametrize(
    ("request_text", "status"),
    [
        ("GET /secrets HTTP/1.1\r\n\r\n", 404),
        ("POST /healthz HTTP/1.1\r\n\r\n", 405),
        ("nonsense\r\n\r\n", 400),
        ("GET /healthz SMTP\r\n\r\n", 400),
        ("GET /broken HTTP/1.1\r\n\r\n", 500),
        (f"GET /healthz HTTP/1.1\r\nA: {'a' * 2 * LONGEST_HEAD}\r\n\r\n", 431),
    ],
)
def test_what_can_not_be_answered_is_said(request_text: str, status: int) -> None:
    assert answer(request_text).startswith(f"HTTP/1.1 {status} ")


def test_who_never_finishes_asking_is_hung_up_on() -> None:
    told = serving(lambda port: asked(port, b"GET /healthz HTTP/1.1\r\n"), patience=0.05)
    assert told == b""


def test_too_many_at_once_are_turned_away_and_served_later() -> None:
    request = b"GET /healthz HTTP/1.1\r\n\r\n"

    async def test(port: int) -> tuple[bytes, bytes]:
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(CONNECTIONS)]
        refused = await asked(port, b"")
        for reader, writer in idle:
            writer.write(request)
            assert (await reader.read()).startswith(b"HTTP/1.1 200")
            writer.close()
        return refused, await asked(port, request)

    refused, later = serving(test)
    assert refused == b""
    assert later.startswith(b"HTTP/1.1 200")


def test_a_probe_of_a_held_loop_is_not_answered() -> None:
    """Health is served by the loop that it is about, so that a held one can't look green."""

    async def held(port: int) -> None:
        with socket.create_connection(("127.0.0.1", port)) as probe:
            probe.sendall(b"GET /healthz HTTP/1.1\r\n\r\n")
            probe.settimeout(0.2)
            with pytest.raises(TimeoutError):  # this very call holds the loop
                probe.recv(1)
            probe.settimeout(None)
            said = await asyncio.to_thread(probe.recv, 64)
            assert said.startswith(b"HTTP/1.1 200")

    serving(held)
