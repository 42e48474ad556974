"""What the simulation has found, each as the smallest world that showed it."""

from wf_core.model.phases import OnFailure, RequestType
from wf_core.model.spec import (
    DependOn,
    Metadata,
    RetryPolicy,
    StepSpec,
    StepTemplate,
    Workflow,
    WorkflowSpec,
)
from wf_core.testing.simulation import Played, World, play
from wf_core.testing.simulation.world import (
    Act,
    Behaviour,
    Fault,
    Happening,
    Operator,
    Point,
    Submission,
    What,
    Wrong,
)

ONE_AT_A_TIME = Operator(most=1)


def _chain(name: str, length: int = 1) -> Workflow:
    steps = tuple(
        StepSpec(f"s{i}", StepTemplate("plain"), (DependOn(f"s{i - 1}"),) if i else ())
        for i in range(length)
    )
    return Workflow(Metadata(name, uid=f"uid-{name}"), WorkflowSpec(steps))


def _pausing(*steps: StepSpec) -> Workflow:
    spec = WorkflowSpec(steps, on_failure=OnFailure.PAUSE)
    return Workflow(Metadata("w0", uid="uid-w0"), spec)


def _ends(played: Played, *words: str) -> None:
    text = "\n".join(played.timeline)
    for word in words:
        assert word in text


def test_e3_a_workflow_whose_first_save_failed_is_admitted_again() -> None:
    """Seed 172: it kept its slot for a start that was never saved, so it could not be offered."""
    away = Fault(0, Point.SAVE, 1, Wrong.UNAVAILABLE)
    played = play(World(1, (Submission(0.0, _chain("w0")),), faults=(away,), calm_at=60.0))
    _ends(played, "FAULT Unavailable", "workflow:Running->Success")


def test_i13_a_slot_is_given_back_only_once_that_is_saved() -> None:
    """Seed 17: the next workflow began while the store still said that the paused one ran."""
    waits = _pausing(StepSpec("s0", StepTemplate("plain")))
    world = World(
        2,
        (Submission(0.0, waits), Submission(0.0, _chain("w1"))),
        hooks={"w0/s0/run": (Behaviour(Act.FATAL),)},
        operator=ONE_AT_A_TIME,
        calm_at=60.0,
    )
    _ends(play(world), "blocked Paused, parked", "w1 r2 e1 Success")


def test_i13_an_end_that_was_not_saved_gives_no_slot_back() -> None:
    """Seed 5251: the save of a workflow's Success failed, and another began in its place."""
    away = Fault(0, Point.SAVE, 2, Wrong.UNAVAILABLE)
    world = World(
        3,
        (Submission(0.0, _chain("w0")), Submission(0.0, _chain("w1"))),
        hooks={"w1/s0/run": (Behaviour(Act.SUCCEED, 20.0),)},
        faults=(away,),
        operator=ONE_AT_A_TIME,
        calm_at=60.0,
    )
    _ends(play(world), "FAULT Unavailable at Save 2", "w1 r2 e1 Success")


def test_i13_who_was_given_up_before_it_began_waits_again() -> None:
    """Seed 5315: its save failed between its admission and its start; it began all the same."""
    world = World(
        4,
        (Submission(0.0, _chain("w0")), Submission(0.0, _chain("w1"))),
        faults=(
            Fault(0, Point.READ, 3, Wrong.CRASH_AFTER),
            Fault(1, Point.SAVE, 1, Wrong.UNAVAILABLE),
        ),
        happenings=(Happening(1.0, What.REQUEST, "w0", type=RequestType.CONTINUE),),
        operator=Operator(most=1, restart=40.0),
        calm_at=100.0,
    )
    _ends(play(world), "FAULT Unavailable", "w0", "w1")


def test_a5_who_waits_for_a_status_that_nobody_can_see_is_blocked() -> None:
    """Seed 1779: a step was marked as succeeded whose parameters never decoded; the one that waits
    for the status of its resource waited for ever, and nothing said so."""
    world = World(
        5,
        (
            Submission(
                0.0,
                _pausing(
                    StepSpec("s0", StepTemplate("looked")),
                    StepSpec(
                        "s1",
                        StepTemplate("looked", {"count": "${steps.s0.attributes.text}"}),
                        (DependOn("s0"),),
                    ),
                    StepSpec(
                        "s2", StepTemplate("looked"), (DependOn("s1", resource_status="ready"),)
                    ),
                ),
            ),
        ),
        happenings=(Happening(5.0, What.REQUEST, "w0", "s1", RequestType.MARK_SUCCEEDED),),
        calm_at=60.0,
    )
    _ends(play(world), "s2=Pending a0 blocked KindUnavailable", "workflow:Running->")


def test_c7_a_pivot_whose_result_is_too_large_failed_and_is_undone() -> None:
    """Seed 2448: the rule A4 took the attempt before it, cut off by a crash, for its last."""
    pivot = StepSpec("s0", StepTemplate("plain"), pivot=True)
    world = World(
        2,
        (Submission(0.0, Workflow(Metadata("w0", uid="uid-w0"), WorkflowSpec((pivot,)))),),
        hooks={"w0/s0/run": (Behaviour(Act.ACT_THEN_CRASH), Behaviour(Act.TOO_LARGE))},
        calm_at=60.0,
    )
    _ends(play(world), "interrupted 1", "workflow:Running->RollingBack", "w0 r4 e2 RollBacked")


def test_b3_what_a_process_called_that_had_lost_its_workflow_unknowing_counts_for_nobody() -> None:
    """Both call the retry that was planned: who took over can't know of the other's call."""
    retry = RetryPolicy(run_retry_limit=1, run_retry_period_seconds=10.0)
    step = StepSpec("s0", StepTemplate("plain", retry_policy=retry))
    deadly = (Behaviour(Act.ACT_THEN_CRASH),) * 12
    world = World(
        seed=1,
        submissions=(
            Submission(0.0, Workflow(Metadata("w0", uid="uid-w0"), WorkflowSpec((step,)))),
        ),
        hooks={"w0/s0/run": (Behaviour(Act.RETRYABLE), *deadly)},
        happenings=(Happening(5.0, What.TAKE_OVER),),
        operator=Operator(restart=0.2, save_seconds=0.003, forgets=True),
    )
    _ends(
        play(world),
        "p0 calls w0/s0.run/2 e1",
        "p1 calls w0/s0.run/2 e2",
        "calls w0/s0.run/2 e7, interrupted 5",
    )
