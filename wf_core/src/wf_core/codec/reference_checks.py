"""What must hold of the references in a step's parameters: each has a value, stays in its place,
and all of them together fit."""

from collections.abc import Iterator, Mapping
from itertools import islice

import attrs

from wf_core.errors import Fault
from wf_core.model.places import Place, Way, shown
from wf_core.model.spec import Json, Parameters, WorkflowSpec
from wf_core.nearest import Hints
from wf_core.saga import entering, references, resolving
from wf_core.saga.entering import Part
from wf_core.saga.graph import Graph
from wf_core.saga.references import BadReference, Reference

MOST_FAULTS = 50
"""Faults of one step's references that are listed."""

NO_SHELL = (
    "a reference in the text of a shell would be run as part of it: pass the value by `env` and "
    'write "$NAME" here, or write the command as a list, without a shell'
)


@attrs.define(eq=False)
class References:
    """What references may name."""

    spec: WorkflowSpec
    graph: Graph | None
    index: dict[str, int]
    step_hints: Hints
    parameter_hints: Hints
    measure: resolving.Measure

    @classmethod
    def of(cls, spec: WorkflowSpec, graph: Graph | None) -> "References":
        """Of the steps of a workflow."""
        index = {step.name: i for i, step in enumerate(spec.steps)}
        steps, given = Hints(tuple(index)), Hints(tuple(spec.parameters))
        return cls(spec, graph, index, steps, given, resolving.Measure(_given(spec)))

    def faults(self, i: int, parameters: Parameters, path: str) -> Iterator[Fault]:
        """Faults of the references in a step's parameters, the first ones."""
        yield from islice(self._faults(i, parameters, path), MOST_FAULTS)

    def _faults(self, i: int, parameters: Parameters, path: str) -> Iterator[Fault]:
        for place, text in references.find(parameters):
            # The path last: where nothing is wrong, long keys cost nothing.
            for fault in self._named(i, text):
                yield attrs.evolve(fault, path=shown(place, path))

    def _named(self, i: int, text: str) -> Iterator[Fault]:
        try:
            reference = references.parse(text)
        except BadReference as bad:
            yield Fault("", str(bad))
            return
        if reference.given:
            yield from self._parameter(reference)
        elif reference.step is not None:
            yield from self._step(i, reference.step)
        elif self.graph is not None and not self.graph.upstream[i]:
            name = self.spec.steps[i].name
            yield Fault(
                "", f"step {name!r} depends on no other, so there is no ${{{text}}}; add dependOns"
            )

    def placed(
        self, parameters: Parameters, places: Mapping[Place, Way], path: str, *, new: bool
    ) -> Iterator[Fault]:
        """Faults of where references stand; in shell texts only those of a new document."""
        yield from islice(self._placed(parameters, places, path, new=new), MOST_FAULTS)

    def _placed(
        self, parameters: Parameters, places: Mapping[Place, Way], path: str, *, new: bool
    ) -> Iterator[Fault]:
        for place, text in references.texts(parameters):
            way = places.get(place, Way.TEXT)
            if way not in (Way.URL, Way.SHELL, Way.WHOLE):
                continue
            try:
                parts = resolving.parsed(text)
            except BadReference:
                continue  # told by `faults`
            wrong = self._misplaced(parts, way, new=new)
            if wrong:
                yield Fault(shown(place, path), wrong)

    def _misplaced(self, parts: list[Part], way: Way, *, new: bool) -> str:
        named = [each for each in parts if isinstance(each, Reference)]
        from_steps = [each for each in named if not each.given]
        if not named:
            return ""
        if way is Way.WHOLE:
            return resolving.whole_only(named) if from_steps else ""
        if way is Way.SHELL:
            words = len(parts) == 1 and named[0].given and self._is_list(named[0])
            return NO_SHELL if new and not words else ""
        try:
            entering.url(parts, self._likely)
        except BadReference as bad:
            return str(bad)
        return ""

    def _likely(self, reference: Reference) -> Json:
        """The value where it is known; else one that is good in a URL."""
        if reference.given:
            try:
                return references.descend(self.spec.parameters, reference.path, reference.text)
            except BadReference:
                return "x"
        return "x"

    def _is_list(self, reference: Reference) -> bool:
        return isinstance(self._likely(reference), list)

    def size(
        self, parameters: Parameters, places: Mapping[Place, Way], path: str, name: str
    ) -> Iterator[Fault]:
        """Whether they fit once what is known of their references is put in."""
        try:
            size = self.measure.size(parameters, places)
        except BadReference:
            return  # told by `faults`
        if size > resolving.MAX_RESOLVED:
            yield Fault(path, f"of step {name!r} {resolving.too_large(size)}")

    def _parameter(self, reference: Reference) -> Iterator[Fault]:
        name = reference.path[0]
        if name not in self.spec.parameters:
            yield Fault(
                "",
                f"no workflow parameter {name!r}; give it under spec.parameters",
                hint=self.parameter_hints.hint(name),
            )
            return
        try:
            references.descend(self.spec.parameters, reference.path, reference.text)
        except BadReference as bad:
            yield Fault("", str(bad))

    def _step(self, i: int, name: str) -> Iterator[Fault]:
        this = self.spec.steps[i].name
        if name == this:
            yield Fault("", f"step {this!r} refers to itself; it can read only steps before it")
        elif name not in self.index:
            yield Fault("", f"no step {name!r}", hint=self.step_hints.hint(name))
        elif self.graph is not None and not self.graph.is_ancestor(self.index[name], i):
            yield Fault("", f"step {name!r} does not run before {this!r}; add it to dependOns")


def _given(spec: WorkflowSpec) -> entering.Lookup:
    def lookup(reference: Reference) -> Json:
        if not reference.given:
            raise BadReference("is not known before the workflow runs")
        return references.descend(spec.parameters, reference.path, reference.text)

    return lookup
