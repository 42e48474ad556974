"""Which container of a pod matters, and how it is told of."""

from wf_podstep.seen import ContainerStatus, Pod, Terminated, Waiting

LONGEST = 600
"""Characters of what Kubernetes or a container said: its end."""


def waiting(pod: Pod) -> tuple[ContainerStatus, Waiting] | None:
    """The first container that waits for something else than its turn."""
    for each in (*pod.status.init_container_statuses, *pod.status.container_statuses):
        if each.state.waiting is not None and each.state.waiting.reason != "PodInitializing":
            return each, each.state.waiting
    return None


def started(pod: Pod) -> bool:
    """Whether the container that counts was ever started."""
    for each in pod.status.container_statuses:
        if each.name == pod.main:
            return each.state.running is not None or each.state.terminated is not None
    return pod.over or pod.status.phase == "Running"


def culprit(pod: Pod) -> tuple[str, Terminated] | None:
    """The container whose end made the pod fail: the one that counts, else the first of others."""
    statuses = [*pod.status.container_statuses, *pod.status.init_container_statuses]
    ended = [
        (each.name, each.state.terminated)
        for each in statuses
        if each.state.terminated is not None and each.state.terminated.exit_code != 0
    ]
    return next((each for each in ended if each[0] == pod.main), ended[0] if ended else None)


def main(pod: Pod) -> Terminated:
    """How the container that counts has ended."""
    for each in pod.status.container_statuses:
        if each.name == pod.main and each.state.terminated is not None:
            return each.state.terminated
    return Terminated()


def inside(pod: Pod, container: str) -> str:
    """Where something happened, unless it was in the container that counts."""
    return "" if container == pod.main else f"(container {container}) "


def said(text: str) -> str:
    """What Kubernetes or the container said, behind a colon, in one line and cut short."""
    line = " ".join(text.split())
    if not line:
        return ""
    return f": {line}" if len(line) <= LONGEST else f": ...{line[-LONGEST:]}"
