"""What a command finds when it starts: its program, its variables, the files it may use."""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import attrs

from wf_command.parameters import RESERVED, CommandParameters
from wf_command.problems import Busy, CannotStart
from wf_core.folders import write_private
from wf_core.kinds import Previous, StepCall
from wf_core.model.spec import Json
from wf_core.model.state import Resource

TOLD = frozenset(
    f"WF_{each}"
    for each in (
        *("KEY", "RUN_KEY", "CALL_KEY", "ATTEMPT", "ATTEMPT_KEY", "STEP", "WORKFLOW", "NAMESPACE"),
        *("UID", "HOOK", "EPOCH", "PREVIOUS", "INPUT", "ATTRIBUTES", "RESOURCE"),
    )
)
"""The variables that every command finds."""


@attrs.frozen
class Files:
    """The files of one call. Their folder is made for the call and goes with it."""

    folder: Path

    @property
    def input(self) -> Path:
        """What the command may read (JSON)."""
        return self.folder / "input.json"

    @property
    def attributes(self) -> Path:
        """Where the command may leave attributes (a JSON object)."""
        return self.folder / "attributes.json"

    @property
    def resource(self) -> Path:
        """Where the command may leave what it made (a JSON object)."""
        return self.folder / "resource.json"

    def make(self, call: StepCall, own: Previous) -> None:
        """Begin with the input alone. It may hold secrets, so nobody else may read it."""
        self.remove()
        self.folder.mkdir(mode=0o700)
        write_private(self.input, json.dumps(_input(call, own)).encode())

    def remove(self) -> None:
        """Forget the files of a call."""
        if self.folder.exists():
            shutil.rmtree(self.folder)


def environment(call: StepCall, files: Files) -> dict[str, str]:
    """The engine's own variables, then `env`, then what the engine says about the call."""
    parameters: CommandParameters = call.parameters
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(RESERVED)}
    return {
        **inherited,
        **trace_variables(call),
        **parameters.env,
        "WF_KEY": call.run_key or call.key,
        "WF_RUN_KEY": call.run_key or call.key,
        "WF_CALL_KEY": call.key,
        "WF_ATTEMPT": str(call.attempt),
        "WF_ATTEMPT_KEY": call.attempt_key,
        "WF_STEP": call.step,
        "WF_WORKFLOW": call.workflow,
        "WF_NAMESPACE": call.namespace,
        "WF_UID": call.uid,
        "WF_HOOK": str(call.hook),
        "WF_EPOCH": str(call.epoch),
        "WF_PREVIOUS": str(call.previous.outcome),
        "WF_INPUT": str(files.input),
        "WF_ATTRIBUTES": str(files.attributes),
        "WF_RESOURCE": str(files.resource),
    }


def trace_variables(call: StepCall) -> dict[str, str]:
    """The trace context as programs look for it: TRACEPARENT, TRACESTATE."""
    return {name.upper(): value for name, value in call.trace.items()}


def arguments(name: str, command: str | list[str]) -> list[str]:
    """What to execute; `name` is the parameter the command stands in."""
    if isinstance(command, str):
        return ["/bin/sh", "-c", command]
    if not command or not command[0]:
        raise CannotStart(f"{name}: is empty; give a program and its arguments")
    return list(command)


def folder(call: StepCall) -> Path:
    """Where its commands run: `cwd`, which begins in the workflow's folder, else that folder; for a
    workflow that has none, the engine's."""
    parameters: CommandParameters = call.parameters
    return (call.workflow_folder or Path()) / (parameters.cwd or "")


def require_program(call: StepCall, name: str, program: str, path: str) -> None:
    """Raise `CannotStart` unless the folder and the program are there; `Busy` where the workflow's
    folder went just now: by the next try, that blocks the step."""
    where_from = folder(call)
    if not where_from.is_dir():
        if call.workflow_folder is not None and not call.workflow_folder.is_dir():
            raise Busy(f"the workflow's folder {call.workflow_folder} is gone")
        raise CannotStart(
            f"cwd: there is no folder {str(where_from)!r}; make it, or correct the path"
        )
    if os.sep in program:
        found = shutil.which(str(where_from.absolute() / program))
        where = ""
    else:
        found = shutil.which(program, path=path)
        where = " on the PATH"
    if found is None:
        raise CannotStart(
            f"{name}: there is no program {program!r}{where}; install it, or give its full path"
        )


def _input(call: StepCall, own: Previous) -> Mapping[str, Json]:
    attributes, resources = call.ancestors()
    return {
        "attributes": dict(attributes),
        "resources": {step: _document(resource) for step, resource in resources.items()},
        "parameters": dict(call.workflow_parameters),
        "previous": {
            "outcome": str(own.outcome),
            "resource": _document(own.resource) if own.resource is not None else None,
            "attributes": dict(own.attributes),
        },
    }


def _document(resource: Resource) -> Mapping[str, Json]:
    return {
        "status": resource.status,
        "id": resource.id,
        "name": resource.name,
        "address": resource.address,
        "attributes": resource.attributes,
    }
