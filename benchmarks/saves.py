"""How many saves a workflow costs, against the floor (semantics C3)."""

import asyncio
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.subjects import chain, fan_out, layers, opened, timed
from wf_core.model.spec import Key, Workflow

LENGTH, DEPTH, WIDTH, FAILS, LEAVES = 10, 6, 8, 5, 20


def measure(folder: Path) -> list[Figure]:
    """The saves of a chain, of layers, of a fan-out and of a failure."""
    return asyncio.run(_measure(folder))


async def _measure(folder: Path) -> list[Figure]:
    del folder  # nothing here needs a disk
    return [
        await _figure(f"saves, chain of {LENGTH}", chain("chain", LENGTH), LENGTH + 1, "N + 1"),
        await _figure(
            f"saves, {DEPTH} layers of {WIDTH}", layers("layers", DEPTH, WIDTH), DEPTH + 1, "D + 1"
        ),
        await _figure(f"saves, 1 and {LEAVES} after it", fan_out("fan", LEAVES), 3, "D + 1"),
        await _figure(
            f"saves, step {FAILS} of {LENGTH} fails",
            chain("fails", LENGTH, FAILS),
            2 * FAILS + 1,
            "2 j + 1",
        ),
    ]


async def _figure(name: str, document: Workflow, floor: int, formula: str) -> Figure:
    saves: list[Key] = []
    async with opened("memory:") as engine:
        engine.subscribe(lambda key, _: saves.append(key))
        _, ended = await timed(engine, document)
    revision = ended.head.revision
    assert revision == len(saves), f"{len(saves)} saves made revision {revision}"
    return Figure(name, len(saves), "saves", floor, exact=True, note=f"the floor is {formula}")
