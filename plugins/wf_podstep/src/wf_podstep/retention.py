"""Which pods go when their workflow has ended."""

from collections.abc import Iterable

from wf_core.model.phases import Phase
from wf_podstep import names
from wf_podstep.parameters import Retain
from wf_podstep.seen import Pod

ENDED = (Phase.SUCCESS, Phase.ROLL_BACKED)
"""Phases after which nothing needs the pods. A Failed workflow may still be undone: there they
keep late runs away."""

KEPT_ATTEMPTS = 3
"""Pods of earlier attempts that a step keeps, since a workflow may try for ever."""


def leftovers(pods: Iterable[Pod]) -> list[Pod]:
    """The pods of a workflow that has ended which nobody wants to keep."""
    return [pod for pod in pods if not _kept(pod)]


def outdated(pods: Iterable[Pod], attempt: int, *, runs: bool) -> list[Pod]:
    """Ended pods of attempts long past."""
    return [
        pod
        for pod in pods
        if pod.runs is runs and pod.over and pod.attempt < attempt - KEPT_ATTEMPTS
    ]


def _kept(pod: Pod) -> bool:
    retain = pod.metadata.labels.get(names.RETAIN)
    if pod.tombstone or retain == Retain.NEVER:
        return False
    return retain == Retain.ALWAYS or pod.status.phase == "Failed"
