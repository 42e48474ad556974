"""A loop that is held is reported while it is, with what holds it."""

import asyncio
import logging
import threading
from collections.abc import Iterator

import attrs
import pytest

from wf_core.adapters.watchdog import Watchdog
from wf_core.model.spec import Key

PATIENCE_SECONDS = 60.0
LIMIT_SECONDS = 0.05


class Said(logging.Handler):
    """What was logged, and whether anything was."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.any = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self.lines.append(record.getMessage())
        self.any.set()


@pytest.fixture
def said() -> Iterator[Said]:
    """What the watchdog says."""
    handler = Said()
    logger = logging.getLogger("wf.loop")
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)


@attrs.frozen
class Turn:
    """Something that the loop does for one workflow."""

    key: Key

    def hold(self, until: threading.Event) -> None:
        """Let the loop do nothing else."""
        assert until.wait(PATIENCE_SECONDS)


def test_a_held_loop_is_reported_while_it_is_held_and_by_what(said: Said) -> None:
    held: list[float] = []

    async def run() -> None:
        with Watchdog(held.append, limit=LIMIT_SECONDS):
            await asyncio.sleep(0)
            Turn(Key("shop", "order")).hold(said.any)  # it ends only once it was reported
            while not held:
                await asyncio.sleep(LIMIT_SECONDS)

    asyncio.run(run())
    first = said.lines[0]
    assert first.startswith("the loop is held by a turn of workflow 'shop/order'")
    assert "assert until.wait(PATIENCE_SECONDS)" in first
    assert len([line for line in said.lines if "is held" in line]) == 1
    assert held[0] > LIMIT_SECONDS


def test_a_loop_that_waits_is_not_held() -> None:
    held: list[float] = []

    async def run() -> None:
        with Watchdog(held.append, limit=PATIENCE_SECONDS):
            await asyncio.sleep(0.01)

    asyncio.run(run())
    assert held == []
