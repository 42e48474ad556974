"""A step of the kind `command` to play with."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.command.command_calls import Bench

from wf_command import processes


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A step with a folder of its own; what its commands leave running is ended afterwards."""
    folder = tmp_path / "step"
    folder.mkdir()
    yield Bench(folder)
    for lock in folder.glob("*.lock"):
        for pid in processes.holders(lock):
            os.kill(pid, signal.SIGKILL)
