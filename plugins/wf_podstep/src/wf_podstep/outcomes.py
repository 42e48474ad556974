"""What a pod's state means for its step: the table of outcomes, each with its sentence.

Rows are tried in order, the first that applies decides. `podFailurePolicy` of the author comes
before all rows of a pod that failed.
"""

import re
from collections.abc import Callable
from enum import StrEnum

import attrs

from wf_podstep.parameters import FailurePolicy
from wf_podstep.policy import weighed
from wf_podstep.seen import ContainerStatus, Pod, Terminated, Waiting
from wf_podstep.weights import Weight

TEMPORARY_FAILURE = 75
"""The exit code EX_TEMPFAIL of sysexits.h: "not now"."""

DISRUPTED = "DisruptionTarget"
_LONGEST = 600


@attrs.frozen
class Done:
    """The pod succeeded; `message` is what its container left in the termination log."""

    message: str


@attrs.frozen
class Failed:
    """The pod failed: why in a word, what it counts, and the sentence that a person sees."""

    reason: str
    weight: Weight
    sentence: str


@attrs.frozen
class Going:
    """It has not ended. `why` says what keeps it from running, where something does."""

    status: str
    why: str = ""


Verdict = Done | Failed | Going


def judge(pod: Pod, policy: FailurePolicy | None, age: float, limit: float | None) -> Verdict:
    """What a pod's state means. `age` is its seconds since creation, `limit` those it may take to
    start (None: any)."""
    if pod.status.phase == "Succeeded":
        return Done(_main(pod).message)
    if pod.status.phase == "Failed":
        return _failed(pod, policy)
    return _going(pod, age, limit)


def vanished(name: str, last: Pod | None, policy: FailurePolicy | None) -> Verdict:
    """What it means that a pod is gone. `last` is what was seen of it last, if anything was."""
    if last is not None and last.over:
        return judge(last, policy, 0.0, None)
    if last is not None and _disrupted(last) is not None:
        return _failed(last, policy)
    return Failed(
        "Deleted",
        Weight.COUNTED,
        f"pod {name} was deleted before it ended; how far it came is unknown",
    )


def mark(pod: Pod) -> tuple[object, ...]:
    """What must differ between two sights of a pod for its step to be looked at."""
    waiting = _waiting(pod)
    trouble = waiting[1].reason if waiting and waiting[1].reason in TROUBLE else ""
    return pod.over, pod.deleting, trouble


# A pod that failed


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


def _disrupted(pod: Pod) -> str | None:
    condition = pod.condition(DISRUPTED)
    return condition.reason if condition is not None and condition.status == "True" else None


def _by_disruption(*reasons: str, told: str) -> Tell:
    def tell(pod: Pod) -> str | None:
        if _disrupted(pod) not in reasons:
            return None
        return told.format(node=pod.spec.node_name or "its node")

    return tell


def _by_reason(*reasons: str, told: str) -> Tell:
    def tell(pod: Pod) -> str | None:
        if not any(re.fullmatch(reason, pod.status.reason) for reason in reasons):
            return None
        return f"{told.format(node=pod.spec.node_name or 'its node')}{_said(pod.status.message)}"

    return tell


def _evicted(pod: Pod) -> str | None:
    if pod.status.reason != "Evicted" or _disrupted(pod) is None:
        return None
    node = pod.spec.node_name or "its node"
    return f"was evicted, since {node} ran short{_said(pod.status.message)}"


def _deleted(pod: Pod) -> str | None:
    if not pod.deleting:
        return None
    ended = _culprit(pod)
    code = f" (it ended with code {ended[1].exit_code})" if ended else ""
    return f"was deleted while it ran{code}; how far it came is unknown"


def _by_container(told: str, *, reasons: tuple[str, ...] = (), code: int | None = None) -> Tell:
    def tell(pod: Pod) -> str | None:
        ended = _culprit(pod)
        if ended is None or not (ended[1].reason in reasons or ended[1].exit_code == code):
            return None
        return _in(pod, ended[0]) + told + _said(ended[1].message)

    return tell


def _oom(pod: Pod) -> str | None:
    ended = _culprit(pod)
    if ended is None or ended[1].reason != "OOMKilled":
        return None
    return _in(pod, ended[0]) + (
        "used more memory than its limit and was killed; raise resources.limits.memory"
    )


def _signalled(pod: Pod) -> str | None:
    ended = _culprit(pod)
    if ended is None or not 128 < ended[1].exit_code < 160:
        return None
    number = ended[1].exit_code - 128
    name = {9: "SIGKILL", 11: "SIGSEGV", 6: "SIGABRT", 15: "SIGTERM"}.get(number, f"{number}")
    told = f"was ended by signal {name} (exit code {ended[1].exit_code})"
    return _in(pod, ended[0]) + told + _said(ended[1].message)


