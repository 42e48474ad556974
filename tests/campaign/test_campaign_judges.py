"""The judges of a campaign find what they are there for."""

from collections.abc import Callable, Iterator

import pytest
from msgspec.structs import replace
from tests.campaign import judge_calls, judge_stored
from tests.campaign.orders import STEPS, Fate, Order
from tests.campaign.receiver import Delivery
from tests.campaign.records import Entry, Life, Line, Status, Step, Version, Writer

from wf_core.model.phases import Phase, Undo

ORDER = Order(0, Fate.SUCCEEDS, "chain", None, "a", 0.0)
FAILING = Order(0, Fate.FAILS, "chain", "b", "a", 0.0)
OWN = 3
"""The epoch in which everything happens."""


def saved(revision: int, phase: Phase = Phase.RUNNING, **steps: Step) -> Status:
    """A state, written in the epoch that owns it."""
    return Status(phase, {}, revision, OWN, Writer(OWN, revision), steps)


def life(*statuses: Status) -> Life:
    """A workflow that went through these, one a second."""
    made = Life("order-0000", "u")
    made.versions = [Version(n, float(n), each, ()) for n, each in enumerate(statuses)]
    return made


def line(step: str, hook: str, at: float, what: str = "begin", **more: int) -> Line:
    """A call's note."""
    fields = {"pid": 1, "attempt": 1, "interruptions": 0, "epoch": OWN, **more}
    return Line(at=at, uid="u", step=step, hook=hook, key=f"{step}/{hook}", what=what, **fields)


RUNS = Step(Phase.RUNNING, {Phase.RUNNING: 1.0}, attempt=1)
DONE = Step(Phase.SUCCESS, {Phase.RUNNING: 1.0, Phase.SUCCESS: 2.0}, attempt=1)
UNDOES = replace(DONE, phase=Phase.ROLLING_BACK, rollback_attempt=1)
UNDONE = replace(UNDOES, phase=Phase.ROLL_BACKED, undo=Undo.CALLED)
FORGOTTEN = Step(Phase.ROLL_BACKED, attempt=1, undo=Undo.NEVER_RAN)
FIRST = saved(1, a=RUNS)
SECOND = saved(2, a=DONE, b=RUNS)
ALL_DONE = saved(3, Phase.SUCCESS, **dict.fromkeys(STEPS, DONE))
RIGHT = [line("a", "run", 0.5), line("a", "run", 0.6, "success"), line("b", "run", 1.5)]


@pytest.mark.parametrize(
    ("faults", "word"),
    [
        (judge_stored.ended_right(ORDER, life(FIRST)), "ended Running"),
        (judge_stored.ended_right(ORDER, life(replace(ALL_DONE, steps={"a": DONE}))), "I12"),
        (judge_stored.ended_right(FAILING, life(saved(3, Phase.ROLL_BACKED, a=DONE))), "false"),
        (
            judge_stored.ended_right(
                FAILING,
                life(saved(3, Phase.ROLL_BACKED, **dict.fromkeys(STEPS, FORGOTTEN))),
            ),
            "I2",
        ),
        (judge_stored.only_legal_writes(life(FIRST, replace(SECOND, epoch=OWN - 1))), "I5"),
        (
            judge_stored.only_legal_writes(life(FIRST, replace(SECOND, writer=Writer(OWN - 1, 9)))),
            f"written in epoch {OWN - 1}",
        ),
        (judge_stored.only_legal_writes(life(FIRST, replace(SECOND, revision=3))), "follows 1"),
        (judge_stored.only_legal_writes(life(FIRST, replace(SECOND, revision=1))), "without a new"),
        (judge_stored.only_legal_writes(life(SECOND, saved(3, a=RUNS))), "never goes from Success"),
        (judge_stored.limits_held([life(FIRST)], {"order-0000": "q"}, 0, {}), "beside 0"),
        (judge_stored.limits_held([life(FIRST)], {"order-0000": "q"}, 9, {"q": 0}), "0 of q"),
        (
            judge_calls.only_with_saved_intents(ORDER, life(FIRST), [*RIGHT, line("b", "run", 2)]),
            "called 2 times",
        ),
        (judge_calls.only_with_saved_intents(ORDER, life(FIRST), RIGHT), "no intent"),
        (
            judge_calls.only_with_saved_intents(ORDER, life(saved(1, a=RUNS, b=RUNS)), RIGHT),
            "I1",
        ),
        (
            judge_calls.no_run_after_a_success_was_seen(life(FIRST, SECOND), [line("a", "run", 2)]),
            "began 1.000 s after",
        ),
        (
            judge_calls.undone_in_reverse(
                FAILING,
                life(saved(3, a=UNDONE, b=UNDONE)),
                [*RIGHT, line("a", "rollback", 3), line("b", "rollback", 4)],
            ),
            "I3",
        ),
        (judge_calls.undone_in_reverse(FAILING, life(saved(3, a=UNDONE)), RIGHT), "not undone"),
        (
            judge_calls.undone_in_reverse(
                FAILING,
                life(saved(3, a=UNDONE)),
                [line("a", "rollback", 1), line("a", "run", 2)],
            ),
            "ran after",
        ),
        (judge_calls.one_at_a_time([RIGHT[0], line("a", "run", 0.55, attempt=2)]), "within"),
        (judge_calls.one_at_a_time([RIGHT[0], line("a", "run", 1, "success", epoch=2)]), "goes on"),
        (judge_calls.concurrency_held(RIGHT[::2], 1), "2 calls at once"),
    ],
)
def test_a_fault_is_found(faults: Iterator[str], word: str) -> None:
    assert word in "; ".join(faults)


TOLD = (Entry(1, Phase.RUNNING), Entry(2, Phase.SUCCESS, "a"))
TELLING = replace(FIRST, reached={Phase.RUNNING: 1.0}, outbox=TOLD, outbox_seq=2)
CAME = [
    Delivery("u", 1, "workflow.Running", None),
    Delivery("u", 2, "step.Success", "a"),
]


@pytest.mark.parametrize(
    ("came", "word"),
    [
        (CAME[:1], "never delivered: [2]"),
        (CAME[::-1], "in the order [2, 1]"),
        ([*CAME, Delivery("u", 3, "step.Success", "b")], "stored is None"),
        ([CAME[0], Delivery("u", 2, "step.Failed", "a")], "and stored is"),
    ],
)
def test_i9_a_callback_that_is_lost_disordered_or_made_up_is_found(
    came: list[Delivery], word: str
) -> None:
    assert word in "; ".join(judge_calls.called_back(life(TELLING), came))


def test_what_is_right_is_not_blamed() -> None:
    whole = life(FIRST, SECOND)
    judges: list[Callable[[], Iterator[str]]] = [
        lambda: judge_stored.only_legal_writes(whole),
        lambda: judge_stored.limits_held([whole], {"order-0000": "q"}, 1, {"q": 1}),
        lambda: judge_calls.only_with_saved_intents(ORDER, whole, RIGHT),
        lambda: judge_calls.no_run_after_a_success_was_seen(whole, RIGHT),
        lambda: judge_calls.undone_in_reverse(ORDER, whole, RIGHT),
        lambda: judge_calls.one_at_a_time(RIGHT),
        lambda: judge_calls.called_back(life(TELLING), [*CAME, CAME[1]]),
        lambda: judge_stored.ended_right(ORDER, life(ALL_DONE)),
    ]
    assert [fault for judge in judges for fault in judge()] == []
