"""Making a request of a workflow, and waiting a moment for the answer."""

import asyncio
import difflib

import attrs

from wf_core.cli.settings import wf
from wf_core.cli.stores import now, runner_of
from wf_core.errors import AuthorError
from wf_core.model.phases import Phase, RequestType
from wf_core.model.requests import Answer, Request
from wf_core.model.spec import Key
from wf_core.model.state import Stored
from wf_core.ports import Store

PATIENCE = 5.0  # seconds to wait for whoever runs it
GLANCE = 0.5  # seconds in which an engine that serves may take it up

_BEFORE_END = (Phase.PENDING, Phase.RUNNING)
_UNDOING = (Phase.ROLLING_BACK, Phase.FAILED)
SENSIBLE: dict[RequestType, tuple[Phase, ...]] = {
    RequestType.CANCEL: (*_BEFORE_END, Phase.ROLLING_BACK),
    RequestType.SUSPEND: _BEFORE_END,
    RequestType.CONTINUE: _BEFORE_END,
    RequestType.ROLLBACK: (Phase.SUCCESS,),
    RequestType.RETRY_RUN: (*_BEFORE_END, Phase.FAILED),
    RequestType.MARK_SUCCEEDED: _BEFORE_END,
    RequestType.RETRY_ROLLBACK: _UNDOING,
    RequestType.SKIP_ROLLBACK: _UNDOING,
    RequestType.MARK_ROLLED_BACK: _UNDOING,
    RequestType.SIGNAL: (*_BEFORE_END, Phase.ROLLING_BACK),
}
"""The phases of a workflow in which a request can do anything (semantics D)."""


@attrs.frozen
class Asked:
    """`answer` is None where nobody answered yet; `runner` says who runs the workflow, if any."""

    answer: Answer | None
    runner: str | None


def check(stored: Stored, key: Key, request: Request) -> None:
    """Refuse at once what no engine would apply. Raises AuthorError."""
    phase = stored.head.phase
    if phase not in SENSIBLE[request.type]:
        helps = " or ".join(SENSIBLE[request.type])
        raise AuthorError(f"workflow '{key}' is {phase}; {request.type} is for one that is {helps}")
    names = [spec.name for spec in stored.workflow.spec.steps]
    if request.step is not None and request.step not in names:
        near = difflib.get_close_matches(request.step, names, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"{wf(f'get {key}')} lists them"
        raise AuthorError(f"workflow '{key}' has no step '{request.step}'; {hint}")


async def ask(store: Store, key: Key, request: Request) -> Asked:
    """Make a request and wait a moment for its answer."""
    follower = store.watch()
    runner = await runner_of(store, key) or await store.served_by()
    seq = await store.request(key, request, now())
    answer: Answer | None = None
    try:
        async with asyncio.timeout(GLANCE if runner is None else PATIENCE):
            answer = await _answer(store, key, seq)
            while answer is None:
                seen = await anext(follower)
                if seen.key == key:
                    answer = await _answer(store, key, seq)
    except TimeoutError:
        runner = await runner_of(store, key) or await store.served_by()
    return Asked(answer, runner)


async def _answer(store: Store, key: Key, seq: int) -> Answer | None:
    stored = await store.load(key)
    return next((answer for answer in stored.head.answers if answer.seq == seq), None)
