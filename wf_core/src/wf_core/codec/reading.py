"""A document to a workflow or a schedule, with every fault of it at once."""

from collections.abc import Iterable, Mapping

import attrs
from msgspec.structs import replace

from wf_core.codec.checks import faults
from wf_core.codec.compose import parse
from wf_core.codec.kinds import Kinds
from wf_core.codec.new_documents import retry_faults, step_faults
from wf_core.codec.nodes import Node
from wf_core.codec.schedule_checks import schedule_faults
from wf_core.codec.shape import Found, decode
from wf_core.codec.tasks import task_faults, task_with_parameters
from wf_core.errors import DocumentInvalid, Fault
from wf_core.model.schedule import CRON_KIND, CronWorkflow
from wf_core.model.spec import API_VERSION, KIND, Json, Workflow
from wf_core.model.task import TASK_KIND, Task, as_workflow
from wf_core.nearest import hint

RUN = (KIND, TASK_KIND)
"""The documents that are run."""

_SERVED = "`wf submit` stores it, and `wf serve` runs it by the clock"


def read(
    text: str | bytes,
    source: str,
    registry: Kinds | None,
    parameters: Mapping[str, Json] | None = None,
) -> Workflow:
    """The workflow in a YAML or JSON document, which may be written as a Task; `source` names the
    file in messages.

    `registry` None leaves the step kinds unchecked. `parameters` are put over the document's own
    before anything is checked; where it declares any, each must be one of them. Raises
    DocumentInvalid with all faults in the order of the file.
    """
    root = parse(text, source)
    found = Found()
    _head(root, found, RUN)
    if _kind(root) == CRON_KIND:  # all else that could be said of it would be noise
        raise DocumentInvalid(found.faults, source)
    return _workflow(root, found, source, registry, parameters or {})


def read_document(
    text: str | bytes,
    source: str,
    registry: Kinds | None,
    parameters: Mapping[str, Json] | None = None,
) -> Workflow | CronWorkflow:
    """As `read`, of any kind; `parameters` are put over those of a schedule's workflow."""
    root = parse(text, source)
    found = Found()
    _head(root, found, (*RUN, CRON_KIND))
    if _kind(root) != CRON_KIND:
        return _workflow(root, found, source, registry, parameters or {})
    schedule = decode(CronWorkflow, root, found)
    declared = schedule.spec.workflow_template.spec.parameters
    wrong = undeclared("$.spec.workflowTemplate.spec.parameters", declared, parameters or {})
    schedule = _with_parameters(schedule, parameters or {})
    new = step_faults(
        root, "$.spec.workflowTemplate.spec.steps", schedule.spec.workflow_template.spec.steps
    )
    _judge(root, found, [*wrong, *schedule_faults(schedule, registry), *new], source)
    return schedule


def _workflow(
    root: Node,
    found: Found,
    source: str,
    registry: Kinds | None,
    parameters: Mapping[str, Json],
) -> Workflow:
    if _kind(root) == TASK_KIND:
        task = task_with_parameters(decode(Task, root, found), parameters)
        workflow, wrong = as_workflow(task), task_faults(task, registry)
        new = retry_faults(root, "$.spec.retryPolicy", task.spec.retry_policy)
    else:
        workflow = decode(Workflow, root, found)
        wrong = undeclared("$.spec.parameters", workflow.spec.parameters, parameters)
        workflow = with_parameters(workflow, parameters)
        wrong += faults(workflow, registry)
        new = step_faults(root, "$.spec.steps", workflow.spec.steps)
    _judge(root, found, [*wrong, *new], source)
    return workflow


def _judge(root: Node, found: Found, faults: Iterable[Fault], source: str) -> None:
    """Raises DocumentInvalid where anything is wrong."""
    for fault in faults:
        if not found.is_settled(fault.path):
            line, column = root.locate(fault.path)
            found.faults.append(attrs.evolve(fault, line=line, column=column))
    if found.faults:
        raise DocumentInvalid(sorted(found.faults, key=_place), source)


def undeclared(path: str, declared: Mapping[str, Json], given: Mapping[str, Json]) -> list[Fault]:
    """The parameters that are given and not declared. A document that declares none takes any."""
    if not declared:
        return []
    return [
        Fault(
            path,
            f"no parameter {name!r} is declared",
            hint=hint(name, declared) or f"declared are {', '.join(sorted(declared)[:10])}",
        )
        for name in given
        if name not in declared
    ]


def with_parameters(workflow: Workflow, parameters: Mapping[str, Json]) -> Workflow:
    """The workflow with `parameters` put over its own."""
    if not parameters:
        return workflow
    merged = {**workflow.spec.parameters, **parameters}
    return replace(workflow, spec=replace(workflow.spec, parameters=merged))


def _with_parameters(schedule: CronWorkflow, parameters: Mapping[str, Json]) -> CronWorkflow:
    template = schedule.spec.workflow_template
    merged = {**template.spec.parameters, **parameters}
    template = replace(template, spec=replace(template.spec, parameters=merged))
    return replace(schedule, spec=replace(schedule.spec, workflow_template=template))


def _kind(root: Node) -> Json:
    node = root.children.get("kind") if isinstance(root.children, dict) else None
    return None if node is None else node.value


def _head(root: Node, found: Found, kinds: tuple[str, ...]) -> None:
    if not isinstance(root.children, dict):
        return
    for key, expected in (("apiVersion", (API_VERSION,)), ("kind", kinds)):
        node = root.children.get(key)
        if node is None:
            found.add(root, f"$.{key}", f"is required: write '{key}: {expected[0]}'")
        elif node.children is not None or node.value not in expected:
            near = hint(node.value, expected) if isinstance(node.value, str) else ""
            if node.value == CRON_KIND:
                near = _SERVED
            *most, last = map(repr, expected)
            either = " or ".join([*([", ".join(most)] if most else []), last])
            found.add(node, f"$.{key}", f"must be {either}, not {node.describe()}", near)


def _place(fault: Fault) -> tuple[int, int]:
    return fault.line or 0, fault.column or 0
