"""One life of the engine, in a process that does nothing else.

It ends with 0 once the workflow rests, with STOPPED once its standard input is closed (whoever
started it wants it to end, or is gone), with 1 and a sentence on stderr for an error, and otherwise
by the signal it was ordered to die of.
"""

import asyncio
import sys
from pathlib import Path

import msgspec

from wf_core.adapters.clock import SystemClock
from wf_core.adapters.open_record import NoRecord
from wf_core.chaos.orders import Goal, Orders
from wf_core.chaos.plugin import Chaos
from wf_core.config import Config, load
from wf_core.engine.engine import Engine
from wf_core.engine.local import open_engine
from wf_core.errors import WfError, WorkflowNotFound
from wf_core.folders import here
from wf_core.model.phases import Phase, RequestType
from wf_core.model.requests import Request
from wf_core.model.state import Stored
from wf_core.plugins import Registry

STOPPED = 3


async def live(orders: Orders) -> int:
    """Go on with the workflow, new or left by a crash, until it rests or is to stop."""
    config = Config() if orders.config is None else load(Path(orders.config))
    registry = Registry.of([Chaos(orders)], discover=True)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), stop.set)
    # Chaos kills from outside, as often as it likes: no call is held to have killed its process.
    store = f"sqlite:{orders.store}"
    async with open_engine(store, config, registry, record=NoRecord()) as engine:
        stored = await _found(engine, orders)
        if orders.goal is Goal.UNDO and stored.head.phase is Phase.SUCCESS and not stored.asked:
            request = Request(RequestType.ROLLBACK, reason="asked for by --chaos")
            await engine.store.request(orders.key, request, SystemClock().now())
        await engine.adopt(orders.key)
        return await _until_rest(engine, orders, stop)


async def _found(engine: Engine, orders: Orders) -> Stored:
    try:
        return await engine.store.load(orders.key)
    except WorkflowNotFound:
        return await engine.create(orders.workflow, here())


async def _until_rest(engine: Engine, orders: Orders, stop: asyncio.Event) -> int:
    resting = asyncio.ensure_future(engine.wait(orders.key))
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait((resting, stopping), return_when=asyncio.FIRST_COMPLETED)
        if not resting.done():
            await engine.stop()
            return STOPPED
        resting.result()
        return 0
    finally:
        for each in (resting, stopping):
            each.cancel()
        await asyncio.gather(resting, stopping, return_exceptions=True)


def main(path: Path) -> int:
    """Live as ordered by the file at `path`; the exit code."""
    orders = msgspec.json.decode(path.read_bytes(), type=Orders)
    try:
        return asyncio.run(live(orders))
    except WfError as error:
        print(error, file=sys.stderr)
        return 1
