"""What hostile authors do, with the chart's edit rights on the workflows of one namespace and no
more: the attacks that once stopped a controller, and variations of them drawn from a seed."""

import json
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from tests.campaign.hostile_objects import API, LARGE
from tests.k8s.crd_objects import LARGE as LARGEST

Json = dict[str, Any]
HIGHEST = 1_000_000
AGES = 1e9
"""Seconds: no end, to whoever waits for it."""
HUGE = 10**12
"""Bytes."""
CEILING = 4 * 2**20
"""Bytes that the chart's controller reads of an answer."""
FOREIGN = "hostile.example/stay"
"""A finalizer of the authors'."""


class Author(Protocol):
    """An author in his own namespace. What he is refused is counted, and stops nothing."""

    url: str
    """Where his servers are: /silent, /bomb, /keys, /accepted, /hints, /drip (flood_servers.py)."""

    def name(self) -> str:
        """A name that nothing of his had yet."""

    async def create(self, kind: str, name: str, spec: str | Json, **metadata: Any) -> bool:
        """Create an object; `spec` is JSON already where no encoder goes as deep."""

    async def patch(self, kind: str, name: str, *operations: Json) -> bool:
        """Apply a JSON patch."""

    async def delete(self, kind: str, name: str = "") -> bool:
        """Delete an object, or all of a kind."""

    async def wait(self, seconds: float) -> None:
        """Do nothing for so long."""


Act = Callable[[Author, random.Random], Awaitable[None]]


def step(name: str, *after: str, kind: str = "random", **template: Any) -> Json:
    """A step; without more it succeeds at once."""
    template.setdefault("parameters", {"sleepSeconds": 0})
    return {
        "name": name,
        "dependOns": [{"name": each} for each in after],
        "stepTemplate": {"type": kind, **template},
    }


def http(name: str, url: str, **more: Any) -> Json:
    """A step that asks `url`."""
    template = {each: more.pop(each) for each in ("timeoutSeconds", "retryPolicy") if each in more}
    run = {"url": url, "timeoutSeconds": more.pop("requestSeconds", 30)}
    parameters = {"run": run, "rollback": {"url": url}, **more}
    return step(name, kind="http", parameters=parameters, **template)


AT_ONCE: Json = {"runRetryLimit": -1, "runRetryPeriodSeconds": 0}
FAILS: Json = {"sleepSeconds": 0.2, "failureRate": 1}
UNDO_AT_ONCE: Json = {"rollbackRetryLimit": -1, "rollbackRetryPeriodSeconds": 0}


async def depth(author: Author, chance: random.Random) -> None:
    """A1: parameters deeper than a decoder follows."""
    for levels in (994, chance.randint(900, 1_100), chance.randint(5_000, 8_900)):
        nested = "[" * levels + "]" * levels
        template = '{"type": "random", "parameters": {"sleepSeconds": 0}}'
        steps = f'[{{"name": "a", "stepTemplate": {template}}}]'
        spec = f'{{"parameters": {{"a": {nested}}}, "steps": {steps}}}'
        await author.create("Workflow", author.name(), spec)


