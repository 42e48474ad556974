"""What must hold after every turn of a saga, whatever was reported, asked or lost (design 7)."""

from wf_core.model.phases import DeletionPolicy, Hook, Phase, Purpose, RollbackPolicy, Undo
from wf_core.model.state import StepState
from wf_core.saga.graph import Graph
from wf_core.saga.table import check_step, check_workflow
from wf_core.testing.saga_driver import Called, Drive

_UNDONE = (Undo.CALLED, Undo.IRREVERSIBLE, Undo.MARKED)


class Invariants:
    """Watches one drive; `check()` belongs after every turn and names the invariant that broke."""

    def __init__(self, drive: Drive) -> None:
        self._drive = drive
        self._graph = Graph.of(drive.saved.workflow.spec.steps)
        self._index = {s.name: i for i, s in enumerate(drive.saved.workflow.spec.steps)}
        self._phases: dict[str | None, Phase] = {}
        self._calls = 0
        self._history = 0
        self._last: dict[str, Called] = {}

    def check(self) -> None:
        """Everything that can be seen now."""
        self._check_history()
        for called in self._drive.calls[self._calls :]:
            self._check_call(called)
            if called.call.purpose is not Purpose.WATCH:
                self._last[called.step] = called
        self._calls = len(self._drive.calls)
        self._check_state()
        self._check_permits()

    def _check_history(self) -> None:
        for each in self._drive.history[self._history :]:
            before = self._phases.get(each.step, Phase.PENDING)
            assert each.before is before, f"I8: {each.step} was {before}, not {each.before}"
            (check_workflow if each.step is None else check_step)(each.before, each.after)
            self._phases[each.step] = each.after
        self._history = len(self._drive.history)

    def _check_call(self, called: Called) -> None:
        saved, call = self._drive.saved, called.call
        step = saved.steps[call.step]
        due = step.next_attempt_at
        assert call.hook is Hook.SYNC or due is None or due <= called.at, "I11: before its time"
        if call.hook is Hook.RUN:
            assert step.phase is Phase.RUNNING, f"I6: run of a step that is {step.phase}"
            assert step.attempt == call.attempt, "I6: the intent of another attempt is saved"
            assert Phase.SUCCESS not in step.reached, "I6: run after a saved Success"
            assert step.rollback_attempt == 0, "I4: run after rollback"
            for condition in self._graph.conditions[call.step]:
                reached = saved.steps[condition.on].reached
                assert condition.phase in reached, f"I1: {condition} was not saved"
        elif call.hook is Hook.ROLLBACK:
            assert not saved.head.committed, "I15: undone past the pivot"
            assert step.phase is Phase.ROLLING_BACK, f"I6: undo of a step that is {step.phase}"
            assert step.attempt > 0, "I4: undo without an intent"
            assert step.rollback_attempt == call.attempt, "I6: another undo's intent is saved"
            for dependent in self._graph.dependents[call.step]:
                # One whose undo is tried again by a person had settled before.
                below = saved.steps[dependent]
                settled = self._settled(dependent, below) or Phase.FAILED in below.reached
                assert settled, f"I3: step {dependent} is not settled"
        else:
            expected = {
                Purpose.RUN: Phase.RUNNING,
                Purpose.ROLLBACK: Phase.ROLLING_BACK,
                Purpose.WATCH: Phase.SUCCESS,
            }[call.purpose]
            assert step.phase is expected, f"B1: {call.purpose} looks at {step.phase}"
            assert step.in_progress == (call.purpose is not Purpose.WATCH), "B1: nothing to look at"

    def _settled(self, i: int, step: StepState) -> bool:
        spec = self._drive.saved.workflow.spec
        policy = spec.steps[i].step_template.rollback_policy or spec.rollback_policy
        return step.phase is Phase.ROLL_BACKED or (
            step.phase is Phase.FAILED
            and (step.undo is Undo.SKIPPED or policy is RollbackPolicy.ALWAYS)
        )

    def _check_state(self) -> None:
        saved = self._drive.saved
        head, steps = saved.head, saved.steps
        succeeded = all(step.phase is Phase.SUCCESS for step in steps)
        assert not (head.phase is Phase.SUCCESS and not succeeded), "I12: false Success"
        assert not (head.phase is Phase.RUNNING and succeeded), "I12: Success is not said"
        forward = (Phase.RUNNING, Phase.SUCCESS)
        assert not head.committed or head.phase in forward, f"I15: committed and {head.phase}"
        seqs = [answer.seq for answer in head.answers]
        assert len(seqs) == len(set(seqs)), "D: a request was answered twice"
        for spec, step in zip(saved.workflow.spec.steps, steps, strict=True):
            policy = spec.step_template.retry_policy
            unlimited = policy.run_retry_limit < 0 or head.committed or spec.pivot
            limit = policy.run_retry_limit + 1
            assert unlimited or step.run_retry_count <= limit, "I11: too many runs"
            limit = policy.rollback_retry_limit + 1
            unlimited = policy.rollback_retry_limit < 0
            assert unlimited or step.rollback_retry_count <= limit, "I11: too many undos"
            if head.phase is Phase.ROLL_BACKED and step.attempt:
                assert step.undo in _UNDONE, f"I2: {spec.name} was not undone: {step.undo}"
                last = self._last.get(spec.name)
                assert (
                    step.undo is not Undo.CALLED
                    or last is None
                    or last.call.purpose is Purpose.ROLLBACK
                ), f"I2: {spec.name} ran after its undo"

    def _check_permits(self) -> None:
        drive = self._drive
        in_flight = sum(drive.permits.taken.values())
        assert in_flight <= len(drive.flying), "E1: a permit is held by nobody"
        orphaned = (
            drive.saga.head.deletion_asked_at is not None
            and drive.saved.workflow.spec.deletion_policy is DeletionPolicy.ORPHAN
        )
        open_ = sum(drive.permits.open_attempts.values())
        going = sum(
            (state.in_progress and not orphaned)
            or (name in drive.flying and not self._watched(name))
            for name, state in zip(self._index, drive.saga.steps, strict=True)
        )
        assert open_ == going, f"E1: {open_} open attempts are counted, {going} are open"

    def _watched(self, name: str) -> bool:
        return self._drive.flying[name].purpose is Purpose.WATCH
