"""What is known of one workflow of a play: its saves by epoch, its calls, what was reported."""

import attrs

from wf_core.kinds import StepCall
from wf_core.model.outcomes import Outcome
from wf_core.model.phases import Hook, Phase, Purpose
from wf_core.model.spec import Key, Workflow
from wf_core.model.state import OutboxEntry, Stored
from wf_core.ports import Changes
from wf_core.saga.graph import Graph
from wf_core.testing.simulation.world import Act


@attrs.define(eq=False)
class Called:
    """One call of a hook. Times are the loop's; `clock` is what the process's clock said then.

    `outcome` is None where the process died before the hook could report. `seen` is what the epoch
    of the call had last saved; `stale`: another epoch had saved since; `usurped`:
    another process had taken the workflow over, and this one did not know.
    """

    n: int
    process: int
    call: StepCall
    i: int
    began: float
    clock: float
    seen: Stored | None
    stale: bool
    act: Act | None = None
    ended: float | None = None
    outcome: Outcome | None = None
    stuck: bool = False
    stopped_at: float | None = None
    usurped: bool = False

    @property
    def name(self) -> str:
        """`step.hook/attempt`, with the purpose of a look."""
        call = self.call
        purpose = f"[{call.purpose}]" if call.hook is Hook.SYNC else ""
        return f"{call.step}.{call.hook}{purpose}/{call.attempt}"


@attrs.frozen
class Save:
    """One save that the store took; `clock` is its writer's clock."""

    process: int
    store_id: str
    at: float
    clock: float
    changes: Changes
    before: Stored
    after: Stored


@attrs.define(eq=False)
class Story:
    """One workflow. `phases` are as the history told them; `taken` maps the id of each event that a
    receiver took to what it said, `refused` are the seqs that one would not take; an undo goes on
    without waiting for a person from `undoing_since`; a slot is held
    from `holding_since`; `deleted`: people asked for it to go; it came
    to its last end at `ended_at`; `gone` is what was stored at its removal, at `gone_at`.
    `forgets`: nothing tells a process what was open when the one before it died."""

    key: Key
    workflow: Workflow
    graph: Graph
    index: dict[str, int]
    calls: list[list[Called]]
    phases: dict[str | None, Phase] = attrs.field(factory=dict)
    owners: dict[int, str] = attrs.field(factory=dict)
    by_epoch: dict[int, Stored] = attrs.field(factory=dict)
    outbox: list[OutboxEntry] = attrs.field(factory=list)
    taken: dict[str, str] = attrs.field(factory=dict)
    asked: dict[int, str] = attrs.field(factory=dict)
    answered: dict[int, str] = attrs.field(factory=dict)
    refused: dict[int, None] = attrs.field(factory=dict)
    undoing_since: float | None = None
    holding_since: float | None = None
    deleted: bool = False
    ended_at: float | None = None
    gone: Stored | None = None
    gone_at: float | None = None
    forgets: bool = False

    @classmethod
    def of(cls, key: Key, workflow: Workflow, *, forgets: bool = False) -> "Story":
        """The story of a workflow that was just submitted."""
        steps = workflow.spec.steps
        index = {step.name: i for i, step in enumerate(steps)}
        calls: list[list[Called]] = [[] for _ in steps]
        return cls(key, workflow, Graph.of(steps), index, calls, forgets=forgets)

    @property
    def in_flight(self) -> list[Called]:
        """Calls that have not ended."""
        return [each for calls in self.calls for each in calls if each.ended is None]

    @property
    def in_flight_stuck(self) -> bool:
        """Whether a call goes on whose thread was given up."""
        return any(each.stuck for each in self.in_flight)

    def runs(self, i: int) -> list[Called]:
        """Calls for the run of step i, looks included."""
        return [each for each in self.calls[i] if each.call.purpose is Purpose.RUN]

    def undos(self, i: int) -> list[Called]:
        """Calls for the undo of step i, looks included."""
        return [each for each in self.calls[i] if each.call.purpose is Purpose.ROLLBACK]
