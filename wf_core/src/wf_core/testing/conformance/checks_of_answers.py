"""What a hook answers, in time, and in the words that the engine knows (semantics B1, B6, B7)."""

from collections.abc import Callable, Iterator, Mapping

import pytest

from wf_core.model.outcomes import Severity
from wf_core.model.phases import Hook, Purpose
from wf_core.model.spec import Json
from wf_core.plugins import LoadedKind
from wf_core.testing.conformance.broken import broken, in_words
from wf_core.testing.conformance.checks_of_effects import require
from wf_core.testing.conformance.step import Step
from wf_core.testing.conformance.world import World
from wf_core.testing.lives.calling import Life, LifeFailed
from wf_core.testing.lives.orders import Answered, Failed, Progressing, Succeeded

PASSING = (Severity.RETRYABLE, Severity.THROTTLED)
SOON = 0.3
"""Seconds until a long run is told to stop: it is in the middle by then."""


class AnswerChecks:
    """Answers, failures, looks."""

    def test_what_it_answers_can_be_saved(self, world: World) -> None:
        step = Step(world)
        step.must_run()
        step.must_undo()
        for problem in _problems(step):
            broken(
                "what a hook answers or saves is JSON and at most 32 KiB",
                problem,
                "Keep large or private things outside, and answer how they are found",
            )

    def test_work_in_progress_is_looked_at_to_its_end(self, world: World) -> None:
        step = _in_progress(world)
        if not callable(getattr(world.kind, "sync", None)):
            broken(
                "a kind that answers InProgress has a `sync`", "it has none", "Write one, or wait"
            )
        for _ in range(2):
            answer = _look(step, Purpose.RUN)
            if isinstance(answer, Succeeded):
                break
            if isinstance(answer, Failed) and answer.severity is not Severity.CANNOT_LOOK:
                broken(
                    "a look at work in progress is answered by what it found",
                    f"it failed ({in_words(answer)})",
                    "Raise CannotLook where it could not look; anything else ends the attempt",
                )
        else:
            step.must_run(" that was looked at more than once")
        require(
            world,
            world.effects_of_a_run,
            "work in progress has its effect once a look says Success",
            "Answer InProgress until it is done",
        )

    def test_work_in_progress_is_ended_by_its_undo(self, world: World) -> None:
        step = _in_progress(world)
        step.must_undo(" of what is in progress")
        for _ in range(3):
            world.finish()
        require(
            world,
            0,
            "an undo first ends what a run left in progress",
            "Stop it in `rollback` and wait for its end (InProgress) before you answer",
        )

    def test_a_look_at_a_finished_step_changes_nothing(self, world: World) -> None:
        if not callable(getattr(world.kind, "sync", None)):
            pytest.skip("it has no `sync`")
        step = Step(world)
        step.must_run()
        for _ in range(2):
            answer = _look(step, Purpose.WATCH)
            if not isinstance(answer, Succeeded):
                broken(
                    "a look at a finished step (purpose Watch) finds it well",
                    f"it ended as {_words(answer)}",
                    "Answer None, or Success with what is there now",
                )
        require(
            world,
            world.effects_of_a_run,
            "a look changes nothing",
            "Only look in `sync`",
        )

    def test_a_hook_that_is_told_to_stop_ends_in_time(self, world: World) -> None:
        long = world.long_parameters()
        soon = 0.0 if long is None else SOON
        step = Step(world, long)
        _require_end(world, "a run", lambda: step.run(stop_after=soon))
        if long is None:
            step.must_undo(" of a run that was told to stop")
        else:  # which may take long too: then it has to hear as well
            undo = _require_end(world, "an undo", lambda: step.undo(stop_after=soon))
            if not isinstance(undo.answer, Succeeded):
                return
        require(
            world,
            0,
            "a run that was told to stop can be undone",
            "Save with `call.checkpoint(...)` what a run has made before it may be stopped",
        )

    def test_bad_parameters_are_refused_and_not_tried_again(self, world: World) -> None:
        given = list(world.bad_parameters())
        if not given:
            pytest.skip("the world gives no `bad_parameters`")
        for each in given:
            if _refused(world, each):
                continue
            step = Step(world, each)
            answer = _attempt(step, Hook.RUN, Purpose.RUN)
            if not isinstance(answer, Failed) or answer.severity is not Severity.FATAL:
                broken(
                    f"a run with {dict(each)} fails for good",
                    f"it ended as {_words(answer)}",
                    "Give the fault in `faults`, or raise Fatal: no retry helps",
                )
            step.must_undo(" of a run that failed for good")
        require(world, 0, "a refused run leaves nothing", "Check before anything is made")

    def test_an_outside_that_is_away_is_tried_again(self, world: World) -> None:
        step = Step(world)
        away = world.away()
        if away is None:
            pytest.skip("the world has no `away`")
        with away:
            _require_passing("a run", _attempt(step, Hook.RUN, Purpose.RUN))
        step.must_run(" once the outside is back")
        require(world, world.effects_of_a_run, "a retry has one effect", "Look first what is there")
        away = world.away()
        assert away is not None
        with away:
            _require_passing("an undo", _attempt(step, Hook.ROLLBACK, Purpose.ROLLBACK))
        step.must_undo(" once the outside is back")
        require(world, 0, "an undo that is tried again takes back everything", "Look what is there")


def _problems(step: Step) -> Iterator[str]:
    for life in step.lives:
        for said in (*life.checkpoints, life.answer):
            if said is not None and not isinstance(said, Failed) and said.problem:
                yield said.problem


def _require_end(world: World, what: str, call: Callable[[], Life]) -> Life:
    try:
        return call()
    except LifeFailed:
        broken(
            f"{what} that is told to stop ends within {world.grace:g} s",
            "it did not",
            "Wait with `call.cancelled.wait(seconds)`, or look at `call.cancelled.is_set()` "
            "between two parts of the work, and raise Retryable",
        )


def _in_progress(world: World) -> Step:
    """A step whose run is in progress."""
    step = Step(world)
    try:
        answer = step.run().answer
    except LifeFailed as error:
        broken("a run comes to an end", str(error), "Mend it, or raise the world's patience")
    if not isinstance(answer, Progressing):
        pytest.skip("its run does not answer InProgress")
    return step


def _attempt(step: Step, hook: Hook, purpose: Purpose) -> Answered:
    try:
        return step.attempt(hook, purpose)
    except LifeFailed as error:
        broken(f"`{hook}` comes to an end", str(error), "Mend it, or raise the world's patience")


def _look(step: Step, purpose: Purpose) -> Answered:
    try:
        answer = step.look(purpose).answer
    except LifeFailed as error:
        broken("a look comes to an end", str(error), "Mend `sync`")
    assert answer is not None
    return answer


def _words(answer: Answered) -> str:
    return in_words(answer) if isinstance(answer, Failed) else type(answer).__name__


def _require_passing(what: str, answer: Answered) -> None:
    passing = isinstance(answer, Failed) and answer.severity in PASSING
    if not passing:
        broken(
            f"{what} fails for now while the outside is away",
            f"it ended as {_words(answer)}",
            "Raise Retryable, or Throttled, where the outside does not answer",
        )


def _refused(world: World, parameters: Mapping[str, Json]) -> bool:
    """Whether a document with these parameters is refused before anything runs."""
    kind = world.kind()
    return bool(LoadedKind(kind.name, kind, "", "").faults(dict(parameters), undoable=True))
