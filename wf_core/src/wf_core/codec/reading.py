"""A document to a workflow, with every fault of it at once."""

from collections.abc import Mapping

import attrs
from msgspec.structs import replace

from wf_core.codec.checks import faults
from wf_core.codec.compose import parse
from wf_core.codec.kinds import Kinds
from wf_core.codec.nodes import Node
from wf_core.codec.shape import Found, decode_task, decode_workflow
from wf_core.codec.tasks import task_faults, task_with_parameters
from wf_core.errors import DocumentInvalid, Fault
from wf_core.model.spec import API_VERSION, KIND, Json, Workflow
from wf_core.model.task import TASK_KIND, as_workflow
from wf_core.nearest import hint

KINDS = (KIND, TASK_KIND)
"""The documents that are run."""


def read(
    text: str | bytes,
    source: str,
    registry: Kinds | None,
    parameters: Mapping[str, Json] | None = None,
) -> Workflow:
    """The workflow in a YAML or JSON document, which may be written as a Task; `source` names the
    file in messages.

    `registry` None leaves the step kinds unchecked. `parameters` are put over the document's own
    before anything is checked. Raises DocumentInvalid with all faults in the order of the file.
    """
    root = parse(text, source)
    found = Found()
    if isinstance(root.children, dict):
        _head(root, found)
    if _kind(root) == TASK_KIND:
        task = task_with_parameters(decode_task(root, found), parameters or {})
        workflow, wrong = as_workflow(task), task_faults(task, registry)
    else:
        workflow = with_parameters(decode_workflow(root, found), parameters or {})
        wrong = faults(workflow, registry)
    for fault in wrong:
        if not found.is_settled(fault.path):
            line, column = root.locate(fault.path)
            found.faults.append(attrs.evolve(fault, line=line, column=column))
    if found.faults:
        raise DocumentInvalid(sorted(found.faults, key=_place), source)
    return workflow


def with_parameters(workflow: Workflow, parameters: Mapping[str, Json]) -> Workflow:
    """The workflow with `parameters` put over its own."""
    if not parameters:
        return workflow
    merged = {**workflow.spec.parameters, **parameters}
    return replace(workflow, spec=replace(workflow.spec, parameters=merged))


def _head(root: Node, found: Found) -> None:
    assert isinstance(root.children, dict)
    for key, expected in (("apiVersion", (API_VERSION,)), ("kind", KINDS)):
        node = root.children.get(key)
        if node is None:
            found.add(root, f"$.{key}", f"is required: write '{key}: {expected[0]}'")
        elif node.children is not None or node.value not in expected:
            near = hint(node.value, expected) if isinstance(node.value, str) else ""
            either = " or ".join(map(repr, expected))
            found.add(node, f"$.{key}", f"must be {either}, not {node.describe()}", near)


def _kind(root: Node) -> Json:
    node = root.children.get("kind") if isinstance(root.children, dict) else None
    return None if node is None else node.value


def _place(fault: Fault) -> tuple[int, int]:
    return fault.line or 0, fault.column or 0
