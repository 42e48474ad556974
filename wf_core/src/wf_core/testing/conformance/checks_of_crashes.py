"""A hook that is killed anywhere: the next process finishes it, or takes it back (semantics B2).

The hook is called once undisturbed, which counts the points at which it may die; then it dies at
each of them, or at as many as the world says.
"""

from collections.abc import Callable, Iterator

import pytest

from wf_core.model.phases import Purpose
from wf_core.testing.conformance.broken import broken
from wf_core.testing.conformance.checks_of_effects import require
from wf_core.testing.conformance.step import Step
from wf_core.testing.conformance.world import World
from wf_core.testing.lives.calling import Life, LifeFailed
from wf_core.testing.lives.orders import Failed, Progressing

Kill = Callable[[Step, int], Life]


class CrashChecks:
    """With `kill -9`."""

    def test_a_run_killed_anywhere_is_finished_by_the_next_call(self, world: World) -> None:
        if not world.kind.reissue:
            pytest.skip("it says `reissue = False`: an interrupted run is undone")
        for step, when in _killed(world, _run):
            step.must_run(f" after it was killed {when}")
            require(
                world,
                world.effects_of_a_run,
                f"a run that was killed {when} and called again has one effect",
                "Look what an earlier call under `call.key` did, and go on from there",
            )
            _clean(world, step, when)

    def test_a_run_killed_anywhere_is_undone(self, world: World) -> None:
        for step, when in _killed(world, _run):
            step.must_undo(f" of a run that was killed {when}")
            require(
                world,
                0,
                f"a run that was killed {when} can be undone",
                "Find it in `rollback` by `call.run_key`, or `call.checkpoint(...)` its identity "
                "at once, and end what it left going",
            )

    def test_a_look_killed_anywhere_is_taken_up_by_the_next(self, world: World) -> None:
        def begin(step: Step) -> None:
            if not isinstance(step.run().answer, Progressing):
                pytest.skip("its run does not answer InProgress")
            world.finish()

        for step, when in _killed(world, _look, after=begin):
            step.must_run(f" after a look that was killed {when}")
            require(
                world,
                world.effects_of_a_run,
                f"work in progress whose look was killed {when} has one effect",
                "Let `sync` decide anew, each time, from what is there",
            )
            _clean(world, step, when)

    def test_an_undo_killed_anywhere_is_finished_by_the_next_call(self, world: World) -> None:
        for step, when in _killed(world, _undo, after=Step.must_run):
            step.must_undo(f" after it was killed {when}")
            require(
                world,
                0,
                f"an undo that was killed {when} and called again takes back everything",
                "Let `rollback` go on where an earlier call of it ended",
            )


def _run(step: Step, die_at: int) -> Life:
    return step.run(die_at=die_at)


def _look(step: Step, die_at: int) -> Life:
    return step.look(Purpose.RUN, die_at=die_at)


def _undo(step: Step, die_at: int) -> Life:
    return step.undo(die_at=die_at)


def _killed(
    world: World, call: Kill, after: Callable[[Step], None] = lambda _: None
) -> Iterator[tuple[Step, str]]:
    """Steps whose call was killed, each at another point, and that point in words."""
    try:
        step = Step(world)
        after(step)
        answer = call(step, 0).answer
        assert answer is not None
        if isinstance(answer, Failed):
            pytest.skip("the hook fails undisturbed: see the other checks")
        _clean(world, step, "nowhere")
        for point in points(answer.boundaries, world.crash_points):
            step = Step(world)
            after(step)
            yield step, call(step, point).killed or "too late"
    except LifeFailed as error:
        broken("a hook comes to an end", str(error), "Mend it, or raise the world's patience")


def _clean(world: World, step: Step, when: str) -> None:
    step.must_undo(f" of what was killed {when}")
    require(world, 0, f"an undo takes back what was killed {when}", "See the checks of undoing")


def points(boundaries: int, limit: int) -> list[int]:
    """The boundaries to die at, from 1: all, or `limit` of them spread evenly, with both ends."""
    if boundaries <= limit:
        return list(range(1, boundaries + 1))
    return sorted({1 + i * (boundaries - 1) // (limit - 1) for i in range(limit)})
