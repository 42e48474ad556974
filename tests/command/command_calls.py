"""Calls of the kind `command`, and what they left, for the tests of this folder."""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from wf_command import processes
from wf_command.parameters import CommandParameters
from wf_core.kinds import Cancelled, Previous, StepCall
from wf_core.model.phases import Hook, Purpose
from wf_core.model.spec import Json
from wf_core.model.state import Resource

UID = "6f1c"


def is_running(pid: int) -> bool:
    """Whether a process still runs; one that ended and was not waited for does not."""
    return any(process.pid == pid for process in processes.running())


@attrs.define
class Bench:
    """One step on this machine: makes calls of it and keeps what they logged and saved."""

    folder: Path
    logged: list[tuple[str, str]] = attrs.field(factory=list)
    saved: list[tuple[Resource | None, Mapping[str, Json] | None]] = attrs.field(factory=list)
    cancelled: Cancelled = attrs.field(factory=threading.Event)
    ancestors: tuple[Mapping[str, Json], Mapping[str, Resource]] = attrs.field(default=({}, {}))

    def call(
        self,
        hook: Hook = Hook.RUN,
        *,
        purpose: Purpose | None = None,
        attempt: int = 1,
        previous: Previous | None = None,
        **parameters: Any,
    ) -> StepCall:
        """A call of `hook`; a `sync` watches unless `purpose` says otherwise."""
        purposes = {Hook.RUN: Purpose.RUN, Hook.ROLLBACK: Purpose.ROLLBACK}
        return StepCall(
            workflow="order",
            namespace="default",
            uid=UID,
            step="pay",
            kind="command",
            hook=hook,
            purpose=purpose or purposes.get(hook, Purpose.WATCH),
            attempt=attempt,
            interruptions=0,
            key=f"{UID}-pay-{hook}",
            run_key=f"{UID}-pay-run",
            epoch=7,
            parameters=CommandParameters(**{"run": ["true"], "grace": 0.3, **parameters}),
            workflow_parameters={"size": 3},
            previous=previous or Previous(),
            deadline=None,
            cancelled=self.cancelled,
            ancestors=lambda: self.ancestors,
            save_checkpoint=lambda resource, attributes: self.saved.append((resource, attributes)),
            write_log=lambda text, stream: self.logged.append((stream, text)),
            send_wake=lambda: None,
            make_folder=lambda: self.folder,
        )

    def output(self, stream: str) -> str:
        """What calls logged on one stream, joined."""
        return "\n".join(text for found, text in self.logged if found == stream)
