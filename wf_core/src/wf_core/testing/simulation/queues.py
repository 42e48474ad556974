"""I13: nothing is admitted at or above a maximum, nor above its namespace's share. Seen from what
is stored, for one lone engine."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from wf_core.model.phases import Phase
from wf_core.model.state import StepState
from wf_core.testing.simulation.story import Save, Story
from wf_core.testing.simulation.world import Operator

if TYPE_CHECKING:
    from wf_core.testing.simulation.stage import Stage

_LATELY = 20.0
"""Seconds that may lie between a choice and its save, where saves are late."""


def i13_admission(
    stage: "Stage", stories: Mapping[str, Story], story: Story, save: Save
) -> str | None:
    """A workflow that gets its slot by this save finds fewer than the maximum that surely hold one,
    in all and in its queue."""
    if not stage.world.operator.serves or not _admitted(save):
        return None
    operator, queue = stage.world.operator, story.workflow.spec.queue
    holding = [
        other
        for other in stories.values()
        if other is not story and other.gone is None and holds(stage, other, save)
    ]
    alike = sum(other.workflow.spec.queue == queue for other in holding)
    # An undo without a slot takes room from its own namespace and its queue alone (E5).
    holding = [other for other in holding if not _apart(stage, other, story)]
    most = operator.queues[queue].most if queue in operator.queues else None
    if len(holding) >= operator.most:
        return f"admitted while {len(holding)} of {operator.most} ran"
    if most is not None and alike >= most:
        return f"admitted while {alike} of {most} ran in queue {queue}"
    return _beyond_its_share(operator, story, holding, save)


def _beyond_its_share(
    operator: Operator, story: Story, holding: Sequence[Story], save: Save
) -> str | None:
    """E4, said once more: a namespace that runs any leaves room for the next one. Those that got
    their slots lately may have been chosen after this one."""
    share, most = operator.share, operator.most
    own = sum(other.key.namespace == story.key.namespace for other in holding)
    if share is None or not own:
        return None
    free = most - sum(_for_long(other, save) for other in holding)
    held = sum(
        other.key.namespace == story.key.namespace and _for_long(other, save) for other in holding
    )
    kept = min(max(most // 8, min(most // 4, 2 * held)), max(0, most - share))
    if own >= share or (held and (held * (most - share) >= share * free or free <= kept)):
        return f"admitted while its namespace ran {own} of {share}, with {free} of {most} free"
    return None


def _admitted(save: Save) -> bool:
    before, after = save.before.head, save.after.head
    started = before.phase is Phase.PENDING and after.phase is Phase.RUNNING
    return after.phase is Phase.RUNNING and not after.parked and (started or before.parked)


def holds(stage: "Stage", story: Story, save: Save) -> bool:
    """Whether a workflow surely holds a slot of the process that saves."""
    stored = stage.storage.look(story.key)
    if stored is None or stored.head.owner.id != save.store_id or story.in_flight_stuck:
        return False
    head = stored.head
    if head.phase is Phase.RUNNING:
        free = any(step.phase is Phase.RUNNING and _goes_on(step) for step in stored.steps)
        return not head.parked and not head.suspended and free
    return head.phase is Phase.ROLLING_BACK and _undoing_for(story, save) > _LATELY


def _apart(stage: "Stage", story: Story, other: Story) -> bool:
    """Whether a workflow is an undo without a slot in another namespace than `other`."""
    stored = stage.storage.look(story.key)
    if stored is None or story.key.namespace == other.key.namespace:
        return False
    return stored.head.phase is Phase.ROLLING_BACK and stored.head.parked


def _undoing_for(story: Story, save: Save) -> float:
    """Seconds since the undo last went on: it takes its slot whatever the maximum is, perhaps
    between another's choice and its save."""
    return 0.0 if story.undoing_since is None else save.at - story.undoing_since


def _goes_on(step: StepState) -> bool:
    """Whether a step waits for no person."""
    return step.blocked is None and not step.waits_for_person


def _for_long(story: Story, save: Save) -> bool:
    return story.holding_since is not None and save.at - story.holding_since > _LATELY


def note_holding(story: Story, save: Save) -> None:
    """Keep since when a slot is held."""
    head = save.after.head
    holds = head.phase is Phase.RUNNING and not head.parked and not head.suspended
    if not holds and head.phase is not Phase.ROLLING_BACK:
        story.holding_since = None
    elif story.holding_since is None:
        story.holding_since = save.at


def note_undoing(story: Story, save: Save) -> None:
    """Keep since when an undo goes on without waiting for a person."""
    goes_on = save.after.head.phase is Phase.ROLLING_BACK and any(
        step.phase is Phase.ROLLING_BACK and _goes_on(step) for step in save.after.steps
    )
    if not goes_on:
        story.undoing_since = None
    elif story.undoing_since is None:
        story.undoing_since = save.at
