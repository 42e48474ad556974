"""A process that serves many workflows and says how much memory they take (see `memory`).

python -m benchmarks.held STORE WORKFLOWS STEPS RUNNING
"""

import asyncio
import gc
import json
import os
import sys
from pathlib import Path

from benchmarks.subjects import step, workflow
from wf_core.config import Config
from wf_core.config.values import ControllerConfig, QueueConfig
from wf_core.engine.local import open_engine, registry_of
from wf_core.kinds import InProgress, StepCall, StepKind
from wf_core.model.phases import Phase
from wf_core.model.spec import Workflow

LONG = 86_400.0
PATIENCE = 120.0


class Slow(StepKind):
    """Goes on outside for a day, as a pod or a transfer would."""

    name = "slow"

    def run(self, call: StepCall) -> InProgress:
        """Begin."""
        return InProgress(poll_after=LONG)

    def rollback(self, call: StepCall) -> None:
        """Nothing."""

    def sync(self, call: StepCall) -> InProgress:
        """Not done yet."""
        return InProgress(poll_after=LONG)


def resident() -> float:
    """Megabytes of memory that this process has."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def document(name: str, steps: int) -> Workflow:
    """A chain of slow steps."""
    chain = [step("s0", kind="slow")]
    chain += [step(f"s{n}", f"s{n - 1}", kind="slow") for n in range(1, steps)]
    return workflow(name, chain)


async def submit(url: str, workflows: int, steps: int) -> None:
    """Fill the store, through an engine that is gone afterwards."""
    async with open_engine(url, None, registry_of([Slow()])) as engine:
        for start in range(0, workflows, 500):
            count = min(500, workflows - start)
            await asyncio.gather(
                *(engine.create(document(f"w{start + n}", steps)) for n in range(count))
            )


async def hold(url: str, running: int) -> dict[str, float]:
    """Serve until as many run as may; what that took."""
    config = Config(
        controller_config=ControllerConfig(queue=QueueConfig(max_running_count=running))
    )
    async with open_engine(url, config, registry_of([Slow()])) as engine:
        gc.collect()
        alone = resident()
        seen: dict[str, None] = {}
        engine.subscribe(lambda key, _: seen.setdefault(key.name))
        serving = asyncio.create_task(engine.serve())
        async with asyncio.timeout(PATIENCE):
            while len(seen) < running:
                await asyncio.sleep(0.2)
        await asyncio.sleep(1.0)  # the last steps' answers
        gc.collect()
        held = resident() - alone
        page = await engine.store.list(phases=(Phase.RUNNING,), limit=running + 1)
        await engine.stop()
        await serving
    return {"megabytes": held, "alone": alone, "running": len(page.rows)}


def main(store: str, workflows: int, steps: int, running: int) -> None:
    """Submit in a process of its own, so that its memory is not counted; then hold."""
    url = f"sqlite:{store}"
    child = os.fork()
    if child == 0:
        asyncio.run(submit(url, workflows, steps))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if status:
        raise SystemExit("the workflows could not be submitted")
    print(json.dumps(asyncio.run(hold(url, running))))


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:5]))
