"""A folder with a store for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.badinput.wf_process import Desk
from tests.crash.left_behind import end_what_works_in


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    yield Desk(tmp_path, tmp_path / "wf.db")
    end_what_works_in(tmp_path)
