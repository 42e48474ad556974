"""Everything of one kind, and what becomes of it: list, watch, and again from where it broke off.

Level-triggered: after any trouble the consumer is told what exists, so a change that was missed,
doubled or reordered leaves no trace.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing

import attrs

from wf_core.errors import StoreUnavailable
from wf_k8s.client.errors import GoneError, NoAnswerError, RefusedError, SilentError
from wf_k8s.client.frames import read_event
from wf_k8s.client.lines import Lines
from wf_k8s.client.listing import pages
from wf_k8s.client.session import Session

log = logging.getLogger("wf.k8s")
SILENCE = 90.0
"""Seconds without a byte after which a watch is dead: bookmarks come every 60 to 75."""
SHORTEST = 1.0
"""A watch that ends sooner counts as a failure, so that the next one waits."""


@attrs.frozen
class Restarted:
    """What follows, up to `Synced`, is everything that exists; what it leaves out is gone."""


@attrs.frozen
class Put:
    """An object as it is now."""

    body: bytes


@attrs.frozen
class Gone:
    """An object was deleted; `body` is its last state."""

    body: bytes


@attrs.frozen
class Synced:
    """Everything that exists was told."""


@attrs.frozen
class Trouble:
    """Something failed; it is tried again after a while."""

    error: StoreUnavailable


@attrs.frozen
class Opened:
    """The API server answers a watch again: what it refused before, it allows."""


Change = Opened | Restarted | Put | Gone | Synced | Trouble

FAULTS = 5
"""Faults in a row after which following counts as broken: only a new process may help."""
QUIET_SECONDS = 60.0
"""A fault that comes later than this after the one before it is none in a row."""


class Follow:
    """Follows the collection at `path`, for ever. One consumer.

    `silence` and `watch_for` (seconds, least and most) are for how long a watch may say nothing
    and may last.
    """

    def __init__(
        self,
        session: Session,
        path: str,
        selectors: Mapping[str, str] | None = None,
        *,
        silence: float = SILENCE,
        watch_for: tuple[float, float] = (240.0, 480.0),
    ) -> None:
        self._session = session
        self._path = path
        self._selectors = dict(selectors or {})
        self._silence = silence
        self._watch_for = watch_for
        self._streams_lists = True
        self._version: str | None = None
        self._failures = 0

    @property
    def told(self) -> int:
        """The version up to which everything was told; 0 before the first list, or where all must
        be listed anew. Versions of a collection are numbers that grow (KEP-5504)."""
        return int(self._version or 0)

    async def changes(self) -> AsyncGenerator[Change, None]:
        """What happens; ends only by being closed."""
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            after: float | None = None
            try:
                async with aclosing(self._round()) as told:
                    async for change in told:
                        yield change
                if loop.time() - began >= SHORTEST:
                    continue
                self._failures += 1
            except GoneError as error:
                log.info("%s; listing again", error)
                self._version = None
                self._failures += 1
            except RefusedError as error:
                if error.code in (400, 422) and self._version is None and self._streams_lists:
                    log.info("this API server does not stream lists; reading pages instead")
                    self._streams_lists = False
                    continue
                self._failures += 1
                after = error.after
                yield Trouble(error)
            except StoreUnavailable as error:
                self._failures += 1
                if isinstance(error, SilentError) and self._version is not None:
                    log.info("%s; watching again", error)
                else:
                    yield Trouble(error)
            await self._session.pause(max(self._failures, 1), after)

    async def supervise(
        self, take: Callable[[Change], None], broke: Callable[[StoreUnavailable], None]
    ) -> None:
        """Give `take` all that happens, for ever. Whatever it raises is logged, and after a while
        it is told anew what exists. `broke` is called where that happens again and again."""
        loop = asyncio.get_running_loop()
        faults, latest = 0, float("-inf")
        while True:
            try:
                async with aclosing(self.changes()) as changes:
                    async for change in changes:
                        take(change)
            except Exception as error:
                now = loop.time()
                faults = faults + 1 if now - latest < QUIET_SECONDS else 1
                latest = now
                log.exception("following %s: a fault of the engine; listing again", self._path)
                self._version = None
                if faults >= FAULTS:
                    why = f"{type(error).__name__}: {error}"
                    broke(StoreUnavailable(f"following {self._path} fails again and again: {why}"))
            await self._session.pause(max(faults, 1))

    async def _round(self) -> AsyncGenerator[Change, None]:
        """One watch, after what must be listed first."""
        listing = self._version is None
        if listing:
            yield Restarted()
            if not self._streams_lists:
                async with aclosing(self._pages()) as puts:
                    async for put in puts:
                        yield put
                yield Synced()
                listing = False
        async with aclosing(self._watch(listing)) as watch:
            async for change in watch:
                yield change

    async def _pages(self) -> AsyncGenerator[Put, None]:
        async with aclosing(pages(self._session, self._path, self._selectors)) as told:
            async for page in told:
                for item in page.items:
                    yield Put(item)
                version = page.resource_version
        self._version = version

    async def _watch(self, listing: bool) -> AsyncGenerator[Change, None]:
        what = f"watch {self._path}"
        params = {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(round(self._session.chance(*self._watch_for))),
            **self._selectors,
        }
        if listing:
            params |= {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}
        elif self._version:
            params["resourceVersion"] = self._version
        lines = Lines()
        async with self._session.stream(self._path, params, silence=self._silence) as pieces:
            yield Opened()
            async for piece in pieces:
                for line in _split(lines, piece, what):
                    event = read_event(what, line)
                    self._failures = 0
                    if not listing:
                        self._version = event.resource_version
                    if event.type in ("ADDED", "MODIFIED"):
                        yield Put(event.body)
                    elif event.type == "DELETED":
                        yield Gone(event.body)
                    elif event.ends_list and listing:
                        listing = False
                        self._version = event.resource_version
                        yield Synced()
        if lines.cut_off:
            raise NoAnswerError(what, "the stream ended within a line")


def _split(lines: Lines, piece: bytes, what: str) -> list[bytes]:
    try:
        return lines.feed(piece)
    except ValueError as error:
        raise NoAnswerError(what, str(error)) from error
