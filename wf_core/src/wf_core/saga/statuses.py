"""Waiting for the status of an upstream step's resource (semantics A6)."""

from wf_core.model.phases import Phase
from wf_core.saga.graph import Condition
from wf_core.saga.ledger import Ledger


def lacking(ledger: Ledger, i: int) -> list[Condition]:
    """The resource conditions of step i that do not hold now."""
    return [
        condition
        for condition in ledger.graph.conditions[i]
        if condition.resource_status is not None
        and found(ledger, condition.on) != condition.resource_status
    ]


def found(ledger: Ledger, i: int) -> str:
    """The status of step i's resource as it is known."""
    resource = ledger.steps[i].resource
    return resource.status if resource else ""


def unreachable(ledger: Ledger, condition: Condition) -> str | None:
    """Why a resource condition that does not hold never will, or None where it may."""
    kind_name = ledger.kind_of(condition.on)
    kind = ledger.kinds.get(kind_name)
    if kind is None or kind.has_sync or ledger.steps[condition.on].phase is not Phase.SUCCESS:
        return None
    return (
        f"ConditionUnreachable: '{ledger.name_of(condition.on)}' succeeded with resource status "
        f"'{found(ledger, condition.on)}', not '{condition.resource_status}', and its kind "
        f"'{kind_name}' can't be looked at again"
    )


def unseen(ledger: Ledger, condition: Condition) -> str | None:
    """Why nobody can see whether a resource condition comes to hold, or None (semantics B10)."""
    kind_name = ledger.kind_of(condition.on)
    if kind_name in ledger.kinds or ledger.steps[condition.on].phase is not Phase.SUCCESS:
        return None
    return (
        f"it waits until '{ledger.name_of(condition.on)}' is '{condition.resource_status}', and no "
        f"plugin brings the kind '{kind_name}' now to look at it; install one and start the engine "
        "again"
    )


def recheck(ledger: Ledger, i: int) -> None:
    """What waits for the status of step i's resource may be able to start now."""
    if ledger.awaiting_status:
        for waiter in ledger.graph.status_waiters[i]:
            if ledger.awaiting_status.pop(waiter, 0) is None:
                ledger.offer_run(waiter)


def awaited(ledger: Ledger, i: int) -> bool:
    """Whether a step that has not begun asks for a status of step i's resource."""
    return any(
        ledger.steps[waiter].phase is Phase.PENDING for waiter in ledger.graph.status_waiters[i]
    )
