"""Output of attempts that plugins keep elsewhere than in the store, such as that of pods."""

import asyncio
from collections.abc import Callable, Iterator

from wf_core.adapters.cancellation import Cancellation
from wf_core.adapters.reading import read_in_thread
from wf_core.cli.registry import installed
from wf_core.cli.settings import Settings, key_of
from wf_core.model.phases import Hook, Phase
from wf_core.model.state import LogLine, StepState, Stored
from wf_core.ports import LogQuery

KEPT = 5
"""The last attempts of a hook that are asked for."""

Show = Callable[[LogLine], None]


def queries(
    settings: Settings, stored: Stored, step: str | None, *, follow: bool
) -> Iterator[LogQuery]:
    """One for each attempt of the step, or of all. Only what has not ended is followed."""
    workflow = stored.workflow
    for spec, state in zip(workflow.spec.steps, stored.steps, strict=True):
        if step not in (None, spec.name):
            continue
        for hook, last, going in _attempts(state):
            for attempt in range(max(1, last - KEPT + 1), last + 1):
                yield LogQuery(
                    store=settings.store_url,
                    key=key_of(workflow),
                    uid=stored.key_uid,
                    step=spec.name,
                    kind=spec.step_template.type,
                    hook=hook,
                    attempt=attempt,
                    follow=follow and going and attempt == last,
                    stopped=Cancellation(),
                )


def _attempts(state: StepState) -> Iterator[tuple[Hook, int, bool]]:
    """Each hook, its last attempt, and whether that may still go on."""
    yield Hook.RUN, state.attempt, state.phase is Phase.RUNNING and not state.failed
    yield Hook.ROLLBACK, state.rollback_attempt, state.phase is Phase.ROLLING_BACK


async def read_all(found: Iterator[LogQuery], show: Show) -> None:
    """Show everything that is there. Raises what reading it raises."""
    for query in found:
        await _read(query, show)


async def _read(query: LogQuery, show: Show) -> None:
    registry, stopped = installed(), query.stopped
    assert isinstance(stopped, Cancellation)
    async for line in read_in_thread(lambda: registry.step_logs(query), stopped.set):
        show(line)


class Followed:
    """Shows attempts as they write, each from its beginning, once. `any`: something was shown."""

    def __init__(self, show: Show) -> None:
        self.any = False
        self._to = show
        self._tasks: dict[tuple[str, Hook, int], asyncio.Task[None]] = {}

    def take(self, found: Iterator[LogQuery]) -> None:
        """Show those that are new, too. Raises what showing the others raised."""
        for task in self._tasks.values():
            if task.done():
                task.result()
        for query in found:
            name = (query.step, query.hook, query.attempt)
            if name not in self._tasks:
                self._tasks[name] = asyncio.create_task(_read(query, self._show))

    def _show(self, line: LogLine) -> None:
        self.any = True
        self._to(line)

    async def end(self, seconds: float) -> None:
        """Let them come to their end, for so long, and stop listening. Raises what showing them
        raised."""
        if not self._tasks:
            return
        done, left = await asyncio.wait(self._tasks.values(), timeout=seconds)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        for task in done:
            task.result()