def _exited(pod: Pod) -> str | None:
    ended = _culprit(pod)
    if ended is None:
        return None
    told = f"exited with code {ended[1].exit_code}"
    return _in(pod, ended[0]) + told + _said(ended[1].message)


def _anyhow(pod: Pod) -> str | None:
    return f"failed{_said(pod.status.reason)}{_said(pod.status.message)}"


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


def _failed(pod: Pod, policy: FailurePolicy | None) -> Failed:
    row, told = next((row, told) for row in TABLE if (told := row.tell(pod)) is not None)
    weight = weighed(pod, policy)
    return Failed(row.why, row.weight if weight is None else weight, f"pod {pod.name} {told}")


# A pod that has not ended

TROUBLE = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "ErrImageNeverPull",
        "InvalidImageName",
        "ImageInspectError",
        "RegistryUnavailable",
        "SignatureValidationFailed",
        "CreateContainerConfigError",
        "CreateContainerError",
        "RunContainerError",
        "PreStartHookError",
    }
)
"""Why a container waits that keeps it from starting, though what is wrong may pass."""

_WRONG_IMAGE = frozenset({"InvalidImageName", "ErrImageNeverPull"})
_NO_IMAGE = re.compile(r"not found|manifest unknown|does not exist|NotFound", re.IGNORECASE)


def _going(pod: Pod, age: float, limit: float | None) -> Verdict:
    if pod.deleting:
        return Going("Terminating", f"pod {pod.name} is being deleted")
    found = _trouble(pod)
    if found is None:
        return Going(pod.status.phase)
    if isinstance(found, Going) and limit is not None and age >= limit:
        sentence = f"pod {pod.name} could not start within {limit:g} s: {found.why}"
        return Failed(found.status, Weight.COUNTED, sentence)
    return found


def _trouble(pod: Pod) -> Going | Failed | None:
    waits = _waiting(pod)
    if waits is not None and waits[1].reason in TROUBLE:
        return _unstarted(pod, *waits)
    scheduled = pod.condition("PodScheduled")
    if scheduled is not None and scheduled.reason == "Unschedulable":
        return Going("Unschedulable", f"no node takes it{_said(scheduled.message)}")
    return None


def _unstarted(pod: Pod, container: ContainerStatus, waits: Waiting) -> Going | Failed:
    image = container.image or "its image"
    pulls = "ImagePull" in waits.reason or waits.reason in _WRONG_IMAGE
    if waits.reason in _WRONG_IMAGE or (pulls and _NO_IMAGE.search(waits.message)):
        why = "is no name of an image" if waits.reason == "InvalidImageName" else "does not exist"
        if waits.reason == "ErrImageNeverPull":
            why = "is not on the node, and imagePullPolicy forbids to pull it"
        sentence = f"pod {pod.name}: the image {image} {why}{_said(waits.message)}"
        return Failed(waits.reason, Weight.FATAL, sentence)
    if pulls:
        return Going(waits.reason, f"the image {image} can't be pulled{_said(waits.message)}")
    where = f"container {container.name} can't be made ({waits.reason})"
    return Going(waits.reason, f"{where}{_said(waits.message)}")


# Its containers


def _waiting(pod: Pod) -> tuple[ContainerStatus, Waiting] | None:
    """The first container that waits for something else than its turn."""
    for each in (*pod.status.init_container_statuses, *pod.status.container_statuses):
        if each.state.waiting is not None and each.state.waiting.reason != "PodInitializing":
            return each, each.state.waiting
    return None


def _culprit(pod: Pod) -> tuple[str, Terminated] | None:
    """The container whose end made the pod fail: the one that counts, else the first of others."""
    statuses = [*pod.status.container_statuses, *pod.status.init_container_statuses]
    ended = [
        (each.name, each.state.terminated)
        for each in statuses
        if each.state.terminated is not None and each.state.terminated.exit_code != 0
    ]
    return next((each for each in ended if each[0] == pod.main), ended[0] if ended else None)


def _main(pod: Pod) -> Terminated:
    for each in pod.status.container_statuses:
        if each.name == pod.main and each.state.terminated is not None:
            return each.state.terminated
    return Terminated()


def _in(pod: Pod, container: str) -> str:
    return "" if container == pod.main else f"(container {container}) "


def _said(text: str) -> str:
    """What Kubernetes or the container said, behind a colon, in one line and cut short."""
    line = " ".join(text.split())
    if not line:
        return ""
    return f": {line}" if len(line) <= _LONGEST else f": ...{line[-_LONGEST:]}"
