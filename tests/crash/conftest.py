"""What holds for every test of this folder."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.crash.file_calls import built
from tests.crash.fork_server import Server
from tests.crash.left_behind import end_what_works_in


@pytest.fixture(autouse=True)
def leaves_nothing_running(tmp_path: Path) -> Iterator[None]:
    yield
    end_what_works_in(tmp_path)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Processes that can be stopped at a system call; skipped where the shim can't be built."""
    with Server(built(tmp_path_factory.mktemp("shim"))) as running:
        yield running


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: many syncs, and nobody wants to wait for the disk."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)
