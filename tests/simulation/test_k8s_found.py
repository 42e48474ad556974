"""What the worlds at an API server have found, each as a small world that showed it."""

from msgspec.structs import replace

from wf_core.model.phases import DeletionPolicy, RequestType
from wf_core.model.spec import DependOn, Metadata, StepSpec, StepTemplate, Workflow, WorkflowSpec
from wf_core.testing.simulation import World, play
from wf_core.testing.simulation.world import (
    Act,
    Behaviour,
    Fault,
    Happening,
    Operator,
    Point,
    Submission,
    Trouble,
    What,
    Wrong,
)
from wf_k8s.testing.simulation import KUBERNETES

SLOW = (Behaviour(Act.SUCCEED, 2.0),)


def _chain(length: int = 1, kind: str = "plain", watched: float = 0.0) -> Workflow:
    steps = tuple(
        StepSpec(
            f"s{i}",
            StepTemplate(kind, sync_period_seconds=watched),
            (DependOn(f"s{i - 1}"),) if i else (),
        )
        for i in range(length)
    )
    return Workflow(Metadata("w0", uid="uid-w0"), WorkflowSpec(steps))


def _played(world: World) -> str:
    return "\n".join(play(world, KUBERNETES).timeline)


def test_c5_who_lost_the_lease_and_does_not_know_takes_nothing_back() -> None:
    """Seed 15: a leader that was cut off from its Lease took its successor for a dead predecessor,
    and both took the workflow from each other until the one noticed."""
    world = World(
        15,
        (Submission(0.0, _chain(3)),),
        hooks={f"w0/s{i}/run": SLOW for i in range(3)},
        happenings=(
            Happening(0.975, What.TAKE_OVER),
            Happening(1.165, What.REQUEST, "w0", type=RequestType.CONTINUE),
        ),
        operator=Operator(save_seconds=0.02),
        calm_at=60.0,
    )
    told = _played(world)
    assert "p1 saves w0 r2 e2" in told
    assert " e3 " not in told


def test_i10_what_is_deleted_while_it_is_watched_is_looked_at_no_more() -> None:
    """Seed 438: nothing guards a workflow in Success, so the API server deletes it at once; its
    engine looked at its steps for ever."""
    world = World(
        438,
        (Submission(0.0, _chain(kind="looked", watched=7.0)),),
        happenings=(Happening(31.529, What.DELETE, "w0"),),
        calm_at=60.0,
    )
    assert "people saw it go: w0 (Success)" in _played(world)


def test_c5_what_a_former_leader_saves_over_one_at_rest_is_taken_up_anew() -> None:
    """Seed 1160: the new leader had taken up a suspended workflow and had nothing to save; the
    former one, cut off, saved once more, rightly, and died. Nobody went on."""
    world = World(
        1160,
        (Submission(0.0, _chain(2)),),
        hooks={
            "w0/s0/run": (Behaviour(Act.SUCCEED, 0.769),),
            "w0/s0/rollback": (Behaviour(Act.THROTTLED, 2.563),),
        },
        faults=(
            Fault(0, Point.SAVE, 3, Wrong.UNKNOWN_NOT_SAVED),
            Fault(0, Point.SAVE, 4, Wrong.UNAVAILABLE),
        ),
        happenings=(
            Happening(0.069, What.REQUEST, "w0", "s9", RequestType.RETRY_RUN),
            Happening(0.608, What.REQUEST, "w0", type=RequestType.SUSPEND),
            Happening(1.162, What.TAKE_OVER),
            Happening(1.551, What.REQUEST, "w0", type=RequestType.CANCEL),
        ),
        troubles=(Trouble(4.029, "TokenExpired"),),
        operator=Operator(save_seconds=0.001),
        calm_at=200.0,
    )
    assert "workflow:RollingBack->RollBacked" in _played(world)


def test_c4_a_workflow_that_another_guards_and_saves_meanwhile_is_lost_and_no_fault() -> None:
    """Seed 714: made by kubectl, so both engines put the finalizer on; the slower one's save was
    called a fault of ours, and the workflow blocked."""
    world = World(
        714,
        (Submission(0.0, _chain()),),
        faults=(Fault(0, Point.SAVE, 2, Wrong.CRASH_AFTER),),
        troubles=(Trouble(0.0, "Applied", workflow="w0"),),
        operator=Operator(serves=False, engines=2, save_seconds=0.003),
        calm_at=60.0,
    )
    assert "lost a save of w0" in _played(world)


def test_i14_what_somebody_else_holds_goes_by_age_once_they_let_it_go() -> None:
    """Seed 564: it was deleted for its age while another's finalizer was on it. So it stayed,
    deleted, and whoever led next would have undone it, as its policy says of a deletion."""
    workflow = _chain()
    spec = replace(workflow.spec, deletion_policy=DeletionPolicy.ROLLBACK)
    world = World(
        564,
        (Submission(0.0, replace(workflow, spec=spec)),),
        hooks={"w0/s0/run": SLOW},
        troubles=(Trouble(0.681, "Aged", 0.0, "w0"), Trouble(1.0, "Held", 30.0, "w0")),
        calm_at=60.0,
    )
    told = _played(world)
    held, _, freed = told.partition("31.0")
    assert "removes w0" not in held
    assert "p0 removes w0 (Success), over age" in freed
    assert "rollback" not in told
