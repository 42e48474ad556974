"""Plays many seeds in a few processes, adds up what they met, and tells the shortest story of what
they found.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from pathlib import Path

import attrs

from wf_core.testing.simulation.coverage import Coverage
from wf_core.testing.simulation.memory import MEMORY
from wf_core.testing.simulation.play import play
from wf_core.testing.simulation.shrink import shrink
from wf_core.testing.simulation.storage import Setup
from wf_core.testing.simulation.trace import Violation
from wf_core.testing.simulation.world import World, to_json

CHUNK = 25
ENOUGH = 5
"""Violations after which a campaign stops."""
COVERED_FROM = 1000
"""Seeds from which on something that never occurred is a failure."""


@attrs.define
class Chunk:
    """What some seeds gave: counts, a hash of their traces' hashes by seed, and what broke."""

    first: int
    counts: dict[str, int]
    digests: list[str]
    broken: list[tuple[int, str, str]]


def play_chunk(seeds: list[int], setup: Setup = MEMORY) -> Chunk:
    """Play each seed."""
    coverage = Coverage()
    chunk = Chunk(seeds[0], {}, [], [])
    for seed in seeds:
        try:
            played = play(setup.generate(seed), setup)
        except Violation as violation:
            chunk.broken.append((seed, violation.rule, violation.message))
            chunk.digests.append("")
        else:
            coverage.add(played.met)
            chunk.digests.append(played.digest)
    chunk.counts = dict(coverage.counts)
    return chunk


def campaign(
    seeds: range, workers: int, say: Callable[[str], None], setup: Setup = MEMORY
) -> tuple[Coverage, list[Chunk]]:
    """Play all seeds, by `workers` processes; stops early once enough is broken."""
    coverage, chunks, broken = Coverage(), [], 0
    for chunk in _played(seeds, workers, setup):
        coverage.add(chunk.counts)
        chunks.append(chunk)
        broken += len(chunk.broken)
        for seed, rule, message in chunk.broken:
            say(f"seed {seed}: {rule}: {message}")
        if sum(len(each.digests) for each in chunks) % 1000 == 0:
            say(f"{sum(len(each.digests) for each in chunks):,} of {len(seeds):,} seeds played")
        if broken >= ENOUGH:
            say(f"{broken} violations: that is enough")
            break
    return coverage, chunks


def _played(seeds: range, workers: int, setup: Setup) -> Iterator[Chunk]:
    parts = _parts(seeds)
    if workers <= 1 or len(seeds) <= CHUNK:
        yield from (play_chunk(part, setup) for part in parts)
        return
    with ProcessPoolExecutor(workers) as pool:
        running = [pool.submit(play_chunk, part, setup) for part in islice(parts, workers * 2)]
        try:
            while running:
                yield running.pop(0).result()
                running += [pool.submit(play_chunk, part, setup) for part in islice(parts, 1)]
        finally:
            for each in running:
                each.cancel()


def _parts(seeds: range) -> Iterator[list[int]]:
    for at in range(0, len(seeds), CHUNK):
        yield list(seeds[at : at + CHUNK])


def story(world: World, violation: Violation, folder: Path, setup: Setup = MEMORY) -> str:
    """The shortest story of a violation that can be found, and the command that tells it again."""
    smaller, violation = shrink(world, violation, setup)
    lines = [f"{violation.rule}: {violation.message}", *violation.timeline]
    again = f"{Path(sys.executable).name} -m {setup.program} --seed {world.seed}"
    if smaller != world:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"seed-{world.seed}.json"
        path.write_text(to_json(smaller) + "\n")
        lines.append(f"shrunk to {_size(smaller)} from {_size(world)}; to play it again:")
        lines.append(f"  {again.replace(f'--seed {world.seed}', f'--world {path}')}")
    lines += ["to play the seed as it is:", f"  {again}"]
    return "\n".join(lines)


def _size(world: World) -> str:
    steps = sum(len(each.workflow.spec.steps) for each in world.submissions)
    plans = sum(map(len, world.hooks.values()))
    return (
        f"{steps} steps, {plans} behaviours, {len(world.faults)} faults, "
        f"{len(world.happenings)} happenings, {len(world.troubles)} troubles"
    )


def found(chunks: Iterable[Chunk]) -> list[tuple[int, str, str]]:
    """Every violation, by seed."""
    return sorted(each for chunk in chunks for each in chunk.broken)
