"""One step, called as the engine would: every call in another process, with what was saved."""

import os
import time
import uuid
from collections.abc import Mapping

from wf_core.model.outcomes import Severity
from wf_core.model.phases import Ended, Hook, Purpose
from wf_core.model.spec import Json
from wf_core.model.state import Resource
from wf_core.testing.conformance.broken import broken, in_words
from wf_core.testing.conformance.taken import taken
from wf_core.testing.conformance.world import World
from wf_core.testing.lives.calling import Life, LifeFailed, nursery
from wf_core.testing.lives.orders import (
    Answered,
    Failed,
    Known,
    Order,
    Progressing,
)

ATTEMPTS = 3
"""How often a hook is tried that fails in a way that may pass."""

PAUSE = 0.02
LONGEST_PAUSE = 1.0
"""Seconds between two looks, or attempts, whatever the kind asks for."""


class Step:
    """A step, of a workflow of its own, that nobody has called yet. `known` is what is saved of it;
    a check may put something else there, such as what was saved before a crash."""

    def __init__(self, world: World, parameters: Mapping[str, Json] | None = None) -> None:
        taken(world)
        world.begin()
        self._world = world
        self._uid = str(uuid.uuid4())
        self._parameters = dict(world.parameters() if parameters is None else parameters)
        self._attempts = {Purpose.RUN: 1, Purpose.ROLLBACK: 1}
        self._failed: Purpose | None = None
        self._going: Purpose | None = None
        self._interruptions = {Purpose.RUN: 0, Purpose.ROLLBACK: 0}
        self._epoch = 1
        self._calls = 0
        self.known = Known()
        self.lives: list[Life] = []

    # One call

    def call(
        self,
        hook: Hook,
        purpose: Purpose,
        *,
        die_at: int = 0,
        stop_after: float | None = None,
    ) -> Life:
        """One call; what it says is saved. One that is told to stop after some seconds has the
        world's `grace` for it. Raises LifeFailed where it does not come to an end."""
        patience = self._world.patience
        if stop_after is not None:
            patience = stop_after + self._world.grace
        if hook is not Hook.SYNC and self._failed is purpose:
            self._attempts[purpose] += 1
        self._failed = None
        self._calls += 1
        folder = nursery().folder / self._uid
        folder.mkdir(exist_ok=True)
        cls = self._world.kind
        order = Order(
            kind=f"{cls.__module__}:{cls.__qualname__}",
            env=dict(os.environ),
            said=str(folder / f"said-{self._calls}"),
            folder=str(folder / "step"),
            store=self._world.store,
            namespace=self._world.namespace,
            uid=self._uid,
            hook=hook,
            purpose=purpose,
            attempt=self._attempts.get(purpose, self._attempts[Purpose.RUN]),
            run_attempt=self._attempts[Purpose.RUN],
            interruptions=self._interruptions.get(purpose, 0),
            epoch=self._epoch,
            known=self.known,
            parameters=self._parameters,
            signals=dict(self._world.signals),
            die_at=die_at,
            stop_after=stop_after,
            patience=patience,
        )
        life = nursery().life(order)
        self.lives.append(life)
        for each in life.checkpoints:
            self._keep(each.resource, each.attributes)
        self._save(life, hook, purpose)
        return life

    def run(self, *, die_at: int = 0, stop_after: float | None = None) -> Life:
        """Call `run`."""
        return self.call(Hook.RUN, Purpose.RUN, die_at=die_at, stop_after=stop_after)

    def undo(self, *, die_at: int = 0, stop_after: float | None = None) -> Life:
        """Call `rollback`."""
        return self.call(Hook.ROLLBACK, Purpose.ROLLBACK, die_at=die_at, stop_after=stop_after)

    def look(self, purpose: Purpose, *, die_at: int = 0) -> Life:
        """Call `sync`."""
        return self.call(Hook.SYNC, purpose, die_at=die_at)

    # Until it rests

    def run_to_end(self) -> Answered:
        """Run, with looks and some retries; the last answer. What is going on is gone on with."""
        return self._to_end(Hook.RUN, Purpose.RUN)

    def undo_to_end(self) -> Answered:
        """The same of the undo."""
        return self._to_end(Hook.ROLLBACK, Purpose.ROLLBACK)

    def must_run(self, when: str = "") -> None:
        """`run_to_end`, or fail the check."""
        answer = self._or_hangs(Hook.RUN)
        if isinstance(answer, Failed):
            broken(
                f"a run with the world's good parameters succeeds{when}",
                f"it failed ({in_words(answer)})",
                "Mend `run`, or the world's `parameters`",
            )

    def must_undo(self, when: str = "") -> None:
        """`undo_to_end`, or fail the check."""
        answer = self._or_hangs(Hook.ROLLBACK)
        if isinstance(answer, Failed):
            broken(
                f"an undo succeeds{when}",
                f"it failed ({in_words(answer)})",
                "Let `rollback` look what is there, and take nothing that is missing for a failure",
            )

    def _or_hangs(self, hook: Hook) -> Answered:
        try:
            return self.run_to_end() if hook is Hook.RUN else self.undo_to_end()
        except LifeFailed as error:
            broken(f"`{hook}` comes to an end", str(error), f"Mend `{hook}`, or raise the patience")

    def attempt(self, hook: Hook, purpose: Purpose) -> Answered:
        """One attempt: a call, unless it is in progress already, and looks as long as it is.
        Raises LifeFailed."""
        give_up_at = time.monotonic() + self._world.patience
        going = self._going is purpose
        answer = self._answer(self.look(purpose) if going else self.call(hook, purpose))
        while self._going is purpose:
            if time.monotonic() > give_up_at:
                raise LifeFailed(f"it still is in progress after {self._world.patience:g} s")
            self._wait(answer)
            answer = self._answer(self.look(purpose))
        return answer

    def _to_end(self, hook: Hook, purpose: Purpose) -> Answered:
        give_up_at = time.monotonic() + self._world.patience
        counted = 0
        while isinstance(answer := self.attempt(hook, purpose), Failed):
            counted += answer.severity is Severity.RETRYABLE
            late = time.monotonic() > give_up_at
            if late or answer.severity is Severity.FATAL or counted == ATTEMPTS:
                break
            self._wait(answer)
        return answer

    def _wait(self, answer: Answered) -> None:
        """Let the outside go on for a moment; not for as long as the kind asks, in a test."""
        self._world.finish()
        wanted = answer.poll_after if isinstance(answer, Progressing) else None
        time.sleep(max(PAUSE, min(wanted or PAUSE, LONGEST_PAUSE)))

    @staticmethod
    def _answer(life: Life) -> Answered:
        """The answer of a call that was not to be killed."""
        assert life.answer is not None
        return life.answer

    def _save(self, life: Life, hook: Hook, purpose: Purpose) -> None:
        """What the engine would save after a call (semantics B2, B3)."""
        answer = life.answer
        if answer is None:
            self._epoch += 1
            if hook is not Hook.SYNC:  # what is in progress stays so when a look is cut off
                self._interruptions[purpose] += 1
                self._end(Ended.UNKNOWN)
            return
        self._interruptions[purpose] = 0
        if isinstance(answer, Failed):
            if answer.severity is not Severity.CANNOT_LOOK and purpose is not Purpose.WATCH:
                self._end(Ended.FAILED)
                self._failed = purpose
            return
        self._keep(answer.resource, answer.attributes)
        if isinstance(answer, Progressing):
            self._end(Ended.IN_PROGRESS)
            self._going = purpose
        else:
            self._end(Ended.SUCCEEDED)

    def _keep(self, resource: Resource | None, attributes: dict[str, Json] | None) -> None:
        self.known = Known(
            self.known.outcome,
            self.known.resource if resource is None else resource,
            self.known.attributes if attributes is None else attributes,
        )

    def _end(self, outcome: Ended) -> None:
        self._going = None
        self.known = Known(outcome, self.known.resource, self.known.attributes)
