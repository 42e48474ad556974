"""What the workflows of a campaign are, and how each must end: all by chance, from one seed."""

import random
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import attrs

from wf_core.model.phases import Phase

Json = dict[str, Any]
STEPS = "abcde"
QUEUES = 4
NEEDS: Mapping[str, Mapping[str, str]] = {
    "chain": {"a": "", "b": "a", "c": "b", "d": "c", "e": "d"},
    "fan": {"a": "", "b": "a", "c": "a", "d": "a", "e": "bcd"},
    "branches": {"a": "", "b": "", "c": "a", "d": "b", "e": "cd"},
}
"""Graphs of five steps: what each depends on."""


class Fate(StrEnum):
    """What befalls a workflow besides the crashes."""

    SUCCEEDS = "succeeds"
    RETRIED = "succeeds after retries"
    FAILS = "fails and is undone"
    STUBBORN = "fails, and an undo needs retries"
    STUCK = "fails, and an undo fails for good"
    CANCELLED = "cancelled under way"
    DELETED = "deleted under way"


SHARES: Mapping[Fate, int] = {
    Fate.SUCCEEDS: 50,
    Fate.RETRIED: 10,
    Fate.FAILS: 20,
    Fate.STUBBORN: 8,
    Fate.STUCK: 4,
    Fate.CANCELLED: 5,
    Fate.DELETED: 3,
}
"""Per cent."""
ODDITIES: Mapping[Fate, Json] = {
    Fate.RETRIED: {"runFailures": 2},
    Fate.STUBBORN: {"undoFailures": 3},
    Fate.STUCK: {"undoFatal": True},
}
"""Parameters of the odd step."""
ENDINGS: Mapping[Fate, tuple[Phase, ...]] = {
    Fate.SUCCEEDS: (Phase.SUCCESS,),
    Fate.RETRIED: (Phase.SUCCESS,),
    Fate.FAILS: (Phase.ROLL_BACKED,),
    Fate.STUBBORN: (Phase.ROLL_BACKED,),
    Fate.STUCK: (Phase.FAILED,),
    # What people ask may come too late.
    Fate.CANCELLED: (Phase.ROLL_BACKED, Phase.SUCCESS),
    Fate.DELETED: (Phase.ROLL_BACKED, Phase.SUCCESS),
}


@attrs.frozen
class Order:
    """One workflow. `fails` is the step whose run fails for good, `odd` the one whose run (or undo,
    where something fails) needs retries or can't be undone."""

    number: int
    fate: Fate
    graph: str
    fails: str | None
    odd: str
    seconds: float

    @property
    def name(self) -> str:
        return f"order-{self.number:04d}"

    @property
    def queue(self) -> str:
        return f"queue-{self.number % QUEUES}"

    @property
    def needs(self) -> Mapping[str, str]:
        return NEEDS[self.graph]

    def dependents(self, step: str) -> list[str]:
        """The steps that name `step`."""
        return [each for each, needs in self.needs.items() if step in needs]

    def document(self, callback: str) -> Json:
        """The object to apply."""
        return {
            "apiVersion": "workflow.example.com/v1alpha1",
            "kind": "Workflow",
            "metadata": {"name": self.name},
            "spec": {
                "queue": self.queue,
                "callback": {"url": callback},
                "steps": [self._step(each) for each in STEPS],
            },
        }

    def _step(self, name: str) -> Json:
        parameters: Json = {"seconds": self.seconds}
        if name == self.fails:
            parameters["runFatal"] = True
        if name == self.odd:
            parameters |= ODDITIES.get(self.fate, {})
        return {
            "name": name,
            "dependOns": [{"name": each} for each in self.needs[name]],
            "stepTemplate": {
                "type": "noted",
                "parameters": parameters,
                "retryPolicy": {
                    "runRetryLimit": 20,
                    "runRetryPeriodSeconds": 0.2,
                    "rollbackRetryLimit": 20,
                    "rollbackRetryPeriodSeconds": 0.2,
                },
            },
        }


def orders(count: int, chance: random.Random) -> list[Order]:
    """That many workflows."""
    fates = [fate for fate, share in SHARES.items() for _ in range(share)]
    return [_order(number, chance.choice(fates), chance) for number in range(count)]


def _order(number: int, fate: Fate, chance: random.Random) -> Order:
    graph = chance.choice(list(NEEDS))
    undone = fate in (Fate.FAILS, Fate.STUBBORN, Fate.STUCK)
    fails = chance.choice(STEPS) if undone else None
    odd = chance.choice(STEPS)
    if fails is not None:
        # A step that certainly ran: the one that fails, or one that it waited for.
        odd = chance.choice([fails, *_before(NEEDS[graph], fails)])
    asked = fate in (Fate.CANCELLED, Fate.DELETED)
    seconds = chance.uniform(0.3, 0.6) if asked else chance.uniform(0.01, 0.15)
    return Order(number, fate, graph, fails, odd, round(seconds, 3))


def _before(needs: Mapping[str, str], step: str) -> list[str]:
    """The steps that `step` depends on, whether directly or not."""
    found: dict[str, None] = {}
    for each in needs[step]:
        found |= dict.fromkeys([each, *_before(needs, each)])
    return list(found)
