"""What a workflow shows of its callbacks that are not delivered."""

from msgspec.structs import replace

from wf_core.model.state import Condition
from wf_core.saga.ledger import Ledger
from wf_core.saga.sizes import short

UNDELIVERED = "CallbackUndelivered"
"""Type of the condition of a workflow whose receiver does not take its callbacks."""


def failing(ledger: Ledger, seq: int, error: str, now: float) -> None:
    """The oldest callback could not be delivered for a while: worth a save, once."""
    if seq > ledger.head.outbox_delivered:
        ledger.condition(UNDELIVERED, "Retrying", error, now)


def settled(ledger: Ledger, seq: int, dropped: bool, error: str, now: float) -> None:
    """A callback was delivered, or given up. What is said of it rides along as the cursor does."""
    fresh = seq > ledger.head.outbox_delivered
    ledger.settle_callback(seq, dropped)
    if not fresh:
        return
    ledger.drop_condition(UNDELIVERED)
    if dropped:
        why = f"callback {seq} was given up: {error or 'the receiver did not take it'}"
        added = Condition(UNDELIVERED, "GivenUp", short(why), now)
        ledger.head = replace(ledger.head, conditions=(*ledger.head.conditions, added))
