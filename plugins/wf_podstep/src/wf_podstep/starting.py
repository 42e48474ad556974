"""What keeps a pod from starting, and whether that may pass."""

import re

from wf_podstep.containers import said, started, waiting
from wf_podstep.seen import ContainerStatus, Pod, Waiting
from wf_podstep.verdicts import Failed, Going
from wf_podstep.weights import Weight

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

SOON = 10.0
"""Seconds that a pod has to start before it is told what it waits for: most take less, and each
thing that is told costs a save."""

USUAL = 60.0
"""Seconds between two looks at a pod that has not started for longer."""

_WRONG_IMAGE = frozenset({"InvalidImageName", "ErrImageNeverPull"})
_NO_IMAGE = re.compile(r"not found|manifest unknown|does not exist|NotFound", re.IGNORECASE)


def trouble(pod: Pod) -> Going | Failed | None:
    """What keeps a pod from running, if anything does; Failed where it never will."""
    waits = waiting(pod)
    if waits is not None and waits[1].reason in TROUBLE:
        return _unstarted(pod, *waits)
    scheduled = pod.condition("PodScheduled")
    if scheduled is not None and scheduled.reason == "Unschedulable":
        return Going("Unschedulable", f"no node takes it{said(scheduled.message)}")
    return None


def look_at_start(age: float, limit: float | None) -> float | None:
    """Seconds until a pod that was not started is looked at again; None for as usual. Nothing else
    tells that it is time to say what it waits for, or that its time is over."""
    usual = SOON - age if age < SOON else USUAL
    if limit is None:
        return usual if age < SOON else None
    return max(min(usual, limit - age), 1.0)


def awaited(pod: Pod) -> Going | None:
    """What a pod waits for that was not started yet, though nothing says that anything is wrong;
    None for one that was started."""
    if started(pod):
        return None
    name, node = pod.name, pod.spec.node_name
    if pod.spec.scheduling_gates:
        gates = ", ".join(gate.name for gate in pod.spec.scheduling_gates)
        return Going(
            "SchedulingGated", f"no scheduler may take it yet: its scheduling gates {gates}"
        )
    if not node:
        scheduler = pod.spec.scheduler_name
        return Going(
            "Unscheduled", f"the scheduler '{scheduler}' has not looked at it; check that it runs"
        )
    initializing = next(
        (each for each in pod.status.init_container_statuses if each.state.running is not None),
        None,
    )
    if pod.status.phase == "Pending" and initializing is not None:
        return Going("Initializing", f"init container {initializing.name} has not finished")
    waits = waiting(pod)
    told = waits[1] if waits is not None else Waiting()
    return Going(
        told.reason or "Starting",
        f"node {node} has not started it; an image, a volume, or a Secret or ConfigMap mounted as "
        f"one may be missing: `kubectl describe pod {name}` shows which{said(told.message)}",
    )


def _unstarted(pod: Pod, container: ContainerStatus, waits: Waiting) -> Going | Failed:
    image = container.image or "its image"
    pulls = "ImagePull" in waits.reason or waits.reason in _WRONG_IMAGE
    if waits.reason in _WRONG_IMAGE or (pulls and _NO_IMAGE.search(waits.message)):
        why = "is no name of an image" if waits.reason == "InvalidImageName" else "does not exist"
        if waits.reason == "ErrImageNeverPull":
            why = "is not on the node, and imagePullPolicy forbids to pull it"
        sentence = f"pod {pod.name}: the image {image} {why}{said(waits.message)}"
        return Failed(waits.reason, Weight.FATAL, sentence)
    if pulls:
        return Going(waits.reason, f"the image {image} can't be pulled{said(waits.message)}")
    where = f"container {container.name} can't be made ({waits.reason})"
    return Going(waits.reason, f"{where}{said(waits.message)}")
