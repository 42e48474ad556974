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

    def saw(self, key: Key, transitions: tuple[Transition, ...]) -> None:
        """One save."""
        if not transitions:
            return
        course = self._courses.get(key)
        if course is None:
            try:
                course = self._courses[key] = self._course(self._view(key))
            except WorkflowNotFound:
                return
        over = False
        for each in transitions:
            if each.step is None:
                self._moved(course, each)
                over = each.after in FINISHED
            else:
                self._step_moved(course, each.step, each)
        if over:
            del self._courses[key]

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

    def _course(self, stored: Stored) -> _Course:
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
