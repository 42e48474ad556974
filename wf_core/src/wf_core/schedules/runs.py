"""The workflow that a slot starts: the same name, uid and document whoever makes it, and however
often. So a crash between making it and saving that it was made never leads to two."""

from collections.abc import Mapping
from datetime import UTC, datetime

from wf_core.model.schedule import CronWorkflow
from wf_core.model.spec import Key, Metadata, Workflow

SCHEDULE = "workflow.example.com/schedule"
"""The label of a run, with its schedule's name."""

SCHEDULE_UID = "workflow.example.com/schedule-uid"
SCHEDULED_AT = "workflow.example.com/scheduled-at"
"""The annotations of a run: its schedule's uid, and its slot."""

_RUNS = "5d1c0e57-4a0b-4c9e-9d0e-3a8c6f1b7a52"
_MINUTE = 60
_MAX_DIGITS = 10


def key_of(schedule: CronWorkflow) -> Key:
    """How a store finds the schedule."""
    return Key(schedule.metadata.namespace, schedule.metadata.name)


def run_key(schedule: CronWorkflow, name: str) -> Key:
    """How a store finds a run of it."""
    return Key(schedule.metadata.namespace, name)


def run_name(schedule: CronWorkflow, slot: float, *, seconds: bool) -> str:
    """`NAME-MINUTES` as CronJobs call theirs: minutes since 1970, or seconds where the expression
    has them."""
    number = int(slot) if seconds else int(slot) // _MINUTE
    return f"{schedule.metadata.name}-{number}"


def may_be_run(name: str) -> tuple[str, float] | None:
    """The schedule and the slot (epoch seconds) that a workflow's name stands for, if it is a run;
    None where it can't be the name of one."""
    schedule, _, number = name.rpartition("-")
    if not (schedule and number.isascii() and number.isdigit() and len(number) <= _MAX_DIGITS):
        return None
    # Minutes have nine digits at most until the year 3871, seconds have had ten since 2001.
    return schedule, float(number) * (1 if len(number) == _MAX_DIGITS else _MINUTE)


def run_of(schedule: CronWorkflow, slot: float, *, seconds: bool) -> Workflow:
    """The workflow of a slot (epoch seconds)."""
    import uuid  # only where a run is made

    owner = schedule.metadata.uid
    return _made(
        schedule,
        run_name(schedule, slot, seconds=seconds),
        str(uuid.uuid5(uuid.UUID(_RUNS), f"{owner}/{int(slot)}")),
        {SCHEDULE_UID: owner, SCHEDULED_AT: _rfc3339(slot)},
    )


def triggered_run(schedule: CronWorkflow, name: str) -> Workflow:
    """A workflow of the template that no slot has asked for. The schedule does not count it."""
    return _made(schedule, name, "", {SCHEDULE_UID: schedule.metadata.uid})


def is_run_of(workflow: Workflow, schedule: CronWorkflow, slot: float) -> bool:
    """Whether a workflow that has the name of a run is the run of that very slot, perhaps made
    when the template was another."""
    given = workflow.metadata.annotations
    return given.get(SCHEDULE_UID) == schedule.metadata.uid and given.get(SCHEDULED_AT) == _rfc3339(
        slot
    )


def slot_of(workflow: Workflow) -> float | None:
    """The slot (epoch seconds) that a run is of; None for what no slot asked for."""
    return slot_noted(workflow.metadata.annotations)


def slot_noted(annotations: Mapping[str, str]) -> float | None:
    """The same, from the annotations alone."""
    written = annotations.get(SCHEDULED_AT, "")
    try:
        return datetime.fromisoformat(written).timestamp()
    except ValueError:
        return None


def _made(schedule: CronWorkflow, name: str, uid: str, more: dict[str, str]) -> Workflow:
    template = schedule.spec.workflow_template
    metadata = Metadata(
        name=name,
        namespace=schedule.metadata.namespace,
        uid=uid,
        labels={**template.metadata.labels, SCHEDULE: schedule.metadata.name},
        annotations={**template.metadata.annotations, **more},
    )
    return Workflow(metadata, template.spec)


def _rfc3339(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
