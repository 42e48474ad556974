"""What a step is told of the steps before it: their attributes and resources (semantics B5)."""

import functools
from collections.abc import Mapping, Sequence

from wf_core.model.places import Place, Way
from wf_core.model.spec import Json, Parameters, StepSpec
from wf_core.model.state import Resource, StepState
from wf_core.saga.graph import Graph
from wf_core.saga.references import BadReference, Reference, descend
from wf_core.saga.resolving import resolve


def upstream_values(
    graph: Graph, specs: Sequence[StepSpec], steps: Sequence[StepState], i: int
) -> tuple[Parameters, dict[str, Resource]]:
    """Attributes of all ancestors of step i folded in topological order, later wins; their
    resources by step name."""
    attributes: Parameters = {}
    resources: dict[str, Resource] = {}
    bits = graph.ancestors(i)
    while bits:
        lowest = bits & -bits
        at = graph.order[lowest.bit_length() - 1]
        bits ^= lowest
        attributes.update(steps[at].attributes)
        resource = steps[at].resource
        if resource is not None:
            resources[specs[at].name] = resource
    return attributes, resources


def workflow_attributes(graph: Graph, steps: Sequence[StepState]) -> Parameters:
    """The workflow's attributes: the same fold over all steps that ran."""
    attributes: Parameters = {}
    for at in graph.order:
        attributes.update(steps[at].attributes)
    return attributes


def resolve_parameters(
    graph: Graph,
    specs: Sequence[StepSpec],
    steps: Sequence[StepState],
    index: Mapping[str, int],
    given: Parameters,
    i: int,
    places: Mapping[Place, Way],
) -> Parameters:
    """Step i's parameters with references resolved; raises BadReference where one has no value.

    `index` finds a step by name, `given` are the workflow's parameters, `places` say how references
    enter the texts of the step's kind.
    """

    @functools.cache  # once, however often it is referred to
    def fold() -> Parameters:
        return upstream_values(graph, specs, steps, i)[0]

    def lookup(reference: Reference) -> Json:
        if reference.source == "parameters":
            return descend(given, reference.path, reference.text)
        if reference.step is None:
            return descend(fold(), reference.path, reference.text)
        at = index.get(reference.step)
        if at is None or not graph.is_ancestor(at, i):
            raise BadReference(
                f"${{{reference.text}}}: step '{reference.step}' does not run before "
                f"'{specs[i].name}'"
            )
        if reference.source == "attributes":
            return descend(steps[at].attributes, reference.path, reference.text)
        return descend(_resource_fields(steps[at].resource), reference.path, reference.text)

    resolved = resolve(specs[i].step_template.parameters, lookup, places)
    assert isinstance(resolved, dict)
    return resolved


def _resource_fields(resource: Resource | None) -> Parameters:
    if resource is None:
        return {}
    return {
        "status": resource.status,
        "id": resource.id,
        "name": resource.name,
        "address": resource.address,
        "attributes": resource.attributes,
    }
