"""A `StepCall` for a unit test of one kind: no engine, no store.

call = call_for(Folder(), {"path": str(tmp_path / "made")})
Folder().run(call)
assert call.checkpoints == []
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from wf_core.adapters.cancellation import Cancellation
from wf_core.kinds import Cancelled, Previous, StepCall, StepKind
from wf_core.model.phases import Hook, Purpose
from wf_core.model.spec import Json
from wf_core.model.state import Resource
from wf_core.plugins import LoadedKind


@attrs.frozen
class Logged:
    """One `call.log(text, stream)`."""

    text: str
    stream: str


@attrs.frozen
class Checkpoint:
    """One `call.checkpoint(resource, attributes)`."""

    resource: Resource | None
    attributes: Mapping[str, Json] | None


@attrs.frozen(kw_only=True, eq=False)
class RecordedCall(StepCall):
    """A call that remembers what the hook logged and saved, oldest first, and each `wake()`."""

    logs: list[Logged]
    checkpoints: list[Checkpoint]
    wakes: list[None]


def call_for(
    kind: StepKind,
    parameters: Mapping[str, Json] | object = {},
    *,
    hook: Hook = Hook.RUN,
    purpose: Purpose | None = None,
    attempt: int = 1,
    interruptions: int = 0,
    previous: Previous | None = None,
    workflow: str = "example",
    namespace: str = "default",
    uid: str = "uid-1",
    step: str = "step1",
    epoch: int = 1,
    workflow_parameters: Mapping[str, Json] | None = None,
    attributes: Mapping[str, Json] | None = None,
    resources: Mapping[str, Resource] | None = None,
    signals: Mapping[str, Json] | None = None,
    deadline: float | None = None,
    cancelled: Cancelled | None = None,
    folder: Path | None = None,
    store: str = "memory:",
    run_attempt: int = 1,
    annotations: Mapping[str, str] | None = None,
    trace: Mapping[str, str] | None = None,
) -> RecordedCall:
    """A call of `kind`'s `hook`.

    `parameters` are a document's (a dict, decoded as the engine would; raises ParametersInvalid) or
    an instance of `kind.Parameters`. `purpose` follows from the hook, and for `sync` is Run.
    `attributes` and `resources` are those of upstream steps. Keys follow from uid, step and hook.
    `annotations` are the workflow's. `trace` becomes `call.trace`. `folder` becomes `call.folder`;
    a kind that asks for one without it gets a ValueError.
    """
    if purpose is None:
        purpose = Purpose.ROLLBACK if hook is Hook.ROLLBACK else Purpose.RUN
    keyed = Hook.ROLLBACK if purpose is Purpose.ROLLBACK else Hook.RUN
    logs: list[Logged] = []
    checkpoints: list[Checkpoint] = []
    wakes: list[None] = []
    values = (attributes or {}, resources or {})
    return RecordedCall(
        workflow=workflow,
        namespace=namespace,
        uid=uid,
        step=step,
        kind=kind.name,
        hook=hook,
        purpose=purpose,
        attempt=attempt,
        interruptions=interruptions,
        key=_key(uid, step, keyed),
        run_key=_key(uid, step, Hook.RUN),
        epoch=epoch,
        parameters=_decoded(kind, parameters),
        workflow_parameters=workflow_parameters or {},
        previous=previous or Previous(),
        signals=signals or {},
        store=store,
        run_attempt=run_attempt if hook is Hook.ROLLBACK else attempt,
        deadline=deadline,
        cancelled=cancelled if cancelled is not None else Cancellation(),
        ancestors=lambda: values,
        save_checkpoint=lambda resource, saved: checkpoints.append(Checkpoint(resource, saved)),
        write_log=lambda text, stream: logs.append(Logged(text, stream)),
        make_folder=lambda: _made(folder),
        send_wake=lambda: wakes.append(None),
        annotations=annotations or {},
        find_trace=lambda: trace or {},
        logs=logs,
        checkpoints=checkpoints,
        wakes=wakes,
    )


def _decoded(kind: StepKind, parameters: object) -> Any:  # the kind's own class
    if isinstance(parameters, Mapping):
        return LoadedKind(kind.name, kind, "tested", "").decode(dict(parameters))
    return parameters


def _key(uid: str, step: str, hook: Hook) -> str:
    return hashlib.sha256(f"{uid}/{step}/{hook}".encode()).hexdigest()[:32]


def _made(folder: Path | None) -> Path:
    if folder is None:
        raise ValueError("the hook asks for a folder: give call_for(..., folder=tmp_path)")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
