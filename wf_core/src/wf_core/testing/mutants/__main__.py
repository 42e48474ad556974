"""`python -m wf_core.testing.mutants`: hunt the mutants; exit 1 where one survives."""

import argparse
import multiprocessing
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from wf_core.testing.mutants.every import AREAS, Area
from wf_core.testing.mutants.hunt import Catch, hunt
from wf_core.testing.mutants.page import page, read


def main(
    arguments: list[str],
    areas: Sequence[Area] = AREAS,
    program: str = "wf_core.testing.mutants",
) -> int:
    """Hunt what was asked for; gives the exit code."""
    parser = argparse.ArgumentParser(prog=f"python -m {program}")
    parser.add_argument("--only", action="append", metavar="NAME", help="hunt this one (repeat)")
    parser.add_argument("--seeds", type=int, default=2000, help="how many seeds a mutant may live")
    parser.add_argument("--workers", type=int, default=2, help="processes that hunt")
    parser.add_argument(
        "--page",
        type=Path,
        help="write the table of all mutants to this file; what it says caught one is tried first",
    )
    asked = parser.parse_args(arguments)
    known = {mutant.name: mutant for area in areas for mutant in area.mutants}
    names: list[str] = asked.only or list(known)
    if unknown := [name for name in names if name not in known]:
        parser.error(f"no mutant {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    if asked.page is not None and asked.only:
        parser.error("--page is about all mutants: leave --only out")
    last = read(asked.page.read_text()) if asked.page is not None and asked.page.exists() else {}
    caught = _hunted(names, areas, asked.seeds, asked.workers, last)
    survivors = [name for name in names if caught[name] is None]
    print(f"{len(names) - len(survivors)} of {len(names)} caught")
    for name in survivors:
        print(f"survived: {name}: {known[name].breaks}")
    if asked.page is not None:
        asked.page.write_text(page(caught, asked.seeds, areas))
    return 1 if survivors else 0


def _hunted(
    names: list[str],
    areas: Sequence[Area],
    seeds: int,
    workers: int,
    last: Mapping[str, Catch],
) -> dict[str, Catch | None]:
    caught: dict[str, Catch | None] = {}
    # Fresh processes: nothing that one mutant made outlives it.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, max_tasks_per_child=1) as pool:
        running = {
            pool.submit(hunt, mutant, seeds, area.setup, last.get(mutant.name)): mutant.name
            for area in areas
            for mutant in area.mutants
            if mutant.name in names
        }
        for done in as_completed(running):
            name = running[done]
            caught[name] = catch = done.result()
            what = "SURVIVED" if catch is None else _said(catch)
            print(f"{len(caught):>3}/{len(names)} {name}: {what}", flush=True)
    return caught


def _said(catch: Catch) -> str:
    where = "" if catch.seed is None else f" at seed {catch.seed}"
    return f"{catch.rule}{where}: {catch.message.splitlines()[0]}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
