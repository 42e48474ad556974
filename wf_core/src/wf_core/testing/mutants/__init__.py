"""Deliberate faults: is the simulation able to find anything?

Each mutant is a named, small fault of the shipped engine, applied in memory while it is hunted:

    with applied(mutant):
        play(generate(seed))   # raises Violation, if the simulation is any good

`python -m wf_core.testing.mutants` hunts all of them. One that survives is a hole in the
simulation: a rule that nobody checks, or a trouble that never occurs.
"""

from wf_core.testing.mutants.every import AREAS, MUTANTS, Area, by_name
from wf_core.testing.mutants.hunt import Catch, hunt
from wf_core.testing.mutants.mutant import Edit, Mutant, Stale, applied

__all__ = [
    "AREAS",
    "MUTANTS",
    "Area",
    "Catch",
    "Edit",
    "Mutant",
    "Stale",
    "applied",
    "by_name",
    "hunt",
]
