"""What plugins may implement, what they are given and what they may answer."""

import inspect
from collections.abc import Iterator
from typing import Any

import attrs
from docs.reference.markdown import call_of, code, docstring, signature, table, type_name

from wf_core import hookspecs, kinds, ports
from wf_core.model import state

GIVEN = (kinds.StepCall, kinds.Previous, state.Resource, ports.Event, ports.LogQuery, state.LogLine)
OBSERVERS = tuple(
    name
    for name in vars(hookspecs)
    if name in hookspecs.SPECIFIED
    and list(inspect.signature(getattr(hookspecs, name)).parameters) == ["event"]
)
ANSWERS = (
    *(kinds.Success, kinds.InProgress),
    *(kinds.Retryable, kinds.Throttled, kinds.Fatal, kinds.CannotLook),
)

HEAD = """\
# Hooks of plugins

[Writing a plugin](plugins.md) is where to begin; this page has every signature. A hook is a
function of the plugin's module, marked with `wf_core.hookspecs.hookimpl`; it may leave out
arguments that it does not need.

## The hooks
"""


def page() -> str:
    """Each hook with its signature, then the values."""
    return "\n".join(
        [
            HEAD,
            *(line for name in _in_order() if name not in OBSERVERS for line in _hook(name)),
            "### Observers",
            "",
            "All plugins are called, each with an [event](#event), once what it tells of is saved.",
            "They answer nothing, and one that raises disturbs nobody.",
            "",
            *table(("hook", "when"), _observers()),
            "## A kind",
            "",
            *_methods(kinds.StepKind),
            "## What hooks are given",
            "",
            *(line for cls in GIVEN for line in _value(cls)),
            "## What `run`, `rollback` and `sync` may answer",
            "",
            "`None` is the same as `Success()`.",
            "",
            *(line for cls in ANSWERS for line in _value(cls)),
        ]
    )


def _in_order() -> list[str]:
    """As they stand in the module."""
    return [name for name in vars(hookspecs) if name in hookspecs.SPECIFIED]


def _observers() -> Iterator[tuple[str, str]]:
    for name in OBSERVERS:
        yield code(f"{name}(event)"), docstring(getattr(hookspecs, name)).split(".")[0] + "."


def _hook(name: str) -> Iterator[str]:
    function: Any = getattr(hookspecs, name)
    first = function.wf_spec["firstresult"]
    yield from (f"### {name}", "", "```text", signature(function, name), "```", "")
    yield from (docstring(function), "")
    if first:
        yield from ("The first result that is not `None` wins.", "")


def _methods(cls: type) -> Iterator[str]:
    yield from (docstring(cls), "")
    rows = (
        (code(call_of(method, name)), docstring(method))
        for name, method in vars(cls).items()
        if inspect.isfunction(method) and not name.startswith("_")
    )
    yield from table(("method", "meaning"), rows)


def _value(cls: type) -> Iterator[str]:
    yield from (f"### {cls.__name__}", "", docstring(cls), "")
    fields = list(_fields(cls))
    if fields:
        yield from table(("name", "type"), fields)


def _fields(cls: type) -> Iterator[tuple[str, str]]:
    """The values, then what can be asked of it."""
    if attrs.has(cls):
        for field in attrs.fields(cls):
            if "Callable" in str(field.type):
                continue  # How the engine answers; authors use the methods below.
            yield code(field.name), code(type_name(field.type))
    elif hasattr(cls, "__struct_fields__"):
        for name in cls.__struct_fields__:
            yield code(name), code(type_name(cls.__annotations__[name]))
    for name, member in vars(cls).items():
        if name.startswith("_"):
            continue
        if isinstance(member, property):
            yield code(name), docstring(member)
        elif inspect.isfunction(member) and cls is kinds.StepCall:
            yield code(call_of(member, name)), docstring(member)
