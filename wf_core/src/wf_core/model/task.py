"""A one-shot task: a single step without the ceremony of a graph.

It is run as a workflow of that one step: the same machine, the same state, the same commands.
"""

from msgspec.structs import replace

from wf_core.model.phases import DeletionPolicy, OnFailure, RollbackMode
from wf_core.model.spec import (
    NO_TTL,
    Callback,
    Metadata,
    StepSpec,
    StepTemplate,
    TimeToLive,
    Wire,
    Workflow,
    WorkflowSpec,
)

TASK_KIND = "Task"
STEP = "task"
"""The name of the one step."""

LABEL = "workflow.example.com/task"
"""The label of workflows that were written as a task; its value is `true`."""


class TaskSpec(StepTemplate, frozen=True):
    """The `spec` of a Task document: what a step has, and what a workflow of it can have."""

    rollback: RollbackMode = RollbackMode.REQUIRED
    queue: str = "default"
    priority: int = 0
    suspend: bool = False
    callback: Callback | None = None
    on_failure: OnFailure = OnFailure.ROLLBACK
    deletion_policy: DeletionPolicy = DeletionPolicy.ROLLBACK_UNFINISHED
    active_deadline_seconds: float | None = None
    ttl_seconds_after_finished: TimeToLive = NO_TTL


class Task(Wire, frozen=True):
    """A whole document, `apiVersion` and `kind` implied."""

    metadata: Metadata
    spec: TaskSpec


OF_STEP: tuple[str, ...] = StepTemplate.__struct_fields__
OF_WORKFLOW: tuple[str, ...] = tuple(
    name
    for name in TaskSpec.__struct_fields__
    if name in WorkflowSpec.__struct_fields__ and name not in OF_STEP
)


def as_workflow(task: Task) -> Workflow:
    """The workflow of one step that runs a task."""
    spec = task.spec
    template = StepTemplate(**{name: getattr(spec, name) for name in OF_STEP})
    step = StepSpec(STEP, template, rollback=spec.rollback)
    shared = {name: getattr(spec, name) for name in OF_WORKFLOW}
    metadata = replace(task.metadata, labels={**task.metadata.labels, LABEL: "true"})
    return Workflow(metadata, WorkflowSpec((step,), **shared))
