"""`wf serve` beside a running engine."""

import asyncio

import pytest

from wf_core.cli import serve
from wf_core.errors import OperatorError


class Served:
    """An engine that serves until told to stop, or until its threads hang."""

    def __init__(self, healthy: bool) -> None:
        self.healthy = healthy
        self.stopped = asyncio.Event()

    async def serve(self) -> None:
        await self.stopped.wait()


def test_b7_a_process_whose_threads_hang_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "HEALTH", 0.0)

    async def watch() -> None:
        engine = Served(healthy=False)
        try:
            await serve._until_stuck(engine)  # type: ignore[arg-type]  # what is used of one
        finally:
            engine.stopped.set()
            await asyncio.sleep(0)

    with pytest.raises(OperatorError, match="half of the threads hang"):
        asyncio.run(watch())


def test_a_healthy_engine_serves_until_it_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "HEALTH", 0.0)

    async def watch() -> None:
        engine = Served(healthy=True)
        asyncio.get_running_loop().call_later(0.01, engine.stopped.set)
        await serve._until_stuck(engine)  # type: ignore[arg-type]  # what is used of one
        assert engine.stopped.is_set()

    asyncio.run(watch())
