"""All mutants of the core, by area."""

import attrs

from wf_core.testing.mutants import (
    admission,
    callbacks,
    expiry,
    limits,
    machine,
    shell,
    stores,
    undoing,
)
from wf_core.testing.mutants.mutant import Mutant
from wf_core.testing.simulation.memory import MEMORY
from wf_core.testing.simulation.storage import Setup


@attrs.frozen
class Area:
    """Mutants of one part, and the setup whose worlds they are hunted in."""

    title: str
    mutants: tuple[Mutant, ...]
    setup: Setup = MEMORY


AREAS = (
    Area("The machine, forward (`saga/`)", machine.MUTANTS),
    Area("The machine, backward (`saga/`)", undoing.MUTANTS),
    Area("Admission", admission.MUTANTS),
    Area("Limits", limits.MUTANTS),
    Area("The shell (`engine/`)", shell.MUTANTS),
    Area("Clean-up by age", expiry.MUTANTS),
    Area("Stores", stores.MUTANTS),
    Area("Callbacks", callbacks.MUTANTS),
)

MUTANTS: tuple[Mutant, ...] = tuple(each for area in AREAS for each in area.mutants)


def by_name(name: str) -> Mutant:
    """The mutant of that name. Raises KeyError where there is none."""
    return {mutant.name: mutant for mutant in MUTANTS}[name]
