"""The SQLite store keeps the contract of stores."""

import itertools
from pathlib import Path

import pytest

from wf_core.adapters.sqlite.store import SqliteStore
from wf_core.ports import Store
from wf_core.testing.store_contract import StoreContract


class TestSqliteStore(StoreContract):
    @pytest.fixture(autouse=True)
    def _place(self, tmp_path: Path) -> None:
        self.folder = tmp_path
        self.numbers = itertools.count()

    async def open_store(self) -> Store:
        return SqliteStore.open(self.folder / "wf.db")

    async def fresh(self) -> Store:
        return SqliteStore.open(self.folder / f"{next(self.numbers)}.db")

    async def kill(self, store: Store) -> None:
        assert isinstance(store, SqliteStore)
        store.halt()
