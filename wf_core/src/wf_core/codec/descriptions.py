"""What each field of a document is for: shown by editors, by `kubectl explain` and in the docs."""

from wf_core.codec.cluster_bounds import CLUSTER_CONDITIONS, CLUSTER_VALUES

DESCRIPTIONS: dict[str, str] = {
    "Workflow": "A saga: steps that depend on each other, each of which can be undone.",
    "Workflow.metadata": "Name, namespace and labels.",
    "Workflow.spec": "What is to be done.",
    "Task": "A single step that is run by itself, as a workflow of that one step named `task`.",
    "Task.metadata": "Name, namespace and labels.",
    "Task.spec": "What is to be done: the fields of a step and those of a workflow of it.",
    "TaskSpec": "What is to be done, and what happens when it fails.",
    "CronWorkflow": "A schedule: a workflow that is started again and again by the clock.",
    "CronWorkflow.metadata": "Name, namespace and labels.",
    "CronWorkflow.spec": "When it is due, and what is started then.",
    "CronWorkflowSpec": "When it is due, and what is started then; named as that of a CronJob.",
    "CronWorkflowSpec.schedule": (
        "A cron expression: minute, hour, day of month, month, day of week; with six fields, the "
        "first is seconds. Or @hourly, @daily, @weekly, @monthly, @yearly."
    ),
    "CronWorkflowSpec.workflowTemplate": "The workflow that each slot starts.",
    "CronWorkflowSpec.timeZone": "The time zone that schedule is in, such as Europe/Berlin.",
    "CronWorkflowSpec.concurrencyPolicy": (
        "What becomes of a slot while an earlier run is under way: Allow starts one beside it, "
        "Forbid skips the slot, Replace cancels and undoes the earlier run first."
    ),
    "CronWorkflowSpec.startingDeadlineSeconds": (
        "Seconds after which a slot that could not be started is missed; no limit if left out."
    ),
    "CronWorkflowSpec.suspend": "While true nothing is started; what runs goes on.",
    "CronWorkflowSpec.successfulRunsHistoryLimit": "How many runs in Success are kept.",
    "CronWorkflowSpec.rolledBackRunsHistoryLimit": "How many runs that were undone are kept.",
    "CronWorkflowSpec.failedRunsHistoryLimit": (
        "How many failed runs are kept; one whose undo is stuck always is."
    ),
    "WorkflowTemplate": "The workflow that each slot starts.",
    "WorkflowTemplate.spec": "As the spec of a Workflow.",
    "WorkflowTemplate.metadata": "Labels and annotations of each run.",
    "TemplateMetadata": "Labels and annotations of each run.",
    "TemplateMetadata.labels": "Labels of each run; values are text.",
    "TemplateMetadata.annotations": "Remarks on each run; values are text.",
    "Metadata": "How a workflow is found.",
    "Metadata.name": "Name of the workflow, unique in its namespace: a DNS label.",
    "Metadata.namespace": "Namespace the name belongs to.",
    "Metadata.uid": "Identity given by the store when the workflow is created; leave it out.",
    "Metadata.labels": "Labels for finding workflows; values are text.",
    "Metadata.annotations": "Remarks of people and tools; values are text.",
    "WorkflowSpec": "What is to be done, and what happens when it fails.",
    "WorkflowSpec.steps": "The steps, in any order; 1 to 10,000, and up to 500 on Kubernetes.",
    "WorkflowSpec.queue": "Queue in which the workflow waits to be started.",
    "WorkflowSpec.priority": "Higher starts earlier among waiting workflows.",
    "WorkflowSpec.suspend": "Start suspended: no step runs before a Continue request.",
    "WorkflowSpec.parameters": (
        "Values that steps read as ${parameters.NAME}. On Kubernetes all parameters of a workflow, "
        f"those of its steps among them, hold up to {CLUSTER_VALUES:,} values."
    ),
    "WorkflowSpec.callback": "Where changes of phase are reported.",
    "WorkflowSpec.rollbackPolicy": (
        "What a failed undo means for the steps it depends on: PreserveOnFailure stops there and "
        "keeps the scene, Always counts it as undone and goes on."
    ),
    "WorkflowSpec.onFailure": (
        "What a step that failed for good leads to: Rollback undoes everything, Pause waits for a "
        "person."
    ),
    "WorkflowSpec.deletionPolicy": (
        "What deleting the workflow undoes first: RollbackUnfinished only an unfinished one, "
        "Rollback always, Orphan nothing."
    ),
    "WorkflowSpec.activeDeadlineSeconds": (
        "Seconds from admission to Success, after which the workflow is undone; none if left out."
    ),
    "WorkflowSpec.ttlSecondsAfterFinished": (
        "How long a finished workflow is kept before an engine that serves removes it, undoing "
        "nothing; for an outcome that is left out its queue or the engine says so, or it stays."
    ),
    "TimeToLive": "Seconds after its end, by how it ended; 0 removes it at once.",
    "TimeToLive.success": "Seconds for which one in Success is kept.",
    "TimeToLive.rollBacked": "Seconds for which one in RollBacked is kept.",
    "TimeToLive.failed": (
        "Seconds for which one in Failed is kept; it then goes as it is, whatever is not undone."
    ),
    "Callback": "Where changes of phase are reported, as a POST of JSON.",
    "Callback.url": "An http or https address; empty for none.",
    "Callback.ignoreNotFound": "Whether an answer of 404 counts as delivered.",
    "Callback.events": (
        "Which events are sent, as workflow.PHASE or step.PHASE; by default the phases of the "
        "workflow and each step's success and failure."
    ),
    "StepSpec": "One step of the graph.",
    "StepSpec.name": "Name of the step, unique in the workflow: a DNS label.",
    "StepSpec.stepTemplate": "What the step does.",
    "StepSpec.dependOns": (
        "What must have been reached before the step starts; on Kubernetes up to 64, and up to "
        f"{CLUSTER_CONDITIONS:,} of all steps together."
    ),
    "StepSpec.pivot": (
        "After this step the workflow only goes forward; it runs once everything not downstream of "
        "it has succeeded. At most one step."
    ),
    "StepSpec.rollback": (
        "None for a step that can't be undone and may be passed over; else Required."
    ),
    "DependOn": "A condition on another step.",
    "DependOn.name": "Name of the step waited for.",
    "DependOn.phase": "Phase it must have reached: Running or Success.",
    "DependOn.resourceStatus": "Status that its resource must show as well.",
    "StepTemplate": "What a step does: its kind and how to call it.",
    "StepTemplate.type": "The step kind; `wf kinds` lists those installed.",
    "StepTemplate.parameters": (
        "Parameters of the kind. Text may hold ${parameters.NAME}, ${attributes.NAME}, "
        "${steps.STEP.attributes.NAME} and ${steps.STEP.resource.FIELD}."
    ),
    "StepTemplate.retryPolicy": "How often and when a failed attempt is tried again.",
    "StepTemplate.rollbackPolicy": "Wins over the workflow's rollbackPolicy for this step.",
    "StepTemplate.syncPeriodSeconds": "Seconds between looks at a finished step; 0 for none.",
    "StepTemplate.timeoutSeconds": "Seconds one run attempt may take; no limit if left out.",
    "StepTemplate.rollbackTimeoutSeconds": (
        "Seconds one rollback attempt may take; no limit if left out."
    ),
    "RetryPolicy": "Retries after the first attempt.",
    "RetryPolicy.runRetryLimit": "Retries of a run after its first attempt: 0 none, -1 no limit.",
    "RetryPolicy.runRetryPeriodSeconds": "Seconds before the first retry of a run.",
    "RetryPolicy.rollbackRetryLimit": (
        "Retries of a rollback after its first attempt: 0 none, -1 no limit."
    ),
    "RetryPolicy.rollbackRetryPeriodSeconds": "Seconds before the first retry of a rollback.",
    "RetryPolicy.factor": (
        "Each further retry waits this many times as long as the one before. Jitter adds up to a "
        "tenth to every wait."
    ),
    "RetryPolicy.maxPeriodSeconds": (
        "The longest wait between two attempts, jitter included, in seconds. It is an error to "
        "write a longer retry period beside it; the default gives way to a longer one."
    ),
}
"""By struct, and by struct and wire name."""
