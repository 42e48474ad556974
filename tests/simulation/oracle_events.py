"""What arrives, in the oracle's own words."""

import attrs

from wf_core.model.outcomes import Outcome, Succeeded
from wf_core.model.requests import Asked


@attrs.frozen
class Report:
    """A call of a step ended."""

    step: int
    number: int
    outcome: Outcome


@attrs.frozen
class Halfway:
    """A hook saves what it just made (B4)."""

    step: int
    number: int
    result: Succeeded


@attrs.frozen
class Slot:
    """The workflow was admitted, or may go on."""


@attrs.frozen
class Never:
    """It can never start."""


@attrs.frozen
class Wake:
    """A hint about something in progress."""

    step: int


@attrs.frozen
class Delete:
    """Somebody wants it gone."""

    at: float


@attrs.frozen
class Told:
    """The callback has everything up to this entry."""

    seq: int


What = Told | Report | Halfway | Slot | Never | Wake | Delete | Asked
