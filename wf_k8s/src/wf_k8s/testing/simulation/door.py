"""The seam at which `Session` sends: a door whose pool is a line to the server in memory, so that
everything above it is what is shipped."""

import asyncio
from collections.abc import Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol, cast
from urllib.parse import urlsplit

from wf_k8s.client.access import Access, Door
from wf_k8s.client.sockets import Sockets
from wf_k8s.testing.api.replies import Reply

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from wf_k8s.testing.simulation.stream import Stream

URL = "http://api"


class Line(Protocol):
    """Carries requests. It raises what aiohttp raises where one gets lost."""

    def token(self) -> int:
        """Credentials as they are valid now."""

    async def ask(
        self, token: int, method: str, path: str, params: Mapping[str, str], body: bytes | None
    ) -> Reply: ...

    async def watch(
        self, token: int, path: str, params: Mapping[str, str], silence: float
    ) -> "Reply | Stream": ...


class LineAccess(Access):
    """Opens doors to a line, for all namespaces as the controller does."""

    def __init__(self, line: Line) -> None:
        super().__init__("simulated/*")
        self._line = line

    async def open(self) -> Door:
        """As `Access.open`; the credentials are those of now."""
        credentials = _Credentials(self._line.token())
        pool: Any = _Pool(self._line, credentials.token)
        return Door(
            url=URL,
            namespaces=(),
            configuration=cast("Any", credentials),
            rest=cast("Any", _Nothing()),
            pool=pool,
            connector=cast("Any", _Nothing()),
            sockets=Sockets(),
            extra={},
        )


class _Credentials:
    def __init__(self, token: int) -> None:
        self.token = token

    async def get_api_key_with_prefix(self, name: str) -> str:  # noqa: ARG002
        return f"Bearer {self.token}"


class _Nothing:
    async def close(self) -> None: ...


class _Pool:
    """What `Session` uses of an `aiohttp.ClientSession`."""

    def __init__(self, line: Line, token: int) -> None:
        self._line = line
        self._token = token

    @asynccontextmanager
    async def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None,
        data: bytes | None,
        timeout: Any,
        **rest: Any,  # noqa: ARG002
    ) -> "AsyncIterator[_Answer]":
        async with asyncio.timeout(timeout.total):
            path = urlsplit(url).path
            reply = await self._line.ask(self._token, method, path, params or {}, data)
        yield _Answer(reply)

    async def get(
        self,
        url: str,
        *,
        params: Mapping[str, str],
        timeout: Any,
        **rest: Any,  # noqa: ARG002
    ) -> "_Answer | _Watching":
        async with asyncio.timeout(timeout.connect):
            path = urlsplit(url).path
            found = await self._line.watch(self._token, path, params, timeout.sock_read)
        return _Answer(found) if isinstance(found, Reply) else _Watching(found)


class _Answer:
    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self.status = reply.status
        self.headers = reply.headers

    async def read(self) -> bytes:
        return self._reply.body

    def close(self) -> None: ...


class _Watching:
    status = 200
    headers: Mapping[str, str] = {}

    def __init__(self, stream: "Stream") -> None:
        self.content = stream

    def close(self) -> None:
        self.content.close()
