"""What the metrics make of the moves of a workflow."""

from msgspec.structs import replace

from wf_core.errors import WorkflowNotFound
from wf_core.model.phases import Phase
from wf_core.model.spec import Key, Metadata, StepSpec, StepTemplate, Workflow, WorkflowSpec
from wf_core.model.state import StepState, Stored, Transition, WorkflowState
from wf_k8s.telemetry.follow import FEW, Durations
from wf_k8s.telemetry.metrics import Metrics

KEY = Key("default", "order")
STEP = {"kind": "random"}


def stored(**reached: float) -> Stored:
    """A workflow of one step, created at 100."""
    step = StepState(reached={Phase(phase): at for phase, at in reached.items()})
    return Stored(
        Workflow(
            Metadata("order"),
            WorkflowSpec(steps=(StepSpec("a", StepTemplate("random")),), queue="gold"),
        ),
        WorkflowState(created_at=100.0),
        (step,),
    )


def move(at: float, before: Phase, after: Phase, step: str | None = None) -> Transition:
    """One line of the history."""
    return Transition(at, before, after, step)


def value(metrics: Metrics, name: str, /, **labels: str) -> float | None:
    """The value of one series."""
    return metrics.registry.get_sample_value(name, labels)


def test_the_wait_from_creation_to_start_is_told_by_queue() -> None:
    metrics = Metrics(("gold",))
    Durations(metrics, lambda _: stored()).saw(KEY, (move(107.0, Phase.PENDING, Phase.RUNNING),))
    assert value(metrics, "wf_queue_wait_seconds_sum", queue="gold") == 7.0
    assert value(metrics, "workqueue_adds_total", name="admission") == 1.0


def test_a_run_and_an_undo_are_told_by_kind_hook_and_outcome() -> None:
    metrics = Metrics(("gold",))
    durations = Durations(metrics, lambda _: stored())
    durations.saw(KEY, (move(110.0, Phase.PENDING, Phase.RUNNING, "a"),))
    durations.saw(KEY, (move(113.0, Phase.RUNNING, Phase.SUCCESS, "a"),))
    durations.saw(KEY, (move(120.0, Phase.SUCCESS, Phase.ROLLING_BACK, "a"),))
    durations.saw(KEY, (move(125.0, Phase.ROLLING_BACK, Phase.FAILED, "a"),))
    name = "wf_step_duration_seconds_sum"
    assert value(metrics, name, hook="run", outcome="success", **STEP) == 3.0
    assert value(metrics, name, hook="rollback", outcome="failure", **STEP) == 5.0


def test_a_run_that_another_process_began_is_measured_from_its_beginning() -> None:
    metrics = Metrics(("gold",))
    Durations(metrics, lambda _: stored(Running=50.0)).saw(
        KEY, (move(61.0, Phase.RUNNING, Phase.SUCCESS, "a"),)
    )
    name = "wf_step_duration_seconds_sum"
    assert value(metrics, name, hook="run", outcome="success", **STEP) == 11.0


def test_a_step_that_never_ran_is_not_measured() -> None:
    metrics = Metrics(("gold",))
    Durations(metrics, lambda _: stored()).saw(
        KEY, (move(61.0, Phase.PENDING, Phase.ROLL_BACKED, "a"),)
    )
    assert "wf_step_duration_seconds_count{" not in metrics.text().decode()


def test_a_finished_workflow_is_forgotten() -> None:
    metrics, looks = Metrics(("gold",)), []

    def view(key: Key) -> Stored:
        looks.append(key)
        return stored()

    durations = Durations(metrics, view)
    durations.saw(KEY, (move(110.0, Phase.PENDING, Phase.RUNNING),))
    durations.saw(KEY, (move(120.0, Phase.RUNNING, Phase.SUCCESS),))
    durations.saw(KEY, (move(130.0, Phase.SUCCESS, Phase.ROLLING_BACK),))
    assert len(looks) == 2


def test_a_workflow_that_the_engine_let_go_is_passed_over() -> None:
    def view(key: Key) -> Stored:
        raise WorkflowNotFound(str(key))

    metrics = Metrics(("gold",))
    Durations(metrics, view).saw(KEY, (move(110.0, Phase.PENDING, Phase.RUNNING),))
    assert value(metrics, "workqueue_adds_total", name="admission") is None


def test_an_end_is_counted_with_how_long_it_took() -> None:
    metrics = Metrics(("gold",))
    durations = Durations(metrics, lambda _: stored())
    durations.saw(KEY, (move(107.0, Phase.PENDING, Phase.RUNNING),))
    durations.saw(KEY, (move(110.0, Phase.RUNNING, Phase.ROLLING_BACK),))
    durations.saw(KEY, (move(120.0, Phase.ROLLING_BACK, Phase.ROLL_BACKED),))
    labels = {"phase": "RollBacked", "queue": "gold"}
    assert value(metrics, "wf_workflows_finished_total", **labels) == 1.0
    assert value(metrics, "wf_workflow_duration_seconds_sum", **labels) == 13.0


def test_what_ends_before_it_started_is_counted_and_not_measured() -> None:
    metrics = Metrics(("gold",))
    Durations(metrics, lambda _: stored()).saw(KEY, (move(107.0, Phase.PENDING, Phase.FAILED),))
    labels = {"phase": "Failed", "queue": "gold"}
    assert value(metrics, "wf_workflows_finished_total", **labels) == 1.0
    assert value(metrics, "wf_workflow_duration_seconds_count", **labels) is None


def test_histories_of_unknown_queues_share_one_series() -> None:
    metrics = Metrics()
    for n in range(200):
        key = Key("default", f"w{n}")
        Durations(metrics, lambda _: stored()).saw(
            key, (move(107.0, Phase.PENDING, Phase.RUNNING),)
        )
    assert value(metrics, "wf_queue_wait_seconds_count", queue="other") == 200.0
    assert value(metrics, "wf_queue_wait_seconds_count", queue="gold") is None


def test_of_workflows_that_went_before_they_ended_nothing_is_kept() -> None:
    there = set[Key]()

    def view(key: Key) -> Stored:
        if key not in there:
            raise WorkflowNotFound("gone")
        return stored()

    durations = Durations(Metrics(("gold",)), view)
    stays = Key("default", "stays")
    for n in range(10 * FEW):
        there = {stays, Key("default", f"order-{n}")}
        for key in there:
            durations.saw(key, (move(101.0, Phase.RUNNING, Phase.SUCCESS, "a"),))
    assert len(vars(durations)["_courses"]) <= FEW + 3


def test_a_workflow_that_has_the_name_of_one_that_went_is_measured_from_its_own_creation() -> None:
    metrics, there = Metrics(("gold",)), {KEY: stored()}
    durations = Durations(metrics, there.__getitem__)
    durations.saw(KEY, (move(101.0, Phase.PENDING, Phase.RUNNING),))
    there[KEY] = replace(stored(), head=WorkflowState(created_at=300.0))
    durations.saw(KEY, (move(304.0, Phase.PENDING, Phase.RUNNING),))
    assert value(metrics, "wf_queue_wait_seconds_sum", queue="gold") == 1.0 + 4.0
