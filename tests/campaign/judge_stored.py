"""What must hold of everything that was ever stored. Each gives what is wrong."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise

from tests.campaign.orders import ENDINGS, STEPS, Fate, Order
from tests.campaign.records import Life, Status, Step

from wf_core.errors import EngineError
from wf_core.model.phases import Phase, Undo
from wf_core.saga.table import check_step, check_workflow

HOLDING = (Phase.RUNNING, Phase.ROLLING_BACK)
"""Phases in which a workflow counts as one that runs."""
GONE = "gone"


def ended_right(order: Order, life: Life) -> Iterator[str]:
    """It ends as its fate wants it, with all of it done or none, or as much undone as can be."""
    status = life.last.status
    if life.gone_at is not None and life.never_ran:
        return  # whoever deletes what has not begun need not wait
    if status.phase not in ENDINGS[order.fate]:
        yield f"ended {status.phase}"
        return
    if not life.over:
        yield f"something is still to come: {life.last}"
    if (life.gone_at is not None) is not (order.fate is Fate.DELETED):
        yield "it is gone" if life.gone_at is not None else "it was deleted and is still there"
    phases = {each: _step(status, each).phase for each in STEPS}
    if status.phase is Phase.SUCCESS:
        if set(phases.values()) != {Phase.SUCCESS}:
            yield f"I12: false Success: {phases}"
        if order.fate is Fate.CANCELLED and [each.verdict for each in status.answers] == [
            "Applied"
        ]:
            yield "a cancel was applied and had no effect"
    elif status.phase is Phase.ROLL_BACKED:
        if set(phases.values()) != {Phase.ROLL_BACKED}:
            yield f"false RollBacked: {phases}"
        for each in STEPS:
            step = _step(status, each)
            if step.undo is not (Undo.CALLED if step.attempt else Undo.NEVER_RAN):
                yield f"I2: {each} began {step.attempt} attempts and was undone: {step.undo}"
    else:
        kept = _upstream(order, order.odd)
        for each, phase in phases.items():
            wanted = Phase.SUCCESS if each in kept else Phase.ROLL_BACKED
            if phase is not (Phase.FAILED if each == order.odd else wanted):
                yield f"{each} is {phase} although {order.odd} can't be undone"


def only_legal_writes(life: Life) -> Iterator[str]:
    """I8, and that no stale write was accepted: revisions count up by one, epochs never go back,
    each revision was written in the epoch that owned it, phases move along the table only."""
    for before, after in pairwise(each.status for each in life.versions):
        where = f"revision {after.revision} of epoch {after.epoch}"
        if after.revision == before.revision:
            if after != before:
                yield f"I8: {where}: changed without a new revision"
            continue
        if after.revision != before.revision + 1:
            yield f"I8: {where} follows {before.revision}"
        if after.epoch < before.epoch:
            yield f"I5: {where} follows epoch {before.epoch}"
        if after.writer.epoch != after.epoch:
            yield f"I5: {where} was written in epoch {after.writer.epoch}"
        yield from _moves(before, after, where)
        if after.outbox_seq < before.outbox_seq or after.outbox_dropped:
            yield f"I9: {where}: {after.outbox_dropped} callbacks were dropped"


def _moves(before: Status, after: Status, where: str) -> Iterator[str]:
    try:
        for one, next_ in pairwise([before.phase, *_passed(before, after)]):
            check_workflow(one, next_)
        for name in STEPS:
            old, new = _step(before, name), _step(after, name)
            for one, next_ in pairwise([old.phase, *_passed(old, new)]):
                check_step(one, next_)
            if new.attempt < old.attempt or new.rollback_attempt < old.rollback_attempt:
                yield f"{where}: attempts of {name} go back"
    except EngineError as error:
        yield f"I8: {where}: {error}"


def _passed(old: Status | Step, new: Status | Step) -> list[Phase]:
    """The phases that a workflow or a step came through in one save, in the order of the words'
    meaning where they have one time."""
    fresh = [phase for phase in Phase if phase in new.reached and phase not in old.reached]
    fresh.sort(key=lambda phase: (new.reached[phase], phase is new.phase))
    if new.phase is not old.phase and new.phase not in fresh:
        fresh.append(new.phase)  # for the second time
    return fresh


def limits_held(
    lives: Iterable[Life], queues: dict[str, str], overall: int, limits: dict[str, int]
) -> Iterator[str]:
    """I13: nothing is admitted at or above a maximum, overall or of its queue; `queues` by name."""
    writes = sorted(
        [
            *(
                (each.number, life.name, each.status.phase)
                for life in lives
                for each in life.versions
            ),
            *((life.gone_at, life.name, GONE) for life in lives if life.gone_at is not None),
        ]
    )
    phases: dict[str, str] = {}
    running: Counter[str] = Counter()
    for number, name, phase in writes:
        before, queue = phases.get(name, Phase.PENDING), queues[name]
        phases[name] = phase
        if before not in HOLDING and phase in HOLDING:
            if running.total() >= overall:
                yield f"I13: write {number}: {name} was admitted beside {running.total()}"
            if running[queue] >= limits.get(queue, overall):
                yield f"I13: write {number}: {name} was admitted beside {running[queue]} of {queue}"
            running[queue] += 1
        if before in HOLDING and phase not in HOLDING:
            running[queue] -= 1


def _step(status: Status, name: str) -> Step:
    return status.steps.get(name, Step())


def _upstream(order: Order, step: str) -> set[str]:
    found: set[str] = set()
    for each in order.needs[step]:
        found |= {each} | _upstream(order, each)
    return found
