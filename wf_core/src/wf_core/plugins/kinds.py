"""A step kind together with where it came from and what its parameters are."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import attrs

from wf_core.errors import Fault
from wf_core.kinds import NoParameters, StepKind
from wf_core.model.phases import Hook
from wf_core.model.places import REFERENCES, Place, Way
from wf_core.model.spec import Parameters
from wf_core.plugins.screening import ASYNC, is_async

NO_PARAMETERS = NoParameters()


class FieldInfo(NamedTuple):
    """One parameter as people are shown it. `default` is JSON, empty where there is none;
    `references` is how they enter it."""

    name: str
    type: str
    default: str
    required: bool
    description: str
    references: str


@attrs.frozen(eq=False)
class LoadedKind:
    """A kind that can be called. What its parameters need is made when they are first decoded."""

    name: str
    kind: StepKind
    distribution: str
    version: str
    _without: dict[bool, list[Fault]] = attrs.field(factory=dict, init=False)  # no parameters given

    @property
    def identity(self) -> str:
        """The distribution and version that each intent records (semantics B10)."""
        return f"{self.distribution} {self.version}".strip()

    @property
    def description(self) -> str:
        """What the kind does, in a sentence."""
        return self.kind.description

    @property
    def has_sync(self) -> bool:
        """Whether it can look at what it made."""
        return callable(getattr(self.kind, "sync", None))

    @property
    def reissue(self) -> bool:
        """Whether an interrupted run may be called again."""
        return self.kind.reissue

    @property
    def needs_folder(self) -> bool:
        """Whether its hooks work in the workflow's folder."""
        return self.kind.needs_folder

    def places(self, parameters: Parameters) -> Mapping[Place, Way]:
        """How references enter the texts of a document's parameters, where not as text; by place
        what the parameter class declares (semantics B5)."""
        from wf_core.plugins.parameters.placing import places

        return places(self.kind.Parameters, parameters)

    def decode(self, parameters: Parameters) -> object:
        """An instance of the kind's parameter class; raises ParametersInvalid with every fault.

        Numbers and booleans are accepted where text is wanted: a reference may have brought them.
        """
        if not parameters and self.kind.Parameters is NoParameters:
            return NO_PARAMETERS
        return self._decode(self.kind.Parameters, parameters, self.identity)

    def encode(self, decoded: object) -> Parameters:
        """What `decode` gave, as a document would write it, with every default filled in."""
        if decoded is NO_PARAMETERS:
            return {}
        from wf_core.plugins.parameters.describing import plain

        encoded: Parameters = plain(decoded)
        return encoded

    def faults(self, parameters: Parameters, undoable: bool) -> list[Fault]:
        """What is wrong with parameters as they stand in a document, at paths such as
        `$.sleepSeconds`. Values that hold `${...}` references are not judged."""
        if parameters:
            return self._judge(parameters, undoable)
        found = self._without.get(undoable)
        if found is None:
            found = self._without[undoable] = self._judge(parameters, undoable)
        return list(found)

    def advice(self, parameters: Parameters, undoable: bool) -> list[str]:
        """What the author should look at in parameters without faults, a sentence each."""
        from wf_core.plugins.parameters.judging import advice

        return advice(self.kind, parameters, undoable, self.identity)

    def lacks(self, parameters: Parameters, namespace: str) -> list[str]:
        """What this process's environment and files lack for them, a sentence each."""
        if type(self.kind).lacks is StepKind.lacks:
            return []
        from wf_core.plugins.parameters.judging import lacks

        return lacks(self.kind, parameters, namespace, self.identity)

    def _judge(self, parameters: Parameters, undoable: bool) -> list[Fault]:
        from wf_core.plugins.parameters.judging import faults

        return faults(self.kind, parameters, undoable, self.identity)

    def fields(self) -> Sequence[FieldInfo]:
        """The parameters, in the order of the class."""
        from wf_core.plugins.parameters.describing import fields

        return [FieldInfo(*each) for each in fields(self.kind.Parameters)]

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the parameters. Strings stay valid where a number is wanted."""
        from wf_core.plugins.parameters.describing import schema

        return schema(self.kind.Parameters)

    @cached_property
    def _decode(self) -> Callable[[type, Parameters, str], object]:
        from wf_core.plugins.parameters.decoding import decode

        return decode


def _unsaved(field: "attrs.Attribute[Any]") -> str | None:
    """Why a parameter's default can't be saved with the first intent (semantics B5), or None."""
    default: Any = field.default
    if default is attrs.NOTHING or not field.init:
        return None
    from wf_core.plugins.parameters.describing import unwritable

    if isinstance(default, attrs.Factory):  # type: ignore[arg-type]
        if default.takes_self:
            return None
        try:
            default = default.factory()
        except Exception as error:
            return f"has a default that can't be made: {type(error).__name__}: {error}"
    found = unwritable(default)
    if found is None:
        return None
    return (
        f"has a default that JSON can't carry, a {found}: it is saved for the undo. "
        "Let the default be what a document would write, and make the rest in the hook"
    )


def flaw(kind: object) -> str | None:
    """Why something can't serve as a step kind, or None."""
    if isinstance(kind, type):
        return f"brings the class {kind.__name__} as a kind: give an instance, {kind.__name__}()"
    if not isinstance(kind, StepKind):
        return f"brings {kind!r} as a kind: a kind derives from wf_core.kinds.StepKind"
    title = type(kind).__name__
    name = getattr(kind, "name", None)
    if not isinstance(name, str) or not name:
        return f'brings the kind {title} without a name: give it `name = "..."`'
    if not attrs.has(kind.Parameters):
        return f"brings the kind '{name}', whose Parameters are no attrs class"
    if wrong := _undeclared(kind):
        return f"brings the kind '{name}', whose Parameters are wrong: {'; '.join(wrong)}"
    for field in attrs.fields(kind.Parameters):
        unsaved = _unsaved(field)
        if unsaved is not None:
            return f"brings the kind '{name}', whose parameter {field.name} {unsaved}"
    for hook in Hook:
        if is_async(getattr(kind, hook, None)):
            return f"brings the kind '{name}', whose `{hook}` {ASYNC}"
    return None


def _undeclared(kind: StepKind) -> list[str]:
    """What its parameter class says of references that means nothing."""
    if not any(REFERENCES in each.metadata for each in attrs.fields(kind.Parameters)):
        return []
    from wf_core.plugins.parameters.placing import undeclared  # only where something is declared

    return undeclared(kind.Parameters)
