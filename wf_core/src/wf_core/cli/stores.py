"""Opening the store for commands that need no engine, and who runs what in it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

import attrs

from wf_core.adapters.clock import SystemClock
from wf_core.cli.registry import installed
from wf_core.cli.settings import Settings
from wf_core.errors import (
    StoreForeign,
    StoreMissing,
    StoreUnavailable,
    WorkflowNotFound,
    WorkflowOwned,
)
from wf_core.model.phases import Phase
from wf_core.model.spec import Key
from wf_core.model.state import Stored
from wf_core.ports import Row, Store
from wf_core.standing import Standing, TellsStanding

T = TypeVar("T")


def now() -> float:
    """Epoch seconds."""
    return SystemClock().now()


@asynccontextmanager
async def opened(settings: Settings, *, create: bool = False) -> AsyncIterator[Store]:
    """The store of `settings`; closed at the end. Reading makes none: one that a person names must
    be there, and the user's own is empty until something is run.

    Raises StoreMissing.
    """
    try:
        store = installed().open_store(settings.store_url, create=create)
    except StoreMissing:
        if settings.store:
            raise
        store = installed().open_store("memory:")
    try:
        yield store
    finally:
        await store.close()


def ask_store(
    settings: Settings, question: Callable[[Store], Awaitable[T]], *, create: bool = False
) -> T:
    """Ask the store one thing, on a loop of its own; `create`: it may be made."""

    async def ask() -> T:
        async with opened(settings, create=create) as store:
            return await question(store)

    return asyncio.run(ask())


def load_one(settings: Settings, name: str) -> Stored:
    """The workflow of that name. Raises WorkflowNotFound."""
    return ask_store(settings, lambda store: store.load(settings.key(name)))


async def all_rows(
    store: Store, phases: Sequence[Phase] | None = None, queue: str | None = None
) -> list[Row]:
    """Every workflow (of these phases, of this queue), by creation time."""
    rows: list[Row] = []
    after: str | None = None
    while True:
        page = await store.list(phases=phases, queue=queue, after=after)
        rows += page.rows
        after = page.after
        if after is None:
            return rows


async def stuck_rows(store: Store, rows: Sequence[Row]) -> list[Row]:
    """Those that go no further without a person, each with why."""
    found = []
    for row in rows:
        why = await _why_stuck(store, row) if row.stuck is None else row.stuck
        if why:
            found.append(attrs.evolve(row, stuck=why))
    return found


async def _why_stuck(store: Store, row: Row) -> str:
    if row.phase not in (Phase.RUNNING, Phase.ROLLING_BACK, Phase.FAILED):
        return ""
    from wf_core.saga.stuck import in_one_line, stuck

    try:
        stored = await store.load(row.key)
    except WorkflowNotFound:
        return ""  # it was removed meanwhile
    except StoreForeign as error:
        return in_one_line("LeftAlone", str(error))
    found = stuck(stored.head, stored.steps)
    return in_one_line(*found) if found else ""


async def standing_of(store: Store, key: Key) -> Standing | None:
    """What the store tells of a workflow beside its state; None where it tells nothing."""
    return await store.standing(key) if isinstance(store, TellsStanding) else None


async def runner_of(store: Store, key: Key) -> str | None:
    """Who runs a workflow now, in words, or None where nobody does: it may be served all the same
    (`Store.served_by`)."""
    try:
        await store.claim(key)
    except WorkflowOwned as owned:
        return str(owned)
    except StoreUnavailable:
        return None  # who may only read can claim nothing; that nobody lives is known by then
    await store.release(key)
    return None
