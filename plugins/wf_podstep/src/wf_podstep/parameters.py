"""What a workflow's author may write under `stepTemplate.parameters` of a `pod` step."""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Literal

import attrs

RESERVED = "WF_"
MISSING_ROLLBACK = (
    "rollback: give the command (and image) that undoes the step, or `none` where ending its pod "
    "is enough, or say `rollback: None` on the step"
)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")

Objects = list[dict[str, Any]]  # as Kubernetes defines them: the API server judges them


class Retain(StrEnum):
    """Which pods stay when their workflow has ended."""

    NEVER = "never"
    ON_FAILURE = "onFailure"
    ALWAYS = "always"


class Action(StrEnum):
    """What a rule of the failure policy does, in the words of Jobs."""

    FAIL_JOB = "FailJob"
    IGNORE = "Ignore"
    COUNT = "Count"


def _says(description: str, **more: str) -> dict[str, str]:
    """What is said of a field, and how references enter it."""
    return {"description": description, **more}


@attrs.frozen(kw_only=True)
class OnExitCodes:
    """Exit codes of one container, or of any where it names none."""

    operator: Literal["In", "NotIn"] = attrs.field(
        metadata=_says("In: one of the values; NotIn: another than 0.")
    )
    values: list[int] = attrs.field(metadata=_says("Exit codes."))
    container_name: str | None = attrs.field(
        metadata=_says("The container; default: any."), default=None
    )


@attrs.frozen(kw_only=True)
class OnPodCondition:
    """A condition of the pod, such as DisruptionTarget."""

    type: str = attrs.field(metadata=_says("The condition's type."))
    status: Literal["True", "False", "Unknown"] = attrs.field(
        metadata=_says("Its status."), default="True"
    )


@attrs.frozen(kw_only=True)
class FailureRule:
    """One rule; the first that fits decides."""

    action: Action = attrs.field(
        metadata=_says(
            "FailJob: no retry helps. Ignore: tried again, not counted. Count: counts as a failure."
        )
    )
    on_exit_codes: OnExitCodes | None = attrs.field(
        metadata=_says("Fits by exit codes."), default=None
    )
    on_pod_conditions: list[OnPodCondition] = attrs.field(
        metadata=_says("Fits by any of these."), factory=list
    )


@attrs.frozen(kw_only=True)
class FailurePolicy:
    """As `podFailurePolicy` of a Job."""

    rules: list[FailureRule] = attrs.field(metadata=_says("The rules, in order."))


@attrs.frozen(kw_only=True)
class Rollback:
    """The undo pod. What it leaves out is as in the run's pod, but for command and args."""

    image: str = attrs.field(metadata=_says("Its image; default: that of the run."), default="")
    command: list[str] = attrs.field(
        metadata=_says("Its command, in place of the image's.", references="shell"), factory=list
    )
    args: list[str] = attrs.field(
        metadata=_says("Arguments of the command.", references="shell", after="command"),
        factory=list,
    )
    env: dict[str, str] | Objects = attrs.field(
        metadata=_says(
            "Variables beside those of the run's pod: a map, or a list as Kubernetes has it."
        ),
        factory=dict,
        repr=False,
    )
    resources: dict[str, Any] | None = attrs.field(
        metadata=_says("Its requests and limits."), default=None
    )
    service_account_name: str = attrs.field(metadata=_says("Its service account."), default="")
    active_deadline_seconds: int | None = attrs.field(
        metadata=_says("Seconds it may run."), default=None
    )
    pod_template: dict[str, Any] | None = attrs.field(
        metadata=_says("A whole pod template.", references="containers"), default=None
    )


