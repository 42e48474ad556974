"""Looks at what is in progress: `sync` for a run or an undo (semantics B1, B8)."""

from wf_core.model.phases import Hook, Phase, Purpose
from wf_core.saga.backoff import poll_delay
from wf_core.saga.calls import PERMIT_OF, call, known_parameters
from wf_core.saga.ledger import Ledger


def purpose_of(ledger: Ledger, i: int) -> Purpose:
    """What a look at step i asks about."""
    if ledger.steps[i].phase is Phase.ROLLING_BACK:
        return Purpose.ROLLBACK
    return Purpose.RUN if ledger.steps[i].phase is Phase.RUNNING else Purpose.WATCH


def schedule_look(ledger: Ledger, i: int, poll_after: float | None, now: float) -> None:
    """Look again later; at once where a wake came while the last look was going on."""
    if i in ledger.woken:
        del ledger.woken[i]
        ledger.offer_look(i, purpose_of(ledger, i))
        return
    polls = ledger.polls.get(i, 0)
    ledger.polls[i] = polls + 1
    period = ledger.step_spec(i).step_template.sync_period_seconds
    ledger.set_timer(i, "look", now + poll_delay(poll_after, period, polls))


def wake(ledger: Ledger, i: int) -> None:
    """A hint that something in progress may be done: sticky until a later look has started."""
    step = ledger.steps[i]
    if i in ledger.flights:
        ledger.woken[i] = None
    elif step.in_progress:
        ledger.clear_timer(i, "look")
        ledger.offer_look(i, purpose_of(ledger, i))


def look(ledger: Ledger, i: int, now: float) -> bool:
    """Look at what is in progress; False: no permit."""
    step = ledger.steps[i]
    if not step.in_progress or i in ledger.flights:
        return True
    purpose = purpose_of(ledger, i)
    if not ledger.permits.take(ledger.kind_of(i), PERMIT_OF[purpose], now, opens=False):
        return False
    known = known_parameters(ledger, i, now)
    if known is None:
        ledger.permits.give(ledger.kind_of(i), PERMIT_OF[purpose])
        return True
    ledger.clear_timer(i, "look")
    ledger.woken.pop(i, None)
    call(ledger, i, Hook.SYNC, purpose, known[0], now)
    return True
