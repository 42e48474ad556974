"""Kinds that break one promise each."""

import os
import shutil
import time
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

import attrs
from tests.conformance.shelf_kinds import Order, Put, PutParameters, item, undone

from wf_core.kinds import Answer, Fatal, InProgress, Retryable, StepCall, Success
from wf_core.model.phases import Purpose


class NewNameEachTime(Put):
    """Does not hand the key on: a second call puts a second item there."""

    def run(self, call: StepCall) -> Answer:
        super().run(call)
        item(call).rename(item(call).with_name(f"{call.run_key}-{uuid.uuid4()}.item"))
        return None

    def take_away(self, call: StepCall) -> None:
        for each in call.parameters.shelf.glob(f"{call.run_key}*.item"):
            each.unlink()


class RemembersOnItself(Put):
    """Knows only in the process of the run what it made."""

    def __init__(self) -> None:
        self.made: dict[str, Path] = {}

    def run(self, call: StepCall) -> Answer:
        answer = super().run(call)
        self.made[call.key] = item(call)
        return answer

    def take_away(self, call: StepCall) -> None:
        if call.run_key in self.made:
            self.made[call.run_key].unlink()


class UndoWantsSomething(Put):
    """Fails to undo what is not there."""

    def take_away(self, call: StepCall) -> None:
        item(call).unlink()


class TakesLateRuns(Put):
    """Leaves no mark that a run was undone."""

    def take_away(self, call: StepCall) -> None:
        super().take_away(call)
        undone(call).unlink()


class Deaf(Put):
    """Does not hear that it is told to stop."""

    def run(self, call: StepCall) -> Answer:
        time.sleep(call.parameters.seconds)
        return super().run(attrs.evolve(call, parameters=_quick(call)))


class GivesUpAtOnce(Put):
    """Takes an outside that is away for an error that no retry helps."""

    def require_open(self, call: StepCall) -> None:
        try:
            super().require_open(call)
        except Retryable as error:
            raise Fatal(str(error)) from error


class NeverGivesUp(Put):
    """Tries again what can't succeed."""

    def require_open(self, call: StepCall) -> None:
        try:
            super().require_open(call)
        except Fatal as error:
            if call.hook == "run":
                raise Retryable(str(error)) from error


class ForgetsWhatItBegan(Put):
    """Puts the item there before it notes where, and undoes only what is noted."""

    def run(self, call: StepCall) -> Answer:
        answer = super().run(call)
        item(call).with_suffix(".noted").touch()
        return answer

    def take_away(self, call: StepCall) -> None:
        noted = item(call).with_suffix(".noted")
        if noted.exists():
            super().take_away(call)
            noted.unlink()


class UndoesInTheWrongOrder(Put):
    """Forgets where the item is before it takes it away."""

    def run(self, call: StepCall) -> Answer:
        self.require_open(call)
        item(call).with_suffix(".noted").touch()
        return super().run(call)

    def take_away(self, call: StepCall) -> None:
        noted = item(call).with_suffix(".noted")
        if noted.exists():
            noted.unlink()
            super().take_away(call)


class StartsAfreshAfterACrash(Put):
    """Takes the half that a crash left for somebody else's."""

    def run(self, call: StepCall) -> Answer:
        self.require_open(call)
        half = item(call).with_suffix(".half")
        if not item(call).exists():
            half.mkdir()  # raises where it is there
        answer = super().run(call)
        shutil.rmtree(half, ignore_errors=True)
        return answer

    def take_away(self, call: StepCall) -> None:
        shutil.rmtree(item(call).with_suffix(".half"), ignore_errors=True)
        super().take_away(call)


class Coroutine(Put):
    """Can't be called by the engine."""

    async def run(self, call: StepCall) -> Answer:  # type: ignore[override]
        return super().run(call)


class Silent(Put):
    """Says nothing of one parameter."""

    @attrs.frozen(kw_only=True)
    class Parameters(PutParameters):
        """With one more."""

        colour: str = "red"


def _times_1024(kib: int) -> int:
    return kib * 1024


class MultipliesEachTime(Put):
    """Its parameters are other ones once they were written and read again."""

    @attrs.frozen(kw_only=True)
    class Parameters(PutParameters):
        """With one more."""

        size: int = attrs.field(
            default=1, converter=_times_1024, metadata={"description": "In KiB."}
        )


class CheckRaises(Put):
    """Its own check fails at parameters that decode."""

    def faults(self, parameters: Any, *, undoable: bool) -> Iterable[str]:
        yield from super().faults(parameters, undoable=undoable)
        if parameters.label and parameters.label[1] == "-":
            yield "label: begins like an option"


class AnswersTooMuch(Put):
    """Gives back more than a step may keep."""

    def run(self, call: StepCall) -> Answer:
        super().run(call)
        return Success(attributes={"item": "x" * 100_000})


class LooksWithConsequences(Put):
    """Mends the world while it looks at it."""

    def sync(self, call: StepCall) -> Answer:
        if call.purpose is Purpose.WATCH:
            (call.parameters.shelf / f"spare-{uuid.uuid4()}.item").touch()
        return None


class NeverLooks(Order):
    """Answers InProgress, and nobody can look."""

    sync: ClassVar[None] = None  # type: ignore[assignment]

    def run(self, call: StepCall) -> Answer:
        super().run(call)
        return InProgress(poll_after=0.01) if not item(call).exists() else Success()


class LeavesItGoing(Order):
    """Does not call off what it ordered."""

    def take_away(self, call: StepCall) -> None:
        item(call).unlink(missing_ok=True)


class EndsItsProcess(Put):
    """Takes the engine with it."""

    def run(self, call: StepCall) -> Answer:  # noqa: ARG002
        print("so long", flush=True)
        os._exit(7)


def _quick(call: StepCall) -> PutParameters:
    given: PutParameters = call.parameters
    return attrs.evolve(given, seconds=0.0)
