"""`python -m wf_core.testing.simulation --seeds 10000`: play worlds; exit 1 where a rule broke."""

import argparse
import hashlib
import sys
from pathlib import Path
from random import SystemRandom

from wf_core.testing.simulation.campaign import COVERED_FROM, campaign, found, story
from wf_core.testing.simulation.memory import MEMORY
from wf_core.testing.simulation.play import play
from wf_core.testing.simulation.storage import Setup
from wf_core.testing.simulation.trace import Violation
from wf_core.testing.simulation.world import World, from_json

FRESH_FROM, FRESH_TO = 10_000_000, 2**40
"""Drawn seeds begin in here: what tests and people name is below."""


def main(arguments: list[str], setup: Setup = MEMORY) -> int:
    """Play what was asked for; gives the exit code."""
    parser = argparse.ArgumentParser(prog=f"python -m {setup.program}")
    parser.add_argument("--seeds", type=int, default=300, help="how many seeds to play")
    parser.add_argument(
        "--from", type=int, dest="first", help="the first seed (default: one that is drawn)"
    )
    parser.add_argument("--workers", type=int, default=2, help="processes that play")
    parser.add_argument("--seed", type=int, help="play this seed alone and tell its story")
    parser.add_argument("--world", type=Path, help="play the world in this file")
    parser.add_argument("--digest", action="store_true", help="print each trace's hash only")
    parser.add_argument("--quiet", action="store_true", help="leave the counts out")
    parser.add_argument(
        "--found", type=Path, default=Path(".simulation"), help="where shrunk worlds are kept"
    )
    asked = parser.parse_args(arguments)
    if asked.world is not None:
        return _tell(from_json(asked.world.read_bytes()), setup)
    if asked.seed is not None:
        return _tell(setup.generate(asked.seed), setup)
    first = _drawn() if asked.first is None else asked.first
    seeds = range(first, first + asked.seeds)
    if asked.first is None:
        print(f"seeds {first} to {seeds.stop - 1}, drawn now; again: --from {first}", flush=True)
    if asked.digest:
        return _digests(seeds, asked.workers, setup)
    return _campaign(seeds, asked.workers, asked.found, setup, quiet=asked.quiet)


def _drawn() -> int:
    """A first seed that nobody has played: a campaign over the same seeds proves those alone."""
    return SystemRandom().randrange(FRESH_FROM, FRESH_TO)


def _tell(world: World, setup: Setup) -> int:
    try:
        played = play(world, setup)
    except Violation as violation:
        print("\n".join(violation.timeline))
        print(violation)
        return 1
    print("\n".join(played.timeline))
    print(f"no rule is broken; trace {played.digest}")
    return 0


def _digests(seeds: range, workers: int, setup: Setup) -> int:
    _, chunks = campaign(seeds, workers, lambda _: None, setup)
    for chunk in chunks:
        for seed, digest in enumerate(chunk.digests, chunk.first):
            print(seed, digest or "broken")
    return 1 if found(chunks) else 0


def _campaign(seeds: range, workers: int, folder: Path, setup: Setup, *, quiet: bool) -> int:
    coverage, chunks = campaign(seeds, workers, lambda text: print(text, flush=True), setup)
    broken = found(chunks)
    told: dict[str, None] = {}
    for seed, rule, _ in broken:
        if rule not in told:
            told[rule] = None
            print(_story(seed, folder, setup), flush=True)
    if not quiet:
        print(coverage.table(setup.expected))
    played = [digest for chunk in chunks for digest in chunk.digests]
    total = hashlib.sha256("".join(played).encode()).hexdigest()
    print(f"{len(played):,} seeds, {len(broken)} violations, traces {total[:16]}")
    missing = coverage.missing(setup.expected) if len(seeds) >= COVERED_FROM and not broken else []
    for name in missing:
        print(f"never occurred: {name}")
    return 1 if broken or missing else 0


def _story(seed: int, folder: Path, setup: Setup) -> str:
    world = setup.generate(seed)
    try:
        play(world, setup)
    except Violation as violation:
        return story(world, violation, folder, setup)
    return f"seed {seed} broke a rule before and does not now: the simulation is not deterministic"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
