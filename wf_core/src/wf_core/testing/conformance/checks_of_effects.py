"""One effect under one key, whatever is called twice, late or for nothing (semantics B2, B3)."""

from wf_core.model.phases import Ended
from wf_core.testing.conformance.broken import broken
from wf_core.testing.conformance.step import Step
from wf_core.testing.conformance.world import World
from wf_core.testing.lives.calling import LifeFailed
from wf_core.testing.lives.orders import Known

NEVER_RAN = Known()
INTERRUPTED = Known(Ended.UNKNOWN)
"""What is known of a run whose process died before anything was saved."""


def require(world: World, effects: int, promise: str, advice: str) -> None:
    """Fail the check unless there are as many effects."""
    found = list(world.effects())
    if len(found) != effects:
        shown = f"{found}" if found else "nothing"
        number = {0: "nothing", 1: "one effect"}.get(effects, f"{effects} effects")
        broken(promise, f"outside there is {shown}, where {number} should be", advice)


class EffectChecks:
    """Without crashes."""

    def test_a_run_has_its_effect(self, world: World) -> None:
        require(
            world,
            0,
            "a world is clean when it is made",
            "Let each world have an outside of its own",
        )
        Step(world).must_run()
        require(
            world,
            world.effects_of_a_run,
            "a run has its effect once it succeeded",
            "Mend `run`, or the world's `effects` and `effects_of_a_run`",
        )

    def test_another_process_undoes_what_a_run_did(self, world: World) -> None:
        step = Step(world)
        step.must_run()
        step.must_undo(" in another process than the run")
        require(
            world,
            0,
            "an undo takes back what the run did, in another process",
            "Find it by `call.run_key`, `call.previous` and `call.parameters`: what is kept on the "
            "kind or in a module is gone by then",
        )

    def test_a_second_run_under_the_same_key_has_no_second_effect(self, world: World) -> None:
        step = Step(world)
        step.must_run()
        for known, when in (
            (INTERRUPTED, " again under its key after a crash before its save"),
            (Known(Ended.FAILED, step.known.resource, step.known.attributes), " at its retry"),
        ):
            step.known = known
            step.must_run(when)
            require(
                world,
                world.effects_of_a_run,
                f"a run that is called{when} has no second effect",
                "Hand `call.key` on to what makes it, or look first whether it is there",
            )

    def test_the_undo_of_a_run_that_never_happened_succeeds(self, world: World) -> None:
        for known in (NEVER_RAN, INTERRUPTED):
            step = Step(world)
            step.known = known
            step.must_undo(" where the run never took effect")
            require(
                world,
                0,
                "the undo of a run that never took effect leaves nothing",
                "Let `rollback` do nothing where nothing is there",
            )

    def test_a_second_undo_succeeds(self, world: World) -> None:
        step = Step(world)
        step.must_run()
        before = step.known
        step.must_undo()
        step.known = before  # the process died before it was saved
        step.must_undo(" when it is called a second time")
        require(
            world,
            0,
            "a second undo leaves nothing",
            "Let `rollback` do nothing where nothing is there any more",
        )

    def test_a_run_that_comes_after_its_undo_has_no_effect(self, world: World) -> None:
        step = Step(world)
        step.must_run()
        before = step.known
        step.must_undo()
        step.known = NEVER_RAN
        try:
            step.run_to_end()
        except LifeFailed as error:
            broken("a run that comes after its undo ends", str(error), "Refuse it")
        if not world.refuses_late_runs:
            step.known = before
            step.must_undo(" after a run that came late")
        require(world, 0, *LATE)


LATE = (
    "a run that comes after its undo, from an engine that was held up, has no effect",
    "Leave a mark under `call.run_key` in `rollback` and raise Fatal in `run` where it is; if the "
    "outside has no place for one, say `refuses_late_runs = False`",
)
