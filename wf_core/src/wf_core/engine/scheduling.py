"""A scheduler beside an engine, on the same store."""

import hashlib

import msgspec

from wf_core.engine.engine import Engine
from wf_core.engine.scheduler import Scheduler
from wf_core.model.schedule import CronWorkflow
from wf_core.model.spec import Key
from wf_core.plugins import Registry
from wf_core.ports import Clock, HoldsSchedules, Store
from wf_core.schedules.runs import key_of, run_of


def scheduler_beside(engine: Engine, clock: Clock) -> Scheduler | None:
    """For the schedules of the engine's store; None where that keeps none. `clock` is the one that
    people go by."""
    store = engine.store
    if not isinstance(store, HoldsSchedules):
        return None
    return Scheduler(store, store.schedules, clock, Judge(engine.registry, store))


class Judge:
    """Why no run of a schedule could begin here. Each schedule is judged once as it stands, until
    it is forgotten."""

    def __init__(self, registry: Registry, store: Store) -> None:
        self._registry = registry
        self._store = store
        self._judged: dict[Key, tuple[bytes, str]] = {}

    def __call__(self, schedule: CronWorkflow) -> str:
        """The faults of its workflow; nothing where there are none."""
        key, stands = key_of(schedule), hashlib.sha256(msgspec.json.encode(schedule)).digest()
        judged = self._judged.get(key)
        if judged is None or judged[0] != stands:
            judged = self._judged[key] = (stands, self._faults(schedule))
        return judged[1]

    def forget(self, key: Key) -> None:
        """The schedule is gone."""
        self._judged.pop(key, None)

    def _faults(self, schedule: CronWorkflow) -> str:
        from wf_core.codec.schedule_checks import schedule_faults  # YAML and all: only where needed

        found = [str(fault) for fault in schedule_faults(schedule, self._registry, new=False)]
        if not found:
            misfit = self._store.misfit(run_of(schedule, 0.0, seconds=True))
            found = [misfit] if misfit else []
        return "; ".join(found)
