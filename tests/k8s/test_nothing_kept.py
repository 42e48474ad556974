"""What is gone takes no memory: a controller lives for months."""

import asyncio
import gc
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterator

import attrs
from tests.cluster.connection import Cluster
from tests.k8s.crd_objects import Json, Sagas, cron, step, task, workflow
from tests.k8s.test_quarantine import deep
from tests.patience import PATIENCE

from wf_core.config import Config
from wf_core.plugins import load
from wf_k8s.controller.controller import Controller
from wf_k8s.controller.options import Options

OF_EACH = 4
"""Objects of each sort in a round."""
BOUNDED = (
    "wf_core.errors.",  # the log of a test holds them
    "wf_core.ports.Seen",
    "wf_k8s.store.mirror.Mirror._changed",
    "wf_k8s.telemetry.follow._Course",
    "wf_k8s.telemetry.follow.Durations._courses",
)
"""What is kept of some that are gone: of so many, and no more."""
SETTLED = {
    "good": ("Success",),
    "bad": ("RollBacked",),
    "stuck": ("Failed",),
    "slow": ("Running", "Success"),
    "asks": ("Running",),
    "once": ("Success",),
}
"""The phases in which a round waits for its workflows before all are deleted."""
COLLECTIONS = (dict, list, tuple, set, frozenset, deque)


def held() -> Counter[str]:
    """How many objects of each of our classes there are, and how many things are in the collections
    that they hold, by class and name."""
    gc.collect()
    found = Counter[str]()
    for thing in gc.get_objects():
        made = type(thing)
        if str(made.__module__).startswith(("wf_core.", "wf_k8s.", "wf_podstep.")):
            found[f"{made.__module__}.{made.__name__}"] += 1
            for name, value in fields(thing):
                if isinstance(value, COLLECTIONS):
                    found[f"{made.__module__}.{made.__name__}.{name}"] += len(value)
    return found


def fields(thing: object) -> Iterator[tuple[str, object]]:
    yield from getattr(thing, "__dict__", {}).items()
    for each in type(thing).__mro__:
        slots = vars(each).get("__slots__", ())
        for name in slots if isinstance(slots, tuple) else ():
            if hasattr(thing, name):
                yield name, getattr(thing, name)


def sorts(n: str) -> Iterator[Json]:
    def randomly(**parameters: object) -> Json:
        return {
            "stepTemplate": {
                "type": "random",
                "parameters": {"sleepSeconds": 0, **parameters},
                "retryPolicy": {"runRetryLimit": 0, "rollbackRetryLimit": 0},
            }
        }

    quick, bad = randomly(), randomly(failureRate=1)
    stuck = randomly(rollbackFailureRate=1)
    yield workflow(step("a", **quick), step("b", "a", **quick), name=f"good-{n}")
    yield workflow(step("a", **quick), step("b", "a", **bad), name=f"bad-{n}")
    yield workflow(step("a", **stuck), step("b", "a", **bad), name=f"stuck-{n}")
    yield workflow(step("a", **randomly(sleepSeconds=3)), name=f"slow-{n}")
    yield workflow(step("a", stepTemplate={"type": "nobody-knows"}), name=f"unknown-{n}")
    yield workflow(step("a", **quick), name=f"deep-{n}", parameters={"a": "DEEP"})
    yield workflow(
        step("a", stepTemplate={"type": "approval"}), name=f"asks-{n}", deletionPolicy="Orphan"
    )
    yield cron(step("a", **quick), name=f"tick-{n}")
    yield cron(step("a", **quick), name=f"wrong-{n}", timeZone="Nowhere")
    yield task(name=f"once-{n}", parameters={"sleepSeconds": 0})


def grown(before: Counter[str], now: Counter[str]) -> dict[str, tuple[int, int]]:
    """Of what there is one more, at least, for each object of a sort: how many there were and are,
    by name."""
    more = (name for name, number in now.items() if number >= before[name] + OF_EACH)
    return {name: (before[name], now[name]) for name in more if not name.startswith(BOUNDED)}


async def until(look: Callable[[], Awaitable[object]], what: str) -> None:
    """Until `look` finds nothing more."""
    async with asyncio.timeout(PATIENCE):
        while left := await look():
            print(f"{what}: {left}")
            await asyncio.sleep(0.5)


@attrs.frozen
class Rounds:
    """Makes objects of every sort, has something happen to them, and deletes them again."""

    sagas: Sagas

    async def play(self, number: int) -> None:
        """One round; nothing of it is there when this returns."""
        documents = [each for n in range(OF_EACH) for each in sorts(f"{number}-{n}")]
        made = deep({"apiVersion": "v1", "kind": "List", "items": documents})
        await self._kubectl("create", "--validate=false", "-f", "-", stdin=made)
        await until(self._unsettled, "not there yet")
        for n in range(OF_EACH):
            orphan = ("--type=merge", "-p", '{"spec":{"deletionPolicy":"Orphan"}}')
            await self._kubectl("patch", "saga", f"stuck-{number}-{n}", *orphan)
        all_of_them = ("cronsaga,sagatask,saga", "--all", f"--timeout={PATIENCE:.0f}s")
        await self._kubectl("delete", *all_of_them)

    async def _unsettled(self) -> list[str]:
        shown = "jsonpath={range .items[*]}{.metadata.name} {.status.phase}{'\\n'}{end}"
        lines = (await self._kubectl("get", "saga", "-o", shown)).splitlines()
        found = [line.partition(" ")[::2] for line in lines]
        return [
            f"{name} {phase}"
            for name, phase in found
            if phase not in SETTLED.get(name.partition("-")[0], (phase,))
        ]

    async def _kubectl(self, *arguments: str, stdin: str = "") -> str:
        done = await asyncio.to_thread(
            self.sagas.kubectl.run, "-n", self.sagas.namespace, *arguments, stdin=stdin
        )
        assert not done.returncode, done.stderr
        return done.stdout


def test_of_what_is_gone_nothing_is_kept(sagas: Sagas, cluster: Cluster) -> None:
    rounds = Rounds(sagas)

    async def main() -> None:
        config = attrs.evolve(Config(), namespace=sagas.namespace)
        options = Options(config, cluster.kubeconfig, namespaces=(sagas.namespace,), metrics_port=0)
        controlling = asyncio.create_task(Controller(options, load()).run())
        await rounds.play(0)

        async def running() -> int:
            return held()["wf_core.engine.runner.Runner"]

        await until(running, "workflows still run")
        before = held()
        await rounds.play(1)
        await rounds.play(2)

        async def more() -> object:
            return grown(before, held())

        await until(more, "kept of what is gone")
        controlling.cancel()
        await asyncio.gather(controlling, return_exceptions=True)

    asyncio.run(main())
