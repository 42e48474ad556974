"""I13: each choice of admission obeys E3. Seen from what is stored, while one engine serves and
nothing has gone wrong: then what a choice leads to is saved at once."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

from wf_core.model.phases import FINISHED, Phase
from wf_core.testing.simulation.queues import holds
from wf_core.testing.simulation.story import Save, Story

if TYPE_CHECKING:
    from wf_core.testing.simulation.stage import Stage

_AT_ONCE = 1.0
"""Seconds within which a choice is surely saved."""


@attrs.define
class Choices:
    """Remembers who was overtaken, by uid: it is wrong if that one then starts later. One that was
    chosen as well, and is only saved after the other, starts at once."""

    stage: "Stage"
    _overtaken: dict[str, tuple[float, str]] = attrs.field(factory=dict)

    def saved(self, stories: Mapping[str, Story], story: Story, save: Save) -> str | None:
        """Look at a save; gives what is wrong, or None."""
        started = save.before.head.phase is Phase.PENDING and save.after.head.phase is Phase.RUNNING
        if not started or not self._nothing_went_wrong():
            return None
        for other in stories.values():
            if other is not story and self._waits(other, save):
                why = self._comes_first(stories, other, story, save)
                if why:
                    self._overtaken.setdefault(_uid(other), (save.at, f"{story.key} {why}"))
        at, why = self._overtaken.get(_uid(story), (save.at, ""))
        return f"it waited, and {why}" if save.at > at + _AT_ONCE else None

    def _nothing_went_wrong(self) -> bool:
        stage = self.stage
        return (
            stage.world.operator.serves
            and stage.lone
            and len(stage.processes) == 1
            and not stage.clock_offset
            and not stage.world.troubles
            and not stage.store_away_until
            and not any(name.startswith("fault ") for name in stage.coverage.counts)
        )

    def _waits(self, other: Story, save: Save) -> bool:
        """Whether a workflow surely waits to be admitted, and has for a while."""
        stored = self.stage.storage.look(other.key)
        if stored is None or other.asked or other.workflow.spec.suspend:
            return False
        return (
            stored.head.phase is Phase.PENDING
            and stored.head.deletion_asked_at is None
            and save.clock - stored.head.created_at > _AT_ONCE
            and not self.stage.world.operator.lacking
            and self._most(other) is None
        )

    def _comes_first(
        self, stories: Mapping[str, Story], other: Story, story: Story, save: Save
    ) -> str:
        """Why `other` should have started instead of `story`, or nothing."""
        if story.key.namespace != other.key.namespace:
            return self._next_namespace_first(stories, other, story)
        ours, theirs = story.workflow.spec.queue, other.workflow.spec.queue
        if not self.stage.world.operator.fair or ours == theirs:
            return "started before it" if self._place(other) < self._place(story) else ""
        least = sum(
            each.workflow.spec.queue == ours and holds(self.stage, each, save)
            for each in _of_namespace(stories, story)
            if each is not story and each.gone is None
        )
        most = sum(
            each.workflow.spec.queue == theirs and self._may_run(each)
            for each in _of_namespace(stories, story)
            if each is not other
        )
        if (most + 1) / self._weight(theirs) < (least + 1) / self._weight(ours):
            return f"started from queue {ours}, which ran {least}, and queue {theirs} ran {most}"
        return ""

    def _next_namespace_first(
        self, stories: Mapping[str, Story], other: Story, story: Story
    ) -> str:
        """As above, between namespaces; told only of one that runs nothing and has no other."""
        alone = not any(
            each.key.namespace == other.key.namespace and self._may_run(each)
            for each in stories.values()
            if each is not other
        )
        if not alone or self.stage.world.operator.fair:
            return ""
        older = self._place(other)[1:] < self._place(story)[1:]
        return "started before it, which is alone in its namespace and older" if older else ""

    def _place(self, story: Story) -> tuple[int, float, str]:
        stored = self.stage.storage.look(story.key)
        created_at = 0.0 if stored is None else stored.head.created_at
        return (-story.workflow.spec.priority, created_at, _uid(story))

    def _may_run(self, story: Story) -> bool:
        """Whether a workflow may hold a slot: it does not only if it came to rest a while ago."""
        stored = self.stage.storage.look(story.key)
        if stored is None:
            return False
        head = stored.head
        ended = head.reached.get(head.phase, 0.0)
        return head.phase not in FINISHED or ended > self.stage.wall - _AT_ONCE

    def _most(self, story: Story) -> int | None:
        queue = self.stage.world.operator.queues.get(story.workflow.spec.queue)
        return None if queue is None else queue.most

    def _weight(self, queue: str) -> float:
        queues = self.stage.world.operator.queues
        return queues[queue].weight if queue in queues else 1.0


def _of_namespace(stories: Mapping[str, Story], story: Story) -> list[Story]:
    return [each for each in stories.values() if each.key.namespace == story.key.namespace]


def _uid(story: Story) -> str:
    return story.workflow.metadata.uid
