"""How the runs of schedules stand: asked of the store once, and again when something happens to
one."""

import asyncio
from collections.abc import Mapping

from wf_core.errors import StoreForeign, WorkflowNotFound
from wf_core.model.phases import FINISHED, Phase, RequestType, RollbackPolicy, Undo
from wf_core.model.schedule import ScheduledRun, StoredSchedule
from wf_core.model.spec import Key
from wf_core.model.state import Stored
from wf_core.ports import Store
from wf_core.retention import owed_by
from wf_core.schedules.decision import RunState
from wf_core.schedules.runs import is_run_of, key_of, may_be_run

_CANCELLABLE = (Phase.PENDING, Phase.RUNNING)


class RunsKnown:
    """The runs that schedules keep in mind, each with the schedule that it is of."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._states: dict[Key, RunState | None] = {}
        self._of: dict[Key, Key] = {}
        self._untold: dict[Key, dict[Key, float]] | None = None  # None: not listed yet
        self._listing = asyncio.Lock()

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

    async def unsaved(self, stored: StoredSchedule) -> tuple[ScheduledRun, ...]:
        """Runs of its slots that its status does not know of: a scheduler was killed, or failed,
        after it had made them. Raises StoreUnavailable."""
        async with self._listing:
            if self._untold is None:
                self._untold = await self._listed()
        status, of = stored.status, key_of(stored.schedule)
        known = {run.name for run in (*status.active, *status.finished)}
        found = []
        for key, named in self._untold.get(of, {}).items():
            waits = status.waiting_time == named
            decided = status.decided_time is not None and named <= status.decided_time
            if key.name in known or (decided and not waits):
                continue
            try:
                workflow = (await self._store.load(key)).workflow
            except (WorkflowNotFound, StoreForeign):
                continue
            if is_run_of(workflow, stored.schedule, named):
                found.append(ScheduledRun(key.name, named))
        return tuple(found)

    def making(self, schedule: Key, run: Key, slot: float) -> None:
        """A run is about to be made; until `told`, nobody may have taken note of it."""
        if self._untold is not None:
            self._untold.setdefault(schedule, {})[run] = slot

    def told(self, schedule: Key) -> None:
        """Every run of a schedule that there is was taken note of."""
        if self._untold is not None:
            self._untold.pop(schedule, None)

    async def _listed(self) -> dict[Key, dict[Key, float]]:
        """What may be runs, by name, with their slots."""
        found: dict[Key, dict[Key, float]] = {}
        after = None
        while True:
            page = await self._store.list(after=after)
            for row in page.rows:
                named = may_be_run(row.key.name)
                if named is not None:
                    schedule, slot = named
                    found.setdefault(Key(row.key.namespace, schedule), {})[row.key] = slot
            after = page.after
            if after is None:
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

    def forget(self, schedule: Key) -> None:
        """The schedule is gone."""
        self.keep(schedule, ())
        self.told(schedule)

    def doubt(self) -> None:
        """Something may have happened unseen."""
        self._states.clear()
        self._untold = None

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
