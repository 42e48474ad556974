"""What the courier is handed of a workflow: how its callbacks are made, and who hears of them."""

import logging
from collections.abc import Callable, Mapping

from wf_core.callbacks import body
from wf_core.callbacks.body import event_id
from wf_core.engine.courier import Make, Reports
from wf_core.model.spec import Callback, Key
from wf_core.model.state import OutboxEntry, Stored
from wf_core.ports import Delivery
from wf_core.saga.events import CallbackFailing, CallbackSettled

log = logging.getLogger("wf.engine")


def deliveries(
    uid: str,
    callback: Callback,
    saved: Callable[[], Stored],
    trace: Callable[[], Mapping[str, str]],
) -> Make:
    """Makes the delivery of an entry, from what is saved when it is sent."""

    def make(entry: OutboxEntry) -> Delivery:
        return Delivery(
            url=callback.url,
            event_id=event_id(uid, entry),
            body=body(saved(), entry),
            ignore_not_found=callback.ignore_not_found,
            trace=trace(),
        )

    return make


def reports(key: Key, post: Callable[[CallbackFailing | CallbackSettled], None]) -> Reports:
    """Posts to the workflow's machine what becomes of its callbacks."""

    def settled(seq: int, dropped: bool, error: str) -> None:
        if dropped:
            log.warning("%s: callback %d was given up: %s", key, seq, error)
        post(CallbackSettled(seq, dropped, error))

    def failing(seq: int, error: str) -> None:
        post(CallbackFailing(seq, error))

    return Reports(settled, failing)
