"""Graphs of workflows that have the same shape."""

from wf_core.model.spec import DependOn, StepSpec, StepTemplate
from wf_core.saga.graph import Graph


def steps(kind: str, *, pivot: bool = False) -> tuple[StepSpec, ...]:
    return (
        StepSpec("a", StepTemplate(kind)),
        StepSpec("b", StepTemplate(kind), (DependOn("a"),), pivot=pivot),
    )


def test_workflows_of_one_shape_share_a_graph_whatever_their_steps_do() -> None:
    assert Graph.shared(steps("x")) is Graph.shared(steps("y"))


def test_workflows_of_another_shape_have_a_graph_of_their_own() -> None:
    plain, pivoted = Graph.shared(steps("x")), Graph.shared(steps("x", pivot=True))
    assert plain is not pivoted
    assert (plain.pivot, pivoted.pivot) == (None, 1)


def test_a_graph_finds_steps_by_name() -> None:
    assert Graph.shared(steps("x")).index == {"a": 0, "b": 1}
