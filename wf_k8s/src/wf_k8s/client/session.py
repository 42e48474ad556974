"""One request, its answer in bytes, and the failures that need no caller."""

import asyncio
import random
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from wf_core.certificates import not_accepted
from wf_core.errors import StoreUnavailable
from wf_k8s.client.access import Access, Door
from wf_k8s.client.answers import refusal, whole
from wf_k8s.client.errors import NoAnswerError, RefusedError, SilentError
from wf_k8s.client.pace import Backoff, Throttle, longer, namespace_of
from wf_k8s.client.places import Places

if TYPE_CHECKING:
    import aiohttp

JSON = "application/json"
JSON_PATCH = "application/json-patch+json"
STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json"
AGENT = "wf"
OLDEST_CREDENTIALS = 5.0
"""Seconds after which a 401 may be answered by reading the credentials again."""
KEPT_DOORS = 3
"""Earlier readings of the configuration whose connections stay open."""
READ_TRIES = 5
BACKOFF = Backoff()
THROTTLED_TRIES = 8
AT_ONCE = 32
"""Requests that are under way together. A busy API server does not do more in a second for being
asked more at once; each only takes longer, until all of them run into their time limits."""

Chance = random.Random
Observer = Callable[[str, str, float], None]
"""Is told of every answer: the method, the status (or `error`), how long it took in seconds."""


