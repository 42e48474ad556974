"""What must hold of each workflow that is over, whatever befell the controllers."""

from collections.abc import Iterator, Sequence

from tests.campaign import judge_calls, judge_stored
from tests.campaign.orders import Order
from tests.campaign.records import Life, Line


def lived_right(
    order: Order, life: Life, every: Sequence[Line], own: Sequence[Line]
) -> Iterator[str]:
    """What is wrong, from what was stored of it and from its calls: `every` one, and its `own`
    without those of controllers that were replaced by then."""
    yield from judge_stored.ended_right(order, life)
    yield from judge_stored.only_legal_writes(life)
    yield from judge_calls.only_with_saved_intents(order, life, every)
    yield from judge_calls.no_run_after_a_success_was_seen(life, own)
    yield from judge_calls.undone_in_reverse(order, life, own)
    yield from judge_calls.one_at_a_time(own)
