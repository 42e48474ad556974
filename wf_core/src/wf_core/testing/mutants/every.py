"""All mutants, by area."""

from wf_core.testing.mutants import admission, callbacks, limits, machine, shell, stores, undoing
from wf_core.testing.mutants.mutant import Mutant

AREAS: dict[str, tuple[Mutant, ...]] = {
    "The machine, forward (`saga/`)": machine.MUTANTS,
    "The machine, backward (`saga/`)": undoing.MUTANTS,
    "Admission": admission.MUTANTS,
    "Limits": limits.MUTANTS,
    "The shell (`engine/`)": shell.MUTANTS,
    "Stores": stores.MUTANTS,
    "Callbacks": callbacks.MUTANTS,
}

MUTANTS: tuple[Mutant, ...] = tuple(each for area in AREAS.values() for each in area)


def by_name(name: str) -> Mutant:
    """The mutant of that name. Raises KeyError where there is none."""
    return {mutant.name: mutant for mutant in MUTANTS}[name]
