"""The hostile authors, as a process of their own: what they cost the machine can be told apart.

It reads its orders as JSON from its standard input, floods until that is closed, and writes what it
has done by then as JSON to its standard output, every few seconds and at the end.
"""

import asyncio
import itertools
import json
import random
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

import attrs
from tests.campaign.flood_attacks import ATTACKS, BY_MASS, VARIED, Json, document
from tests.campaign.flood_servers import Servers, serving
from tests.campaign.hostile_objects import Hostiles

from wf_core.errors import WfError
from wf_k8s.client.access import Access
from wf_k8s.client.errors import RefusedError
from wf_k8s.client.pace import Throttle
from wf_k8s.client.resources import CRON_WORKFLOWS, TASKS, WORKFLOWS, Resource
from wf_k8s.client.session import JSON_PATCH, Session

RESOURCES: dict[str, Resource] = {
    "Workflow": WORKFLOWS,
    "CronWorkflow": CRON_WORKFLOWS,
    "Task": TASKS,
}
PLURALS: dict[str, Resource] = {each.plural: each for each in RESOURCES.values()}
AT_ONCE = 5
"""Variations that one author tries side by side."""
BATCH = 250
"""Objects of any shape until all of them are deleted."""
TIMEOUT = 30.0
TOLD_EVERY = 2.0


@attrs.frozen
class Orders:
    """Who floods and how: a kubeconfig for each namespace, the variations by name and seed, which
    attacks, how many objects of any shape by the author of `fuzzing`, and at most how many
    requests a second each author makes: by namespace in `paces`. `turn` keeps names of turns
    apart."""

    turn: int
    authors: dict[str, str]
    variations: list[tuple[str, int]]
    attacks: list[str]
    seed: int
    objects: int
    fuzzing: str
    paces: dict[str, float]


@attrs.define
class Done:
    """What was done. `began` are the names of acts; `codes` the refusals by status."""

    requests: int = 0
    accepted: int = 0
    fuzzed: int = 0
    unanswered: int = 0
    asked_of_servers: int = 0
    varied: int = 0
    began: Counter[str] = attrs.field(factory=Counter)
    codes: Counter[str] = attrs.field(factory=Counter)
    broken: list[str] = attrs.field(factory=list)

    def document(self) -> Json:
        """As JSON."""
        return attrs.asdict(self)


@attrs.define
class HostileAuthor:
    """One author, of one namespace."""

    session: Session
    namespace: str
    url: str
    turn: int
    done: Done
    _made: int = 0

    def name(self) -> str:
        self._made += 1
        return f"t{self.turn}-{self._made}"

    async def create(self, kind: str, name: str, spec: str | Json, **metadata: Any) -> bool:
        path = RESOURCES[kind].path(self.namespace)
        return await self.send("POST", path, document(kind, name, spec, metadata))

    async def patch(self, kind: str, name: str, *operations: Json) -> bool:
        path = RESOURCES[kind].path(self.namespace, name)
        body = json.dumps(operations).encode()
        return await self.send("PATCH", path, body, content_type=JSON_PATCH)

    async def delete(self, kind: str, name: str = "") -> bool:
        return await self.send("DELETE", RESOURCES[kind].path(self.namespace, name))

    async def wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def send(self, method: str, path: str, body: bytes | None = None, **more: Any) -> bool:
        """One request; whether it was accepted."""
        self.done.requests += 1
        try:
            await self.session.request(method, path, body=body, **more)
        except RefusedError as error:
            self.done.codes[str(error.code)] += 1
            return False
        except WfError:
            self.done.unanswered += 1
            return False
        self.done.accepted += 1
        return True

    async def attack(self, name: str, seed: int) -> None:
        """One of the attacks or variations."""
        self.done.began[name] += 1
        act = {**ATTACKS, **BY_MASS, **VARIED}[name]
        await act(self, random.Random(seed))

    async def fuzz(self, seed: int, count: int) -> None:
        """So many objects of any shape that the API server accepts, deleted batch by batch."""
        made = Hostiles(seed)
        while self.done.fuzzed < count:
            each = made.next()
            path = PLURALS[each.plural].path(self.namespace)
            self.done.fuzzed += await self.send("POST", path, each.document.encode())
            if self.done.fuzzed % BATCH == 0:
                for kind in RESOURCES:
                    await self.delete(kind)


async def vary(author: HostileAuthor, mine: Sequence[tuple[str, int]]) -> None:
    """All variations of one author, a few side by side, again and again with other numbers."""
    places = asyncio.Semaphore(AT_ONCE)

    async def one(name: str, seed: int) -> None:
        async with places:
            author.done.varied += 1
            await author.attack(name, seed)

    for again in itertools.count():
        await asyncio.gather(*(one(name, seed + again) for name, seed in mine))
        await author.wait(1.0)


async def flood(orders: Orders, servers: Servers) -> Done:
    """Until standard input is closed."""
    done = Done()
    sessions: list[Session] = []
    tasks: list[asyncio.Task[None]] = []
    for number, (namespace, kubeconfig) in enumerate(orders.authors.items()):
        access = Access(f"/{namespace}", kubeconfig)
        session = Session(access, timeout=TIMEOUT, throttle=Throttle(orders.paces[namespace]))
        sessions.append(session)
        author = HostileAuthor(session, namespace, servers.url, orders.turn, done)
        if namespace == orders.fuzzing:
            tasks.append(
                asyncio.create_task(author.fuzz(orders.seed + orders.turn, orders.objects))
            )
            continue
        attacks = [(name, orders.seed + number) for name in orders.attacks]
        tasks += [asyncio.create_task(author.attack(*each)) for each in attacks]
        others = [each for each in orders.authors if each != orders.fuzzing]
        mine = orders.variations[others.index(namespace) :: len(others)]
        if mine:
            tasks.append(asyncio.create_task(vary(author, mine)))
    ended = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    try:
        while not ended.done():
            await asyncio.wait((ended,), timeout=TOLD_EVERY)
            print(json.dumps(done.document()), flush=True)
    finally:
        for task in tasks:
            if task.done() and not task.cancelled() and (error := task.exception()):
                done.broken.append(repr(error))
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for session in sessions:
            await session.close()
    done.asked_of_servers = servers.asked
    return done


async def main() -> None:
    """As the module says."""
    told = json.loads(sys.stdin.readline())
    told["variations"] = [(name, seed) for name, seed in told["variations"]]
    async with serving() as servers:
        done = await flood(Orders(**told), servers)
    print(json.dumps(done.document()), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
