"""The engine on one machine: the port's adapters, wired together."""

import logging
import os
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from wf_core.adapters.account import account
from wf_core.adapters.announcer import NoAnnouncer, ThreadAnnouncer
from wf_core.adapters.clock import SystemClock, WallClock
from wf_core.adapters.memory import plugin as memory
from wf_core.adapters.open_record import FolderRecord, NoRecord
from wf_core.adapters.sqlite import plugin as sqlite
from wf_core.adapters.threads import ThreadExecutor
from wf_core.callbacks import HttpSender
from wf_core.config import Config
from wf_core.engine.engine import Engine
from wf_core.errors import OperatorError
from wf_core.limits import pool_size
from wf_core.plugins import Registry
from wf_core.plugins import load as load_plugins
from wf_core.ports import OpenRecord

log = logging.getLogger("wf.engine")


def state_folder(env: Mapping[str, str]) -> Path:
    """Where the embedded store lives: `$XDG_STATE_HOME/wf`, else `~/.local/state/wf`."""
    base = env.get("XDG_STATE_HOME")
    if base:
        return Path(base) / "wf"
    try:
        return Path.home() / ".local" / "state" / "wf"
    except RuntimeError as error:
        raise OperatorError(
            f"the account {account()} has no home folder to keep a store in: name a store with "
            "`--store sqlite:PATH` or WF_STORE, or a folder for what wf keeps with XDG_STATE_HOME"
        ) from error


def default_store(env: Mapping[str, str]) -> str:
    """The store's address: `$WF_STORE`, else the embedded one in the state folder."""
    return env.get("WF_STORE") or f"sqlite:{state_folder(env) / 'wf.db'}"


def hook_folder(store_url: str, env: Mapping[str, str]) -> Path:
    """Where steps keep files of their own: beside an SQLite store, else in the state folder."""
    scheme, _, rest = store_url.partition(":")
    if scheme == "sqlite":
        from wf_core.adapters.sqlite.space import steps_folder  # only where SQLite is needed

        return steps_folder(Path(rest).absolute())
    return state_folder(env) / "steps"


def record_of(store_url: str) -> OpenRecord:
    """Where it is noted what is open, for whoever comes after a death: beside an SQLite store. What
    is elsewhere has no folder that outlives its engine."""
    scheme, _, rest = store_url.partition(":")
    if scheme != "sqlite":
        return NoRecord()
    path = Path(rest).expanduser().absolute()
    return FolderRecord(path.with_name(path.name + ".open"), version("wf-core"))


def registry_of(plugins: Iterable[object] | None) -> Registry:
    """What is installed; or, where `plugins` are given, those and the stores of this package."""
    if plugins is None:
        return load_plugins()
    return Registry.of([memory, sqlite, *plugins])


@asynccontextmanager
async def open_engine(
    store_url: str | None = None,
    config: Config | None = None,
    registry: Registry | None = None,
    *,
    create: bool = True,
    record: OpenRecord | None = None,
) -> AsyncIterator[Engine]:
    """An engine on `store_url`; it is stopped and its store closed at the end. `create`: the store
    is made where there is none. `record`: instead of the one that is kept beside the store.

    Raises StoreMissing, StoreUnavailable or StoreForeign where the store can't be opened.
    """
    url = store_url or default_store(os.environ)
    config = config or Config()
    registry = registry or load_plugins()
    clock = SystemClock()
    store = registry.open_store(url, create=create)
    try:
        engine = Engine(
            store=store,
            registry=registry,
            executor=ThreadExecutor(
                registry.perform, pool_size(config.controller_config.concurrency)
            ),
            clock=clock,
            sender=HttpSender(config, WallClock()),
            announcer=ThreadAnnouncer(registry.notify) if registry.observed else NoAnnouncer(),
            config=config,
            folder=hook_folder(url, os.environ),
            record=record_of(url) if record is None else record,
            store_url=url,
        )
    except BaseException:
        await store.close()
        raise
    try:
        yield engine
    finally:
        await engine.stop()
        if engine.busy:
            # A hook still runs: its claim stays ours, so that nobody calls it beside us (C5).
            log.warning("hooks that don't stop keep their workflows claimed until the process ends")
        else:
            await store.close()
