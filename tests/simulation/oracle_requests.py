"""Which requests are answered how: section D as a table of what is valid, and what then follows."""

from tests.simulation import oracle_moves as moves
from tests.simulation import oracle_rules as rules
from tests.simulation.oracle_world import World

from wf_core.model.phases import Hook, Phase, Ran, RequestType, Undo, Verdict
from wf_core.model.requests import Request

APPLIED, REFUSED, NO_EFFECT = Verdict.APPLIED, Verdict.REFUSED, Verdict.NO_EFFECT
OPEN = (Phase.PENDING, Phase.RUNNING)


def answer_all(w: World) -> None:
    """Each request is answered once, in the order of their numbers, when its time has come."""
    waiting = []
    for asked in sorted(w.asked, key=lambda a: a.seq):
        verdict = _answer(w, asked.request)
        if verdict is None:
            waiting.append(asked)
        else:
            request = asked.request
            w.head.answers.append((asked.seq, request.type, verdict, request.step))
    w.asked = waiting


def _answer(w: World, request: Request) -> Verdict | None:
    match request.type:
        case RequestType.CANCEL:
            return _cancel(w)
        case RequestType.SUSPEND | RequestType.CONTINUE:
            return _suspend(w, wanted=request.type is RequestType.SUSPEND)
        case RequestType.ROLLBACK:
            if w.head.phase is not Phase.SUCCESS or w.head.committed:
                return REFUSED
            moves.turn_back(w)
            return APPLIED
        case RequestType.SIGNAL:
            return _signal(w, request)
        case RequestType.RETRY_RUN if not request.step:
            return _retry_everything(w)
        case RequestType.RETRY_ROLLBACK if not request.step:
            return _undo_everything_again(w)
    i = w.index(request.step)
    if i is None:
        return REFUSED
    # "At the first turn in which the step it names has no call in flight."
    return None if w.steps[i].flight else _of_step(w, request.type, i)


def _cancel(w: World) -> Verdict | None:
    """Valid when Pending, or Running and not committed; A4: it waits for a pivot's outcome."""
    phase = w.head.phase
    if phase is Phase.ROLLING_BACK:
        return NO_EFFECT
    if phase not in OPEN or w.head.committed:
        return REFUSED
    if phase is Phase.PENDING:
        moves.end_before_it_began(w)
    elif rules.pivot_unknown(w):
        return None
    else:
        moves.turn_back(w)
    return APPLIED


def _suspend(w: World, *, wanted: bool) -> Verdict:
    """Suspend and Continue are valid when Pending or Running."""
    if w.head.phase not in OPEN:
        return REFUSED
    if w.head.suspended is wanted:
        return NO_EFFECT
    w.head.suspended = wanted
    if wanted:
        moves.end_watches(w)
    else:
        moves.arm_watches(w)
    return APPLIED


def _signal(w: World, request: Request) -> Verdict:
    if not request.name:
        return REFUSED
    if w.head.phase in rules.FINISHED:
        return NO_EFFECT
    w.head.signals[request.name] = request.value
    for i, step in enumerate(w.steps):
        if step.flight or step.in_progress:
            moves.wake(w, i)
    return APPLIED


def _retry_everything(w: World) -> Verdict:
    """RetryRun without a step: what could never start, or every blocked run."""
    if w.head.phase is Phase.FAILED and not any(s.attempt for s in w.steps):
        moves.move_workflow(w, Phase.PENDING)
        return APPLIED
    blocked = [i for i in w.indices if rules.run_is_blocked(w, i)]
    for i in blocked:
        moves.by_hand(w, i, Hook.RUN)
    return APPLIED if blocked else REFUSED


def _undo_everything_again(w: World) -> Verdict:
    """RetryRollback without a step: every undo that waits for a person."""
    stuck = [i for i in w.indices if rules.undo_is_stuck(w, i)]
    for i in stuck:
        _undo_again(w, i)
    if stuck and w.head.phase is Phase.FAILED and rules.can_go_on_undoing(w):
        moves.undo_again(w)
    return APPLIED if stuck else REFUSED


def _undo_again(w: World, i: int) -> None:
    step = w.steps[i]
    if step.phase is Phase.FAILED:
        moves.move(w, i, Phase.ROLLING_BACK)
        step.undo = None
    moves.by_hand(w, i, Hook.ROLLBACK)


def _of_step(w: World, what: RequestType, i: int) -> Verdict:
    step = w.steps[i]
    forward = what in (RequestType.RETRY_RUN, RequestType.MARK_SUCCEEDED)
    if not (rules.run_is_blocked(w, i) if forward else rules.undo_waits(w, i)):
        return REFUSED
    if what is RequestType.SKIP_ROLLBACK and step.undo is Undo.SKIPPED:
        return NO_EFFECT
    match what:
        case RequestType.RETRY_RUN:
            moves.by_hand(w, i, Hook.RUN)
        case RequestType.MARK_SUCCEEDED:
            if step.phase is Phase.PENDING:
                moves.move(w, i, Phase.RUNNING)
                step.attempt = 1
            moves.succeed(w, i, Ran.MARKED)
            moves.arm_watch(w, i)
        case RequestType.RETRY_ROLLBACK:
            _undo_again(w, i)
        case RequestType.SKIP_ROLLBACK:
            if step.phase is Phase.ROLLING_BACK:
                moves.leave(w, i, Hook.ROLLBACK)
                moves.move(w, i, Phase.FAILED)
            step.undo, step.blocked = Undo.SKIPPED, None
        case RequestType.MARK_ROLLED_BACK:
            if step.phase is Phase.ROLLING_BACK:
                moves.leave(w, i, Hook.ROLLBACK)
            moves.undone(w, i, Undo.MARKED)
    if not forward and w.head.phase is Phase.FAILED and rules.can_go_on_undoing(w):
        moves.undo_again(w)
    return APPLIED
