"""A workflow of three steps that write down what they did, and a store that says what it saved.

Nothing here knows the shim: whoever runs it hands in where notes go.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import attrs
import msgspec
from msgspec.structs import replace

from wf_core.adapters.sqlite.store import SqliteStore
from wf_core.hookspecs import hookimpl
from wf_core.kinds import Answer, Fatal, StepCall, StepKind, Success
from wf_core.model.spec import Key, Workflow
from wf_core.model.state import Folder, Owner, Resource, StepState, Stored, WorkflowState
from wf_core.ports import Changes, Saved

Note = Callable[[str], None]
STEPS = ("a", "b", "c")
KEY = Key("default", "order")
DOCUMENT = """
apiVersion: workflow.example.com/v1alpha1
kind: Workflow
metadata: {{name: order}}
spec:
  steps:
  - name: a
    stepTemplate: {{type: noted}}
  - name: b
    dependOns: [{{name: a}}]
    stepTemplate: {{type: noted, parameters: {{talks: true}}}}
  - name: c
    dependOns: [{{name: b}}]
    stepTemplate:
      type: noted
      parameters: {{fails: {fails}}}
      retryPolicy: {{runRetryLimit: 0}}
"""


def document(*, fails: bool) -> str:
    """A chain of three; the last one has its effect and then fails, or not."""
    return DOCUMENT.format(fails=str(fails).lower())


def silent(_text: str) -> None:
    """Takes a note nowhere."""


@attrs.frozen
class NotedParameters:
    """`talks`: it saves a checkpoint and writes output. `fails`: for good, after its effect."""

    talks: bool = False
    fails: bool = False


class Noted(StepKind):
    """Appends a line to a file of effects: on disk before the hook returns."""

    name = "noted"
    Parameters = NotedParameters

    def __init__(self, effects: Path, note: Note = silent) -> None:
        self._effects = effects
        self._note = note

    def run(self, call: StepCall) -> Answer:
        if call.parameters.talks:
            call.checkpoint(Resource(id="half"))
            call.log("half way")
        self._happen("run", call.step)
        if call.parameters.fails:
            raise Fatal("it can't be done")
        return Success(attributes={call.step: "x" * 3000})

    def rollback(self, call: StepCall) -> Answer:
        self._happen("undo", call.step)
        return None

    def _happen(self, hook: str, step: str) -> None:
        self._note(f"effect {hook} {step}")
        file = os.open(self._effects, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        try:
            os.write(file, f"{hook} {step}\n".encode())
            os.fsync(file)
        finally:
            os.close(file)


def fingerprint(head: WorkflowState, steps: tuple[StepState, ...]) -> str:
    """A state in a few characters. The owner is left out: giving up a claim is no save."""
    body = msgspec.json.encode((replace(head, owner=Owner()), steps))
    return hashlib.sha256(body).hexdigest()[:16]


class NotedStore(SqliteStore):
    """Notes each save when it is handed in and when it was acknowledged. For fresh workflows."""

    note: Note = staticmethod(silent)
    steps: tuple[StepState, ...] = (StepState(),) * len(STEPS)

    async def create(self, workflow: Workflow, now: float, folder: Folder | None = None) -> Stored:
        stored = await super().create(workflow, now, folder)
        self.note(f"sent 0 {fingerprint(stored.head, stored.steps)}")
        self.note("acknowledged 0")
        return stored

    async def save(self, key: Key, changes: Changes) -> Saved:
        self.steps = tuple(changes.steps.get(i, step) for i, step in enumerate(self.steps))
        revision = changes.head.revision
        self.note(f"sent {revision} {fingerprint(changes.head, self.steps)}")
        answer = await super().save(key, changes)
        if answer is Saved.SAVED:
            self.note(f"acknowledged {revision}")
        return answer


@attrs.frozen
class NotedStores:
    """Opens `sqlite:PATH` as a `NotedStore`; `pragmas` are set on the connection that writes."""

    note: Note
    pragmas: tuple[str, ...] = ()

    @hookimpl(tryfirst=True)
    def wf_open_store(self, url: str) -> SqliteStore | None:
        scheme, _, path = url.partition(":")
        if scheme != "sqlite":
            return None
        store = NotedStore.open(Path(path))
        assert isinstance(store, NotedStore)
        store.note = self.note
        for pragma in self.pragmas:
            store.writer.connection.execute(f"PRAGMA {pragma}")
        return store
