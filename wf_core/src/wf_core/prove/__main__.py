"""`python -m wf_core.prove [WORKERS]`: search every small world; states and edges are printed."""

import multiprocessing
import sys
from time import perf_counter

from wf_core.prove.small_worlds import SmallWorld, small_worlds


def _one(number: int) -> tuple[str, int, int, int, list[str], float]:
    world: SmallWorld = list(small_worlds())[number]
    begun = perf_counter()
    found = world.search()
    broken = [f"{v.rule}: {v.message}: {' -> '.join(story)}" for v, story in found.violations]
    if not found.complete:
        broken.append("the search stopped at its bound")
    return (
        world.name,
        found.states,
        found.edges,
        len(found.ends),
        broken,
        perf_counter() - begun,
    )


def main() -> int:
    """Exit code 1 where a rule was broken, or a search did not end."""
    workers = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    begun = perf_counter()
    count = len(list(small_worlds()))
    states = edges = faults = 0
    with multiprocessing.Pool(workers, maxtasksperchild=8) as pool:
        for name, more_states, more_edges, ends, broken, seconds in pool.imap(_one, range(count)):
            states += more_states
            edges += more_edges
            faults += len(broken)
            print(f"{name}: {more_states:,} states, {more_edges:,} edges, {ends} endings", end="")
            print(f", {seconds:.1f} s", flush=True)
            for line in broken:
                print(f"  BROKEN {line}")
    print(
        f"{count} worlds, {states:,} states, {edges:,} edges in {perf_counter() - begun:.0f} s; "
        f"{faults or 'no'} rule{'s' if faults != 1 else ''} broken"
    )
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
