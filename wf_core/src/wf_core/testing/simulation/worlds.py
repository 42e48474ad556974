"""Makes a world from a seed: mostly small, so that a failing one is soon understood."""

from random import Random

from msgspec.structs import replace

from wf_core.model.phases import (
    DeletionPolicy,
    OnFailure,
    Phase,
    RollbackMode,
    RollbackPolicy,
)
from wf_core.model.spec import (
    NO_TTL,
    Callback,
    DependOn,
    Metadata,
    RetryPolicy,
    StepSpec,
    StepTemplate,
    TimeToLive,
    Workflow,
    WorkflowSpec,
)
from wf_core.testing.simulation.bounded import bounded, hasty
from wf_core.testing.simulation.graphs import random_graph
from wf_core.testing.simulation.troubles import faults, happenings, hooks
from wf_core.testing.simulation.world import (
    Act,
    Behaviour,
    KindSpec,
    Operator,
    QueueSpec,
    Submission,
    World,
)

_KINDS = ("plain", "looked", "looked", "looked", "once")


def generate(seed: int) -> World:
    """The world of a seed: the same for ever, on every machine."""
    lasting = _aging(_lasting(seed), Random(f"{seed}/ttl"))
    asking = _asking(lasting, Random(f"{seed}/person"))
    poisoned = _poisoned(asking, Random(f"{seed}/poison"))
    forgetting = _forgetting(poisoned, Random(f"{seed}/record"))
    spread = _spread(forgetting, Random(f"{seed}/spaces"))
    return hasty(bounded(spread, Random(f"{seed}/bounds")), Random(f"{seed}/hasty"))


def _lasting(seed: int) -> World:
    """A world in which nothing goes by age."""
    chance = Random(seed)
    calm_at = chance.choice((60.0, 200.0, 400.0))
    count = chance.choice((1, 1, 1, 1, 2, 2, 3, 5))
    submissions = tuple(
        Submission(
            round(chance.choice((0.0, 0.0, chance.random() * calm_at / 3)), 3),
            _workflow(chance, f"w{n}", seed),
        )
        for n in range(count)
    )
    engines = 2 if chance.random() < 0.1 else 1
    workflows = [each.workflow for each in submissions]
    return World(
        seed=seed,
        submissions=submissions,
        hooks=hooks(chance, workflows),
        faults=faults(chance, workflows),
        happenings=happenings(chance, workflows, calm_at),
        operator=_operator(chance, engines, count),
        calm_at=calm_at,
    )


def _poisoned(world: World, chance: Random) -> World:
    """In one world out of twenty a hook kills its process whenever it is called; all else is as it
    was."""
    if chance.random() >= 0.05:
        return world
    workflow = chance.choice(world.submissions).workflow
    step = chance.choice(workflow.spec.steps)
    name = f"{workflow.metadata.name}/{step.name}/{chance.choice(('run', 'run', 'rollback'))}"
    act = chance.choice((Act.CRASH_BEFORE_ACT, Act.ACT_THEN_CRASH))
    return replace(world, hooks={**world.hooks, name: (Behaviour(act),) * 40})


def _forgetting(world: World, chance: Random) -> World:
    """In one world out of four no record of what is open outlives its process; all else is as it
    was."""
    if chance.random() >= 0.25:
        return world
    return replace(world, operator=replace(world.operator, forgets=True))


def _spread(world: World, chance: Random) -> World:
    """In two worlds out of five that have several workflows these are in several namespaces, which
    mostly share slots and calls; all else is as it was."""
    if len(world.submissions) < 2 or chance.random() >= 0.4:
        return world
    submissions = tuple(
        replace(
            each,
            workflow=replace(
                each.workflow,
                metadata=replace(
                    each.workflow.metadata, namespace=chance.choice(("default", "loud", "quiet"))
                ),
            ),
        )
        for each in world.submissions
    )
    operator = replace(
        world.operator,
        share=chance.choice((None, 1, 2)),
        share_permits=chance.random() < 0.7,
        most=chance.choice((world.operator.most, 3, 4)),
        concurrency=chance.choice((world.operator.concurrency, 4, 6)),
    )
    return replace(world, submissions=submissions, operator=operator)


def _aging(world: World, chance: Random) -> World:
    """In one world out of four finished workflows go by age; all else is as it was."""
    if chance.random() >= 0.25:
        return world
    submissions = tuple(
        replace(
            each,
            workflow=replace(
                each.workflow,
                spec=replace(each.workflow.spec, ttl_seconds_after_finished=_ttl(chance)),
            ),
        )
        for each in world.submissions
    )
    operator = replace(world.operator, ttl=_ttl(chance))
    return replace(world, submissions=submissions, operator=operator)


def _asking(world: World, chance: Random) -> World:
    """In one world out of two some of what is in progress waits for a person; all else is as it
    was."""
    if chance.random() < 0.5:
        return world
    hooks = {
        name: tuple(
            replace(each, act=Act.ASK)
            if each.act is Act.PROGRESS and chance.random() < 0.7
            else each
            for each in plan
        )
        for name, plan in world.hooks.items()
    }
    return replace(world, hooks=hooks)


