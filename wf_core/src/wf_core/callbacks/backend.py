"""How callbacks connect and read: where addresses are judged, to one that was and to nothing else;
and never more of an answer than is worth anybody's time, since all share the loop."""

import asyncio
import ssl
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Any

import httpcore
import httpx
from httpcore import SOCKET_OPTION

from wf_core.addresses import Allowed, judged

MOST_READ = 32 * 1024
"""Bytes that are read after a request: of heads, of answers of 1xx before them, and of the body."""

_PIECE = 4 * 1024
"""Bytes that are read at once. Others have their turn after each."""


class OwnTransport(httpx.AsyncHTTPTransport):
    """httpx's own transport, which reads `MOST_READ` at most; with `allowed`, connections are by
    `JudgedBackend`. No proxy: what that connects to can't be judged here."""

    def __init__(self, allowed: Allowed | None, limits: httpx.Limits) -> None:
        context = httpx.create_ssl_context()
        super().__init__(verify=context, trust_env=False, limits=limits)
        # httpx has no parameter for it; its pool is one of httpcore, made in its constructor alone.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context,
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=_BoundedBackend(
                httpcore.AnyIOBackend() if allowed is None else JudgedBackend(allowed)
            ),
        )


class _BoundedBackend(httpcore.AsyncNetworkBackend):
    """Another backend's connections, each a `_BoundedStream`."""

    def __init__(self, inner: httpcore.AsyncNetworkBackend) -> None:
        self._inner = inner

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """As httpcore asks for it."""
        return _BoundedStream(
            await self._inner.connect_tcp(host, port, timeout, local_address, socket_options)
        )

    async def sleep(self, seconds: float) -> None:
        """As httpcore asks for it."""
        await self._inner.sleep(seconds)


class _BoundedStream(httpcore.AsyncNetworkStream):
    """A connection that is read from by small pieces, and breaks off where one answer has more than
    `MOST_READ`: a server can send answers of 1xx for ever, each of which costs time."""

    def __init__(self, inner: httpcore.AsyncNetworkStream) -> None:
        self._inner = inner
        self._left = MOST_READ

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """As httpcore asks for it."""
        if self._left <= 0:
            raise httpcore.ReadError(f"more than {MOST_READ:,} bytes came in answer to it")
        data = await self._inner.read(min(max_bytes, _PIECE), timeout)
        self._left -= len(data)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """As httpcore asks for it."""
        self._left = MOST_READ
        await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        """As httpcore asks for it."""
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """As httpcore asks for it."""
        return _BoundedStream(await self._inner.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        """As httpcore asks for it."""
        return self._inner.get_extra_info(info)


class JudgedBackend(httpcore.AsyncNetworkBackend):
    """Looks a host up, judges its addresses, connects to the first of those allowed that answers.

    Raises AddressRefused where there is none to call.
    """

    def __init__(self, allowed: Allowed) -> None:
        self._allowed = allowed
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """As httpcore asks for it."""
        permitted = judged(host, await _look_up(host), self._allowed)
        failed: list[str] = []
        for address in permitted:
            try:
                return await self._inner.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed.append(f"{address}: {error or type(error).__name__}")
        raise httpcore.ConnectError("; ".join(failed))

    async def sleep(self, seconds: float) -> None:
        """As httpcore asks for it."""
        await self._inner.sleep(seconds)


async def _look_up(host: str) -> list[str]:
    try:
        return [str(ip_address(host))]
    except ValueError:
        pass
    try:
        # The port is not looked up here, and must not be: what is judged is what is connected to.
        found = await asyncio.get_running_loop().getaddrinfo(host, None)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(f"the name {host} can't be looked up: {error}") from None
    return list(dict.fromkeys(str(each[4][0]) for each in found))