@attrs.frozen(kw_only=True)
class PodParameters:
    """Parameters of a `pod` step. Objects and lists of them are as in a pod's own spec."""

    image: str = attrs.field(
        metadata=_says("The image; needed unless podTemplate has one."), default=""
    )
    command: list[str] = attrs.field(
        metadata=_says("The command, in place of the image's.", references="shell"), factory=list
    )
    args: list[str] = attrs.field(
        metadata=_says("Arguments of the command.", references="shell", after="command"),
        factory=list,
    )
    env: dict[str, str] | Objects = attrs.field(
        metadata=_says("Variables: a map of texts, or a list as Kubernetes has it."),
        factory=dict,
        repr=False,
    )
    env_from: Objects = attrs.field(
        metadata=_says("Variables from config maps and secrets."), factory=list
    )
    resources: dict[str, Any] | None = attrs.field(
        metadata=_says("Requests and limits."), default=None
    )
    security_context: dict[str, Any] | None = attrs.field(
        metadata=_says("The container's security context."), default=None
    )
    service_account_name: str = attrs.field(
        metadata=_says("The service account; without one the pod gets no token."), default=""
    )
    volumes: Objects = attrs.field(metadata=_says("Volumes of the pod."), factory=list)
    volume_mounts: Objects = attrs.field(
        metadata=_says("Where the container finds them."), factory=list
    )
    node_selector: dict[str, str] = attrs.field(
        metadata=_says("Labels of the nodes it may run on."), factory=dict
    )
    tolerations: Objects = attrs.field(metadata=_says("Taints it puts up with."), factory=list)
    image_pull_secrets: Objects = attrs.field(
        metadata=_says("Secrets for the registry."), factory=list
    )
    sidecars: Objects = attrs.field(
        metadata=_says(
            "Containers that run beside it and are ended with it.", references="containers"
        ),
        factory=list,
    )
    active_deadline_seconds: int | None = attrs.field(
        metadata=_says("Seconds the pod may run before Kubernetes ends it."), default=None
    )
    start_deadline_seconds: float | None = attrs.field(
        metadata=_says(
            "Seconds after which a pod that could not start counts as failed; nothing: no limit."
        ),
        default=600.0,
    )
    pod_template: dict[str, Any] | None = attrs.field(
        metadata=_says(
            "A whole pod template (metadata, spec); what is given beside it goes into its first "
            "container.",
            references="containers",
        ),
        default=None,
    )
    rollback: Rollback | Literal["none"] | None = attrs.field(
        metadata=_says(
            "The pod that undoes the step, or `none` where ending its own pod is enough."
        ),
        default=None,
    )
    retain_pods: Retain = attrs.field(
        metadata=_says("Which pods stay when the workflow has ended."), default=Retain.ON_FAILURE
    )
    pod_failure_policy: FailurePolicy | None = attrs.field(
        metadata=_says("What failures mean, as in a Job."), default=None
    )
    result_from: Literal["terminationMessage", "log"] = attrs.field(
        metadata=_says(
            "Where the result is read: /dev/termination-log (4 KiB), or the last line of the log "
            "that begins with WF_RESULT (32 KiB)."
        ),
        default="terminationMessage",
    )


def faults(parameters: PodParameters, *, undoable: bool) -> Iterator[str]:
    """What the types do not say. Values of `env` never take part in a sentence."""
    if not parameters.image and not _has_image(parameters.pod_template):
        yield "image: is missing; give the image that the step runs"
    yield from _template("podTemplate", parameters.pod_template)
    yield from _env("env", parameters.env)
    yield from _positive("activeDeadlineSeconds", parameters.active_deadline_seconds)
    yield from _positive("startDeadlineSeconds", parameters.start_deadline_seconds)
    yield from _policy(parameters.pod_failure_policy)
    rollback = parameters.rollback
    if rollback is None:
        if undoable:
            yield MISSING_ROLLBACK
    elif isinstance(rollback, Rollback):
        if not (rollback.image or rollback.command or rollback.args or rollback.pod_template):
            yield MISSING_ROLLBACK
        yield from _template("rollback.podTemplate", rollback.pod_template)
        yield from _env("rollback.env", rollback.env)
        yield from _positive("rollback.activeDeadlineSeconds", rollback.active_deadline_seconds)


def main_of(template: dict[str, Any] | None) -> dict[str, Any]:
    """The container of a template that counts: its first."""
    spec = (template or {}).get("spec")
    containers = spec.get("containers") if isinstance(spec, dict) else None
    first = containers[0] if isinstance(containers, list) and containers else {}
    return first if isinstance(first, dict) else {}


def _has_image(template: dict[str, Any] | None) -> bool:
    return bool(main_of(template).get("image"))


def _template(where: str, template: dict[str, Any] | None) -> Iterator[str]:
    if template is None:
        return
    for key in template:
        if key not in ("metadata", "spec"):
            yield f"{where}.{key}: there is no such key; a template has metadata and spec"
    spec = template.get("spec", {})
    if not isinstance(spec, dict) or not isinstance(template.get("metadata", {}), dict):
        yield f"{where}: give objects as metadata and spec"
        return
    if spec.get("restartPolicy", "Never") != "Never":
        yield f"{where}.spec.restartPolicy: is Never; the workflow tries again by its retryPolicy"


def _env(where: str, env: dict[str, str] | Objects) -> Iterator[str]:
    listed = list(env) if isinstance(env, dict) else [str(each.get("name", "")) for each in env]
    for name in listed:
        if not _VARIABLE.fullmatch(name):
            yield f"{where}: {name!r} is no name of a variable; use letters, digits and _"
        elif name.startswith(RESERVED):
            yield f"{where}: {name!r} is taken; names that begin with {RESERVED} are the engine's"


def _positive(where: str, seconds: float | None) -> Iterator[str]:
    if seconds is not None and not seconds > 0:
        yield f"{where}: give seconds, more than 0, not {seconds:g}"


def _policy(policy: FailurePolicy | None) -> Iterator[str]:
    for n, rule in enumerate(policy.rules if policy else ()):
        where = f"podFailurePolicy.rules[{n}]"
        if (rule.on_exit_codes is None) == (not rule.on_pod_conditions):
            yield f"{where}: give one of onExitCodes and onPodConditions"
        codes = rule.on_exit_codes
        if codes is not None and (
            not codes.values or (codes.operator == "In" and 0 in codes.values)
        ):
            yield f"{where}.onExitCodes.values: give exit codes other than 0"
