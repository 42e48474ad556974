"""Durable local mode against bare commits of equal size, in turns within one run."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.figures import Figure, median
from benchmarks.floor import Bare, Recorder, Save, empty_calls
from benchmarks.subjects import ROOM, chain, fan_out, opened, sqlite, timed
from wf_core.limits import pool_size
from wf_core.model.spec import Workflow

REPEATS, WARM = 150, 20
LENGTH, CHAIN_BUDGET = 10, 1.5
LEAVES, FAN_BUDGET = 100, 2.0


def measure(folder: Path) -> list[Figure]:
    """The chain and the fan-out, as ratios to their floors and as milliseconds a step."""
    return [*asyncio.run(_chain(folder)), *asyncio.run(_fan_out(folder))]


async def _chain(folder: Path) -> list[Figure]:
    saves = await _recorded(folder / "chain-record.db", chain("recorded", LENGTH))
    assert len(saves) == LENGTH + 1, f"the chain wrote {len(saves)} saves"
    bare = Bare(folder / "chain-bare.db")
    try:
        ours, floor, _ = await _in_turns(
            sqlite(folder, "chain.db"),
            lambda name: chain(name, LENGTH),
            lambda: bare.commit_all(saves),
        )
    finally:
        bare.close()
    commit = floor / len(saves)
    return [
        Figure(
            f"durable chain of {LENGTH} / {LENGTH + 1} bare commits",
            ours / floor,
            "ratio",
            CHAIN_BUDGET,
            note=f"{ours * 1e3:.2f} ms / {floor * 1e3:.2f} ms, {commit * 1e6:.0f} us a bare commit",
        ),
        Figure(f"durable chain of {LENGTH}, a step", ours / LENGTH * 1e3, "ms"),
    ]


async def _fan_out(folder: Path) -> list[Figure]:
    saves = await _recorded(folder / "fan-record.db", fan_out("recorded", LEAVES))
    bare = Bare(folder / "fan-bare.db")
    # As many threads as the engine's pool may have: both run all calls side by side.
    pool = ThreadPoolExecutor(pool_size(ROOM))
    calls: list[float] = []
    commits: list[float] = []

    def floor_once() -> float:
        commits.append(bare.commit_all(saves))
        calls.append(empty_calls(pool, LEAVES))
        return commits[-1] + calls[-1]

    try:
        ours, floor, revisions = await _in_turns(
            sqlite(folder, "fan.db"), lambda name: fan_out(name, LEAVES), floor_once
        )
    finally:
        pool.shutdown()
        bare.close()
    parts = f"{median(commits) * 1e3:.2f} ms commits + {median(calls) * 1e3:.2f} ms calls"
    return [
        Figure(
            f"durable fan-out of {LEAVES} / 3 bare commits + {LEAVES} empty calls",
            ours / floor,
            "ratio",
            FAN_BUDGET,
            note=f"{ours * 1e3:.2f} ms / ({parts}); {median(revisions):g} saves",
        ),
        Figure(f"durable fan-out of {LEAVES}, a step", ours / (LEAVES + 1) * 1e3, "ms"),
    ]


async def _recorded(path: Path, document: Workflow) -> list[Save]:
    """What the saves of a run of `document` write, from the least of a few runs: a linger that
    runs out on a busy machine adds a save, and the floor must not gain by that."""
    fewest: list[Save] | None = None
    for n in range(5):
        recorder = Recorder()
        async with opened(f"recording:{path}-{n}", recorder) as engine:
            await timed(engine, document)
        if fewest is None or len(recorder.saves) < len(fewest):
            fewest = recorder.saves
    assert fewest is not None
    return fewest


async def _in_turns(
    url: str, document: Callable[[str], Workflow], floor_once: Callable[[], float]
) -> tuple[float, float, list[int]]:
    """Medians of the engine's seconds and the floor's, and the saves of each run."""
    ours: list[float] = []
    floor: list[float] = []
    revisions: list[int] = []
    async with opened(url) as engine:
        for n in range(WARM + REPEATS):
            floor.append(floor_once())
            seconds, ended = await timed(engine, document(f"run{n}"))
            ours.append(seconds)
            revisions.append(ended.head.revision)
            # What still follows the run, a look at the store say, is not the next floor's.
            await asyncio.sleep(0.003)
    return median(ours[WARM:]), median(floor[WARM:]), revisions[WARM:]
