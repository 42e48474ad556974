"""Those who flood nobody: their workflows come one after another at a steady pace, and each is
timed from before it is sent until its end is stored."""

import asyncio
import json
import math
import random
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import attrs
from tests.campaign.judge_lives import lived_right
from tests.campaign.orders import NEEDS, STEPS, Fate, Order
from tests.campaign.records import Life, Line, Stored

from wf_core.model.phases import FINISHED
from wf_k8s.client.access import Access
from wf_k8s.client.resources import WORKFLOWS
from wf_k8s.client.session import Session

UNDONE = 5
"""One workflow in so many fails at its last step and is undone."""


def errands(turn: int, count: int, seed: int) -> list[Order]:
    """The workflows of one turn: five short steps each. The same but for their names in all turns,
    so that turns can be compared."""
    chance = random.Random(seed)
    made = []
    for number in range(count):
        undone = number % UNDONE == UNDONE - 1
        graph = chance.choice(list(NEEDS))
        seconds = round(chance.uniform(0.05, 0.25), 3)
        fails, odd = (STEPS[-1] if undone else None), STEPS[0]
        fate = Fate.FAILS if undone else Fate.SUCCEEDS
        made.append(Order(turn * 10_000 + number, fate, graph, fails, odd, seconds))
    return made


@attrs.define
class Victims:
    """They order in one namespace; `stored` is told what was stored there."""

    namespace: str
    kubeconfig: Path
    stored: Stored
    sent: dict[str, float] = attrs.field(factory=dict)

    async def order(self, orders: Sequence[Order], rate: float) -> None:
        """Order so many a second, each at its time whatever became of those before."""
        session = Session(Access(f"/{self.namespace}", str(self.kubeconfig)), timeout=60)
        begin, path = time.monotonic(), WORKFLOWS.path(self.namespace)

        async def send(order: Order, after: float) -> None:
            await asyncio.sleep(begin + after - time.monotonic())
            document = order.document("")
            del document["spec"]["callback"]
            self.sent[order.name] = time.monotonic()
            await session.request("POST", path, body=json.dumps(document).encode())

        try:
            await asyncio.gather(*(send(each, n / rate) for n, each in enumerate(orders)))
        finally:
            await session.close()

    def left(self, orders: Sequence[Order]) -> list[str]:
        """Those that are not over, and how they stand."""
        lives = dict(self.stored.lives)
        return [
            f"{each.name}: {lives[each.name].last if each.name in lives else 'not there'}"
            for each in orders
            if each.name not in lives or not lives[each.name].over
        ]

    def seconds(self, orders: Sequence[Order]) -> list[float]:
        """What each took that has ended, the quickest first."""
        took = []
        for each in orders:
            life = self.stored.lives.get(each.name)
            ended = _ended_at(life) if life is not None else None
            if ended is not None:
                took.append(ended - self.sent[each.name])
        return sorted(took)

    def faults(self, orders: Sequence[Order], calls: Sequence[Line]) -> Iterator[str]:
        """What is wrong about those that are over, whatever was going on around them."""
        by_uid: Mapping[str, list[Line]] = defaultdict(list)
        for line in calls:
            by_uid[line.uid].append(line)
        for order in orders:
            life = self.stored.lives.get(order.name)
            if life is None or not life.over:
                continue
            own = by_uid[life.uid]
            for fault in lived_right(order, life, own, own):
                yield f"{order.name} ({order.fate}): {fault}"


def _ended_at(life: Life) -> float | None:
    ends = (each.at for each in life.versions if each.status.phase in FINISHED)
    return next(ends, None)


def percentile(ordered: Sequence[float], share: float) -> float:
    """The least value that so large a share of them does not exceed; infinite of none."""
    return ordered[math.ceil(share * len(ordered)) - 1] if ordered else math.inf
