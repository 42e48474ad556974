"""What must hold of a schedule: when it is due, its limits, and all that holds of its workflow."""

from collections.abc import Iterator

import attrs

from wf_core.codec.checks import above_zero, faults, label_faults
from wf_core.codec.kinds import Kinds
from wf_core.errors import Fault
from wf_core.model.schedule import MAX_CRON_NAME, MAX_RUNS, CronWorkflow, CronWorkflowSpec
from wf_core.model.spec import Workflow
from wf_core.schedules.timetable import BadScheduleError, timetable

_SPEC = "$.spec"
_TEMPLATE = "$.spec.workflowTemplate.spec"


def schedule_faults(
    schedule: CronWorkflow, kinds: Kinds | None, *, new: bool = True
) -> list[Fault]:
    """Everything wrong with a schedule, by path; `kinds` None leaves the step kinds unchecked, and
    `new` is as in `checks.faults`."""
    return [*_metadata(schedule), *_spec(schedule.spec), *template_faults(schedule, kinds, new=new)]


def template_faults(
    schedule: CronWorkflow, kinds: Kinds | None, *, new: bool = True
) -> Iterator[Fault]:
    """What is wrong with the workflow that it starts."""
    template = schedule.spec.workflow_template
    for fault in faults(Workflow(schedule.metadata, template.spec), kinds, new=new):
        if fault.path.startswith(_SPEC):
            yield attrs.evolve(fault, path=_TEMPLATE + fault.path.removeprefix(_SPEC))


def _metadata(schedule: CronWorkflow) -> Iterator[Fault]:
    metadata = schedule.metadata
    if len(metadata.name) > MAX_CRON_NAME:
        yield Fault(
            "$.metadata.name",
            f"has {len(metadata.name)} characters; that of a schedule has at most "
            f"{MAX_CRON_NAME}, since its runs have that and a number",
        )
    else:
        yield from label_faults("$.metadata.name", metadata.name)
    yield from label_faults("$.metadata.namespace", metadata.namespace)


def _spec(spec: CronWorkflowSpec) -> Iterator[Fault]:
    for schedule, zone in ((spec.schedule, "UTC"), ("@daily", spec.time_zone)):
        try:
            timetable(schedule, zone)
        except BadScheduleError as error:
            yield Fault(f"$.spec.{error.field}", str(error))
    yield from above_zero("$.spec.startingDeadlineSeconds", spec.starting_deadline_seconds)
    for key, limit in (
        ("successfulRunsHistoryLimit", spec.successful_runs_history_limit),
        ("rolledBackRunsHistoryLimit", spec.rolled_back_runs_history_limit),
        ("failedRunsHistoryLimit", spec.failed_runs_history_limit),
    ):
        if not 0 <= limit <= MAX_RUNS:
            yield Fault(f"$.spec.{key}", f"must be 0 to {MAX_RUNS}, not {limit}")
