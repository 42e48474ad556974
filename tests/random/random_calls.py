"""Calls of the kind `random` for the tests of this folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from wf_core.kinds import Previous, StepCall
from wf_core.model.phases import Hook, Purpose
from wf_core.model.spec import Json
from wf_core.model.state import Resource
from wf_random.parameters import RandomParameters


@attrs.define
class Sleeper:
    """A `Cancelled` in no time: notes how long a hook waits, and answers as told."""

    asked_to_stop: bool = False
    waits: list[float | None] = attrs.field(factory=list)

    def is_set(self) -> bool:
        return self.asked_to_stop

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout)
        return self.asked_to_stop


Saved = list[tuple[Resource | None, Mapping[str, Json] | None]]


def call_for(
    hook: Hook = Hook.RUN,
    *,
    purpose: Purpose | None = None,
    attempt: int = 1,
    step: str = "step1",
    uid: str = "u1",
    previous: Previous | None = None,
    cancelled: Sleeper | None = None,
    saved: Saved | None = None,
    **parameters: Any,
) -> StepCall:
    """A call of `hook`; a `sync` watches unless `purpose` says otherwise."""
    purposes = {Hook.RUN: Purpose.RUN, Hook.ROLLBACK: Purpose.ROLLBACK}
    kept: Saved = [] if saved is None else saved
    return StepCall(
        workflow="example",
        namespace="default",
        uid=uid,
        step=step,
        kind="random",
        hook=hook,
        purpose=purpose or purposes.get(hook, Purpose.WATCH),
        attempt=attempt,
        interruptions=0,
        key=f"{uid}-{step}-{hook}",
        run_key=f"{uid}-{step}-run",
        epoch=1,
        parameters=RandomParameters(**parameters),
        workflow_parameters={},
        previous=previous or Previous(),
        deadline=None,
        cancelled=cancelled or Sleeper(),
        ancestors=lambda: ({}, {}),
        save_checkpoint=lambda resource, attributes: kept.append((resource, attributes)),
        write_log=lambda _text, _stream: None,
        send_wake=lambda: None,
        make_folder=Path,
    )
