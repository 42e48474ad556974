"""A workflow's graph as Mermaid or DOT text."""

from collections.abc import Iterator

import attrs

from wf_core.model.phases import Phase, RollbackMode
from wf_core.model.spec import StepSpec, Workflow
from wf_core.saga.graph import Condition, Graph


@attrs.frozen
class Edge:
    """`to` waits for `start`; `label` is empty for the usual condition; the document does not
    name an `implied` one: it is the pivot's."""

    start: int
    to: int
    label: str
    implied: bool


def mermaid(workflow: Workflow) -> str:
    """A flow chart that Markdown viewers draw."""
    steps = workflow.spec.steps
    lines = ["flowchart TD"]
    for i, step in enumerate(steps):
        label = "<br/>".join(_label(step))
        left, right = ('{{"', '"}}') if step.pivot else ('["', '"]')
        lines.append(f"  s{i}{left}{_mermaid_text(label)}{right}")
    for edge in edges(workflow):
        arrow = "-.->" if edge.implied else "-->"
        label = f'|"{_mermaid_text(edge.label)}"|' if edge.label else ""
        lines.append(f"  s{edge.start} {arrow}{label} s{edge.to}")
    for i, step in enumerate(steps):
        if step.rollback is RollbackMode.NONE:
            lines.append(f"  style s{i} stroke-dasharray: 4 4")
    return "\n".join(lines) + "\n"


def dot(workflow: Workflow) -> str:
    """A graph that Graphviz draws."""
    lines = [f"digraph {_dot_text(workflow.metadata.name)} {{", "  node [shape=box];"]
    for step in workflow.spec.steps:
        style = ", style=dashed" if step.rollback is RollbackMode.NONE else ""
        shape = ", shape=hexagon" if step.pivot else ""
        label = _dot_text("\n".join(_label(step)))
        lines.append(f"  {_dot_text(step.name)} [label={label}{shape}{style}];")
    names = [step.name for step in workflow.spec.steps]
    for edge in edges(workflow):
        given = [f"label={_dot_text(edge.label)}"] if edge.label else []
        given += ["style=dotted"] if edge.implied else []
        attributes = f" [{', '.join(given)}]" if given else ""
        start, to = _dot_text(names[edge.start]), _dot_text(names[edge.to])
        lines.append(f"  {start} -> {to}{attributes};")
    return "\n".join([*lines, "}"]) + "\n"


def edges(workflow: Workflow) -> Iterator[Edge]:
    """Every condition, once; of the pivot's implied ones only those that no other edge implies."""
    steps = workflow.spec.steps
    graph = Graph.of(steps)
    for i, step in enumerate(steps):
        named = len(step.depend_ons)
        for n, condition in enumerate(graph.conditions[i]):
            implied = n >= named
            if not implied or not _follows(graph, condition, i):
                yield Edge(condition.on, i, _edge_label(condition), implied)


def _follows(graph: Graph, condition: Condition, pivot: int) -> bool:
    """Whether another step before the pivot waits for this one's Success anyway."""
    return any(
        other != pivot
        and graph.is_ancestor(other, pivot)
        and any(c.on == condition.on and c.phase is Phase.SUCCESS for c in graph.conditions[other])
        for other in graph.dependents[condition.on]
    )


def _label(step: StepSpec) -> list[str]:
    lines = [step.name, step.step_template.type]
    if step.pivot:
        lines.append("pivot")
    if step.rollback is RollbackMode.NONE:
        lines.append("can't be undone")
    return lines


def _edge_label(condition: Condition) -> str:
    words = [] if condition.phase is Phase.SUCCESS else [str(condition.phase)]
    if condition.resource_status is not None:
        words.append(f"resource {condition.resource_status}")
    return ", ".join(words)


def _mermaid_text(text: str) -> str:
    return text.replace('"', "#quot;")


def _dot_text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
