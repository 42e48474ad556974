"""The kind `pod`: looks at what is there, makes the next move, says what it means.

`run`, `rollback` and a look at either do the same thing: all is decided from the pods that exist,
so it does not matter at which point an earlier process was cut off.
"""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from wf_core.errors import StoreUnavailable
from wf_core.kinds import (
    Answer,
    CannotLook,
    Retryable,
    StepCall,
    StepKind,
    Throttled,
)
from wf_core.model.phases import Hook, Purpose
from wf_podstep.parameters import PodParameters, faults

if TYPE_CHECKING:
    from wf_podstep.clusters import Clusters

AWAY = 5.0
"""Seconds until an API server that did not answer is asked again."""


class PodStep(StepKind):
    """Runs an image as a pod, and another pod to undo it."""

    name: ClassVar[str] = "pod"
    description: ClassVar[str] = "Runs an image as a pod, and another pod to undo it."
    Parameters: ClassVar[type] = PodParameters

    def __init__(self) -> None:
        self._clusters: Clusters | None = None

    @property
    def clusters(self) -> "Clusters":
        """The clusters in use; what speaks to them is imported now, not at every start of `wf`."""
        if self._clusters is None:
            from wf_podstep.clusters import Clusters

            self._clusters = Clusters()
        return self._clusters

    @property
    def used(self) -> bool:
        """Whether any cluster was spoken to."""
        return self._clusters is not None

    def faults(self, parameters: PodParameters, *, undoable: bool) -> Iterable[str]:
        """What the types can't express."""
        return faults(parameters, undoable=undoable)

    def run(self, call: StepCall) -> Answer:
        """Create the attempt's pod, once what earlier ones left has ended."""
        return self._call(call)

    def rollback(self, call: StepCall) -> Answer:
        """End what runs, keep late runs away, then create the undo's pod."""
        return self._call(call)

    def sync(self, call: StepCall) -> Answer:
        """Look at either; of a finished step there is nothing to look at."""
        if call.purpose is Purpose.WATCH:
            return None
        return self._call(call)

    def _call(self, call: StepCall) -> Answer:
        from wf_k8s.client.errors import NoAnswerError
        from wf_podstep.attempt import Attempt

        try:
            place = self.clusters.of(call.store).at(call.namespace)
            return Attempt(call, place, allowed_accounts(os.environ.get(ACCOUNTS))).go_on()
        except StoreUnavailable as error:
            if call.hook is Hook.SYNC:
                raise CannotLook(str(error)) from error
            if isinstance(error, NoAnswerError):
                raise Throttled(str(error), AWAY) from error
            raise Retryable(str(error)) from error


ACCOUNTS = "WF_POD_SERVICE_ACCOUNTS"
"""The variable that names the service accounts pods may run as, with commas between."""


def allowed_accounts(text: str | None) -> tuple[str, ...] | None:
    """The service accounts that pods may use; None is any."""
    if text is None:
        return None
    return tuple(each.strip() for each in text.split(",") if each.strip())
