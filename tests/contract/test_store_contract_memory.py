"""The memory store keeps the contract of stores."""

from wf_core.adapters.memory.backing import Backing
from wf_core.adapters.memory.store import MemoryStore
from wf_core.ports import Store
from wf_core.testing.store_contract import StoreContract


class TestMemoryStore(StoreContract):
    def setup_method(self) -> None:
        self.backing = Backing()

    async def open_store(self) -> Store:
        return MemoryStore(self.backing)

    async def fresh(self) -> Store:
        return MemoryStore(Backing())

    async def kill(self, store: Store) -> None:
        assert isinstance(store, MemoryStore)
        store.halt()