def _ttl(chance: Random) -> TimeToLive:
    """Short enough to pass while things go wrong, or right at the end of a workflow."""
    if chance.random() < 0.3:
        return NO_TTL
    ages = (None, 0.0, 15.0, 120.0)
    return TimeToLive(chance.choice(ages), chance.choice(ages), chance.choice(ages))


def _operator(chance: Random, engines: int, count: int) -> Operator:
    limited = count > 1 or chance.random() < 0.2
    queues = {
        name: QueueSpec(chance.choice((0.5, 1.0, 2.0)), chance.choice((None, 1, 2)))
        for name in ("a", "b")
        if chance.random() < 0.5
    }
    kinds = {
        kind: KindSpec(
            chance.choice((None, 0.5, 2.0, 10.0)),
            chance.choice((None, 1, 2, 3)),
            chance.choice((None, None, 1, 2)),
        )
        for kind in ("plain", "looked", "once")
        if chance.random() < 0.25
    }
    lacking: dict[int, tuple[str, ...]] = {
        n: (chance.choice(("looked", "once", "plain")),) for n in range(3) if chance.random() < 0.04
    }
    return Operator(
        serves=chance.random() < 0.85,
        engines=engines,
        restart=chance.choice((0.2, 1.0, 5.0, 40.0)),
        fair=chance.random() < 0.5,
        most=chance.choice((1, 1, 2, 3)) if limited else 100,
        queues=queues,
        kinds=kinds,
        concurrency=chance.choice((1, 2, 3, 30, 30)),
        grace=chance.choice((0.0, 1.0, 5.0)),
        sync_timeout=chance.choice((2.0, 20.0)),
        save_seconds=chance.choice((0.0, 0.0, 0.0, 0.003, 0.3)),
        lacking=lacking,
        give_up_after=chance.choice((86400.0, 86400.0, 30.0)),
    )


def _workflow(chance: Random, name: str, seed: int) -> Workflow:
    graph = random_graph(chance)
    pivot = chance.randrange(len(graph)) if chance.random() < 0.15 else None
    kinds = [chance.choice(_KINDS) for _ in graph]
    steps = tuple(_step(chance, i, graph[i], kinds, i == pivot) for i in range(len(graph)))
    return Workflow(
        Metadata(name, uid=f"uid-{seed}-{name}"),
        WorkflowSpec(
            steps=steps,
            queue=chance.choice(("default", "a", "b")),
            priority=chance.choice((0, 0, 5)),
            suspend=chance.random() < 0.03,
            callback=_callback(chance),
            rollback_policy=chance.choice(tuple(RollbackPolicy)),
            on_failure=OnFailure.PAUSE if chance.random() < 0.15 else OnFailure.ROLLBACK,
            deletion_policy=chance.choice(tuple(DeletionPolicy)),
            active_deadline_seconds=chance.choice((30.0, 120.0)) if chance.random() < 0.1 else None,
        ),
    )


def _callback(chance: Random) -> Callback | None:
    if chance.random() < 0.6:
        return None
    host = chance.choice(("fine", "troubled"))
    events = ("workflow.Success", "workflow.RollBacked", "step.Running")
    narrowed = chance.random() < 0.2
    return Callback(f"http://{host}.test/hook", events=events if narrowed else None)


def _step(
    chance: Random, i: int, after: tuple[int, ...], kinds: list[str], pivot: bool
) -> StepSpec:
    conditions = tuple(_condition(chance, up, kinds[up]) for up in after)
    parameters: dict[str, object] = {}
    if after and chance.random() < 0.1:
        parameters["value"] = f"${{steps.s{after[0]}.attributes.made}}"
    if after and chance.random() < 0.02:
        parameters["count"] = f"${{steps.s{after[0]}.attributes.text}}"
    retry = RetryPolicy(
        run_retry_limit=chance.choice((0, 1, 1, 2, 3)) if chance.random() < 0.97 else -1,
        run_retry_period_seconds=chance.choice((0.0, 1.0, 10.0)),
        rollback_retry_limit=chance.choice((0, 1, 2)),
        rollback_retry_period_seconds=chance.choice((0.0, 1.0, 10.0)),
        factor=chance.choice((1.0, 2.0)),
        max_period_seconds=60.0,
    )
    template = StepTemplate(
        type=kinds[i],
        parameters=parameters,
        retry_policy=retry,
        rollback_policy=chance.choice((None, None, *RollbackPolicy)),
        sync_period_seconds=chance.choice((7.0, 30.0)) if chance.random() < 0.15 else 0.0,
        timeout_seconds=chance.choice((3.0, 20.0)) if chance.random() < 0.3 else None,
        rollback_timeout_seconds=chance.choice((3.0, 20.0)) if chance.random() < 0.3 else None,
    )
    irreversible = not pivot and chance.random() < 0.05
    return StepSpec(
        name=f"s{i}",
        step_template=template,
        depend_ons=conditions,
        pivot=pivot,
        rollback=RollbackMode.NONE if irreversible else RollbackMode.REQUIRED,
    )


def _condition(chance: Random, up: int, kind: str) -> DependOn:
    phase = Phase.RUNNING if chance.random() < 0.1 else Phase.SUCCESS
    # `looked` is ready only once it was looked at; a kind without sync never becomes "starting".
    status = "ready" if chance.random() < 0.1 else None
    if status and kind == "plain" and chance.random() < 0.2:
        status = "unheard-of"
    return DependOn(f"s{up}", phase, status)
