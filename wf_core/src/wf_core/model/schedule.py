"""A schedule as a user writes it, and what is saved of it. Times are epoch seconds."""

from enum import StrEnum

import msgspec

from wf_core.model.phases import Phase
from wf_core.model.spec import Metadata, Wire, WorkflowSpec
from wf_core.model.state import Folder

CRON_KIND = "CronWorkflow"
MAX_CRON_NAME = 52
"""Characters of a schedule's name: that of a run has a hyphen and up to ten digits more."""

MAX_RUNS = 100
"""Runs that a schedule keeps in mind, under way and finished."""


class ConcurrencyPolicy(StrEnum):
    """What becomes of a slot that comes while an earlier run is under way."""

    ALLOW = "Allow"
    FORBID = "Forbid"
    REPLACE = "Replace"


class TemplateMetadata(Wire, frozen=True):
    """Labels and annotations of each run."""

    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class WorkflowTemplate(Wire, frozen=True):
    """The workflow that each slot starts."""

    spec: WorkflowSpec
    metadata: TemplateMetadata = TemplateMetadata()


class CronWorkflowSpec(Wire, frozen=True):
    """The `spec` of a CronWorkflow document, named as that of a CronJob."""

    schedule: str
    workflow_template: WorkflowTemplate
    time_zone: str = "UTC"
    concurrency_policy: ConcurrencyPolicy = ConcurrencyPolicy.ALLOW
    starting_deadline_seconds: float | None = None
    suspend: bool = False
    successful_runs_history_limit: int = 3
    rolled_back_runs_history_limit: int = 1
    failed_runs_history_limit: int = 1


class CronWorkflow(Wire, frozen=True):
    """A whole document, `apiVersion` and `kind` implied."""

    metadata: Metadata
    spec: CronWorkflowSpec


class ScheduledRun(Wire, frozen=True):
    """A run as its schedule keeps it in mind. `phase` is Running while it waits to be admitted too:
    it is not worth a save. `replaced`: a later slot waits until it is undone."""

    name: str
    scheduled_time: float
    phase: Phase = Phase.RUNNING
    finished_time: float | None = None
    replaced: bool = False


class CronStatus(Wire, frozen=True):
    """What is saved of a schedule.

    Every slot up to `decided_time` is decided: started, skipped, missed, or waiting as
    `waiting_time`. `timetable` is what that was said of: where the schedule or its zone is another
    since, slots count anew from when that is seen.
    """

    revision: int = 0
    timetable: str = ""
    decided_time: float | None = None
    waiting_time: float | None = None
    last_schedule_time: float | None = None
    last_successful_time: float | None = None
    next_schedule_time: float | None = None
    active: tuple[ScheduledRun, ...] = ()
    finished: tuple[ScheduledRun, ...] = ()
    missed: int = 0
    skipped: int = 0
    reason: str = ""
    message: str = ""


class StoredSchedule(msgspec.Struct, frozen=True):
    """A schedule as a store gives it back. `folder` is that of its runs; None in a cluster."""

    schedule: CronWorkflow
    status: CronStatus
    created_at: float
    folder: Folder | None = None
