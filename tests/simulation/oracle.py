"""The oracle: a second, naive answer to "what must happen now".

It is written to be read beside the semantics and shares nothing with the machine but the model. It
keeps no count and no queue: every turn asks every question of every step again. Where the rules
leave a choice (which of several gets a scarce permit, the jitter of a wait) it looks at what the
machine chose and judges whether that was allowed, and whether more was required.
"""

import copy
from collections.abc import Mapping, Sequence

from tests.simulation import oracle_arrivals as arrivals
from tests.simulation import oracle_following as following
from tests.simulation import oracle_moves as moves
from tests.simulation import oracle_outcomes as outcomes
from tests.simulation import oracle_requests as requests
from tests.simulation.oracle_events import Delete, Halfway, Never, Report, Slot, Told, Wake, What
from tests.simulation.oracle_world import (
    Head,
    KnownKind,
    Seen,
    Step,
    World,
    fresh,
    remembered,
)

from wf_core.model.phases import Phase
from wf_core.model.requests import Asked
from wf_core.model.spec import WorkflowSpec


class Oracle:
    """One workflow. `turn` says what must follow, `save` what stays, `crash` forgets the rest."""

    def __init__(self, spec: WorkflowSpec, *, grace: float, sync_timeout: float) -> None:
        self.world = fresh(spec, {}, (), grace=grace, sync_timeout=sync_timeout)
        self._asked: list[Asked] = []
        self._recovered = False
        self._saved: tuple[Head, list[Step]] = copy.deepcopy((self.world.head, self.world.steps))

    def save(self) -> None:
        """All of this is on disk."""
        self._saved = remembered(self.world)

    def crash(self, kinds: Mapping[str, KnownKind]) -> None:
        """All but what is on disk is lost; a new owner, with these kinds, goes on."""
        head, steps = copy.deepcopy(self._saved)
        answered = {seq for seq, *_ in head.answers}
        world = self.world
        self.world = World(
            world.spec,
            head,
            steps,
            [a for a in self._asked if a.seq not in answered],
            kinds,
            world.grace,
            world.sync_timeout,
        )
        self._recovered = False

    def turn(self, events: Sequence[What], now: float, seen: Seen) -> World:
        """C1: fold what arrived, starting nothing; then derive until nothing moves."""
        w = self.world
        w.now, w.seen = now, seen
        w.calls, w.stops, w.written_off, w.reports = [], [], [], []
        if not self._recovered:
            self._recovered = True
            arrivals.recover(w)
        for report in sorted(
            (e for e in events if isinstance(e, Report | Halfway)),
            key=lambda e: (e.step, isinstance(e, Report)),
        ):
            flight = w.steps[report.step].flight
            if flight is None or flight.number != report.number:
                continue
            if isinstance(report, Report):
                outcomes.reported(w, report.step, flight, report.outcome)
            elif not flight.dropped:
                kept = report.result
                flight.too_large = not outcomes.keep(w, report.step, kept.resource, kept.attributes)
        for event in events:
            match event:
                case Slot():
                    arrivals.admit(w)
                case Never() if w.head.phase is Phase.PENDING:
                    moves.move_workflow(w, Phase.FAILED)
                case Wake(step):
                    moves.wake(w, step)
                case Delete(at):
                    arrivals.delete(w, at)
                case Told(seq):
                    w.head.undelivered = [s for s in w.head.undelivered if s > seq]
                case Asked():
                    self._asked.append(event)
                    w.asked.append(event)
        requests.answer_all(w)
        arrivals.let_time_act(w)
        following.derive(w)
        return w
