"""A kind of step that writes down every call of it, in the controller's own process.

As a process each, five thousand steps and their undos would cost more than what they are to show.
"""

import json
import os
import time
from pathlib import Path

import attrs

from wf_core.hookspecs import hookimpl
from wf_core.kinds import Answer, Fatal, Retryable, StepCall, StepKind

CALLS = "WF_CAMPAIGN_CALLS"
"""The variable with the path of the file to write to."""


@attrs.frozen
class NotedParameters:
    """A call takes `seconds`. The first `runFailures` attempts of `run` fail and may be tried
    again; `runFatal` fails for good, once it had its effect. The same for the undo."""

    seconds: float = 0.0
    run_failures: int = 0
    run_fatal: bool = False
    undo_failures: int = 0
    undo_fatal: bool = False


class Noted(StepKind):
    """One line when a call begins and one when it ends, each written at once and whole."""

    name = "noted"
    Parameters = NotedParameters

    def run(self, call: StepCall) -> Answer:
        asked = call.parameters
        self._note(call, "begin")
        call.cancelled.wait(asked.seconds)
        if call.attempt <= asked.run_failures:
            self._note(call, "retryable")
            raise Retryable("not yet")
        if asked.run_fatal:
            self._note(call, "fatal")
            raise Fatal("it can't be done")
        self._note(call, "success")
        return None

    def rollback(self, call: StepCall) -> Answer:
        asked = call.parameters
        self._note(call, "begin")
        call.cancelled.wait(asked.seconds)
        if asked.undo_fatal:
            self._note(call, "fatal")
            raise Fatal("it can't be undone")
        if call.attempt <= asked.undo_failures:
            self._note(call, "retryable")
            raise Retryable("can't be undone yet")
        self._note(call, "success")
        return None

    def _note(self, call: StepCall, what: str) -> None:
        line = {
            # The monotonic clock is the machine's: times of all processes can be compared.
            "at": time.monotonic(),
            "pid": os.getpid(),
            "uid": call.uid,
            "step": call.step,
            "hook": call.hook,
            "attempt": call.attempt,
            "interruptions": call.interruptions,
            "epoch": call.epoch,
            "key": call.key,
            "what": what,
        }
        file = os.open(os.environ[CALLS], os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        try:
            os.write(file, json.dumps(line).encode() + b"\n")
        finally:
            os.close(file)


@hookimpl
def wf_step_kinds() -> list[StepKind]:
    """The kind."""
    return [Noted()]


def installed(folder: Path, calls: Path) -> dict[str, str]:
    """The environment of a process that finds this kind as an installed plugin, and writes its
    calls to the file `calls`. Its metadata are written below `folder`."""
    metadata = folder / "wf_noted-1.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: wf-noted\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text(f"[wf.plugins]\nnoted = {__name__}\n")
    root = Path(__file__).parents[2]
    return {"PYTHONPATH": f"{folder}{os.pathsep}{root}", CALLS: str(calls)}
