"""Where a simulated world keeps its workflows: what a play asks of it, whatever it is.

The memory store is here (`memory`); another distribution plays the same worlds on its own store by
a `Setup` of its own.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import attrs

from wf_core.engine import Engine
from wf_core.model.spec import Key
from wf_core.model.state import Stored
from wf_core.ports import Store

if TYPE_CHECKING:
    from wf_core.testing.simulation.observer import Observer
    from wf_core.testing.simulation.process import Process
    from wf_core.testing.simulation.stage import Stage
    from wf_core.testing.simulation.world import Trouble, World


class Seat(Protocol):
    """One process's place at the storage. What goes wrong with its reads and saves goes wrong as
    the world says, and the observer is told of every save that lands."""

    @property
    def store(self) -> Store: ...

    @property
    def owner(self) -> str:
        """The id under which the process owns workflows."""

    async def serve(self, engine: Engine) -> None:
        """Run what is there until it is stopped, as a server of this storage does. Raises WfError
        where its supervisor should start another process."""

    async def stop(self, engine: Engine) -> None:
        """End in good order."""

    def die(self) -> None:
        """The process is gone, in whatever order."""


class Storage(Protocol):
    """What is stored, seen by people and by the rules, which see everything at once."""

    @property
    def people(self) -> Store:
        """The handle of whoever asks for something; nothing befalls it."""

    def seat(self, process: "Process") -> Seat:
        """The place of a process that begins."""

    def names(self) -> Sequence[Key]:
        """What there is."""

    def look(self, key: Key) -> Stored | None:
        """What is stored of a workflow now; None where there is none."""

    def living(self) -> Mapping[str, None]:
        """The owners from whom nobody may take a workflow now."""

    def usurp(self, process: "Process") -> None:
        """Let its ownership be void without its knowing."""

    async def befall(self, trouble: "Trouble") -> None:
        """What the world says happens to the storage."""

    def calm(self) -> None:
        """Nothing befalls it any more."""

    async def mistaken(self) -> str | None:
        """What a process believes wrongly once everything rests."""

    def left_claimed(self) -> str | None:
        """What is wrong about claims, after every process has ended in good order."""


@attrs.frozen
class Setup:
    """How worlds are made and where they keep their workflows. `program` is the module that plays
    them; `expected` is what must occur beside what every setup expects."""

    program: str
    generate: "Callable[[int], World]"
    storage: "Callable[[Stage, Observer], Storage]"
    expected: tuple[str, ...] = ()
