"""What to do next about a step, from the pods that are there: decided anew at every look, so that
a crash between any two moves changes nothing."""

from collections.abc import Mapping, Sequence

import attrs

from wf_podstep.seen import Pod

BURIED = 10
"""The last attempts to run for which an undo sees to it that they can't come late."""


@attrs.frozen
class Known:
    """What was saved of this attempt's pod: whether it was created, and the uid of one that another
    is to replace."""

    created: bool = False
    replaced: str = ""


@attrs.frozen
class End:
    """These pods must be gone first."""

    pods: tuple[Pod, ...]


@attrs.frozen
class Bury:
    """The pods of these attempts to run must never come."""

    attempts: tuple[int, ...]


@attrs.frozen
class Create:
    """This attempt's pod is to be made."""


@attrs.frozen
class Judge:
    """This attempt's pod is there."""

    pod: Pod


@attrs.frozen
class Vanished:
    """This attempt's pod was there and is gone."""


@attrs.frozen
class Refuse:
    """A run that comes after its undo began."""


@attrs.frozen
class Nothing:
    """All is done."""


Move = End | Bury | Create | Judge | Vanished | Refuse | Nothing


def forward(pods: Sequence[Pod], attempt: int, known: Known) -> Move:
    """The next move of an attempt to run."""
    runs = {pod.attempt: pod for pod in pods if pod.runs}
    own = runs.get(attempt)
    if own is not None and own.tombstone:
        return Refuse()
    return _own(runs, attempt, known)


def backward(
    pods: Sequence[Pod], run_attempt: int, attempt: int, known: Known, *, calls: bool
) -> Move:
    """The next move of an attempt to undo, after `run_attempt` attempts to run. `calls`: there is
    an undo to run, besides ending what runs."""
    runs = {pod.attempt: pod for pod in pods if pod.runs}
    going = tuple(pod for pod in runs.values() if not pod.over and not pod.tombstone)
    if going:
        return End(going)
    first = max(1, run_attempt - BURIED + 1)
    missing = tuple(n for n in range(first, run_attempt + 1) if n not in runs)
    if missing:
        return Bury(missing)
    if not calls:
        return Nothing()
    return _own({pod.attempt: pod for pod in pods if not pod.runs}, attempt, known)


def _own(pods: Mapping[int, Pod], attempt: int, known: Known) -> Move:
    own = pods.get(attempt)
    if own is not None and own.uid == known.replaced:
        return End((own,))
    if own is not None:
        return Judge(own)
    if known.created:
        return Vanished()
    going = tuple(pod for n, pod in pods.items() if n < attempt and not pod.over)
    return End(going) if going else Create()
