"""Copies of a saga that go their own way, and what tells two of them apart: for searches."""

from copy import copy

from wf_core.saga.ledger import Flight, Ledger
from wf_core.saga.machine import Saga
from wf_core.saga.timers import Timers
from wf_core.saga.waiting import Waiting

_COPIED = (list, bytearray, Timers)


def fork(saga: Saga) -> Saga:
    """A copy that goes its own way: states are frozen, so only the containers are copied."""
    other = object.__new__(Saga)
    vars(other).update(vars(saga))
    ledger = object.__new__(Ledger)
    for name in Ledger.__slots__:
        setattr(ledger, name, _forked(getattr(saga._ledger, name)))
    other._ledger = ledger
    return other


def timers(saga: Saga) -> list[tuple[int, str]]:
    """What time will bring, in order: the step (-1 is the workflow) and the timer's name."""
    return saga._ledger.timers.order()


def unanswered(saga: Saga) -> int:
    """How many requests have not been answered."""
    return len(saga._ledger.asked)


def volatile(saga: Saga, i: int) -> tuple[object, ...]:
    """What is known of step i beside its state: it is lost in a crash."""
    ledger = saga._ledger
    flight = ledger.flights.get(i)
    return (
        None
        if flight is None
        else (
            flight.hook,
            flight.purpose,
            flight.permit is None,
            flight.stopping,
            flight.timed_out,
            flight.dropped,
        ),
        i in ledger.interrupted,
        i in ledger.woken,
        i in ledger.awaiting_status,
        _waits(ledger.ready, i),
        any(_waits(each, i) for each in ledger.retries.values()),
        any(_waits(each, i) for each in ledger.looks.values()),
        _waits(ledger.undoable, i),
    )


def _waits(waiting: Waiting, i: int) -> bool:
    return bool(waiting) and any(i in queue for queue in waiting._kinds.values())


def _forked(value: object) -> object:
    """Mutable containers are copied, and what is mutable within them; everything else is shared."""
    kind = type(value)
    if kind is dict:
        copied = value.copy()  # type: ignore[attr-defined]
        for key, each in copied.items():
            if type(each) is Flight:
                copied[key] = copy(each)
            elif type(each) is Waiting:
                copied[key] = _forked(each)
        return copied
    if kind is Waiting:
        other = Waiting()
        if value:
            other._kinds = {name: queue.copy() for name, queue in value._kinds.items()}  # type: ignore[attr-defined]
        return other
    return value.copy() if kind in _COPIED else value  # type: ignore[attr-defined]
