"""Nodes to the structs of the model, driven by the structs' own fields, so that what is read can
never drift from what is stored. Every fault is collected; where a value is faulty, a stand-in takes
its place, so that the rest of the document can be checked too.
"""

import types
import typing
from collections.abc import Callable
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar

import attrs
import msgspec

from wf_core.codec.nodes import Node
from wf_core.codec.scalars import problem
from wf_core.errors import Fault
from wf_core.model.phases import Phase
from wf_core.model.schedule import CronWorkflow
from wf_core.model.spec import DependOn, Json, Metadata, Workflow, WorkflowSpec
from wf_core.model.task import Task
from wf_core.nearest import hint

WAITED_FOR = (Phase.RUNNING, Phase.SUCCESS)
"""The phases that a condition may name (semantics A6)."""

_HEAD = frozenset({"apiVersion", "kind", "status"})

IGNORED: dict[type, frozenset[str]] = {
    Workflow: _HEAD,
    Task: _HEAD,
    CronWorkflow: _HEAD,
    Metadata: frozenset(
        {
            "creationTimestamp",
            "deletionGracePeriodSeconds",
            "deletionTimestamp",
            "finalizers",
            "generateName",
            "generation",
            "managedFields",
            "ownerReferences",
            "resourceVersion",
            "selfLink",
        }
    ),
    WorkflowSpec: frozenset({"requests"}),
}
"""Keys that `kubectl get -o yaml` shows and that say nothing about what to run."""


@attrs.define(eq=False)
class Found:
    """The faults found so far; `settled` are paths about which enough was said."""

    faults: list[Fault] = attrs.field(factory=list)
    settled: set[str] = attrs.field(factory=set)

    def add(self, at: Node, path: str, message: str, hint: str = "") -> None:
        """A fault of the value at `at`."""
        self.add_at(at.line, at.column, path, message, hint)

    def add_at(
        self, line: int | None, column: int | None, path: str, message: str, hint: str = ""
    ) -> None:
        """A fault at a place of its own, such as a key's."""
        self.faults.append(Fault(path, message, line, column, hint))
        self.settled.add(path)

    def is_settled(self, path: str) -> bool:
        """Whether this path, or one above it, has a fault already."""
        while path:
            if path in self.settled:
                return True
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return False


Decoder = Callable[[Node, str, Found], Any]


@attrs.frozen
class _Field:
    name: str
    decode: Decoder
    required: bool
    stand_in: Any


Document = TypeVar("Document", Workflow, Task, CronWorkflow)


def decode(of: type[Document], root: Node, found: Found) -> Document:
    """The document at `root`; what is wrong with its shape is added to `found`."""
    document = _decode_struct(of, root, "$", found)
    assert isinstance(document, of)
    return document


def plain(node: Node, path: str, found: Found) -> Json:
    """The JSON value of a node."""
    children = node.children
    if isinstance(children, dict):
        return {key: plain(each, f"{path}.{key}", found) for key, each in children.items()}
    if isinstance(children, list):
        return [plain(each, f"{path}[{n}]", found) for n, each in enumerate(children)]
    if wrong := problem(node.value):
        found.add(node, path, f"{node.value} {wrong}")
        return None
    return node.value


@cache
def _fields(struct: type[msgspec.Struct]) -> dict[str, _Field]:
    hints = typing.get_type_hints(struct)
    fields = {}
    for field in msgspec.structs.fields(struct):
        required = field.required
        of = hints[field.name]
        if (struct, field.name) == (DependOn, "phase"):
            decoder = _enum_decoder(Phase, WAITED_FOR)
        else:
            decoder = _decoder(of)
        fields[field.encode_name] = _Field(
            field.name, decoder, required, _stand_in(of) if required else None
        )
    return fields


def _decode_struct(struct: type[msgspec.Struct], node: Node, path: str, found: Found) -> Any:
    children = node.children
    if not isinstance(children, dict):
        wanted = f"write 'name: {node.value}'" if struct is DependOn and node.value else ""
        found.add(node, path, f"must be a mapping, not {node.describe()}", wanted)
        return _stand_in(struct)
    fields = _fields(struct)
    values: dict[str, Any] = {}
    misspelt = set()
    for key, child in children.items():
        field = fields.get(key)
        if field is None:
            if key not in IGNORED.get(struct, ()):
                misspelt.add(_unknown(struct, node, key, path, found))
        elif not child.is_null:  # as Kubernetes does, null is read as not given
            values[field.name] = field.decode(child, f"{path}.{key}", found)
    for key, field in fields.items():
        if field.required and field.name not in values:
            if key in misspelt:
                found.settled.add(f"{path}.{key}")
            else:
                found.add(node, f"{path}.{key}", "is required")
            values[field.name] = field.stand_in
    return struct(**values)


