"""A stored workflow from which no machine can be built: its document is not one for this engine."""

from msgspec.structs import replace

from wf_core.model.phases import Phase
from wf_core.model.state import Owner, Stored, Transition, Writer
from wf_core.ports import Changes
from wf_core.saga.ledger import short
from wf_core.saga.table import check_workflow


def never_ran(stored: Stored) -> bool:
    """Whether no step of it was ever begun."""
    return not any(step.attempt for step in stored.steps)


def refused(stored: Stored, owner: Owner, error: str, now: float) -> Changes:
    """The save by which a Pending workflow that can never start becomes Failed (semantics A1)."""
    head = stored.head
    check_workflow(head.phase, Phase.FAILED)
    revision = head.revision + 1
    return Changes(
        uid=stored.workflow.metadata.uid,
        base_epoch=head.owner.epoch,
        base_revision=head.revision,
        head=replace(
            head,
            phase=Phase.FAILED,
            reached={**head.reached, Phase.FAILED: now},
            error=short(error),
            revision=revision,
            owner=owner,
            writer=Writer(owner.epoch, 1),
        ),
        steps={},
        history=(Transition(now, head.phase, Phase.FAILED, None, error, revision=revision),),
    )
