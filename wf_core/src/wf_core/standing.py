"""What some stores tell of a workflow beside its state, and show of it."""

from typing import Protocol, runtime_checkable

import attrs

from wf_core.model.spec import Key


@attrs.frozen
class Standing:
    """What a store tells of a workflow beside its state. `keeper` is the engine that goes on with
    what nobody has claimed yet, "" where none runs and None where that can't be told. `refusals`
    say what keeps its next save from being stored, and `unknown` what could not be found out."""

    keeper: str | None
    refusals: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


@runtime_checkable
class TellsStanding(Protocol):
    """A store that knows who goes on with its workflows, and who may refuse a save."""

    async def standing(self, key: Key) -> Standing:
        """Raises WorkflowNotFound and StoreUnavailable."""


@runtime_checkable
class Weighs(Protocol):
    """A store that knows what its workflows take in memory before they are read."""

    def weight(self, key: Key) -> int:
        """Bytes that it takes to drive a workflow, by what was told of it last; 0 where there is
        none, or it needs nobody."""


@runtime_checkable
class SetsAside(Protocol):
    """A store that shows people which workflows no engine goes on with."""

    def set_aside(self, key: Key, why: str) -> None:
        """Say soon, on the workflow itself, that it is left alone, and why; one whose deletion was
        asked and of which nothing ran is let go. Never blocks and never raises."""
