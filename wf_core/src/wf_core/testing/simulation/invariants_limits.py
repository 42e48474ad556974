"""E1, E2 and E6: at the start of every call, its process keeps within its limits. E3: at rest,
slots are held by exactly what the stored states say."""

import math
from collections.abc import Mapping, Sequence, Set

from wf_core.model.phases import Phase, Purpose
from wf_core.model.spec import Key
from wf_core.model.state import Stored
from wf_core.testing.simulation.story import Called
from wf_core.testing.simulation.world import Operator, World, Wrong

_EXACT = 1e-6


def e01_calls_at_once_stay_within_the_limits(
    world: World, running: Sequence[Called], called: Called
) -> str | None:
    """`running` are the process's calls that hold a permit, `called` among them. Runs and watches
    leave the share alone that is kept for undos."""
    operator = world.operator
    if not _saves_take_no_time(world) or not operator.grace:
        return None  # a permit may be given back before its hook was told to stop
    found = _too_many(operator.concurrency, running, "calls")
    if found is None and called.call.kind in operator.kinds:
        kind = called.call.kind
        own = [each for each in running if each.call.kind == kind]
        found = _too_many(operator.kinds[kind].concurrency, own, f"calls of {kind}")
    return found


def e06_a_namespace_leaves_calls_for_the_next(
    world: World, running: Sequence[tuple[str, Called]], called: tuple[str, Called]
) -> str | None:
    """E6: whatever order calls began in, one namespace has no more than three fifths, rounded up,
    of what its class may use. `running` are as above, each with its namespace."""
    operator, (namespace, last) = world.operator, called
    if not operator.share_permits or not _saves_take_no_time(world) or not operator.grace:
        return None
    purpose, kind = last.call.purpose, last.call.kind
    own = [each for space, each in running if space == namespace and each.call.purpose is purpose]
    limits = operator.kinds.get(kind)
    of_kind = [each for each in own if each.call.kind == kind]
    for limit, those, what in (
        (operator.concurrency, own, "calls"),
        (None if limits is None else limits.concurrency, of_kind, f"calls of {kind}"),
    ):
        if limit is None:
            continue
        most = limit if purpose is Purpose.ROLLBACK else limit - _kept_for_undos(limit)
        if len(those) > max(1, math.ceil(most * 3 / 5)):
            return f"{len(those)} {what} of class {purpose} for namespace {namespace}, of {most}"
    return None


def e01_calls_of_a_kind_keep_their_distance(
    world: World, last: float | None, called: Called
) -> str | None:
    """One token at most: two calls of a kind are 1/qps apart, where saves take no time between the
    permit and the call. `last` is when the kind was called before by this process."""
    operator = world.operator
    limits = operator.kinds.get(called.call.kind)
    if limits is None or limits.qps is None or last is None or not _saves_take_no_time(world):
        return None
    if called.began - last < 1 / limits.qps - _EXACT:
        return f"{called.name} {called.began - last:g} s after the last call, qps {limits.qps:g}"
    return None


def e03_slots_are_held_by_what_the_states_say(
    stored: Mapping[Key, Stored], owner: str, held: Set[Key]
) -> str | None:
    """E3, of the engine that claims as `owner`: a slot that no stored state accounts for is lost to
    everybody who waits."""
    owned = {key for key, each in stored.items() if _counts(each) and each.head.owner.id == owner}
    if owned == held:
        return None
    return (
        f"slots of {sorted(map(str, held))} are held, "
        f"and the stored states say {sorted(map(str, owned))}"
    )


def _counts(stored: Stored) -> bool:
    phase = stored.head.phase
    if phase is Phase.RUNNING:
        return not stored.head.parked
    return phase is Phase.ROLLING_BACK and not all(
        step.blocked for step in stored.steps if step.phase is Phase.ROLLING_BACK
    )


def _too_many(limit: int | None, running: Sequence[Called], what: str) -> str | None:
    if limit is None:
        return None
    if len(running) > limit:
        return f"{len(running)} {what} at once, of {limit}"
    ordinary = sum(each.call.purpose is not Purpose.ROLLBACK for each in running)
    if ordinary > limit - _kept_for_undos(limit):
        return f"{ordinary} runs and watches among {what} at once, of {limit}"
    return None


def _kept_for_undos(limit: int) -> int:
    """E2, said once more."""
    return max(1, limit // 10) if limit >= 2 else 0


def _saves_take_no_time(world: World) -> bool:
    operator: Operator = world.operator
    return not operator.save_seconds and all(f.wrong is not Wrong.LATE for f in world.faults)