def _unknown(struct: type, node: Node, key: str, path: str, found: Found) -> str | None:
    """Report an unknown key; gives the known one it was likely meant to be."""
    known = [*_fields(struct), *IGNORED.get(struct, ())]
    suggestion = hint(key, known)
    line, column = node.keys[key]
    found.add_at(line, column, f"{path}.{key}", f"unknown key {key!r}", suggestion)
    return next((name for name in known if repr(name) in suggestion), None)


@cache
def _decoder(of: Any) -> Decoder:
    """The decoder of a field's type."""
    if of is Any:
        return plain
    if of in _SCALARS:
        return _SCALARS[of]
    origin, arguments = typing.get_origin(of), typing.get_args(of)
    if origin in (typing.Union, types.UnionType):
        return _decoder(next(each for each in arguments if each is not type(None)))
    if origin is tuple:
        return _tuple_decoder(_decoder(arguments[0]))
    if origin is dict:
        return _dict_decoder(_decoder(arguments[1]))
    if issubclass(of, StrEnum):
        return _enum_decoder(of, tuple(of))
    if issubclass(of, msgspec.Struct):
        return lambda node, path, found: _decode_struct(of, node, path, found)
    raise TypeError(f"the model has a field of a type the codec can't read: {of}")


def _stand_in(of: Any) -> Any:
    """A value that lets a struct be built although this field is missing or faulty."""
    if isinstance(of, type) and issubclass(of, msgspec.Struct):
        return of(**{f.name: f.stand_in for f in _fields(of).values() if f.required})
    if typing.get_origin(of) is tuple:
        return ()
    return of()


def _text(node: Node, path: str, found: Found) -> str:
    if isinstance(node.value, str) and node.children is None:
        return node.value
    quote = "" if node.children is not None or node.is_null else "; put it in quotes"
    found.add(node, path, f"must be text, not {node.describe()}{quote}")
    return "" if quote == "" else str(node.value)


def _boolean(node: Node, path: str, found: Found) -> bool:
    if isinstance(node.value, bool):
        return node.value
    found.add(node, path, f"must be true or false, not {node.describe()}")
    return False


def _number(node: Node, path: str, found: Found) -> float:
    value = node.value
    if isinstance(value, bool) or not isinstance(value, int | float):
        found.add(node, path, f"must be a number, not {node.describe()}")
    elif wrong := problem(value):
        found.add(node, path, f"{value} {wrong}")
    else:
        return float(value)
    return 1.0


def _whole(node: Node, path: str, found: Found) -> int:
    value = node.value
    if isinstance(value, bool) or not isinstance(value, int):
        found.add(node, path, f"must be a whole number, not {node.describe()}")
    elif wrong := problem(value):
        found.add(node, path, f"{value} {wrong}")
    else:
        return value
    return 0


_SCALARS: dict[Any, Decoder] = {str: _text, bool: _boolean, float: _number, int: _whole}


def _enum_decoder(of: type[StrEnum], allowed: tuple[StrEnum, ...]) -> Decoder:
    def decode(node: Node, path: str, found: Found) -> StrEnum:
        if node.value in allowed:
            return of(node.value)
        suggestion = hint(node.value, allowed) if isinstance(node.value, str) else ""
        message = f"must be {_either(allowed)}, not {node.describe()}"
        found.add(node, path, message, suggestion)
        return allowed[0]

    return decode


def _either(names: tuple[StrEnum, ...]) -> str:
    *most, last = names
    return f"{', '.join(most)} or {last}"


def _tuple_decoder(item: Decoder) -> Decoder:
    def decode(node: Node, path: str, found: Found) -> tuple[Any, ...]:
        if isinstance(node.children, list):
            return tuple(item(each, f"{path}[{n}]", found) for n, each in enumerate(node.children))
        found.add(node, path, f"must be a list, not {node.describe()}")
        return ()

    return decode


def _dict_decoder(item: Decoder) -> Decoder:
    def decode(node: Node, path: str, found: Found) -> dict[str, Any]:
        if isinstance(node.children, dict):
            return {key: item(each, f"{path}.{key}", found) for key, each in node.children.items()}
        found.add(node, path, f"must be a mapping, not {node.describe()}")
        return {}

    return decode
