"""A process's line to the API server: where requests are late, lost, doubled and refused."""

import asyncio
from collections.abc import Callable, Mapping
from random import Random
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import aiohttp

from wf_core.testing.simulation.world import Fault, Point, Wrong
from wf_k8s.client.resources import LEASES, WORKFLOWS
from wf_k8s.testing.api.replies import Reply, failure
from wf_k8s.testing.api.server import place_of
from wf_k8s.testing.simulation.stream import Stream
from wf_k8s.testing.simulation.weather import Kind

if TYPE_CHECKING:
    from wf_core.testing.simulation.process import Process
    from wf_core.testing.simulation.stage import Stage
    from wf_k8s.testing.simulation.storage import KubernetesStorage

_REFUSED = {
    Wrong.REFUSED: failure(409, "the object has been modified; apply your changes to the latest"),
    Wrong.INVALID: failure(422, "it is invalid", causes=(("status", "the world says so"),)),
    Wrong.UNAVAILABLE: failure(503, "the server is currently unable to handle the request"),
}
_TIMED_OUT = failure(500, "etcdserver: request timed out")
_UNAUTHORIZED = failure(403, "Unauthorized", reason="Unauthorized")


class PeopleLine:
    """The line of people: nothing befalls it, and nothing takes time."""

    def __init__(self, storage: "KubernetesStorage") -> None:
        self._storage = storage

    def token(self) -> int:
        """As `Line.token`."""
        return 0

    async def ask(
        self, token: int, method: str, path: str, params: Mapping[str, str], body: bytes | None
    ) -> Reply:
        """As `Line.ask`."""
        del token
        return self._storage.deliver(None, method, path, params, body)

    async def watch(
        self, token: int, path: str, params: Mapping[str, str], silence: float
    ) -> Reply:
        """As `Line.watch`: people do not watch."""
        del token, params, silence
        return failure(400, f"nobody watches {path}")


class ProcessLine:
    """The line of one process. `cut_off`: what it sends to its Lease is lost."""

    def __init__(
        self, stage: "Stage", storage: "KubernetesStorage", process: "Process", chance: Random
    ) -> None:
        self._stage = stage
        self._storage = storage
        self._process = process
        self._chance = chance
        self._seconds = stage.world.operator.save_seconds
        self.cut_off_until = 0.0
        self.streams: list[Stream] = []

    def token(self) -> int:
        """As `Line.token`."""
        return self._storage.weather.token

    async def ask(
        self, token: int, method: str, path: str, params: Mapping[str, str], body: bytes | None
    ) -> Reply:
        """As `Line.ask`."""
        place = place_of(path)
        self._check_away()
        if place.plural == LEASES.plural and self._stage.now < self.cut_off_until:
            await asyncio.Event().wait()
        refused = self._refused(token)
        if refused is not None:
            return refused

        def arrive() -> Reply:
            return self._storage.deliver(self._process, method, path, params, body)

        if place.plural != WORKFLOWS.plural:
            await self._takes()
            return self._failing(arrive)
        if method == "GET":
            fault = self._stage.fault(self._process, Point.READ)
            if fault is not None:
                await self._crash()
            await self._takes()
            return self._failing(arrive)
        return await self._write(arrive, self._stage.fault(self._process, Point.SAVE))

    async def _write(self, arrive: Callable[[], Reply], fault: Fault | None) -> Reply:
        wrong = None if fault is None else fault.wrong
        seconds = 0.0 if fault is None else fault.seconds
        if wrong is Wrong.CRASH_BEFORE:
            await self._crash()
        if wrong is Wrong.CRASH_THEN_SAVED:
            self._stage.detached(_later(arrive, seconds))
            await self._crash()
        await self._takes()
        if wrong in _REFUSED:
            self._process.invalid += wrong is Wrong.INVALID
            return _REFUSED[wrong]
        if wrong is Wrong.UNKNOWN_NOT_SAVED:
            raise aiohttp.ServerDisconnectedError
        if wrong is Wrong.LATE:
            self._stage.met("save Late")
            arrival = self._stage.detached(_later(arrive, seconds))
            reply: Reply = await asyncio.shield(arrival)
            return reply
        reply = self._failing(arrive)
        if wrong is Wrong.CRASH_AFTER:
            await self._crash()
        if wrong is Wrong.UNKNOWN_SAVED:
            raise aiohttp.ServerDisconnectedError
        if wrong is Wrong.UNAVAILABLE_BUT_SAVED:
            return _TIMED_OUT
        if wrong is Wrong.DOUBLED:
            return arrive()
        if wrong is Wrong.DOUBLED_LATE:
            self._stage.detached(_later(arrive, seconds))
        return reply

    def _failing(self, arrive: Callable[[], Reply]) -> Reply:
        if not self._storage.weather.on(Kind.FAILS):
            return arrive()
        if self._chance.random() < 0.5:
            arrive()
        return _TIMED_OUT

    def _refused(self, token: int) -> Reply | None:
        if token != self._storage.weather.token:
            return Reply(401, _UNAUTHORIZED.body)
        if self._storage.weather.on(Kind.THROTTLES):
            return failure(429, "too many requests", after=1)
        return None

    async def watch(
        self, token: int, path: str, params: Mapping[str, str], silence: float
    ) -> "Reply | Stream":
        """As `Line.watch`."""
        self._check_away()
        refused = self._refused(token)
        if refused is not None:
            return refused
        await self._takes()
        weather = self._storage.weather
        if weather.on(Kind.FAILS):
            return _TIMED_OUT
        if weather.on(Kind.LISTS_REFUSED) and "sendInitialEvents" in params:
            return failure(422, f"{path}: sendInitialEvents is forbidden", causes=(("", "no"),))
        lag = max(0.002, self._seconds * 2)
        stream = Stream(self._storage.server, weather, params, self._chance, silence, lag)
        self.streams = [each for each in self.streams if not each.closed] + [stream]
        return stream

    async def _takes(self) -> None:
        """The way there and back."""
        if self._seconds:
            await asyncio.sleep(self._seconds)
            self._check_away()

    def _check_away(self) -> None:
        if self._stage.now < self._stage.store_away_until:
            where: Any = SimpleNamespace(host="api", port=443, ssl=True)
            raise aiohttp.ClientConnectorError(
                cast("Any", where), ConnectionRefusedError(111, "refused")
            )

    async def _crash(self) -> None:
        self._process.kill()
        await asyncio.Event().wait()


async def _later(arrive: Callable[[], Reply], seconds: float) -> Reply:
    await asyncio.sleep(seconds)
    return arrive()
