"""Tasks among documents: what their fields are in the workflow that runs them, and their faults."""

import re
from collections.abc import Mapping, Sequence

import attrs
import msgspec
from msgspec.structs import replace

from wf_core.codec.checks import faults
from wf_core.codec.kinds import Kinds
from wf_core.errors import Fault
from wf_core.model.spec import Json, StepSpec, StepTemplate, WorkflowSpec
from wf_core.model.task import OF_STEP, Task, TaskSpec, as_workflow

_IN_WORKFLOW = re.compile(r"^\$\.spec\.steps\[0\](\.stepTemplate)?(?=\.|$)")


def task_faults(task: Task, kinds: Kinds | None) -> list[Fault]:
    """As `checks.faults`, at the paths that a Task has."""
    return [
        attrs.evolve(fault, path=_IN_WORKFLOW.sub("$.spec", fault.path))
        for fault in faults(as_workflow(task), kinds)
    ]


def task_with_parameters(task: Task, parameters: Mapping[str, Json]) -> Task:
    """The task with `parameters` put over its own, which are those of its kind."""
    merged = {**task.spec.parameters, **parameters}
    return replace(task, spec=replace(task.spec, parameters=merged))


def _wire_names(struct: type[msgspec.Struct], names: Sequence[str]) -> dict[str, str]:
    return {
        field.encode_name: f"{struct.__name__}.{field.encode_name}"
        for field in msgspec.structs.fields(struct)
        if field.name in names
    }


SAME_AS: Mapping[str, str] = {
    f"{TaskSpec.__name__}.{name}": original
    for name, original in {
        **_wire_names(WorkflowSpec, TaskSpec.__struct_fields__),
        **_wire_names(StepSpec, ("rollback",)),
        **_wire_names(StepTemplate, OF_STEP),
    }.items()
}
"""For each field of a task's spec the one of a workflow that it is: what is said of that, and what
is demanded of it, holds of this."""