class Session:
    """Requests to one API server. `timeout` (seconds) is what one may take, from when it is sent,
    and more where it writes an object of many values;
    `throttle` limits them, also together with those of other sessions, and no more than `AT_ONCE`
    are under way together, watches apart; namespaces share both. Waits are jittered by `chance`.

    401: the credentials are read again, once. 429: sent again after what Retry-After asks, since
    nothing was done. Other failures that pass are repeated for GET alone: a write is its caller's,
    who knows whether it may be done twice.
    """

    def __init__(
        self,
        access: Access,
        *,
        throttle: Throttle | None = None,
        timeout: float = 5.0,
        backoff: Backoff = BACKOFF,
        observer: Observer | None = None,
        chance: Chance | None = None,
    ) -> None:
        self._access = access
        self.timeout = timeout
        self.throttle = throttle or Throttle(None)
        self._places = Places(AT_ONCE)
        self._backoff = backoff
        self._observer = observer
        self._chance = chance or Chance()
        self._door: Door | None = None
        self._opened_at = 0.0
        self._lock = asyncio.Lock()
        self._old: list[Door] = []
        self._closed = False

    async def door(self) -> Door:
        """The way in, opened at first use. Raises StoreUnavailable."""
        if self._door is None:
            async with self._lock:
                if self._door is None:
                    await self._open()
        assert self._door is not None
        return self._door

    async def _open(self) -> None:
        if self._closed:
            raise StoreUnavailable(f"the store 'k8s:{self._access.address}' is closed")
        self._door = await self._access.open()
        self._opened_at = asyncio.get_running_loop().time()

    async def renew(self, used: Door) -> bool:
        """Read configuration and credentials again, unless that was done since `used`, or just now.

        Says whether another try makes sense.
        """
        async with self._lock:
            if self._door is not used:
                return True
            if asyncio.get_running_loop().time() - self._opened_at < OLDEST_CREDENTIALS:
                return False
            await self._open()
            self._old.append(used)  # its watches go on until they end
            if len(self._old) > KEPT_DOORS:
                await self._old.pop(0).close()
            return True

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        content_type: str = JSON,
        timeout: float | None = None,
        cost: int = 1,
    ) -> bytes:
        """The body of a successful answer. `cost` is how many small requests it counts for, by
        which it may take longer too.

        Raises RefusedError, GoneError (410), and NoAnswerError where it is unknown what was done.
        """
        failures = renewed = 0
        limit = (self.timeout if timeout is None else timeout) * longer(cost)
        while True:
            door = await self.door()
            await self.throttle.turn(namespace_of(path), cost)
            try:
                return await self._once(door, method, path, params, body, content_type, limit)
            except RefusedError as error:
                if error.code == 401 and not renewed:
                    renewed = 1
                    if await self.renew(door):
                        continue
                failures += 1
                tries = READ_TRIES if method == "GET" else 1
                if error.code == 429:
                    tries = THROTTLED_TRIES
                if not error.passing or failures >= tries:
                    raise
                await self.pause(failures, error.after)
            except NoAnswerError as error:
                if isinstance(error.__cause__, ssl.SSLError):
                    await self.renew(door)  # certificates may have been rotated
                failures += 1
                if not (method == "GET" or error.unsent) or failures >= READ_TRIES:
                    raise
                await self.pause(failures)

    async def pause(self, failures: int, at_least: float | None = None) -> None:
        """Wait before the next try: jittered, growing, and as long as the server asks."""
        wait = self._backoff.wait(failures, self._chance.random())
        await asyncio.sleep(max(wait, (at_least or 0.0) * (1 + self._chance.random() / 10)))

    def chance(self, low: float, high: float) -> float:
        """A random number between the two."""
        return self._chance.uniform(low, high)

    async def _once(
        self,
        door: Door,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        body: bytes | None,
        content_type: str,
        limit: float,
    ) -> bytes:
        async def read(answer: "aiohttp.ClientResponse") -> bytes:
            return await answer.read()

        async with self._places.place(namespace_of(path)):
            return await self._send(
                door, method, path, params, body, content_type, read, total=limit, connect=limit
            )

    async def _send(
        self,
        door: Door,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        body: bytes | None,
        content_type: str,
        read: "Callable[[aiohttp.ClientResponse], Awaitable[bytes]]",
        *,
        total: float,
        connect: float,
    ) -> bytes:
        import aiohttp

        what = f"{method} {path}"
        headers = {"Accept": JSON, "User-Agent": AGENT, **await door.headers()}
        if body is not None:
            headers["Content-Type"] = content_type
        began = time.monotonic()
        said = "error"
        try:
            async with door.pool.request(
                method,
                door.url + path,
                params=params,
                data=body,
                headers=headers,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=total, connect=connect),
                **door.extra,
            ) as answer:
                said = str(answer.status)
                content = await read(answer)
                if not 200 <= answer.status < 300:
                    raise refusal(what, answer.status, content, answer.headers)
                if not whole(answer.headers, content):
                    raise NoAnswerError(what, "the answer broke off")
                return content
        except TimeoutError as error:
            raise NoAnswerError(what, f"no answer within {total:g} s") from error
        except (aiohttp.ClientError, OSError) as error:
            unsent = isinstance(error, aiohttp.ClientConnectorError)
            raise _broken(what, error, unsent=unsent) from error
        except (AssertionError, RuntimeError) as error:
            if self._closed:  # the pool was closed under it
                raise StoreUnavailable(f"{what}: the store was closed meanwhile") from error
            raise
        finally:
            if self._observer is not None:
                self._observer(method, said, time.monotonic() - began)

    @asynccontextmanager
    async def stream(
        self, path: str, params: Mapping[str, str], *, silence: float
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """The body of a GET in pieces, as they come; for one call, without another try but for 401.

        `silence` (seconds): how long nothing may come. Raises as `request`, and NoAnswerError while
        reading where the stream breaks off or falls silent.
        """
        import aiohttp

        what = f"watch {path}"
        await self.throttle.turn(namespace_of(path))
        for last in (False, True):
            door = await self.door()
            headers = {
                "Accept": JSON,
                "Accept-Encoding": "identity",  # what is compressed comes late and in lumps
                "User-Agent": AGENT,
                **await door.headers(),
            }
            began = time.monotonic()
            said = "error"
            try:
                answer = await door.pool.get(
                    door.url + path,
                    params=params,
                    headers=headers,
                    allow_redirects=False,
                    timeout=aiohttp.ClientTimeout(
                        total=None, connect=self.timeout, sock_read=silence
                    ),
                    **door.extra,
                )
                said = str(answer.status)
            except TimeoutError as error:
                raise NoAnswerError(what, f"nothing came within {silence:g} s") from error
            except (aiohttp.ClientError, OSError) as error:
                if isinstance(error, aiohttp.ClientSSLError):
                    await self.renew(door)
                raise _broken(what, error) from error
            finally:
                if self._observer is not None:
                    self._observer("WATCH", said, time.monotonic() - began)
            if answer.status == 401 and not last:
                answer.close()
                if await self.renew(door):
                    continue
            break
        try:
            if answer.status != 200:
                try:
                    content = await answer.read()
                except (aiohttp.ClientError, OSError, TimeoutError):
                    content = b""
                raise refusal(what, answer.status, content, answer.headers)
            yield _pieces(answer, what, silence)
        finally:
            answer.close()

    async def close(self) -> None:
        """Close all connections; requests after this raise StoreUnavailable."""
        self._closed = True
        doors = [*self._old, *([self._door] if self._door else [])]
        self._door, self._old = None, []
        for door in doors:
            await door.close()


async def _pieces(
    answer: "aiohttp.ClientResponse", what: str, silence: float
) -> AsyncIterator[bytes]:
    import aiohttp

    try:
        async for piece in answer.content.iter_any():
            yield piece
    except TimeoutError as error:
        raise SilentError(what, f"nothing came within {silence:g} s") from error
    except (aiohttp.ClientError, OSError) as error:
        raise _broken(what, error) from error


def _broken(what: str, error: Exception, *, unsent: bool = False) -> NoAnswerError:
    certificate = not_accepted(error)
    if certificate is not None:
        return NoAnswerError(what, certificate, unsent=unsent, advice="nothing was lost")
    return NoAnswerError(what, str(error) or type(error).__name__, unsent=unsent)
