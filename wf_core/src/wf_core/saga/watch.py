"""Watching steps in Success, and waiting for a resource's status (semantics A6, B9)."""

from wf_core.model.outcomes import Failure, Outcome, Severity
from wf_core.model.phases import Hook, PermitClass, Phase, Purpose
from wf_core.saga import sizes
from wf_core.saga.backoff import LEAST_STATUS_WATCH, watch_delay
from wf_core.saga.calls import call, known_parameters
from wf_core.saga.ledger import Ledger, short


def statuses(ledger: Ledger, i: int) -> list[str]:
    """The resource conditions of step i that do not hold: a reason each where they never will, else ''."""
    lacking = []
    for condition in ledger.graph.conditions[i]:
        wanted = condition.resource_status
        if wanted is None:
            continue
        upstream = ledger.steps[condition.on]
        found = upstream.resource.status if upstream.resource else ""
        if found == wanted:
            continue
        kind = ledger.kinds.get(ledger.kind_of(condition.on))
        settled = upstream.phase is Phase.SUCCESS and kind is not None and not kind.has_sync
        name = ledger.step_spec(condition.on).name
        lacking.append(
            f"ConditionUnreachable: '{name}' succeeded with resource status '{found}', not "
            f"'{wanted}', and its kind '{ledger.kind_of(condition.on)}' can't be looked at again"
            if settled
            else ""
        )
    return lacking


def recheck_statuses(ledger: Ledger, i: int) -> None:
    """What waits for step i's resource may be able to start now."""
    if ledger.awaiting_status:
        for waiter, _ in ledger.graph.gates[i]:
            if ledger.awaiting_status.pop(waiter, 0) is None:
                ledger.offer_run(waiter)


def watch_period(ledger: Ledger, i: int) -> float:
    """Seconds between looks at step i in Success; 0 is never."""
    period = ledger.step_spec(i).step_template.sync_period_seconds
    if any(_awaits_status(ledger, waiter, i) for waiter, _ in ledger.graph.gates[i]):
        return max(period, LEAST_STATUS_WATCH)
    return period


def arm_watch(ledger: Ledger, i: int, now: float) -> None:
    """Look at step i in Success after its period, where it has one and can be looked at."""
    kind = ledger.kinds.get(ledger.kind_of(i))
    if kind is None or not kind.has_sync or not _watching(ledger):
        return
    period = watch_period(ledger, i)
    if period > 0:
        jitter = ledger.jitter(i, "watch", now)
        ledger.set_timer(i, "watch", now + watch_delay(period, jitter))


def watch(ledger: Ledger, i: int, now: float) -> bool:
    """Look at a step in Success; False: no permit."""
    if ledger.steps[i].phase is not Phase.SUCCESS or i in ledger.flights or not _watching(ledger):
        return True
    if not ledger.permits.take(ledger.kind_of(i), PermitClass.WATCH, now, opens=False):
        return False
    known = known_parameters(ledger, i, now)
    if known is None:
        ledger.permits.give(ledger.kind_of(i), PermitClass.WATCH)
        return True
    call(ledger, i, Hook.SYNC, Purpose.WATCH, known[0], now)
    return True


def outcome(ledger: Ledger, i: int, result: Outcome, now: float) -> None:
    """What a watch found: saved only where it changes something (B9)."""
    step = ledger.steps[i]
    if isinstance(result, Failure):
        message = short(result.message)
        if result.severity is Severity.FATAL:
            _fatal(ledger, i, message, now)
        elif step.sync_error is None:
            ledger.put(i, sync_error=message, latest_sync_at=now)
    else:
        changes: dict[str, object] = {}
        if result.resource is not None and result.resource != step.resource:
            changes["resource"] = sizes.fitting(result.resource)
        if result.attributes is not None and result.attributes != step.attributes:
            why = sizes.too_large(step, result.attributes, None, ledger.attribute_bytes)
            if why is None:
                grown = sizes.size(result.attributes) - sizes.size(step.attributes)
                ledger.attribute_bytes += grown
                changes["attributes"] = dict(result.attributes)
            elif step.sync_error is None:
                changes["sync_error"] = short(f"ResultTooLarge: {why}")
        if step.sync_error is not None and "sync_error" not in changes:
            changes["sync_error"] = None
        if changes:
            ledger.put(i, latest_sync_at=now, **changes)
            recheck_statuses(ledger, i)
    arm_watch(ledger, i, now)


def rearm(ledger: Ledger, now: float) -> None:
    """Watch all steps in Success again, after a suspension or a restart."""
    for i, step in enumerate(ledger.steps):
        if step.phase is Phase.SUCCESS and ledger.due(i, "watch") is None:
            arm_watch(ledger, i, now)


def _fatal(ledger: Ledger, i: int, message: str, now: float) -> None:
    ledger.put(i, sync_error=message, latest_sync_at=now)
    why = f"step '{ledger.step_spec(i).name}' was found broken: {message}"
    if ledger.head.committed:
        ledger.condition("Degraded", f"Watch.{ledger.step_spec(i).name}", why, now)
    else:
        ledger.want_rollback(why)


def _watching(ledger: Ledger) -> bool:
    head = ledger.head
    return (
        head.phase in (Phase.RUNNING, Phase.SUCCESS)
        and not head.suspended
        and head.deletion_asked_at is None
    )


def _awaits_status(ledger: Ledger, waiter: int, i: int) -> bool:
    return ledger.steps[waiter].phase is Phase.PENDING and any(
        c.on == i and c.resource_status is not None for c in ledger.graph.conditions[waiter]
    )
