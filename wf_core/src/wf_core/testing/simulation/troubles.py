"""The troubles of a world: what hooks do, where it crashes, what saves meet, what people do."""

from collections.abc import Sequence
from random import Random

from wf_core.model.phases import RequestType
from wf_core.model.spec import Workflow
from wf_core.testing.simulation.world import Act, Behaviour, Fault, Happening, Point, What, Wrong

_RUN = (
    *(Act.SUCCEED,) * 4,
    *(Act.PROGRESS,) * 3,
    *(Act.RETRYABLE,) * 3,
    *(Act.FATAL,) * 2,
    Act.THROTTLED,
    Act.CHECKPOINT,
    Act.ACT_THEN_RAISE,
    Act.ACT_LATE,
    Act.TOO_LARGE,
    Act.HANG,
    Act.HANG_THEN_SUCCEED,
    Act.STUCK,
    Act.CRASH_BEFORE_ACT,
    Act.ACT_THEN_CRASH,
    Act.CRASH_THEN_ACT,
)
_LOOK = (
    *(Act.SUCCEED,) * 4,
    Act.RETRYABLE,
    Act.THROTTLED,
    Act.FATAL,
    Act.CANNOT_LOOK,
    Act.CANNOT_LOOK,
    Act.HANG,
    Act.STUCK,
)
_WATCH = (*(Act.SUCCEED,) * 3, Act.RETRYABLE, Act.FATAL, Act.CANNOT_LOOK, Act.HANG, Act.STUCK)
_PLANS = {"run": _RUN, "rollback": _RUN, "look": _LOOK, "watch": _WATCH}
_OF_PROCESSES = (
    *(What.CRASH,) * 2,
    *(What.TAKE_OVER,) * 2,
    What.STOP,
    What.CLOCK_JUMP,
    What.STORE_AWAY,
    What.RECEIVER_DOWN,
)
_CRASHES = (Wrong.CRASH_BEFORE, Wrong.CRASH_AFTER)


def hooks(chance: Random, workflows: Sequence[Workflow]) -> dict[str, tuple[Behaviour, ...]]:
    """What calls do, beside succeeding at once."""
    trouble = chance.choice((0.1, 0.3, 0.6, 0.9))
    slow = chance.random() < 0.5
    found = {}
    for workflow in workflows:
        few = min(1.0, 8 / len(workflow.spec.steps))
        for step in workflow.spec.steps:
            for hook, acts in _PLANS.items():
                if chance.random() < trouble * few:
                    plan = [_behaviour(chance, acts, slow) for _ in range(chance.randint(1, 3))]
                    found[f"{workflow.metadata.name}/{step.name}/{hook}"] = tuple(plan)
                elif slow and hook in ("run", "rollback"):
                    seconds = round(chance.random() * 5, 3)
                    name = f"{workflow.metadata.name}/{step.name}/{hook}"
                    found[name] = (Behaviour(Act.SUCCEED, seconds),) * 2
    if chance.random() < 0.01 and workflows:
        # A hook that kills its process again and again (semantics B3).
        name = f"{workflows[0].metadata.name}/{workflows[0].spec.steps[0].name}/run"
        found[name] = (Behaviour(chance.choice((Act.CRASH_BEFORE_ACT, Act.ACT_THEN_CRASH))),) * 8
    return found


def _behaviour(chance: Random, acts: Sequence[Act], slow: bool) -> Behaviour:
    act = chance.choice(acts)
    if act is Act.STUCK:
        return Behaviour(act, chance.choice((4.0, 30.0, 120.0)))
    if act is Act.PROGRESS:
        return Behaviour(act, chance.choice((1.0, 5.0, 30.0)))
    if act in (Act.ACT_LATE, Act.CRASH_THEN_ACT):
        return Behaviour(act, chance.choice((0.5, 5.0, 60.0)))
    return Behaviour(act, round(chance.random() * 5, 3) if slow else 0.0)


def faults(chance: Random, workflows: Sequence[Workflow]) -> tuple[Fault, ...]:
    """Where processes crash, and what saves meet."""
    if chance.random() < 0.2:
        return ()
    size = 4 + min(30, 3 * sum(len(each.spec.steps) for each in workflows))
    found = {}
    for _ in range(chance.choice((1, 2, 3, 4, 8))):
        process = chance.choice((0, 0, 0, 1, 1, 2, 3, 4))
        point = chance.choice(
            (Point.SAVE,) * 6 + (Point.READ, Point.READ, Point.HOOK, Point.REPORT)
        )
        n = chance.randint(1, chance.choice((4, size)))
        wrong = chance.choice(_CRASHES if point is not Point.SAVE else tuple(Wrong))
        if wrong is Wrong.INVALID and chance.random() < 0.5:
            wrong = Wrong.CRASH_BEFORE
        seconds = chance.choice((0.01, 0.5, 3.0, 15.0))
        found[process, point, n] = Fault(process, point, n, wrong, seconds)
    return tuple(found.values())


def happenings(
    chance: Random, workflows: Sequence[Workflow], calm_at: float
) -> tuple[Happening, ...]:
    """What happens at a moment of its own."""
    busy = chance.choice((calm_at, 20.0, 3.0))
    found = []
    for workflow in workflows:
        if chance.random() < 0.6:
            count = chance.choice((1, 1, 2, 4))
            found += [_of_people(chance, workflow, busy) for _ in range(count)]
    for _ in range(chance.choice((0, 0, 1, 1, 2, 3))):
        found.append(_of_processes(chance, busy))
    return tuple(sorted(found, key=lambda each: each.at))


def _of_people(chance: Random, workflow: Workflow, busy: float) -> Happening:
    at, name = round(chance.random() * busy, 3), workflow.metadata.name
    step = chance.choice(workflow.spec.steps).name
    what = chance.choice((What.REQUEST,) * 4 + (What.HELP,) * 3 + (What.DELETE, What.WAKE))
    if what is What.HELP:
        return Happening(at, what, name, pick=chance.randrange(6))
    if what is What.WAKE:
        return Happening(at, what, name, step)
    if what is What.DELETE:
        return Happening(at, what, name)
    type_ = chance.choice(tuple(RequestType))
    if type_ is RequestType.RETRY_RUN and chance.random() < 0.3:
        return Happening(at, what, name, None, type_)
    if type_ is RequestType.SIGNAL:
        return Happening(at, what, name, "nameless" if chance.random() < 0.3 else None, type_)
    if type_ in (RequestType.CANCEL, RequestType.SUSPEND, RequestType.CONTINUE):
        return Happening(at, what, name, None, type_)
    if type_ is RequestType.ROLLBACK:
        return Happening(round(chance.random() * 200, 3), what, name, None, type_)
    return Happening(at, what, name, step if chance.random() < 0.9 else "nobody", type_)


def _of_processes(chance: Random, busy: float) -> Happening:
    at = round(chance.random() * busy, 3)
    what = chance.choice(_OF_PROCESSES)
    if what is What.CLOCK_JUMP:
        return Happening(at, what, seconds=chance.choice((-86400.0, -30.0, 20.0, 3600.0, 86400.0)))
    if what in (What.STORE_AWAY, What.RECEIVER_DOWN):
        return Happening(at, what, seconds=chance.choice((0.5, 5.0, 40.0)))
    return Happening(at, what)
