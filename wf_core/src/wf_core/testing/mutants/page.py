"""The page that says what caught each mutant."""

import re
from collections.abc import Iterator, Mapping, Sequence

from wf_core.testing.mutants.every import AREAS, Area
from wf_core.testing.mutants.hunt import Catch
from wf_core.testing.mutants.mutant import Mutant

_HEAD = """\
<!-- Made by `make mutants`; edit `wf_core/testing/mutants` instead. -->
# Mutants

A simulation that finds nothing proves nothing, unless it is known to find things. Each row is a
deliberate fault of the engine, applied in memory; beside it stands the rule that caught it and a
seed that did (`python -m wf_k8s.testing.mutants --only NAME`). The rules are those of
`wf_core.testing.simulation`: I1 to I16 are the invariants of the design, other letters and numbers
are rules of the semantics, `all-or-none` is the promise seen from outside, and `SHELL` means that
the engine met a fault of its own or never stopped turning. Where the simulation does not reach
(SQLite, HTTP, what no state shows), the test that caught the mutant stands instead. The exhaustive
search of small worlds (`make exhaustive`) is not counted here: it knows the machine alone.
"""

_ROW = re.compile(r"^\| (\S+) \| .* \| (?:`(?P<test>.*)`|(?P<rule>\S+)) \| (?P<seed>\d*) ?\|$")


def read(text: str) -> dict[str, Catch]:
    """What the page says caught each mutant; those that survived are left out."""
    rows = filter(None, map(_ROW.match, text.splitlines()))
    return {
        row[1]: Catch(row["test"], "") if row["test"] else Catch(row["rule"], "", int(row["seed"]))
        for row in rows
        if row["test"] or row["seed"]
    }


def page(caught: Mapping[str, Catch | None], seeds: int, areas: Sequence[Area] = AREAS) -> str:
    """The whole page; `caught` has an entry for every mutant."""
    return "\n".join(_lines(caught, seeds, areas)) + "\n"


def _lines(caught: Mapping[str, Catch | None], seeds: int, areas: Sequence[Area]) -> Iterator[str]:
    yield _HEAD
    found = sum(catch is not None for catch in caught.values())
    yield f"{found} of {len(caught)} are caught, within {seeds:,} seeds at most."
    for area in areas:
        yield from ("", f"## {area.title}", "", "| mutant | what is wrong | caught by | at seed |")
        yield "|---|---|---|---|"
        yield from (_row(mutant, caught[mutant.name]) for mutant in area.mutants)


def _row(mutant: Mutant, catch: Catch | None) -> str:
    if catch is None:
        return f"| {mutant.name} | {mutant.breaks} | **nothing** | |"
    by = catch.rule if catch.seed is not None else f"`{catch.rule}`"
    seed = "" if catch.seed is None else f"{catch.seed}"
    return f"| {mutant.name} | {mutant.breaks} | {by} | {seed} |"
