"""The SQLite store keeps the contract of schedules."""

from pathlib import Path

import pytest

from wf_core.adapters.sqlite.store import SqliteStore
from wf_core.ports import Store
from wf_core.testing.schedules_contract import SchedulesContract


class TestSqliteSchedules(SchedulesContract):
    @pytest.fixture(autouse=True)
    def _place(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    async def open_store(self) -> Store:
        return SqliteStore.open(self.folder / "wf.db")
