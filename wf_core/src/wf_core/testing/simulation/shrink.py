"""Makes a failing world small: takes one thing out at a time while the same rule still breaks."""

from collections.abc import Iterator
from typing import TypeVar

from msgspec.structs import replace

from wf_core.codec import faults
from wf_core.model.spec import RetryPolicy, StepSpec, StepTemplate, Workflow, WorkflowSpec
from wf_core.testing.simulation.kinds import registry
from wf_core.testing.simulation.memory import MEMORY
from wf_core.testing.simulation.play import play
from wf_core.testing.simulation.storage import Setup
from wf_core.testing.simulation.trace import Violation
from wf_core.testing.simulation.world import Operator, Submission, World

T = TypeVar("T")
TRIES = 600
"""Plays that shrinking may take."""


def shrink(
    world: World, violation: Violation, setup: Setup = MEMORY, tries: int = TRIES
) -> tuple[World, Violation]:
    """A smaller world that breaks the same rule, and how; the same world where there is none."""
    left = tries
    smaller = True
    while smaller and left > 0:
        smaller = False
        for candidate in _smaller(world):
            if left <= 0:
                break
            left -= 1
            found = _breaks(candidate, violation.rule, setup)
            if found is not None:
                world, violation, smaller = candidate, found, True
                break
    return world, violation


def _breaks(world: World, rule: str, setup: Setup) -> Violation | None:
    try:
        play(world, setup)
    except Violation as violation:
        return violation if violation.rule == rule else None
    return None


def _smaller(world: World) -> Iterator[World]:
    """Worlds with one thing less, the large things first."""
    for n in range(len(world.submissions)):
        if len(world.submissions) > 1:
            yield replace(world, submissions=_without(world.submissions, n))
    for kept in _halves(len(world.happenings)):
        yield replace(world, happenings=tuple(world.happenings[i] for i in kept))
    for kept in _halves(len(world.troubles)):
        yield replace(world, troubles=tuple(world.troubles[i] for i in kept))
    for kept in _halves(len(world.faults)):
        yield replace(world, faults=tuple(world.faults[i] for i in kept))
    names = list(world.hooks)
    for kept in _halves(len(names)):
        yield replace(world, hooks={names[i]: world.hooks[names[i]] for i in kept})
    for n, each in enumerate(world.submissions):
        for workflow in _smaller_workflows(each.workflow):
            if faults(workflow, registry()):
                continue  # it could not even start
            yield _with(world, n, Submission(each.at, workflow))
    for name, plan in world.hooks.items():
        for n in range(len(plan)):
            if len(plan) > 1:
                yield replace(world, hooks={**world.hooks, name: _without(plan, n)})
    yield from _plainer_surroundings(world)


def _plainer_surroundings(world: World) -> Iterator[World]:
    plain = Operator()
    for field in Operator.__struct_fields__:
        if getattr(world.operator, field) != getattr(plain, field):
            operator = replace(world.operator, **{field: getattr(plain, field)})
            yield replace(world, operator=operator)
    for n, each in enumerate(world.submissions):
        if each.at:
            yield _with(world, n, Submission(0.0, each.workflow))


def _with(world: World, n: int, submission: Submission) -> World:
    submissions = (*world.submissions[:n], submission, *world.submissions[n + 1 :])
    return replace(world, submissions=submissions)


def _smaller_workflows(workflow: Workflow) -> Iterator[Workflow]:
    spec = workflow.spec
    if len(spec.steps) > 1:
        for n in reversed(range(len(spec.steps))):
            gone = spec.steps[n].name
            steps = tuple(_not_after(step, gone) for step in _without(spec.steps, n))
            yield replace(workflow, spec=replace(spec, steps=steps))
    plain = WorkflowSpec(spec.steps)
    for field in WorkflowSpec.__struct_fields__:
        if field != "steps" and getattr(spec, field) != getattr(plain, field):
            plainer = replace(spec, **{field: getattr(plain, field)})
            yield replace(workflow, spec=plainer)
    for n, step in enumerate(spec.steps):
        for plainer_step in _plainer_steps(step):
            steps = (*spec.steps[:n], plainer_step, *spec.steps[n + 1 :])
            yield replace(workflow, spec=replace(spec, steps=steps))


def _plainer_steps(step: StepSpec) -> Iterator[StepSpec]:
    plain = StepSpec(step.name, step.step_template)
    for field in ("depend_ons", "pivot", "rollback"):
        if getattr(step, field) != getattr(plain, field):
            yield replace(step, **{field: getattr(plain, field)})
    for n, each in enumerate(step.depend_ons):
        if each.resource_status is not None:
            condition = replace(each, resource_status=None)
            conditions = (*step.depend_ons[:n], condition, *step.depend_ons[n + 1 :])
            yield replace(step, depend_ons=conditions)
    template = step.step_template
    usual = StepTemplate(template.type, retry_policy=RetryPolicy(1, 1.0, 1, 1.0))
    for field in StepTemplate.__struct_fields__:
        if getattr(template, field) != getattr(usual, field):
            plainer = replace(template, **{field: getattr(usual, field)})
            yield replace(step, step_template=plainer)


def _not_after(step: StepSpec, gone: str) -> StepSpec:
    conditions = tuple(each for each in step.depend_ons if each.name != gone)
    parameters = step.step_template.parameters
    if f"${{steps.{gone}." in str(parameters):
        step = replace(step, step_template=replace(step.step_template, parameters={}))
    return step if conditions == step.depend_ons else replace(step, depend_ons=conditions)


def _without(those: tuple[T, ...], n: int) -> tuple[T, ...]:
    return (*those[:n], *those[n + 1 :])


def _halves(count: int) -> Iterator[list[int]]:
    """What to keep of `count` things: nothing, each half, all but one."""
    if count:
        yield []
    if count > 3:
        yield list(range(count // 2))
        yield list(range(count // 2, count))
    for n in range(count):
        if count > 1:
            yield [i for i in range(count) if i != n]
