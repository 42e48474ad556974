"""One call of one command, from the end of the earlier one to its exit code and results."""

import os
import subprocess
from contextlib import ExitStack

import attrs

from wf_command import results, surroundings, tombstone
from wf_command.child import Child, start
from wf_command.group import GroupFile
from wf_command.output import Output
from wf_command.parameters import CommandParameters
from wf_command.problems import Ended
from wf_command.results import Results
from wf_command.surroundings import Files
from wf_core.kinds import Previous, StepCall
from wf_core.model.phases import Purpose

_LAST_LINES = 5


@attrs.frozen
class Exit:
    """How a command exited (negative: the signal that ended it) and what it left."""

    code: int
    last_lines: str
    results: Results


def perform(call: StepCall, name: str, command: str | list[str]) -> Exit:
    """Run `command`, which stands in the parameter `name`, to its end.

    Before a run or an undo, all that an earlier call of the step left going is ended. A check of a
    finished step ends an earlier check alone: what the run left in the background is to go on.
    After a failure, an undo or a check nothing is left going. What a failed run or undo says it
    made is saved by a checkpoint. Raises the problems of `wf_command.problems`.
    """
    parameters: CommandParameters = call.parameters
    files = Files(call.folder / "call")
    outputs = (
        Output(lambda text: call.log(text, "stdout"), parameters.output_limit),
        Output(lambda text: call.log(text, "stderr"), parameters.output_limit),
    )
    process = _start(call, surroundings.arguments(name, command), name, files)
    try:
        with Child(process, outputs, parameters.grace) as child:
            code = child.follow(call.cancelled, parameters.timeout)
            if code != 0 or call.purpose is not Purpose.RUN:
                child.end_group()
    except Ended:
        _keep(call, results.read(files))
        files.remove()
        raise
    made = results.read(files)
    if code != 0 or made.problem is not None:
        _keep(call, made)
    files.remove()
    return Exit(code, outputs[1].last_lines(_LAST_LINES), made)


def _start(
    call: StepCall, arguments: list[str], name: str, files: Files
) -> "subprocess.Popen[bytes]":
    parameters: CommandParameters = call.parameters
    environment = surroundings.environment(call, files)
    path = environment.get("PATH", os.defpath)
    surroundings.require_program(call, name, arguments[0], path)
    locks = [call.folder / "check.lock"]
    if call.purpose is not Purpose.WATCH:
        locks.append(call.folder / "command.lock")
    marker = ("WF_INPUT", str(files.input))
    with ExitStack() as held:
        taken = [
            held.enter_context(GroupFile(lock, marker).taken(parameters.grace)) for lock in locks
        ]
        tombstone.refuse_late_run(call)
        if call.cancelled.is_set():
            raise Ended("stopped")
        files.make(call, _left_behind(call, files))
        return start(
            arguments,
            record=locks[-1],
            lock=taken[-1],
            environment=environment,
            folder=surroundings.folder(call),
        )


def _left_behind(call: StepCall, files: Files) -> Previous:
    """What an earlier attempt left: also what it wrote down before its engine was killed."""
    found = results.read(files)
    if found.problem is not None:
        call.log(f"the results of an interrupted attempt can't be used: {found.problem}")
    if not found.any:
        return call.previous
    _keep(call, found)
    return attrs.evolve(
        call.previous,
        resource=found.resource or call.previous.resource,
        attributes=call.previous.attributes if found.attributes is None else found.attributes,
    )


def _keep(call: StepCall, made: Results) -> None:
    """Save what was made: the undo has to know it."""
    if made.any and call.purpose is not Purpose.WATCH:
        call.checkpoint(made.resource, made.attributes)
