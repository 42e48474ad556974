"""The memory store keeps the contract of schedules."""

from wf_core.adapters.memory.backing import Backing
from wf_core.adapters.memory.store import MemoryStore
from wf_core.ports import Store
from wf_core.testing.schedules_contract import SchedulesContract


class TestMemorySchedules(SchedulesContract):
    def setup_method(self) -> None:
        self.backing = Backing()

    async def open_store(self) -> Store:
        return MemoryStore(self.backing)
