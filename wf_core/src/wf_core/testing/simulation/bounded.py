"""Worlds whose operator bounds what documents may ask, and worlds that want to be looked at all the
time (semantics E8, E9)."""

from random import Random

from msgspec.structs import replace

from wf_core.model.spec import Workflow
from wf_core.testing.simulation.world import (
    Act,
    Behaviour,
    BoundsSpec,
    Happening,
    What,
    World,
)

_GOING = (Act.PROGRESS, Act.ASK)
_LOOKS = 12
_WAKES = 30


def bounded(world: World, chance: Random) -> World:
    """In one world out of five the operator has floors and ceilings, and mostly a process ends
    while there are ceilings that the one before did not have; all else is as it was."""
    if chance.random() >= 0.2:
        return world
    bounds = BoundsSpec(
        retry_period=chance.choice((0.0, 0.5, 3.0, 15.0)),
        timeout=chance.choice((None, None, 10.0)),
        retry_limit=chance.choice((None, 1, 2)),
        since=chance.choice((0, 1, 1, 1, 2)),
    )
    submissions = tuple(
        replace(each, workflow=_with_a_low_maximum(each.workflow, chance))
        for each in world.submissions
    )
    happenings = world.happenings
    if chance.random() < 0.7:
        ends = Happening(round(chance.random() * 10, 3), chance.choice((What.CRASH, What.STOP)))
        happenings = tuple(sorted((*happenings, ends), key=lambda each: each.at))
    operator = replace(world.operator, bounds=bounds)
    return replace(world, submissions=submissions, happenings=happenings, operator=operator)


def _with_a_low_maximum(workflow: Workflow, chance: Random) -> Workflow:
    """No retry of some steps waits long, as their document says."""
    steps = []
    for each in workflow.spec.steps:
        policy = each.step_template.retry_policy
        longest = max(policy.run_retry_period_seconds, policy.rollback_retry_period_seconds, 0.2)
        if chance.random() < 0.5:
            policy = replace(policy, max_period_seconds=longest)
        template = replace(each.step_template, retry_policy=policy)
        steps.append(replace(each, step_template=template))
    return replace(workflow, spec=replace(workflow.spec, steps=tuple(steps)))


def hasty(world: World, chance: Random) -> World:
    """In one world out of six what is in progress asks to be looked at again at once, or is hinted
    at again and again; all else is as it was."""
    if chance.random() >= 1 / 6:
        return world
    hooks, happenings = dict(world.hooks), list(world.happenings)
    for name, plan in world.hooks.items():
        if not any(each.act in _GOING for each in plan):
            continue
        hooks[name] = tuple(
            replace(each, again=0.0) if each.act in _GOING else each for each in plan
        )
        workflow, step, _ = name.split("/")
        again, seconds = chance.choice((0.0, 0.05, 1.0)), chance.choice((0.0, 0.02, 0.3))
        looks = (Behaviour(Act.SUCCEED, seconds, again),) * _LOOKS
        look = f"{workflow}/{step}/look"
        hooks[look] = (*hooks.get(look, ()), *looks)
        first, apart = chance.random() * 10, chance.choice((0.01, 0.07, 0.5))
        happenings += [
            Happening(round(first + n * apart, 3), What.WAKE, workflow, step) for n in range(_WAKES)
        ]
    in_order = tuple(sorted(happenings, key=lambda each: each.at))
    return replace(world, hooks=hooks, happenings=in_order)
