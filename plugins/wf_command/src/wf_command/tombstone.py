"""A run that arrives after its undo began is refused: an engine that was held up may still send it.

The mark is written before the undo takes the step's lock, and looked for with the lock held, so
either the run sees it or the undo finds the run and ends it.
"""

from pathlib import Path

from wf_command.problems import CannotStart
from wf_core.folders import write_private
from wf_core.kinds import StepCall
from wf_core.model.phases import Hook


def put(call: StepCall) -> None:
    """Say that the run under `call.run_key` is being undone."""
    path = _path(call)
    draft = path.with_suffix(".draft")
    write_private(draft, call.run_key.encode())
    draft.replace(path)


def refuse_late_run(call: StepCall) -> None:
    """Raise `CannotStart` where `call` is a run whose undo has begun."""
    path = _path(call)
    if call.hook is Hook.RUN and path.exists() and path.read_text(encoding="utf-8") == call.key:
        raise CannotStart("run: came after the undo of the same step began, and was refused")


def _path(call: StepCall) -> Path:
    return call.folder / "undone"
