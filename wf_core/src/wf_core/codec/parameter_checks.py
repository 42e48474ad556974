"""What must hold of parameters: kinds known, values right, sizes, references that have a value."""

from collections.abc import Callable, Iterator

import attrs
import msgspec

from wf_core.codec.compose import MAX_DEPTH
from wf_core.codec.graph_checks import known_graph
from wf_core.codec.kinds import Kind, Kinds
from wf_core.codec.scalars import problem
from wf_core.errors import Fault, KindUnavailable
from wf_core.model.phases import RollbackMode
from wf_core.model.spec import Json, Parameters, WorkflowSpec
from wf_core.nearest import Hints
from wf_core.saga import references
from wf_core.saga.graph import Graph, descendants

MAX_PARAMETERS = 256 * 1024
"""Bytes of JSON that the parameters of one step, or of the workflow, may take."""


def parameter_faults(spec: WorkflowSpec, kinds: Kinds | None) -> Iterator[Fault]:
    """Faults of the kinds that steps name and of all parameters."""
    unsound = list(_unsound("$.spec.parameters", spec.parameters))
    yield from unsound or _size("$.spec.parameters", spec.parameters)
    graph = known_graph(spec.steps)
    committed = _past_pivot(graph)
    known = _Known.of(spec, graph)
    lookup = _lookup(kinds) if kinds is not None else None
    for i, step in enumerate(spec.steps):
        template = step.step_template
        path = f"$.spec.steps[{i}].stepTemplate"
        unsound = list(_unsound(f"{path}.parameters", template.parameters))
        yield from unsound
        if not unsound:
            yield from _size(f"{path}.parameters", template.parameters)
            yield from known.faults(i, f"{path}.parameters", template.parameters)
        if lookup is None or not template.type:
            continue
        kind = lookup(template.type)
        if isinstance(kind, str):
            yield Fault(f"{path}.type", kind)
        elif not unsound:
            undoable = step.rollback is RollbackMode.REQUIRED and i not in committed
            for fault in kind.faults(template.parameters, undoable):
                yield attrs.evolve(fault, path=f"{path}.parameters{fault.path[1:]}")


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


def _size(path: str, parameters: Parameters) -> Iterator[Fault]:
    size = len(msgspec.json.encode(parameters))
    if size > MAX_PARAMETERS:
        yield Fault(
            path,
            f"take {size:,} bytes; parameters take at most {MAX_PARAMETERS:,} (256 KiB): "
            "keep the data elsewhere and pass its address",
        )


def _unsound(path: str, value: Json, depth: int = 0) -> Iterator[Fault]:
    """Values that JSON can't carry."""
    if depth > MAX_DEPTH:
        yield Fault(path, f"is nested more than {MAX_DEPTH} deep")
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _unsound(f"{path}.{key}", each, depth + 1)
    elif isinstance(value, list | tuple):
        for n, each in enumerate(value):
            yield from _unsound(f"{path}[{n}]", each, depth + 1)
    elif wrong := problem(value):
        yield Fault(path, f"{value} {wrong}")
    elif value is not None and not isinstance(value, str | int | float):
        yield Fault(path, f"is a {type(value).__name__}, which JSON can't carry")


@attrs.define(eq=False)
class _Known:
    """What references may name."""

    spec: WorkflowSpec
    graph: Graph | None
    index: dict[str, int]
    step_hints: Hints
    parameter_hints: Hints

    @classmethod
    def of(cls, spec: WorkflowSpec, graph: Graph | None) -> "_Known":
        index = {step.name: i for i, step in enumerate(spec.steps)}
        return cls(spec, graph, index, Hints(tuple(index)), Hints(tuple(spec.parameters)))

    def faults(self, i: int, path: str, parameters: Parameters) -> Iterator[Fault]:
        """Faults of the references in a step's parameters."""
        for at, text in references.find(parameters, path):
            try:
                reference = references.parse(text)
            except references.BadReference as bad:
                yield Fault(at, str(bad))
                continue
            if reference.source == "parameters":
                yield from self._parameter(at, reference)
            elif reference.step is not None:
                yield from self._step(i, at, reference.step)
            elif self.graph is not None and not self.graph.upstream[i]:
                name = self.spec.steps[i].name
                yield Fault(
                    at,
                    f"step {name!r} depends on no other, so there is no ${{{text}}}; add dependOns",
                )

    def _parameter(self, at: str, reference: references.Reference) -> Iterator[Fault]:
        name = reference.path[0]
        if name not in self.spec.parameters:
            yield Fault(
                at,
                f"no workflow parameter {name!r}; give it under spec.parameters",
                hint=self.parameter_hints.hint(name),
            )
            return
        try:
            references.descend(self.spec.parameters, reference.path, reference.text)
        except references.BadReference as bad:
            yield Fault(at, str(bad))

    def _step(self, i: int, at: str, name: str) -> Iterator[Fault]:
        this = self.spec.steps[i].name
        if name == this:
            yield Fault(at, f"step {this!r} refers to itself; it can read only steps before it")
        elif name not in self.index:
            yield Fault(at, f"no step {name!r}", hint=self.step_hints.hint(name))
        elif self.graph is not None and not self.graph.is_ancestor(self.index[name], i):
            yield Fault(at, f"step {name!r} does not run before {this!r}; add it to dependOns")
