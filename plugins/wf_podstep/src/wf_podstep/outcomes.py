"""What a pod's state means for its step, from the tables of `failures` and `starting`."""

from wf_podstep.containers import main, waiting
from wf_podstep.failures import disrupted, failed
from wf_podstep.parameters import FailurePolicy
from wf_podstep.seen import Pod
from wf_podstep.starting import SOON, TROUBLE, awaited, trouble
from wf_podstep.verdicts import Done, Failed, Going, Verdict
from wf_podstep.weights import Weight


def judge(pod: Pod, policy: FailurePolicy | None, age: float, limit: float | None) -> Verdict:
    """What a pod's state means. `age` is its seconds since creation, `limit` those it may take to
    start (None: any)."""
    if pod.status.phase == "Succeeded":
        return Done(main(pod).message)
    if pod.status.phase == "Failed":
        return failed(pod, policy)
    return _going(pod, age, limit)


def vanished(name: str, last: Pod | None, policy: FailurePolicy | None) -> Verdict:
    """What it means that a pod is gone. `last` is what was seen of it last, if anything was."""
    if last is not None and last.over:
        return judge(last, policy, 0.0, None)
    if last is not None and disrupted(last) is not None:
        return failed(last, policy)
    return Failed(
        "Deleted",
        Weight.COUNTED,
        f"pod {name} was deleted before it ended; how far it came is unknown",
    )


def mark(pod: Pod) -> tuple[object, ...]:
    """What must differ between two sights of a pod for its step to be looked at."""
    waits = waiting(pod)
    reason = waits[1].reason if waits is not None and waits[1].reason in TROUBLE else ""
    return pod.over, pod.deleting, reason


def _going(pod: Pod, age: float, limit: float | None) -> Verdict:
    if pod.deleting and disrupted(pod) == "DeletionByTaintManager":
        return Going(
            "NodeLost",
            f"{pod.spec.node_name} does not answer, so that its pod can't be ended; once that node "
            f"is known to be off: `kubectl delete pod {pod.name} --force`",
        )
    if pod.deleting:
        return Going("Terminating", f"pod {pod.name} is being deleted")
    found, waits = trouble(pod), awaited(pod)
    if isinstance(found, Failed):
        return found
    why = found or waits
    if why is None:
        return Going(pod.status.phase)
    if limit is not None and age >= limit:
        sentence = f"pod {pod.name} could not start within {limit:g} s: {why.why}"
        return Failed(why.status, Weight.COUNTED, sentence)
    return why if found is not None or age >= SOON else Going(pod.status.phase)
