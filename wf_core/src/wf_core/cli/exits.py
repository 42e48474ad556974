"""Exit codes, and what a workflow or an error makes of them."""

from collections.abc import Iterable
from enum import IntEnum

import click

from wf_core.errors import AuthorError, KindUnavailable, WfError
from wf_core.model.phases import Phase
from wf_core.model.state import Stored


class ExitCode(IntEnum):
    """What `wf` gives back to the shell."""

    SUCCESS = 0
    OPERATOR = 1
    USAGE = 2
    ROLLED_BACK = 3
    FAILED = 4
    WAITING = 5
    INTERRUPTED = 130
    BROKEN_PIPE = 141


MEANINGS: dict[ExitCode, str] = {
    ExitCode.SUCCESS: "All went well; a workflow that was run is in Success.",
    ExitCode.OPERATOR: "Something around it: a store, a configuration, a network, another process.",
    ExitCode.USAGE: "What was written: the command line, or a document.",
    ExitCode.ROLLED_BACK: "The workflow failed and is undone: RollBacked.",
    ExitCode.FAILED: "An undo is stuck, or the workflow could never start: Failed.",
    ExitCode.WAITING: "The workflow is paused or suspended, and waits for a person.",
    ExitCode.INTERRUPTED: "Interrupted by ctrl-C; `wf resume` goes on.",
    ExitCode.BROKEN_PIPE: "Whoever read the output is gone.",
}
"""What each tells whoever reads it."""

_WORST_FIRST = (
    ExitCode.BROKEN_PIPE,
    ExitCode.INTERRUPTED,
    ExitCode.OPERATOR,
    ExitCode.USAGE,
    ExitCode.FAILED,
    ExitCode.WAITING,
    ExitCode.ROLLED_BACK,
)


def of_error(error: WfError) -> ExitCode:
    """Whose fault it is: what was written (2), or the surroundings (1)."""
    if isinstance(error, AuthorError | KindUnavailable):
        return ExitCode.USAGE
    return ExitCode.OPERATOR


def of_stored(stored: Stored) -> ExitCode:
    """How a workflow that rests came out. An undo that waits for a person is stuck."""
    phase = stored.head.phase
    if phase is Phase.SUCCESS:
        return ExitCode.SUCCESS
    if phase is Phase.ROLL_BACKED:
        return ExitCode.ROLLED_BACK
    if phase in (Phase.FAILED, Phase.ROLLING_BACK):
        return ExitCode.FAILED
    return ExitCode.WAITING


def worst(codes: Iterable[ExitCode]) -> ExitCode:
    """The code that asks most of whoever reads it; success where there is none."""
    found = frozenset(codes)
    return next((code for code in _WORST_FIRST if code in found), ExitCode.SUCCESS)


def leave(code: ExitCode) -> None:
    """End the command with `code`; returns where that is success."""
    if code is not ExitCode.SUCCESS:
        raise click.exceptions.Exit(code)
