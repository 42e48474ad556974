"""What a workflow's author may write under `stepTemplate.parameters` of a `command` step."""

import math
import re
from collections.abc import Iterator

import attrs

TEMPORARY_FAILURE = 75
"""The exit code EX_TEMPFAIL of sysexits.h: "not now"."""

RESERVED = "WF_"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

MISSING_ROLLBACK = (
    "rollback: give the command that undoes `run`, or say `rollback: None` on the step"
)


@attrs.frozen(kw_only=True)
class CommandParameters:
    """Parameters of a `command` step. On the wire they are camelCase.

    A command is a list (program and arguments, no shell) or a text that `/bin/sh -c` runs.
    """

    run: str | list[str] = attrs.field(
        metadata={
            "description": "The command: a list, or a text for /bin/sh -c.",
            "references": "shell",
        },
    )
    rollback: str | list[str] | None = attrs.field(
        default=None,
        metadata={
            "description": "The command that undoes `run`, also where `run` never finished.",
            "references": "shell",
        },
    )
    check: str | list[str] | None = attrs.field(
        default=None,
        metadata={
            "description": "Called every syncPeriodSeconds after success: 0 is well.",
            "references": "shell",
        },
    )
    env: dict[str, str] = attrs.field(
        factory=dict,
        repr=False,
        metadata={"description": "Environment variables beside those of the engine."},
    )
    cwd: str | None = attrs.field(
        default=None,
        metadata={
            "description": "The folder the commands run in, from the workflow's own; default: that."
        },
    )
    timeout: float | None = attrs.field(
        default=None,
        metadata={"description": "Seconds that one call of a command may take; default: no limit."},
    )
    grace: float = attrs.field(
        default=5.0,
        metadata={"description": "Seconds between SIGTERM and SIGKILL when a command is ended."},
    )
    output_limit: int = attrs.field(
        default=1024 * 1024,
        metadata={"description": "Bytes of stdout, and of stderr, that one call adds to the log."},
    )
    fatal_exit_codes: list[int] = attrs.field(
        factory=list,
        metadata={"description": "Exit codes after which no retry helps."},
    )


def faults(parameters: CommandParameters, *, undoable: bool) -> Iterator[str]:
    """What the types do not say. Values of `env` never take part in a sentence."""
    commands = {
        "run": parameters.run,
        "rollback": parameters.rollback,
        "check": parameters.check,
    }
    for name, command in commands.items():
        if command is not None and is_empty(command):
            yield f"{name}: is empty; give a program and its arguments, or a text for /bin/sh -c"
    if undoable and parameters.rollback is None:
        yield MISSING_ROLLBACK
    for variable in parameters.env:
        if not _VARIABLE.fullmatch(variable):
            yield f"env: {variable!r} is no name of a variable; use letters, digits and _"
        elif variable.startswith(RESERVED):
            yield f"env: {variable!r} is taken; names that begin with {RESERVED} are the engine's"
    if parameters.timeout is not None and not parameters.timeout > 0:
        yield f"timeout: give seconds, more than 0, not {parameters.timeout:g}"
    if not (math.isfinite(parameters.grace) and parameters.grace >= 0):
        yield f"grace: give seconds, 0 or more, not {parameters.grace:g}"
    if parameters.output_limit < 0:
        yield f"outputLimit: give bytes, 0 or more, not {parameters.output_limit}"
    for code in parameters.fatal_exit_codes:
        if not 1 <= code <= 255 or code == TEMPORARY_FAILURE:
            yield (
                f"fatalExitCodes: {code} can't be fatal; give codes from 1 to 255, "
                f"other than {TEMPORARY_FAILURE}, which means 'not now'"
            )


def is_empty(command: str | list[str]) -> bool:
    """Whether there is nothing to run."""
    return not (command.strip() if isinstance(command, str) else command and command[0])
