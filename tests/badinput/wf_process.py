"""`wf` as a process of its own, on a store in a folder of the test."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import attrs
from tests.patience import PATIENCE

from wf_core.adapters.sqlite.store import SqliteStore
from wf_core.model.spec import Key
from wf_core.model.state import Stored

WF = str(Path(sys.executable).with_name("wf"))


@attrs.frozen
class Said:
    """How a process ended."""

    code: int
    out: str
    err: str


@attrs.frozen
class Desk:
    """Where someone types `wf`. `before` stands before each command, such as a program that drops
    privileges."""

    folder: Path
    store: Path
    before: Sequence[str] = ()

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """A running `wf ARGUMENTS`."""
        return subprocess.Popen(
            [*self.before, WF, *arguments],
            cwd=self.folder,
            env={**os.environ, "WF_STORE": f"sqlite:{self.store}"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wf(self, *arguments: str) -> Said:
        """`wf ARGUMENTS`, to its end."""
        return ended(self.start(*arguments))

    def write(self, steps: Mapping[str, tuple[str, str]], name: str = "order") -> None:
        """`NAME.yaml`: a chain of steps, each a command and the one that undoes it."""
        names = list(steps)
        document = {
            "apiVersion": "workflow.example.com/v1alpha1",
            "kind": "Workflow",
            "metadata": {"name": name},
            "spec": {
                "steps": [
                    {
                        "name": step,
                        "dependOns": [{"name": before} for before in names[max(0, i - 1) : i]],
                        "stepTemplate": {
                            "type": "command",
                            "parameters": {"run": run, "rollback": undo, "grace": 1},
                            "retryPolicy": {"runRetryLimit": 0},
                        },
                    }
                    for i, (step, (run, undo)) in enumerate(steps.items())
                ]
            },
        }
        (self.folder / f"{name}.yaml").write_text(json.dumps(document))

    def phases(self) -> dict[str, str]:
        """The saved phase of each step, by name."""

        async def load() -> Stored:
            store = SqliteStore.open(self.store)
            try:
                return await store.load(Key("default", "order"))
            finally:
                await store.close()

        stored = asyncio.run(load())
        pairs = zip(stored.workflow.spec.steps, stored.steps, strict=True)
        return {spec.name: step.phase.value for spec, step in pairs}


def ended(process: "subprocess.Popen[str]", timeout: float = PATIENCE) -> Said:
    """Let a process end by itself."""
    out, err = process.communicate(timeout=timeout)
    return Said(process.returncode, out, err)


def until(reached: Callable[[], bool], what: str) -> None:
    """Return once `reached()`."""
    deadline = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < deadline, f"not within {PATIENCE:g} s: {what}"
        time.sleep(0.01)
