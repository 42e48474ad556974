"""A stand-in for the installed step kinds, and the two ways of reading that most tests need."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
import pytest

from wf_core import codec
from wf_core.errors import DocumentInvalid, Fault, KindUnavailable
from wf_core.model.places import Place, Way
from wf_core.model.spec import Parameters, Workflow


@attrs.frozen
class FakeKind:
    """A kind with one number, `sleepSeconds`, and a rollback that may be demanded."""

    has_sync: bool = True
    wants_rollback: bool = False

    def places(self, _parameters: Parameters) -> Mapping[Place, Way]:
        return {}

    def faults(self, parameters: Parameters, undoable: bool) -> Sequence[Fault]:
        found = []
        value = parameters.get("sleepSeconds", 0)
        if isinstance(value, str) and "${" not in value and not value.isdecimal():
            found.append(Fault("$.sleepSeconds", f"must be a number, not {value!r}"))
        if self.wants_rollback and undoable and "rollback" not in parameters:
            found.append(Fault("$.rollback", "is required: the step can be undone"))
        return found

    def advice(self, parameters: Parameters, undoable: bool) -> list[str]:  # noqa: ARG002
        return []

    def lacks(self, parameters: Parameters, namespace: str) -> list[str]:  # noqa: ARG002
        return []

    def schema(self) -> dict[str, Any]:
        return {
            "type": "object",
            "properties": {"sleepSeconds": {"type": ["number", "string"]}},
            "additionalProperties": False,
        }


@attrs.frozen
class FakeKinds:
    """The kinds `random`, `plain` (which has no sync) and `undoable` (which wants a rollback)."""

    kinds: Mapping[str, FakeKind] = {
        "random": FakeKind(),
        "plain": FakeKind(has_sync=False),
        "undoable": FakeKind(wants_rollback=True),
    }

    def kind(self, name: str) -> FakeKind:
        if name not in self.kinds:
            raise KindUnavailable(f"no installed plugin brings the kind {name!r}")
        return self.kinds[name]


@pytest.fixture
def kinds() -> FakeKinds:
    return FakeKinds()


Messages = Callable[[str | bytes], list[str]]
Reading = Callable[[str], Workflow]
WithSteps = Callable[[str], str]


@pytest.fixture
def messages(kinds: FakeKinds) -> Messages:
    """What `read` says about a document, a line a fault; it must say something."""

    def read(text: str | bytes) -> list[str]:
        with pytest.raises(DocumentInvalid) as caught:
            codec.read(text, "", kinds)
        assert str(caught.value) == "\n".join(map(str, caught.value.faults))
        return [str(fault) for fault in caught.value.faults]

    return read


@pytest.fixture
def reading(kinds: FakeKinds) -> Reading:
    """The workflow of a valid document."""
    return lambda text: codec.read(text, "", kinds)


@pytest.fixture
def with_steps() -> WithSteps:
    """A document whose `spec` begins in line 5 and is given as YAML, not indented."""

    def document(spec: str) -> str:
        indented = "\n".join(f"  {line}" for line in spec.strip("\n").split("\n"))
        return (
            "apiVersion: workflow.example.com/v1alpha1\nkind: Workflow\n"
            f"metadata: {{name: w}}\nspec:\n{indented}\n"
        )

    return document
