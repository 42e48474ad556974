"""What keeps a pod from starting, and whether that may pass."""

import re

from wf_podstep.containers import said, waiting
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
