"""People: what they ask at a moment, how they answer what is blocked, and when nothing is left."""

from wf_core.engine.refusal import KILLS_ENGINE
from wf_core.errors import AuthorError
from wf_core.model.phases import FINISHED, DeletionPolicy, Phase, Purpose, RequestType
from wf_core.model.requests import Request
from wf_core.model.spec import Key
from wf_core.model.state import Stored
from wf_core.testing.simulation.invariants_bounds import CEILING
from wf_core.testing.simulation.invariants_ended import kept_for
from wf_core.testing.simulation.observer import Observer
from wf_core.testing.simulation.stage import Stage

_QUIET = 45.0
"""Seconds without a save after which a workflow that looks at rest is at rest."""


class People:
    """Whoever uses the store beside the engines. They come to it whatever the engines meet."""

    def __init__(self, stage: Stage, observer: Observer) -> None:
        self._stage = stage
        self._observer = observer

    async def ask(self, key: Key, type_: RequestType, step: str | None) -> None:
        """Make a request, if the workflow is there."""
        if self._stage.storage.look(key) is None:
            return
        name = None if type_ is not RequestType.SIGNAL or step == "nameless" else "go"
        request = Request(type_, None if type_ is RequestType.SIGNAL else step, name=name)
        try:
            seq = await self._stage.storage.people.request(key, request, self._stage.wall)
        except AuthorError:
            return  # 64 wait for an answer already
        self._observer.asked(key, seq, type_)
        self._stage.note(f"people ask {key} {seq}: {type_} {step or ''}")

    async def delete(self, key: Key) -> None:
        """Ask for the workflow to go, if it is there."""
        if self._stage.storage.look(key) is not None:
            self._stage.note(f"people delete {key}")
            self._observer.deleted(key)
            await self._stage.storage.people.delete(key, self._stage.wall)

    async def help(self, key: Key, pick: int) -> None:
        """Answer something that waits for a person, the `pick`-th way; nothing where none does."""
        stored = self._stage.storage.look(key)
        ways = [] if stored is None else _ways(stored)
        if ways:
            type_, step = ways[pick % len(ways)]
            await self.ask(key, type_, step)

    async def help_all(self) -> bool:
        """Answer everything that waits for a person; gives whether all workflows rest."""
        rest = True
        for key, stored in self._stored():
            rest = rest and not stored.asked
            if ways := _ways(stored):
                rest = False
                pick = self._stage.chance.randrange(len(ways))
                type_, step = ways[pick]
                await self.ask(key, type_, step)
                if type_ is RequestType.SKIP_ROLLBACK:
                    await self.ask(key, type_, step)  # clicked twice
            elif not self._rests(stored):
                rest = False
        return rest and self._stage.now - self._stage.saved_at > _QUIET

    def what_moves(self) -> str:
        """What does not rest, for the report."""
        found = []
        for _, stored in self._stored():
            if stored.asked or _ways(stored) or not self._rests(stored):
                steps = ", ".join(
                    f"{spec.name} {step.phase}"
                    + (f" blocked {step.blocked.reason}" if step.blocked else "")
                    for spec, step in zip(stored.workflow.spec.steps, stored.steps, strict=True)
                )
                head = stored.head
                found.append(
                    f"{stored.workflow.metadata.name} is {head.phase} (suspended {head.suspended},"
                    f" parked {head.parked}, deletion {head.deletion_asked_at is not None},"
                    f" asked {len(stored.asked)}, outbox {len(stored.outbox)}): {steps}"
                )
        return "; ".join(found) or "something saves again and again"

    def _stored(self) -> list[tuple[Key, Stored]]:
        found = [(key, self._stage.storage.look(key)) for key in self._stage.storage.names()]
        return [(key, stored) for key, stored in found if stored is not None]

    def _rests(self, stored: Stored) -> bool:
        story = self._observer.stories[stored.workflow.metadata.uid]
        calls = [c for c in story.in_flight if c.call.purpose is not Purpose.WATCH]
        if stored.head.phase not in FINISHED or stored.outbox or calls:
            return False
        operator = self._stage.world.operator
        if operator.serves and kept_for(stored, operator.ttl) is not None:
            return False  # it is to go by age
        return stored.head.deletion_asked_at is None


def _ways(stored: Stored) -> list[tuple[RequestType, str | None]]:
    """The requests that help, where something waits for a person."""
    head, spec = stored.head, stored.workflow.spec
    if head.phase is Phase.FAILED and not any(step.attempt for step in stored.steps):
        # What asks for more than a ceiling allows needs another document, not another try.
        return [] if CEILING in (head.error or "") else [(RequestType.RETRY_RUN, None)]
    if any(each.reason == KILLS_ENGINE for each in head.conditions):
        # Three processes died by chance while nothing else was taken up (B3).
        return [(RequestType.RETRY_RUN, None)]
    deleting = head.deletion_asked_at is not None
    if deleting and spec.deletion_policy is DeletionPolicy.ORPHAN:
        return []
    ways: list[tuple[RequestType, str | None]] = []
    if head.suspended and head.phase in (Phase.PENDING, Phase.RUNNING):
        ways.append((RequestType.CONTINUE, None))
    for each, step in zip(spec.steps, stored.steps, strict=True):
        if step.blocked is not None:
            ways += [
                (RequestType(option), None if option == RequestType.CANCEL else each.name)
                for option in step.blocked.options
            ]
        elif deleting and head.phase is step.phase is Phase.FAILED:
            # Skipped: it stays so, unless the workflow is to go.
            ways.append((RequestType.MARK_ROLLED_BACK, each.name))
    return ways