async def dots(author: Author, chance: random.Random) -> None:
    """A2: `${` and dots, on which a pattern may be quadratic."""
    for size in (20_000, 80_000, chance.randint(20_000, 256_000)):
        text = chance.choice(("${" + "." * size, "${parameters." * (size // 13), "$" * size))
        made = step("a", parameters={"sleepSeconds": 0, "attributes": {"text": text}})
        await author.create("Workflow", author.name(), {"steps": [made]})


async def references(author: Author, chance: random.Random) -> None:
    """A3: a text of references that is gigabytes once they are resolved."""
    times, size = chance.randint(2_000, 8_000), chance.randint(20_000, 200_000)
    text = "${parameters.a}" * times
    made = step("a", parameters={"sleepSeconds": 0, "attributes": {"text": text}})
    asked = http("b", f"{author.url}/ok", headers={"x": text[:60_000]})
    for steps in ([made], [made, asked], [asked]):
        spec = {"parameters": {"a": "x" * size}, "steps": steps}
        await author.create("Workflow", author.name(), spec)


async def answers(author: Author, chance: random.Random) -> None:
    """A4: answers that are small on the wire and huge in memory."""
    for path in ("bomb", "keys", "hints", "drip"):
        attributes = {f"a{n}": "/k1" for n in range(chance.randint(1, 500))}
        # What is beyond the operator's ceiling is refused, and what he allows is costly enough.
        for most in (HUGE, CEILING):
            made = [
                http(f"s{n}", f"{author.url}/{path}", maxResponseBytes=most, attributes=attributes)
                for n in range(chance.randint(1, 8))
            ]
            await author.create("Workflow", author.name(), {"steps": made, "priority": HIGHEST})


async def retried_at_once(author: Author, _: random.Random) -> None:
    """A5: workflows that fail for ever and ask for no pause, with the highest priority."""
    failing = step("a", parameters=FAILS, retryPolicy=AT_ONCE)
    for _n in range(100):
        spec = {"steps": [failing], "priority": HIGHEST}
        if not await author.create("Workflow", author.name(), spec):
            break


async def silent_server(author: Author, _: random.Random) -> None:
    """A5: calls that never end."""
    silent = f"{author.url}/silent"
    made = [
        http(f"s{n}", silent, requestSeconds=AGES, timeoutSeconds=AGES, retryPolicy=AT_ONCE)
        for n in range(34)
    ]
    await author.create("Workflow", author.name(), {"steps": made, "priority": HIGHEST})


async def many_of_the_largest(author: Author, _: random.Random) -> None:
    """A3 in number: documents of as many bytes and values as a cluster takes, all under way at
    once: some run, some wait for a person, and some are undone without an end."""
    work: tuple[Json, ...] = (
        {"parameters": {"sleepSeconds": AGES}},
        {"parameters": FAILS, "retryPolicy": {"runRetryLimit": 0}},
        {"parameters": {"sleepSeconds": 0, "rollbackFailureRate": 1}, "retryPolicy": UNDO_AT_ONCE},
    )
    undone = []
    for n in range(600):
        made = [step(f"s{k}", *([f"s{k - 1}"] if k else []), **work[n % 3]) for k in range(5)]
        for each in made:
            template = each["stepTemplate"]
            template["parameters"] = {**template["parameters"], "attributes": LARGEST}
        name, spec = author.name(), {"steps": made, "onFailure": "Pause"}
        if await author.create("Workflow", name, spec) and n % 3 == 2:
            undone.append(name)
    undo = {"op": "add", "path": "/spec/requests", "value": [{"id": "undo", "type": "Rollback"}]}
    for name in undone:
        await author.patch("Workflow", name, undo)


ATTACKS: Mapping[str, Act] = {
    "A1 depth": depth,
    "A2 time": dots,
    "A3 space": references,
    "A4 a hook's memory": answers,
    "A5 retries at once": retried_at_once,
    "A5 a silent server": silent_server,
}

BY_MASS: Mapping[str, Act] = {"A3 many of the largest": many_of_the_largest}
"""What takes the API server so long that it is a flood of its own."""

SERVED = {"A4 a hook's memory", "A5 a silent server"}
"""Those that need steps to ask the authors' servers."""


async def polled_at_once(author: Author, chance: random.Random) -> None:
    """Work that is never done, and is to be looked at without a pause."""
    check = {"url": f"{author.url}/accepted", "periodSeconds": 0}
    for _ in range(chance.randint(1, 20)):
        made = [
            http(f"s{n}", f"{author.url}/accepted", check=check, timeoutSeconds=AGES)
            for n in range(chance.randint(1, 10))
        ]
        await author.create("Workflow", author.name(), {"steps": made})


async def watched_at_once(author: Author, chance: random.Random) -> None:
    """Finished steps whose health is to be looked at without a pause."""
    for _ in range(chance.randint(1, 10)):
        made = [step("a", syncPeriodSeconds=0.0001), step("b", "a", syncPeriodSeconds=0.0001)]
        await author.create("Workflow", author.name(), {"steps": made})


async def thousands(author: Author, chance: random.Random) -> None:
    """Many small workflows at once, and all of them deleted."""
    for _ in range(chance.randint(20, 100)):
        await author.create("Workflow", author.name(), {"steps": [step("a")]})
    if chance.random() < 0.3:
        await author.delete("Workflow")


async def wide(author: Author, chance: random.Random) -> None:
    """Hundreds of steps that may all run at once."""
    made = [step(f"s{n}") for n in range(chance.randint(100, 400))]
    await author.create("Workflow", author.name(), {"steps": made, "priority": HIGHEST})


async def long(author: Author, chance: random.Random) -> None:
    """A chain of hundreds of steps, of which the last fails and all are undone."""
    count = chance.randint(50, 200)
    made = [step(f"s{n}", *([f"s{n - 1}"] if n else [])) for n in range(count)]
    made.append(step("end", f"s{count - 1}", parameters=FAILS, retryPolicy={"runRetryLimit": 0}))
    await author.create("Workflow", author.name(), {"steps": made})


async def huge(author: Author, _: random.Random) -> None:
    """As many steps and dependencies as the schema allows."""
    made = [
        step(f"s{n}", *(f"s{k}" for k in range(max(0, n - 64), n)) if n % 8 else ())
        for n in range(500)
    ]
    await author.create("Workflow", author.name(), {"steps": made, "priority": HIGHEST})


async def updated_in_a_loop(author: Author, chance: random.Random) -> None:
    """The same object, changed again and again while it runs."""
    name = author.name()
    made = [step(f"s{n}", parameters={"sleepSeconds": 5}) for n in range(chance.randint(1, 50))]
    await author.create("Workflow", name, {"steps": made})
    path = chance.choice(("/spec/suspend", "/metadata/labels"))
    for n in range(chance.randint(20, 80)):
        value: Any = bool(n % 2) if path == "/spec/suspend" else {"n": str(n)}
        await author.patch("Workflow", name, {"op": "add", "path": path, "value": value})


async def requested_by_the_hundred(author: Author, chance: random.Random) -> None:
    """As many requests as an object holds, replaced by others at once."""
    name = author.name()
    waiting = step("a", kind="approval", parameters={"message": "m"})
    await author.create("Workflow", name, {"steps": [waiting]})
    for batch in range(chance.randint(2, 10)):
        value = "v" * chance.randint(1, 2_000)
        asked = [
            {"id": f"r{batch}-{n}", "type": "Signal", "name": f"s{n}", "value": value}
            for n in range(64)
        ]
        if batch % 3 == 2:
            asked = [{"id": f"c{batch}-{n}", "type": "RetryRun", "step": "a"} for n in range(64)]
        await author.patch(
            "Workflow", name, {"op": "add", "path": "/spec/requests", "value": asked}
        )


async def finalizers(author: Author, chance: random.Random) -> None:
    """Finalizers of his own, ours taken off while steps run, and deletion in between."""
    for _ in range(chance.randint(3, 15)):
        name = author.name()
        made = [step(f"s{n}", parameters={"sleepSeconds": 3}) for n in range(3)]
        await author.create("Workflow", name, {"steps": made}, finalizers=[FOREIGN])
        await author.wait(chance.uniform(0, 1))
        drop = {"op": "add", "path": "/metadata/finalizers", "value": []}
        for act in chance.sample(("drop", "delete", "drop", "delete"), 3):
            if act == "drop":
                await author.patch("Workflow", name, drop)
            else:
                await author.delete("Workflow", name)


async def labelled_to_the_limit(author: Author, chance: random.Random) -> None:
    """Annotations and labels as large as the API server takes."""
    text = "t" * chance.randint(1_000, 250_000)
    labels = {f"l{n}.example/{'k' * 60}": "v" * 63 for n in range(chance.randint(1, 400))}
    for _ in range(chance.randint(2, 10)):
        made = [step(f"s{n}", *([f"s{n - 1}"] if n else [])) for n in range(10)]
        notes = {"hostile.example/note": text}
        await author.create(
            "Workflow", author.name(), {"steps": made}, annotations=notes, labels=labels
        )


async def large(author: Author, chance: random.Random) -> None:
    """Objects of hundreds of kilobytes that run."""
    for _ in range(chance.randint(1, 5)):
        made = [step(f"s{n}", *([f"s{n - 1}"] if n else [])) for n in range(10)]
        filling = "x" * chance.randint(50_000, LARGE)
        spec = {"parameters": {"filling": filling}, "steps": made}
        await author.create("Workflow", author.name(), spec)


async def scheduled_each_second(author: Author, chance: random.Random) -> None:
    """Schedules that are due each second, and many that are suspended."""
    for _ in range(chance.randint(5, 30)):
        made = {"spec": {"steps": [step("a", parameters={"sleepSeconds": chance.randint(0, 3)})]}}
        spec = {
            "schedule": "* * * * * *",
            "suspend": chance.random() < 0.5,
            "concurrencyPolicy": chance.choice(("Allow", "Forbid", "Replace")),
            "workflowTemplate": made,
        }
        await author.create("CronWorkflow", author.name(), spec)
    await author.wait(chance.uniform(5, 20))
    await author.delete("CronWorkflow")


async def tasks(author: Author, chance: random.Random) -> None:
    """Tasks by the dozen, some of a kind that nobody has."""
    for _ in range(chance.randint(10, 40)):
        kind = chance.choice(("random", "random", "nobody-has-this"))
        await author.create(
            "Task", author.name(), {"type": kind, "parameters": {"sleepSeconds": 0}}
        )
    if chance.random() < 0.5:
        await author.delete("Task")


async def deleted_under_way(author: Author, chance: random.Random) -> None:
    """Workflows that are deleted while they run, with an undo or as orphans."""
    for _ in range(chance.randint(5, 30)):
        name = author.name()
        made = step("a", parameters={"sleepSeconds": 0.5})
        policy = chance.choice(("RollbackUnfinished", "Rollback", "Orphan"))
        await author.create("Workflow", name, {"steps": [made], "deletionPolicy": policy})
        await author.wait(chance.uniform(0, 0.7))
        await author.delete("Workflow", name)


async def called_back(author: Author, chance: random.Random) -> None:
    """Callbacks to receivers that never answer, or never end."""
    path = chance.choice(("silent", "drip", "hints", "bomb"))
    for _ in range(chance.randint(5, 30)):
        spec = {"steps": [step("a")], "callback": {"url": f"{author.url}/{path}"}}
        await author.create("Workflow", author.name(), spec)


async def many_queues(author: Author, chance: random.Random) -> None:
    """A queue for each workflow, and parameters that no kind has."""
    for n in range(chance.randint(10, 50)):
        spec = {"steps": [step("a", parameters={"a": n})], "queue": f"q-{author.name()}"}
        await author.create("Workflow", author.name(), spec)


async def kinds_that_nobody_has(author: Author, chance: random.Random) -> None:
    """Steps that no engine can run, and limits without end."""
    for _ in range(chance.randint(5, 40)):
        made = step("a", kind=chance.choice(("nobody-has-this", "x" * 60)), timeoutSeconds=AGES)
        await author.create("Workflow", author.name(), {"steps": [made], "priority": -HIGHEST})


async def deadlines(author: Author, chance: random.Random) -> None:
    """Deadlines that pass while steps run, so that undos begin all the time."""
    for _ in range(chance.randint(5, 30)):
        made = [step(f"s{n}", parameters={"sleepSeconds": 30}) for n in range(3)]
        spec = {"steps": made, "activeDeadlineSeconds": chance.uniform(0.1, 3)}
        await author.create("Workflow", author.name(), spec)


VARIED: Mapping[str, Act] = {
    each.__name__.replace("_", " "): each
    for each in (
        *(depth, dots, references, answers, retried_at_once, silent_server, polled_at_once),
        *(watched_at_once, thousands, wide, long, huge, updated_in_a_loop),
        *(requested_by_the_hundred, finalizers, labelled_to_the_limit, large),
        *(scheduled_each_second, tasks, deleted_under_way, called_back, many_queues),
        *(kinds_that_nobody_has, deadlines),
    )
}
HUGE_STEPS = "huge"
"""The variation that can be left out."""


def variations(
    seed: int, count: int, without: frozenset[str] = frozenset()
) -> list[tuple[str, int]]:
    """So many variations, each kind about as often as the others: its name, and the seed of its
    numbers."""
    chance = random.Random(seed)
    names = [name for name in VARIED if name not in without]
    drawn = [names[n % len(names)] for n in range(count)]
    chance.shuffle(drawn)
    return [(name, chance.randrange(2**32)) for name in drawn]


def document(kind: str, name: str, spec: str | Json, metadata: Mapping[str, Any]) -> bytes:
    """The JSON of an object."""
    whole = spec if isinstance(spec, str) else json.dumps(spec)
    head = json.dumps({"name": name, **metadata})
    text = f'{{"apiVersion": "{API}", "kind": "{kind}", "metadata": {head}, "spec": {whole}}}'
    return text.encode()
