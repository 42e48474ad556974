"""Output of hooks on its way to the store."""

import asyncio

import pytest

from wf_core.adapters.memory.backing import Backing
from wf_core.adapters.memory.store import MemoryStore
from wf_core.engine.output import LINGER, HookOutput
from wf_core.model.phases import Hook
from wf_core.model.spec import Key
from wf_core.model.state import LogLine
from wf_core.testing import virtual_time
from wf_core.testing.store_values import key_of, workflow


@pytest.mark.parametrize("given_up", [False, True])
def test_c4_what_a_hook_says_once_its_workflow_is_given_up_is_not_written(given_up: bool) -> None:
    async def story() -> list[str]:
        store = MemoryStore(Backing())
        key: Key = key_of(await store.create(workflow(), 1.0))
        output = HookOutput(store, key)
        if given_up:
            output.give_up()
        output.add(LogLine("a", Hook.RUN, 1, 1.0, "late"))
        await asyncio.sleep(2 * LINGER)
        return [line.text for line in await store.logs(key)]

    assert virtual_time.run(story()) == ([] if given_up else ["late"])
