"""How callbacks connect and read: where addresses are judged, to one that was and to nothing else;
and never more of an answer than is worth anybody's time, since all share the loop."""

import asyncio
import ssl
from collections.abc import Iterable
from contextvars import ContextVar
from ipaddress import ip_address
from typing import Any

import httpcore
import httpx
from httpcore import SOCKET_OPTION

from wf_core.adapters.tenant_threads import THREADS, addresses
from wf_core.addresses import Allowed, judged

MOST_READ = 32 * 1024
"""Bytes that are read after a request: of heads, of answers of 1xx before them, and of the body."""

_PIECE = 4 * 1024
"""Bytes that are read at once. Others have their turn after each."""


TENANT: ContextVar[str] = ContextVar("TENANT", default="")
"""The namespace whose callback is sent, which httpcore does not hand to a backend."""

_ONE_ADDRESS_SECONDS = 1.0
"""How long an address may take to answer where the host has another one."""


def client(allowed: Allowed | None, limits: httpx.Limits, *, proxies: bool) -> httpx.AsyncClient:
    """A client all of whose connections are by `OwnBackend`, also those to the `proxies` that the
    environment names: what such a proxy connects to is not judged."""
    made = httpx.AsyncClient(
        # One timeout holds for the whole of a request, where it is sent.
        timeout=None,  # nosec B113
        verify=httpx.create_ssl_context(),  # by the certificates that the environment names
        limits=limits,
        follow_redirects=False,
        trust_env=proxies,
    )
    # httpx has no parameter for it. Its transports are one and those of proxies, and each has one
    # pool of httpcore's, which asks its backend for every connection.
    for transport in (made._transport, *made._mounts.values()):
        if transport is not None:  # a host that is not called by a proxy
            _replace_backend(transport, OwnBackend(allowed))
    return made


def _replace_backend(transport: httpx.AsyncBaseTransport, backend: "OwnBackend") -> None:
    """Raises TypeError for a version of httpx or httpcore that is made in another way: nothing is
    sent then, since nothing would be judged."""
    pool: Any = getattr(transport, "_pool", None)
    if not isinstance(getattr(pool, "_network_backend", None), httpcore.AsyncNetworkBackend):
        raise TypeError(f"httpx {httpx.__version__} is not supported; install the version before")
    pool._network_backend = backend


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
        """As httpcore asks for it, which does not close what is cut off in the midst of it."""
        try:
            secured = await self._inner.start_tls(ssl_context, server_hostname, timeout)
        except BaseException:
            await self._inner.aclose()
            raise
        return _BoundedStream(secured)

    def get_extra_info(self, info: str) -> Any:
        """As httpcore asks for it."""
        return self._inner.get_extra_info(info)


class OwnBackend(httpcore.AsyncNetworkBackend):
    """Looks a host up, judges its addresses, connects to the first of those allowed that answers,
    and reads no more than `MOST_READ` there. With `allowed` None every address is.

    Raises AddressRefused where there is none to call.
    """

    def __init__(self, allowed: Allowed | None) -> None:
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
        found = await _look_up(host)
        permitted = found if self._allowed is None else judged(host, found, self._allowed)
        failed: list[str] = []
        for number, address in enumerate(permitted, 1):
            patience = timeout if number == len(permitted) else _ONE_ADDRESS_SECONDS
            try:
                return _BoundedStream(
                    await self._inner.connect_tcp(
                        address, port, patience, local_address, socket_options
                    )
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed.append(f"{address}: {str(error) or type(error).__name__}")
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
        return await asyncio.wrap_future(THREADS.start(TENANT.get(), lambda: addresses(host)))
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(f"the name {host} can't be looked up: {error}") from None
