"""What must hold of the calls and the callbacks. Each gives what is wrong."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from tests.campaign.orders import STEPS, Order
from tests.campaign.receiver import Delivery
from tests.campaign.records import Life, Line, Step, Version

from wf_core.model.phases import Phase


def only_with_saved_intents(order: Order, life: Life, calls: Sequence[Line]) -> Iterator[str]:
    """I1, I6: each call has an intent of its own that was saved before: by its own epoch, for its
    attempt, with every condition met. An intent to run is never saved after a Success (I8), so
    after a saved Success no run is called."""
    counted = Counter(line.call for line in calls if line.begins)
    yield from (f"I6: {call[1:]} was called {n} times" for call, n in counted.items() if n > 1)
    for line in calls:
        if not line.begins:
            continue
        intent = next((each for each in life.versions if _means(each, line)), None)
        if intent is None:
            yield f"I6: no intent was saved for the {line}"
        elif line.hook == "run":
            for needed in order.needs[line.step]:
                if Phase.SUCCESS not in intent.status.steps.get(needed, Step()).reached:
                    yield f"I1: {line} was meant before the Success of {needed} was saved"


def _means(version: Version, line: Line) -> bool:
    step = version.status.steps.get(line.step, Step())
    if version.status.epoch != line.epoch or step.interruptions != line.interruptions:
        return False
    if line.hook == "run":
        return step.phase is Phase.RUNNING and step.attempt == line.attempt
    return (
        step.phase is Phase.ROLLING_BACK
        and step.rollback_attempt == line.attempt
        and step.attempt > 0
    )


def no_run_after_a_success_was_seen(life: Life, calls: Sequence[Line]) -> Iterator[str]:
    """I6 once more, by the clock: once somebody else could read the Success, no run begins."""
    seen: dict[str, float] = {}
    for version in life.versions:
        for name in STEPS:
            if _succeeded(version, name):
                seen.setdefault(name, version.at)
    for line in calls:
        late = line.at - seen.get(line.step, line.at)
        if line.hook == "run" and line.begins and late > 0:
            yield f"I6: {line} began {late:.3f} s after its Success was stored"


def _succeeded(version: Version, name: str) -> bool:
    return Phase.SUCCESS in version.status.steps.get(name, Step()).reached


def undone_in_reverse(order: Order, life: Life, calls: Sequence[Line]) -> Iterator[str]:
    """I2, I3, I4: what ran and had to be undone was undone after its last run, and after everything
    that depends on it; nothing else was."""
    places: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, line in enumerate(calls):
        places[line.step, line.hook].append(place)
    status = life.last.status
    for name in STEPS:
        ran, undone = places[name, "run"], places[name, "rollback"]
        step = status.steps.get(name, Step())
        if status.phase is Phase.SUCCESS and undone:
            yield f"{name} of a workflow in Success was undone"
        if step.phase is Phase.ROLL_BACKED and ran and not undone:
            yield f"I2: {name} ran and was not undone"
        if undone and not step.attempt:
            yield f"I4: {name} never had an intent and was undone"
        if ran and undone and ran[-1] > undone[0]:
            yield f"I4: {name} ran after it was undone"
        for dependent in order.dependents(name):
            later = [*places[dependent, "run"], *places[dependent, "rollback"]]
            if later and undone and later[-1] > undone[0]:
                yield f"I3: {name} was undone before {dependent}"


def one_at_a_time(calls: Sequence[Line]) -> Iterator[str]:
    """I5: calls of a step never overlap, neither in one process nor after a takeover. I7: the key
    is one for each hook of a step."""
    last: dict[str, Line] = {}
    keys: dict[tuple[str, str], str] = {}
    for line in calls:
        before = last.get(line.step)
        if line.begins and before is not None and before.begins and before.pid == line.pid:
            yield f"I5: {line} began within the {before}"
        if before is not None and line.epoch < before.epoch:
            yield f"I5: {line} goes on after the {before}"
        last[line.step] = line
        if keys.setdefault((line.step, line.hook), line.key) != line.key:
            yield f"I7: {line} has another key"
    if len(set(keys.values())) != len(keys):
        yield "I7: two hooks have one key"


def concurrency_held(calls: Iterable[Line], limit: int) -> Iterator[str]:
    """E1: no process has more calls of the kind open than the limit."""
    open_: Counter[int] = Counter()
    for line in calls:
        open_[line.pid] += 1 if line.begins else -1
        if open_[line.pid] > limit:
            yield f"E1: {open_[line.pid]} calls at once in process {line.pid}"


def called_back(life: Life, deliveries: Sequence[Delivery]) -> Iterator[str]:
    """I9: everything that was ever in the outbox was delivered at least once, in order, as what it
    was saved as; and nothing else was."""
    entries = life.entries()
    first = list({each.seq: None for each in deliveries})
    if first != sorted(first):
        yield f"I9: first deliveries came in the order {first}"
    if set(entries) != set(range(1, life.last.status.outbox_seq + 1)):
        yield f"I9: of {life.last.status.outbox_seq} events these were stored: {sorted(entries)}"
    unguarded = life.gone_at is not None and life.never_ran
    if (missing := set(entries) - set(first)) and not unguarded:
        yield f"I9: never delivered: {sorted(missing)}"
    for each in deliveries:
        entry = entries.get(each.seq)
        if entry is None or (entry.event, entry.step) != (each.event, each.step):
            yield f"I9: delivered {each}, and stored is {entry}"
    told = [each.phase for _, each in sorted(entries.items()) if each.step is None]
    moved = [each for each in life.last.status.reached if each is not Phase.PENDING]
    if sorted(told) != sorted(moved):
        yield f"I9: the workflow went through {moved}, and {told} was told"
