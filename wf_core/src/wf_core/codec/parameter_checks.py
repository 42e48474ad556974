"""What must hold of parameters: kinds known, values right, sizes, references that have a value."""

from collections.abc import Callable, Iterator
from itertools import islice

import attrs
import msgspec

from wf_core.codec.compose import MAX_DEPTH
from wf_core.codec.graph_checks import known_graph
from wf_core.codec.kinds import Kind, Kinds
from wf_core.codec.reference_checks import MOST_FAULTS, References
from wf_core.codec.scalars import problem
from wf_core.errors import Fault, KindUnavailable
from wf_core.model.phases import RollbackMode
from wf_core.model.places import Place, shown
from wf_core.model.spec import Json, Parameters, WorkflowSpec
from wf_core.saga import references
from wf_core.saga.graph import Graph, descendants

MAX_PARAMETERS = 256 * 1024
"""Bytes of JSON that the parameters of one step, or of the workflow, may take."""


def parameter_faults(
    spec: WorkflowSpec, kinds: Kinds | None, *, new: bool = True
) -> Iterator[Fault]:
    """Faults of the kinds that steps name and of all parameters.

    Without `new`, what was stored before a rule was made is let through where the engine has a safe
    way with it.
    """
    yield from _unfit("$.spec.parameters", spec.parameters)
    graph = known_graph(spec.steps)
    committed = _past_pivot(graph)
    known = References.of(spec, graph)
    lookup = _lookup(kinds) if kinds is not None else None
    for i, step in enumerate(spec.steps):
        template = step.step_template
        given = template.parameters
        path = f"$.spec.steps[{i}].stepTemplate"
        at = f"{path}.parameters"
        unfit = list(_unfit(at, given))
        yield from unfit
        kind = lookup(template.type) if lookup is not None and template.type else None
        if isinstance(kind, str):
            yield Fault(f"{path}.type", kind)
            kind = None
        if unfit:
            continue
        yield from known.faults(i, given, at)
        if references.refers(given):
            places = kind.places(given) if kind is not None else {}
            large = list(known.size(given, places, at, step.name))
            # Only what fits is put together to be looked at.
            yield from large or known.placed(given, places, at, new=new)
        if kind is not None:
            undoable = step.rollback is RollbackMode.REQUIRED and i not in committed
            for fault in kind.faults(given, undoable):
                yield attrs.evolve(fault, path=f"{at}{fault.path[1:]}")


def _unfit(path: str, parameters: Parameters) -> Iterator[Fault]:
    """Parameters that can't be saved: too large, or no JSON. Their size comes first, so that no
    more is done to what is too large than to count it."""
    size = bulk(parameters)
    if size > MAX_PARAMETERS:
        yield _too_large(path, f"at least {size:,}")
        return
    unsound = islice(_unsound(parameters, ()), MOST_FAULTS)
    faults = [Fault(shown(place, path), wrong) for place, wrong in unsound]
    yield from faults
    if not faults and (size := len(msgspec.json.encode(parameters))) > MAX_PARAMETERS:
        yield _too_large(path, f"{size:,}")


def bulk(value: Json) -> int:
    """Bytes of JSON that a value takes at least, counted without making them."""
    total, rest = 0, [value]
    while rest:
        each = rest.pop()
        total += 2
        if isinstance(each, str):
            total += len(each)
        elif isinstance(each, dict):
            total += sum(len(key) for key in each if isinstance(key, str))
            rest.extend(each.values())
        elif isinstance(each, list | tuple):
            rest.extend(each)
    return total


def _too_large(path: str, size: str) -> Fault:
    return Fault(
        path,
        f"take {size} bytes; parameters take at most {MAX_PARAMETERS:,} (256 KiB): "
        "keep the data elsewhere and pass its address",
    )


def _lookup(kinds: Kinds) -> Callable[[str], "Kind | str"]:
    """Finds a kind, or the sentence that says why there is none; asks for each name once."""
    seen: dict[str, Kind | str] = {}

    def find(name: str) -> Kind | str:
        if name not in seen:
            try:
                seen[name] = kinds.kind(name)
            except KindUnavailable as unavailable:
                seen[name] = str(unavailable)
        return seen[name]

    return find


def _past_pivot(graph: Graph | None) -> frozenset[int]:
    if graph is None or graph.pivot is None:
        return frozenset()
    return descendants(graph.conditions, graph.pivot)


def _unsound(value: Json, place: Place) -> Iterator[tuple[Place, str]]:
    """Values that JSON can't carry, and why."""
    if len(place) > MAX_DEPTH:
        yield place, f"is nested more than {MAX_DEPTH} deep"
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _unsound(each, (*place, key))
    elif isinstance(value, list | tuple):
        for n, each in enumerate(value):
            yield from _unsound(each, (*place, n))
    elif wrong := problem(value):
        yield place, f"{value} {wrong}"
    elif value is not None and not isinstance(value, str | int | float):
        yield place, f"is a {type(value).__name__}, which JSON can't carry"
