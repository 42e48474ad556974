"""What the codec needs to know of the installed step kinds: `wf_core.plugins` provides it."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from wf_core.errors import Fault
from wf_core.model.places import Place, Way
from wf_core.model.spec import Parameters


class Kind(Protocol):
    """One step kind."""

    @property
    def has_sync(self) -> bool:
        """Whether it can look at what it made."""

    def places(self, parameters: Parameters) -> Mapping[Place, Way]:
        """How references enter the texts of a step's parameters, where not as text."""

    def faults(self, parameters: Parameters, undoable: bool) -> Sequence[Fault]:
        """What is wrong with a step's parameters, at paths such as `$.sleepSeconds`."""

    def advice(self, parameters: Parameters, undoable: bool) -> Sequence[str]:
        """What its author should look at, a sentence each."""

    def lacks(self, parameters: Parameters, namespace: str) -> Sequence[str]:
        """What this process's environment and files lack for them, a sentence each."""

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of its parameters."""


class Kinds(Protocol):
    """All step kinds."""

    @property
    def kinds(self) -> Mapping[str, Kind]:
        """By name."""

    def kind(self, name: str) -> Kind:
        """The kind of that name; raises KindUnavailable with what to do."""
