"""Worlds at an API server: those of every store, and what befalls this one."""

from random import Random

from msgspec.structs import replace

from wf_core.testing.simulation.world import Trouble, World
from wf_core.testing.simulation.worlds import generate as generate_any
from wf_k8s.testing.simulation.weather import Kind

_SECONDS = {
    Kind.LAGS: (0.5, 5.0, 60.0, 120.0),
    Kind.REORDERS: (1.0, 10.0),
    Kind.DOUBLES: (20.0, 100.0),
    Kind.MISSES: (2.0, 20.0),
    Kind.SILENT: (5.0, 100.0, 200.0),
    Kind.LISTS_LATE: (5.0, 50.0),
    Kind.LISTS_REFUSED: (10.0, 100.0),
    Kind.THROTTLES: (0.5, 3.0),
    Kind.FAILS: (0.3, 2.0, 10.0),
    Kind.PAUSED: (2.0, 12.0, 30.0),
    Kind.FROZEN: (2.0, 12.0, 30.0),
    Kind.CUT_OFF: (3.0, 12.0, 40.0),
    Kind.HELD: (5.0, 60.0),
}
_LEADERS = (Kind.PAUSED, Kind.FROZEN, Kind.CUT_OFF, Kind.LEASE_DELETED)


def generate(seed: int) -> World:
    """The world of a seed: the same for ever, on every machine."""
    world = generate_any(seed)
    chance = Random(seed * 2 + 1_000_003)
    operator = replace(
        world.operator,
        save_seconds=chance.choice((0.001, 0.003, 0.003, 0.02, 0.3)),
        engines=2 if chance.random() < 0.4 else 1,
    )
    troubles = (*_troubles(chance, world), *_aging(Random(f"{seed}/aged"), world))
    in_order = tuple(sorted(troubles, key=lambda each: each.at))
    return replace(world, operator=operator, troubles=in_order)


def _troubles(chance: Random, world: World) -> tuple[Trouble, ...]:
    if chance.random() < 0.15:
        return ()
    kinds = [
        each
        for each in Kind
        if (world.operator.serves or each not in _LEADERS) and each is not Kind.AGED
    ]
    busy = chance.choice((world.calm_at, 30.0, 5.0))
    found = []
    for _ in range(chance.choice((1, 2, 3, 5))):
        kind = chance.choice(kinds)
        at = round(chance.random() * busy, 3)
        name = chance.choice(world.submissions).workflow.metadata.name
        if kind is Kind.AGAIN:
            at = round(world.calm_at * (0.3 + chance.random() * 0.7), 3)
        if kind is Kind.APPLIED:
            at = 0.0
        seconds = chance.choice(_SECONDS.get(kind, (0.0,)))
        about = name if kind in (Kind.EDITED, Kind.HELD, Kind.AGAIN, Kind.APPLIED) else ""
        found.append(Trouble(at, kind, seconds, about))
    return tuple(sorted(found, key=lambda each: each.at))


def _aging(chance: Random, world: World) -> tuple[Trouble, ...]:
    """Now and then somebody changes how long a workflow is kept."""
    if not world.operator.serves or chance.random() >= 0.15:
        return ()
    return tuple(
        Trouble(
            round(chance.random() * world.calm_at, 3),
            Kind.AGED,
            chance.choice((0.0, 0.0, 15.0, 300.0)),
            chance.choice(world.submissions).workflow.metadata.name,
        )
        for _ in range(chance.choice((1, 2)))
    )
