"""What a pod that failed means: the table of failures, each with its sentence.

Rows are tried in order, the first that applies decides. `podFailurePolicy` of the author says what
the failure counts, before all rows.
"""

import re
from collections.abc import Callable
from enum import StrEnum

import attrs

from wf_podstep.containers import culprit, inside, said
from wf_podstep.parameters import FailurePolicy
from wf_podstep.policy import weighed
from wf_podstep.seen import Pod
from wf_podstep.verdicts import Failed
from wf_podstep.weights import Weight

TEMPORARY_FAILURE = 75
"""The exit code EX_TEMPFAIL of sysexits.h: "not now"."""

DISRUPTED = "DisruptionTarget"


class Why(StrEnum):
    """The word of each row."""

    DEADLINE = "DeadlineExceeded"
    PREEMPTED = "Preempted"
    NODE_LOST = "NodeLost"
    DRAINED = "Drained"
    EVICTED = "Evicted"
    OVER_LIMIT = "EvictedForItsUse"
    SHUTDOWN = "NodeShutdown"
    REFUSED = "NodeRefused"
    DELETED = "Deleted"
    OOM = "OOMKilled"
    CANNOT_START = "CannotStart"
    NOT_EXECUTABLE = "NotExecutable"
    NOT_FOUND = "NotFound"
    NOT_NOW = "NotNow"
    SIGNALLED = "Signalled"
    EXITED = "ExitCode"
    FAILED = "Failed"


Tell = Callable[[Pod], str | None]
"""The end of the sentence after `pod NAME`, or None where the row does not apply."""


@attrs.frozen
class Row:
    """One row of the table."""

    why: Why
    weight: Weight
    tell: Tell


def disrupted(pod: Pod) -> str | None:
    """Why Kubernetes says that it ended the pod, where it does."""
    condition = pod.condition(DISRUPTED)
    return condition.reason if condition is not None and condition.status == "True" else None


def _by_disruption(*reasons: str, told: str) -> Tell:
    def tell(pod: Pod) -> str | None:
        if disrupted(pod) not in reasons:
            return None
        return told.format(node=pod.spec.node_name or "its node")

    return tell


def _by_reason(*reasons: str, told: str) -> Tell:
    def tell(pod: Pod) -> str | None:
        if not any(re.fullmatch(reason, pod.status.reason) for reason in reasons):
            return None
        return f"{told.format(node=pod.spec.node_name or 'its node')}{said(pod.status.message)}"

    return tell


def _evicted(pod: Pod) -> str | None:
    if pod.status.reason != "Evicted" or disrupted(pod) is None:
        return None
    node = pod.spec.node_name or "its node"
    return f"was evicted, since {node} ran short{said(pod.status.message)}"


def _deleted(pod: Pod) -> str | None:
    if not pod.deleting:
        return None
    ended = culprit(pod)
    code = f" (it ended with code {ended[1].exit_code})" if ended else ""
    return f"was deleted while it ran{code}; how far it came is unknown"


def _by_container(told: str, *, reasons: tuple[str, ...] = (), code: int | None = None) -> Tell:
    def tell(pod: Pod) -> str | None:
        ended = culprit(pod)
        if ended is None or not (ended[1].reason in reasons or ended[1].exit_code == code):
            return None
        return inside(pod, ended[0]) + told + said(ended[1].message)

    return tell


def _oom(pod: Pod) -> str | None:
    ended = culprit(pod)
    if ended is None or ended[1].reason != "OOMKilled":
        return None
    return inside(pod, ended[0]) + (
        "used more memory than its limit and was killed; raise resources.limits.memory"
    )


def _signalled(pod: Pod) -> str | None:
    ended = culprit(pod)
    if ended is None or not 128 < ended[1].exit_code < 160:
        return None
    number = ended[1].exit_code - 128
    name = {9: "SIGKILL", 11: "SIGSEGV", 6: "SIGABRT", 15: "SIGTERM"}.get(number, f"{number}")
    told = f"was ended by signal {name} (exit code {ended[1].exit_code})"
    return inside(pod, ended[0]) + told + said(ended[1].message)


def _exited(pod: Pod) -> str | None:
    ended = culprit(pod)
    if ended is None:
        return None
    told = f"exited with code {ended[1].exit_code}"
    return inside(pod, ended[0]) + told + said(ended[1].message)


def _anyhow(pod: Pod) -> str | None:
    return f"failed{said(pod.status.reason)}{said(pod.status.message)}"


TABLE: tuple[Row, ...] = (
    Row(
        Why.DEADLINE,
        Weight.COUNTED,
        _by_reason("DeadlineExceeded", told="ran longer than its activeDeadlineSeconds"),
    ),
    Row(
        Why.PREEMPTED,
        Weight.IGNORED,
        _by_disruption(
            "PreemptionByScheduler", told="had to make room on {node} for one of higher priority"
        ),
    ),
    Row(
        Why.NODE_LOST,
        Weight.IGNORED,
        _by_disruption("DeletionByTaintManager", "DeletionByPodGC", told="was lost with {node}"),
    ),
    Row(
        Why.DRAINED,
        Weight.IGNORED,
        _by_disruption("EvictionByEvictionAPI", told="was evicted from {node}, as by a drain"),
    ),
    Row(Why.EVICTED, Weight.IGNORED, _evicted),
    Row(
        Why.OVER_LIMIT,
        Weight.COUNTED,
        _by_reason("Evicted", told="was evicted for using more than it may"),
    ),
    Row(
        Why.SHUTDOWN,
        Weight.IGNORED,
        _by_reason("Terminated", "NodeShutdown", "Shutdown", told="was ended as {node} shut down"),
    ),
    Row(
        Why.SHUTDOWN,
        Weight.IGNORED,
        _by_disruption("TerminationByKubelet", told="was ended by {node}"),
    ),
    Row(
        Why.REFUSED,
        Weight.IGNORED,
        _by_reason(
            "OutOf.+", "NodeAffinity", "UnexpectedAdmissionError", told="was refused by {node}"
        ),
    ),
    Row(Why.DELETED, Weight.COUNTED, _deleted),
    Row(Why.OOM, Weight.COUNTED, _oom),
    Row(
        Why.CANNOT_START,
        Weight.FATAL,
        _by_container(
            "could not be started; correct its command",
            reasons=("StartError", "ContainerCannotRun"),
        ),
    ),
    Row(
        Why.NOT_EXECUTABLE,
        Weight.FATAL,
        _by_container("exited with code 126: a program can't be executed", code=126),
    ),
    Row(
        Why.NOT_FOUND,
        Weight.FATAL,
        _by_container("exited with code 127: a program was not found", code=127),
    ),
    Row(
        Why.NOT_NOW,
        Weight.IGNORED,
        _by_container("exited with code 75: not now", code=TEMPORARY_FAILURE),
    ),
    Row(Why.SIGNALLED, Weight.COUNTED, _signalled),
    Row(Why.EXITED, Weight.COUNTED, _exited),
    Row(Why.FAILED, Weight.COUNTED, _anyhow),
)


def failed(pod: Pod, policy: FailurePolicy | None) -> Failed:
    """The row of a pod that failed."""
    row, told = next((row, told) for row in TABLE if (told := row.tell(pod)) is not None)
    weight = weighed(pod, policy)
    return Failed(row.why, row.weight if weight is None else weight, f"pod {pod.name} {told}")
