"""What one save writes."""

from collections.abc import Mapping

import attrs

from wf_core.model.state import OutboxEntry, StepState, Transition, WorkflowState


@attrs.frozen
class Delta:
    """What one save writes."""

    head: WorkflowState
    steps: Mapping[int, StepState]
    outbox: tuple[OutboxEntry, ...]
    history: tuple[Transition, ...]
    answered: tuple[int, ...]
    failed: tuple[int, ...]
