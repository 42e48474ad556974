"""How callbacks connect where addresses are judged: to one that was, and to nothing else."""

import asyncio
from collections.abc import Iterable
from ipaddress import ip_address

import httpcore
import httpx
from httpcore import SOCKET_OPTION

from wf_core.addresses import Allowed, judged


class JudgedTransport(httpx.AsyncHTTPTransport):
    """httpx's own transport, with connections by `JudgedBackend`. No proxy: what that connects to
    can't be judged here."""

    def __init__(self, allowed: Allowed, limits: httpx.Limits) -> None:
        context = httpx.create_ssl_context()
        super().__init__(verify=context, trust_env=False, limits=limits)
        # httpx has no parameter for it; its pool is one of httpcore, made in its constructor alone.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context,
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=JudgedBackend(allowed),
        )


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
