"""How the runs of schedules stand: asked of the store once, and again when something happens to
one."""

from collections.abc import Mapping

from wf_core.errors import WorkflowNotFound
from wf_core.model.phases import FINISHED, Phase, RequestType, RollbackPolicy, Undo
from wf_core.model.spec import Key
from wf_core.model.state import Stored
from wf_core.ports import Store
from wf_core.retention import owed_by
from wf_core.schedules.decision import RunState

_CANCELLABLE = (Phase.PENDING, Phase.RUNNING)


class RunsKnown:
    """The runs that schedules keep in mind, each with the schedule that it is of."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._states: dict[Key, RunState | None] = {}
        self._of: dict[Key, Key] = {}

    async def states(self, schedule: Key, names: tuple[str, ...]) -> Mapping[str, RunState]:
        """Those of these runs that are there. Raises StoreUnavailable."""
        found = {}
        for name in names:
            key = Key(schedule.namespace, name)
            self._of[key] = schedule
            if key not in self._states:
                self._states[key] = None  # what happens while it is read takes this away
                state = await self._read(key)
                if key in self._states:
                    self._states[key] = state
            else:
                state = self._states[key]
            if state is not None:
                found[name] = state
        return found

    def changed(self, run: Key) -> Key | None:
        """Something happened to a workflow; the schedule that it is a run of, or None."""
        self._states.pop(run, None)
        return self._of.get(run)

    def keep(self, schedule: Key, names: tuple[str, ...]) -> None:
        """Forget all runs of a schedule but these."""
        gone = [key for key, of in self._of.items() if of == schedule and key.name not in names]
        for key in gone:
            del self._of[key]
            self._states.pop(key, None)

    def doubt(self) -> None:
        """Something may have happened unseen."""
        self._states.clear()

    async def _read(self, key: Key) -> RunState | None:
        try:
            return state_of(await self._store.load(key))
        except WorkflowNotFound:
            return None


def state_of(stored: Stored) -> RunState:
    """How a run stands with its schedule."""
    head = stored.head
    asked = [each.request.type for each in stored.asked]
    return RunState(
        phase=head.phase,
        finished_at=head.reached.get(head.phase) if head.phase in FINISHED else None,
        cancellable=head.phase in _CANCELLABLE
        and not head.committed
        and RequestType.CANCEL not in asked,
        owes=head.phase is Phase.FAILED and _stuck(stored),
        settled=owed_by(stored) is None,
    )


def _stuck(stored: Stored) -> bool:
    """Whether the undo of any step neither came about nor is done without, by a person's word or by
    the document's (semantics A2)."""
    policy = stored.workflow.spec.rollback_policy
    for spec, step in zip(stored.workflow.spec.steps, stored.steps, strict=True):
        settled = step.undo is Undo.SKIPPED or (
            step.phase is Phase.FAILED
            and (spec.step_template.rollback_policy or policy) is RollbackPolicy.ALWAYS
        )
        if step.attempt and step.phase is not Phase.ROLL_BACKED and not settled:
            return True
    return False
