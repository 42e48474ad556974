"""Large graphs: 10,000 steps at no more than twelve times the cost of 1,000."""

import asyncio
import gc
from collections.abc import Callable
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.subjects import chain, fan_out, opened, sqlite, timed
from wf_core.model.phases import Phase
from wf_core.model.spec import Workflow

SMALL, LARGE, BUDGET = 1_000, 10_000, 12.0
REPEATS = 3
"""The best of so many runs of each size: what else the machine does only adds to a run."""


def measure(folder: Path) -> list[Figure]:
    """A chain and a fan-out of both sizes, in memory and on SQLite."""
    return [
        asyncio.run(_figure(f"{shape}, {store}", make, url))
        for shape, make in (("chain", chain), ("fan-out", _wide))
        for store, url in (("memory", "memory:"), ("SQLite", sqlite(folder, f"{shape}-scale.db")))
    ]


def _wide(name: str, steps: int) -> Workflow:
    return fan_out(name, steps - 1)


async def _figure(name: str, make: Callable[[str, int], Workflow], url: str) -> Figure:
    small = min([await _seconds(make, SMALL, url, n) for n in range(REPEATS)])
    large = min([await _seconds(make, LARGE, url, n) for n in range(REPEATS)])
    return Figure(
        f"{LARGE:,} / {SMALL:,} steps, {name}",
        large / small,
        "ratio",
        BUDGET,
        note=f"{large:.2f} s / {small:.3f} s; {large / LARGE * 1e3:.2f} ms a step",
    )


async def _seconds(make: Callable[[str, int], Workflow], size: int, url: str, n: int) -> float:
    """A run in an engine of its own, so that none pays for what an earlier one left in memory."""
    gc.collect()
    async with opened(url) as engine:
        took, ended = await timed(engine, make(f"{size}-{n}", size))
        assert ended.head.phase is Phase.SUCCESS, ended.head.error
        return took
