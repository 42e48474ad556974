"""One watch, as a process receives it: its bytes, and how they are troubled."""

import asyncio
from collections import deque
from collections.abc import Mapping
from enum import StrEnum
from random import Random

import aiohttp
import msgspec

from wf_k8s.client.frames import INITIAL_END
from wf_k8s.testing.api.collection import Collection, Happened
from wf_k8s.testing.api.replies import failure
from wf_k8s.testing.api.server import ApiServer
from wf_k8s.testing.simulation.weather import Kind, Weather

_encode = msgspec.json.Encoder().encode
_BOOKMARK_EVERY = (60.0, 75.0)
_GONE = failure(410, "too old resource version", reason="Expired")


class End(StrEnum):
    """How a watch ends before its time."""

    GONE = "Gone"
    CUT = "Cut"


class Stream:
    """Implements what `Session.stream` reads of an answer's content.

    `silence` (seconds): the reader's patience, as aiohttp's `sock_read`. `lag`: how long an event
    is on its way at most.
    """

    def __init__(
        self,
        server: ApiServer,
        weather: Weather,
        params: Mapping[str, str],
        chance: Random,
        silence: float,
        lag: float,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._collection: Collection = server.workflows
        self._weather = weather
        self._chance = chance
        self._silence = silence
        self._lag = lag
        self._heard_at = self._bookmark_at = self._loop.time()
        self._next_bookmark()
        self._ends_at = self._loop.time() + float(params["timeoutSeconds"])
        self._waiter: asyncio.Future[None] | None = None
        self._end: End | None = None
        self._miss_until = 0.0
        self._mixed = False
        self.closed = False
        self._lines: deque[bytes] = deque()
        if "sendInitialEvents" in params:
            late = weather.on(Kind.LISTS_LATE)
            self._told = weather.since(Kind.LISTS_LATE) if late else server.version
            there = self._collection.at(self._told) if late else self._collection.objects.values()
            self._lines += [_line("ADDED", held.raw) for held in there]
            self._lines.append(_bookmark(self._told, ends_list=True))
        else:
            self._told = int(params.get("resourceVersion") or server.version)
            if self._told < self._collection.compacted:
                self._end = End.GONE
        self._queue = deque(self._collection.since(self._told))
        self._collection.listeners.append(self._hear)

    def close(self) -> None:
        """Nobody reads it any more."""
        self.closed = True
        if self._hear in self._collection.listeners:
            self._collection.listeners.remove(self._hear)

    def break_off(self, end: End) -> None:
        """End it before its time."""
        self._end = end
        self._wake()

    def iter_any(self) -> "Stream":
        """Pieces as they come."""
        return self

    def __aiter__(self) -> "Stream":
        return self

    async def __anext__(self) -> bytes:
        piece = await self._piece()
        self._heard_at = self._loop.time()
        return piece

    async def _piece(self) -> bytes:
        while True:
            now = self._loop.time()
            silent = self._weather.on(Kind.SILENT)
            if self._end is not None:
                return self._broken()
            if now >= self._ends_at:
                raise StopAsyncIteration
            if now >= self._heard_at + self._silence:
                raise TimeoutError
            if not silent:
                self._take()
                if self._lines:
                    return self._some()
                if now >= self._bookmark_at:
                    self._next_bookmark()
                    return _bookmark(self._told)
            await self._wait(now, silent)

    def _hear(self, happened: Happened) -> None:
        self._queue.append(happened)
        if self._waiter is not None:
            delay = self._chance.random() * self._lag
            self._loop.call_later(delay, self._wake)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _wait(self, now: float, silent: bool) -> None:
        """Until something happens, or something is due."""
        weather = self._weather
        due = [self._ends_at, self._heard_at + self._silence]
        if silent:
            due.append(weather.until(Kind.SILENT))
        else:
            due.append(self._bookmark_at)
        held = weather.until(Kind.LAGS, Kind.REORDERS, Kind.MISSES)
        due += [held] if held > now else []
        self._waiter = self._loop.create_future()
        timer = self._loop.call_at(min(due), self._wake)
        try:
            await self._waiter
        finally:
            timer.cancel()
            self._waiter = None

    def _take(self) -> None:
        """Turn what happened into lines, unless it is held back."""
        weather = self._weather
        if weather.on(Kind.MISSES):
            self._miss_until = weather.until(Kind.MISSES)
        if self._miss_until:
            self._queue.clear()
            if not weather.on(Kind.MISSES):
                self._end = End.GONE
                self._lines.append(_line("ERROR", _GONE.body))
            return
        self._mixed = self._mixed or weather.on(Kind.REORDERS)
        if not self._queue or weather.on(Kind.LAGS) or weather.on(Kind.REORDERS):
            return
        events = list(self._queue)
        self._queue.clear()
        if self._mixed:
            self._mixed, events = False, self._shuffled(events)
        for each in events:
            self._lines.append(_line(each.type, each.held.raw))
        if weather.on(Kind.DOUBLES):
            self._lines += [_line(each.type, each.held.raw) for each in events]
        self._told = max(self._told, *(each.version for each in events))

    def _shuffled(self, events: list[Happened]) -> list[Happened]:
        """Another order across objects; those of one object keep theirs."""
        by_key: dict[object, deque[Happened]] = {}
        for each in events:
            by_key.setdefault(each.held.key, deque()).append(each)
        found = []
        while by_key:
            key = self._chance.choice(list(by_key))
            found.append(by_key[key].popleft())
            if not by_key[key]:
                del by_key[key]
        return found

    def _some(self) -> bytes:
        """What is there, cut into pieces anywhere."""
        whole = b"".join(self._lines)
        self._lines.clear()
        if len(whole) > 1 and self._chance.random() < 0.2:
            at = self._chance.randrange(1, len(whole))
            self._lines.append(whole[at:])
            return whole[:at]
        return whole

    def _broken(self) -> bytes:
        if self._end is End.GONE:
            if self._lines:
                return self._some()
            self._ends_at = self._loop.time()
            self._end = None
            return _line("ERROR", _GONE.body)
        self._end = None
        self._ends_at = 0.0
        if self._lines:
            return self._some()[:-3]
        raise aiohttp.ClientPayloadError("the connection was reset")

    def _next_bookmark(self) -> None:
        self._bookmark_at = self._loop.time() + self._chance.uniform(*_BOOKMARK_EVERY)


def _line(kind: str, body: bytes) -> bytes:
    return b'{"type":"' + kind.encode() + b'","object":' + body + b"}\n"


def _bookmark(version: int, *, ends_list: bool = False) -> bytes:
    meta: dict[str, object] = {"resourceVersion": str(version)}
    if ends_list:
        meta["annotations"] = {INITIAL_END: "true"}
    return _line("BOOKMARK", _encode({"metadata": meta}))
