"""The obligations of `ports.Store`, as tests. An adapter's author subclasses `StoreContract`.

    class TestMyStore(StoreContract):
        async def open_store(self) -> Store: ...
        async def fresh(self) -> Store: ...
        async def kill(self, store: Store) -> None: ...

pytest makes a new instance a test, so what `open_store` shares between handles can live on `self`.
"""

from wf_core.testing.store_contract_shared import SharedContract
from wf_core.testing.store_contract_state import StateContract


class StoreContract(StateContract, SharedContract):
    """Every test opens handles through `Handles`; what it opened is closed after it."""
