"""Steps of the kind `pod`, called as the engine would, against the API server of the tests."""

import queue
from collections.abc import Callable, Mapping
from typing import Any

import attrs
from tests.patience import PATIENCE
from tests.podstep.kubelet import Kubelet

from wf_core.kinds import Answer, InProgress, Previous, Success
from wf_core.model.phases import Ended, Hook, Purpose
from wf_core.model.spec import Json
from wf_core.model.state import Resource
from wf_core.testing.calls import RecordedCall, call_for
from wf_podstep.kind import PodStep

PARAMETERS: Mapping[str, Json] = {
    "image": "shop/pay:1",
    "command": ["pay"],
    "rollback": {"command": ["refund"]},
}


@attrs.define
class Bench:
    """One step. What a call answered is what the next one finds as `previous`."""

    kind: PodStep
    kubelet: Kubelet
    store: str
    uid: str
    step: str = "pay"
    parameters: Mapping[str, Json] = PARAMETERS
    resource: Resource | None = None
    attributes: Mapping[str, Json] = {}
    woken: "queue.SimpleQueue[None]" = attrs.field(factory=queue.SimpleQueue)
    last: RecordedCall | None = None

    def call(
        self, hook: Hook = Hook.RUN, *, purpose: Purpose | None = None, **options: Any
    ) -> RecordedCall:
        """A call of `hook`."""
        made = call_for(
            self.kind,
            {**self.parameters, **options.pop("parameters", {})},
            hook=hook,
            purpose=purpose,
            workflow="order",
            namespace=self.kubelet.namespace,
            uid=self.uid,
            step=self.step,
            store=self.store,
            previous=Previous(Ended.NONE, self.resource, self.attributes),
            **options,
        )
        woken = self.woken
        self.last = attrs.evolve(made, send_wake=lambda: woken.put(None))
        return self.last

    def run(self, **options: Any) -> Answer:
        """Run it."""
        return self._kept(self.kind.run, self.call(**options))

    def look(self, **options: Any) -> Answer:
        """Look at the run, or at what `purpose` says."""
        return self._kept(self.kind.sync, self.call(Hook.SYNC, **options))

    def rollback(self, **options: Any) -> Answer:
        """Undo it."""
        return self._kept(self.kind.rollback, self.call(Hook.ROLLBACK, **options))

    def look_at_undo(self, **options: Any) -> Answer:
        """Look at the undo."""
        return self.look(purpose=Purpose.ROLLBACK, **options)

    def woken_soon(self) -> None:
        """Return once the step was woken."""
        self.woken.get(timeout=PATIENCE)

    def _kept(self, hook: Callable[[Any], Answer], call: RecordedCall) -> Answer:
        try:
            answer = hook(call)
        finally:
            for each in call.checkpoints:
                self.resource = each.resource or self.resource
        if isinstance(answer, Success | InProgress):
            self.resource = answer.resource or self.resource
            if answer.attributes is not None:
                self.attributes = answer.attributes
        return answer
