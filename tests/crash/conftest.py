"""What holds for every test of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.crash.left_behind import end_what_works_in


@pytest.fixture(autouse=True)
def leaves_nothing_running(tmp_path: Path) -> Iterator[None]:
    yield
    end_what_works_in(tmp_path)
