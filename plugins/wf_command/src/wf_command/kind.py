"""The kind `command`: what an exit code means for a step."""

import signal
from collections.abc import Iterable
from typing import ClassVar

from wf_command import tombstone
from wf_command.advice import advice
from wf_command.call import Exit, perform
from wf_command.parameters import MISSING_ROLLBACK, TEMPORARY_FAILURE, CommandParameters, faults
from wf_command.problems import Busy, CannotStart, Problem
from wf_core.kinds import (
    Answer,
    CannotLook,
    Fatal,
    Retryable,
    StepCall,
    StepKind,
    Success,
    Throttled,
)
from wf_core.model.phases import Purpose

THROTTLED_AFTER = 5.0
"""Seconds until a command that said "not now" is called again."""

NOT_EXECUTABLE = 126
NOT_FOUND = 127
_LONGEST = 800
_SHORTEST_SECRET = 4


class Command(StepKind):
    """Runs a local command, and another one to undo it."""

    name: ClassVar[str] = "command"
    description: ClassVar[str] = "Runs a local command, and another one to undo it."
    Parameters: ClassVar[type] = CommandParameters
    needs_folder: ClassVar[bool] = True

    def faults(self, parameters: CommandParameters, *, undoable: bool) -> Iterable[str]:
        """A missing `rollback`, empty commands, and numbers out of range."""
        return faults(parameters, undoable=undoable)

    def advice(self, parameters: CommandParameters, *, undoable: bool) -> Iterable[str]:
        """An undo that undoes nothing."""
        return advice(parameters, undoable=undoable)

    def run(self, call: StepCall) -> Answer:
        """Run `run`; 0 is success."""
        return _act(call, "run", call.parameters.run)

    def rollback(self, call: StepCall) -> Answer:
        """Run `rollback`, also where `run` never finished; 0 is success."""
        if call.parameters.rollback is None:
            raise Fatal(MISSING_ROLLBACK)
        tombstone.put(call)
        return _act(call, "rollback", call.parameters.rollback)

    def sync(self, call: StepCall) -> Answer:
        """Run `check` on a finished step; without one there is nothing to look at."""
        if call.purpose is not Purpose.WATCH:
            raise Retryable("a command is never in progress: it has to be called again")
        if call.parameters.check is None:
            return None
        try:
            result = perform(call, "check", call.parameters.check)
        except Problem as problem:
            raise CannotLook(f"check: {problem}") from problem
        return _found(call.parameters, result)


def _act(call: StepCall, name: str, command: str | list[str]) -> Answer:
    parameters: CommandParameters = call.parameters
    try:
        result = perform(call, name, command)
    except Busy as problem:
        raise Throttled(str(problem), THROTTLED_AFTER) from problem
    except CannotStart as problem:
        raise Fatal(str(problem)) from problem
    except Problem as problem:
        raise Retryable(str(problem)) from problem
    if result.code == 0:
        return _success(result)
    message = _describe(name, result, parameters)
    if result.code == TEMPORARY_FAILURE:
        raise Throttled(message, THROTTLED_AFTER)
    if result.code in (NOT_EXECUTABLE, NOT_FOUND, *parameters.fatal_exit_codes):
        raise Fatal(message)
    raise Retryable(message)


def _success(result: Exit) -> Success:
    if result.results.problem is not None:
        raise Fatal(str(result.results.problem)) from result.results.problem
    return Success(result.results.resource, result.results.attributes)


def _found(parameters: CommandParameters, result: Exit) -> Success:
    """What a check says. Only `fatalExitCodes` undo the workflow: a check that is itself broken
    must not."""
    message = _describe("check", result, parameters)
    if result.code in parameters.fatal_exit_codes:
        raise Fatal(message)
    if result.code in (TEMPORARY_FAILURE, NOT_EXECUTABLE, NOT_FOUND):
        raise CannotLook(message)
    if result.code != 0:
        raise Retryable(message)
    if result.results.problem is not None:
        raise Retryable(str(result.results.problem)) from result.results.problem
    return Success(result.results.resource, result.results.attributes)


def _describe(name: str, result: Exit, parameters: CommandParameters) -> str:
    """One sentence on the exit, the last lines of stderr, and what is wrong with its results."""
    if result.code < 0:
        how = f"{name}: was ended by {_signal_name(-result.code)}"
    else:
        how = f"{name}: exited with code {result.code}{_meaning(result.code)}"
    if result.last_lines:
        how += f": {_without_secrets(result.last_lines, parameters)[-_LONGEST:]}"
    if result.results.problem is not None:
        how += f" ({result.results.problem})"
    return how


def _meaning(code: int) -> str:
    meanings = {
        TEMPORARY_FAILURE: " (not now)",
        NOT_EXECUTABLE: " (a program can't be executed)",
        NOT_FOUND: " (a program was not found)",
    }
    return meanings.get(code, "")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _without_secrets(text: str, parameters: CommandParameters) -> str:
    """Hide values of `env`: errors go to places where the log of the step does not."""
    for value in sorted(parameters.env.values(), key=len, reverse=True):
        if len(value) >= _SHORTEST_SECRET:
            text = text.replace(value, "***")
    return text
