"""The plugin that a life carries beside the author's: it counts boundaries, kills, and disturbs."""

import itertools
import os
import signal
from collections.abc import Generator
from pathlib import Path

from wf_core.adapters.sqlite.store import SqliteStore
from wf_core.chaos.orders import Fault, Mark, Orders, Side, Trace
from wf_core.chaos.plan import fault_of
from wf_core.hookspecs import hookimpl
from wf_core.kinds import Answer, Fatal, Retryable, StepCall
from wf_core.model.spec import Key
from wf_core.ports import Changes, Saved, Store

INJECTED = "injected by --chaos"


class Boundaries:
    """Counts what a life crosses, from any thread, and kills it where it was told to."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._numbers = itertools.count(1)  # its `next` is one step for all threads
        self._trace = Trace(Path(orders.trace))

    def cross(self, side: Side, what: str, detail: str) -> None:
        """Cross one boundary, or die at it."""
        n, orders = next(self._numbers), self._orders
        if n != orders.kill_at:
            self._trace.write(Mark(orders.life, n, side, what, detail))
            return
        after = orders.kill_after
        self._trace.write(Mark(orders.life, n, side, what, detail, killed=True, after=after))
        if after:
            # Nothing handles SIGALRM: the kernel ends the process wherever it then is.
            signal.setitimer(signal.ITIMER_REAL, after)
        else:
            os.kill(os.getpid(), signal.SIGKILL)

    def disturbed(self, side: Side, what: str, detail: str, fault: Fault) -> None:
        """Note a fault."""
        self._trace.write(Mark(self._orders.life, 0, side, what, detail, fault))


class CountingStore(SqliteStore):
    """The SQLite store, with a boundary before and after each save."""

    boundaries: Boundaries

    async def save(self, key: Key, changes: Changes) -> Saved:
        """As `ports.Store.save`."""
        detail = _saved(changes)
        self.boundaries.cross(Side.BEFORE, "save", detail)
        saved = await super().save(key, changes)
        self.boundaries.cross(Side.AFTER, "save", detail)
        return saved


def _saved(changes: Changes) -> str:
    """What a save holds, for people: the phases it moves to."""
    moves = [f"{move.step or 'workflow'} {move.after}" for move in changes.history]
    return ", ".join(moves) or f"revision {changes.head.revision}"


class Chaos:
    """Hooks of the plugin. The store it opens stands in for the engine's own SQLite store, so that
    steps find their folders beside it as ever."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._boundaries = Boundaries(orders)
        self._specs = {spec.name: spec for spec in orders.workflow.spec.steps}

    @hookimpl(tryfirst=True)
    def wf_open_store(self, url: str) -> Store | None:
        """Open the store of this life; others are not ours."""
        if url != f"sqlite:{self._orders.store}":
            return None
        store = CountingStore.open(Path(self._orders.store))
        assert isinstance(store, CountingStore)
        store.boundaries = self._boundaries
        return store

    @hookimpl(wrapper=True, tryfirst=True)
    def wf_step_run(self, call: StepCall) -> Generator[None, Answer, Answer]:
        """Around every run."""
        return (yield from self._around(call))

    @hookimpl(wrapper=True, tryfirst=True)
    def wf_step_rollback(self, call: StepCall) -> Generator[None, Answer, Answer]:
        """Around every undo."""
        return (yield from self._around(call))

    @hookimpl(wrapper=True, tryfirst=True)
    def wf_step_sync(self, call: StepCall) -> Generator[None, Answer, Answer]:
        """Around every look."""
        return (yield from self._around(call))

    def _around(self, call: StepCall) -> Generator[None, Answer, Answer]:
        where = f"{call.step} (attempt {call.attempt})"
        self._boundaries.cross(Side.BEFORE, call.hook, where)
        try:
            return (yield from self._disturbed(call, where))
        finally:
            self._boundaries.cross(Side.AFTER, call.hook, where)

    def _disturbed(self, call: StepCall, where: str) -> Generator[None, Answer, Answer]:
        orders = self._orders
        found = None
        if orders.faults:
            spec = self._specs[call.step]
            found = fault_of(
                orders.chance, orders.life, call.hook, call.attempt, spec, orders.doomed
            )
        if found is None:
            return (yield)
        fault, seconds = found
        acted = fault in (Fault.RETRYABLE_AFTER, Fault.FATAL_AFTER, Fault.LATE)
        side = Side.AFTER if acted else Side.BEFORE
        self._boundaries.disturbed(side, call.hook, where, fault)
        # pluggy: what is raised before the `yield` keeps the hook from being called.
        answer = (yield) if acted else None
        if fault is Fault.LATE:
            call.cancelled.wait(seconds)
            return answer
        raise (Fatal if fault in (Fault.FATAL_BEFORE, Fault.FATAL_AFTER) else Retryable)(
            f"{fault} ({INJECTED})"
        )
