"""Feeds the metrics of what happens from what each save changed."""

from collections.abc import Callable, Mapping

import attrs

from wf_core.errors import WorkflowNotFound
from wf_core.model.phases import FINISHED, Hook, Phase
from wf_core.model.spec import Key
from wf_core.model.state import Stored, Transition
from wf_k8s.telemetry.metrics import ADMISSION, Metrics

HOOKS = {Phase.RUNNING: Hook.RUN, Phase.ROLLING_BACK: Hook.ROLLBACK}
"""Which hook a step is busy with in a phase."""
FEW = 100
"""Courses of which no one looks whether their workflows are still run."""


@attrs.define
class _Course:
    """What is known of one workflow that is under way. `reached` is by step and phase."""

    kinds: Mapping[str, str]
    queue: str
    created_at: float
    began_at: float | None
    reached: dict[tuple[str, Phase], float]


class Durations:
    """A listener of the engine (`saw`). `view` shows a workflow that it runs, or raises
    WorkflowNotFound. What began before this process is told of where its state says when."""

    def __init__(self, metrics: Metrics, view: Callable[[Key], Stored]) -> None:
        self._metrics = metrics
        self._view = view
        self._courses: dict[Key, _Course] = {}
        self._most = FEW

    def saw(self, key: Key, transitions: tuple[Transition, ...]) -> None:
        """One save."""
        if not transitions:
            return
        begins = any(each.step is None and each.before is Phase.PENDING for each in transitions)
        course = None if begins else self._courses.get(key)
        course = course or self._course(key)
        if course is None:
            return
        self._courses[key] = course
        over = False
        for each in transitions:
            if each.step is None:
                self._moved(course, each)
                over = each.after in FINISHED
            else:
                self._step_moved(course, each.step, each)
        if over:
            del self._courses[key]
        elif len(self._courses) > self._most:
            self._drop_gone()

    def _drop_gone(self) -> None:
        """Whoever is deleted need not end first."""
        self._courses = {key: each for key, each in self._courses.items() if self._run(key)}
        self._most = FEW + 2 * len(self._courses)

    def _run(self, key: Key) -> Stored | None:
        try:
            return self._view(key)
        except WorkflowNotFound:
            return None

    def _moved(self, course: _Course, move: Transition) -> None:
        if (move.before, move.after) == (Phase.PENDING, Phase.RUNNING):
            waited = max(0.0, move.at - course.created_at)
            self._metrics.wait_seconds.labels(course.queue).observe(waited)
            self._metrics.queued_seconds.labels(ADMISSION).observe(waited)
            self._metrics.adds.labels(ADMISSION).inc()
            course.began_at = move.at
        if move.after in FINISHED:
            self._metrics.finished.labels(move.after.value, course.queue).inc()
            if course.began_at is not None:
                self._metrics.workflow_seconds.labels(move.after.value, course.queue).observe(
                    max(0.0, move.at - course.began_at)
                )

    def _step_moved(self, course: _Course, step: str, move: Transition) -> None:
        hook = HOOKS.get(move.before)
        at = course.reached.get((step, move.before))
        if hook is not None and at is not None:
            done = Phase.SUCCESS if hook is Hook.RUN else Phase.ROLL_BACKED
            outcome = "success" if move.after is done else "failure"
            self._metrics.step_seconds.labels(course.kinds.get(step, ""), hook, outcome).observe(
                max(0.0, move.at - at)
            )
        course.reached[step, move.after] = move.at

    def _course(self, key: Key) -> _Course | None:
        stored = self._run(key)
        if stored is None:
            return None
        spec = stored.workflow.spec
        return _Course(
            kinds={step.name: step.step_template.type for step in spec.steps},
            queue=self._metrics.queue(spec.queue),
            created_at=stored.head.created_at,
            began_at=stored.head.reached.get(Phase.RUNNING),
            reached={
                (step.name, phase): at
                for step, state in zip(spec.steps, stored.steps, strict=True)
                for phase, at in state.reached.items()
            },
        )
