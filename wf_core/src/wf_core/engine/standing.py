"""How a workflow stands with this engine, seen from what the store tells of it."""

from collections.abc import AsyncIterator

from wf_core.engine.refusal import watched
from wf_core.engine.runner import Place, Runner
from wf_core.errors import WfError, WorkflowNotFound, WorkflowOwned
from wf_core.model.phases import FINISHED, Phase
from wf_core.model.state import Stored
from wf_core.ports import Row, Seen, Store


def in_doubt(runner: Runner, seen: Seen) -> bool:
    """Whether what was seen may end a runner: its workflow is gone, is another of that name, or was
    saved by somebody else."""
    if seen.gone or seen.uid not in ("", runner.uid):
        return True
    return runner.overtaken(seen.owner, seen.revision)


def ended(runner: Runner, stored: Stored | None, rested_on: Place | None) -> WfError | None:
    """Why a runner must end, from what is stored; None where it may go on. `rested_on`: what the
    runner had saved or loaded last, if it was idle when the state was asked for.

    Whoever deletes a workflow need not ask us. And a former owner may save until our first save is
    stored: a workflow at rest here has made none. What anybody else wrote is found by the next
    save, but of a workflow that only waits to be removed there is none.
    """
    if stored is None or stored.workflow.metadata.uid != runner.uid:
        return WorkflowNotFound(f"workflow '{runner.key}' was deleted while it was run here")
    head = stored.head
    if runner.overtaken(head.owner.id, head.revision):
        return WorkflowOwned(f"workflow '{runner.key}' was saved by '{head.owner.id}' meanwhile")
    if rested_on == runner.place != (head.owner.epoch, head.revision):
        return WorkflowOwned(f"workflow '{runner.key}' was changed by somebody else meanwhile")
    return None


async def every_row(store: Store) -> AsyncIterator[Row]:
    """Everything in a store, by creation."""
    after: str | None = None
    while True:
        page = await store.list(after=after)
        for row in page.rows:
            yield row
        after = page.after
        if after is None:
            return


def row_waits(row: Row) -> bool:
    """Whether a workflow in a list must be taken up at the start: it began, or somebody waits."""
    if row.unreadable:
        return False  # the store says so where people see it
    left = row.phase not in FINISHED or row.deleting or row.watched or row.reporting
    return row.asked or (left and not row_is_fresh(row))


def row_is_fresh(row: Row) -> bool:
    """Whether it waits to be admitted."""
    return row.phase is Phase.PENDING and not (row.deleting or row.unreadable)


def row_holds_slot(row: Row) -> bool:
    """Whether a workflow in a list counts as running (E3), as far as a row tells."""
    return row.phase is Phase.ROLLING_BACK or (row.phase is Phase.RUNNING and not row.parked)


def waits(stored: Stored) -> bool:
    """Whether a workflow must be taken up, apart from admission."""
    head = stored.head
    if stored.asked or stored.outbox or head.deletion_asked_at is not None or watched(stored):
        return True
    return head.phase not in (Phase.PENDING, *FINISHED)
