"""The shipped engine on virtual time, in which the kind `approval` itself decides."""

import asyncio
from collections.abc import Mapping
from typing import Any

import attrs

from wf_approval.kind import Approval
from wf_core.config import Config
from wf_core.kinds import StepCall
from wf_core.model.phases import OnFailure, RequestType
from wf_core.model.spec import Key, StepTemplate, Workflow
from wf_core.model.state import Resource, StepState
from wf_core.plugins import Registry
from wf_core.testing.bench import KINDS, Bench, Process, step, workflow
from wf_core.testing.scripted_hooks import Do, Script


class Deciding(Script):
    """Calls of `approval` do what the kind does; others what the script says."""

    def __init__(self) -> None:
        super().__init__()
        self.bench: Bench | None = None

    def __call__(self, call: StepCall) -> Do:
        if call.kind != "approval":
            return super().__call__(call)
        assert self.bench is not None
        saved: list[Resource] = []

        def keep(resource: Resource | None, _attributes: Mapping[str, Any] | None) -> None:
            assert resource is not None
            saved.append(resource)

        registry = Registry.of([Approval(self.bench.clock.now)])
        outcome = registry.perform(attrs.evolve(call, save_checkpoint=keep))
        return Do(outcome, checkpoints=tuple(saved))


class GatedBench(Bench):
    """Book, wait for an approval, pay."""

    def __init__(self, config: Config | None = None) -> None:
        deciding = Deciding()
        super().__init__(deciding, config=config)
        deciding.bench = self

    def engine(self) -> Process:
        """A new process that knows the kind."""
        return self.process(kinds=(*KINDS, Approval(self.clock.now)))

    async def answer(self, key: Key, *, approved: bool, by: str, reason: str = "") -> None:
        """Somebody's answer."""
        value = {"approved": approved, "by": by, "reason": reason, "at": str(self.clock.now())}
        await self.ask(key, RequestType.SIGNAL, name="gate", value=value)

    async def gate(self, key: Key) -> StepState:
        """What is stored of the gate."""
        stored = await self.stored(key)
        names = [each.name for each in stored.workflow.spec.steps]
        return stored.steps[names.index("gate")]

    async def opened(
        self, process: Process, active_deadline_seconds: float | None = None, **parameters: Any
    ) -> Key:
        """A workflow whose gate waits, run by that process."""
        document = gated(active_deadline_seconds=active_deadline_seconds, **parameters)
        key = await self.create(document)
        await process.adopt(key)
        while not (await self.gate(key)).in_progress:
            await asyncio.sleep(0.01)
        return key


def gated(
    on_failure: OnFailure = OnFailure.ROLLBACK,
    active_deadline_seconds: float | None = None,
    **parameters: Any,
) -> Workflow:
    """The workflow; `parameters` are the gate's."""
    gate = step("gate", "book", template=StepTemplate("approval", parameters))
    return workflow(
        step("book"),
        gate,
        step("pay", "gate"),
        on_failure=on_failure,
        active_deadline_seconds=active_deadline_seconds,
    )
