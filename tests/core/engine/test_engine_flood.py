"""One namespace floods the engine; another's chain takes at most twice its time alone (E3 to E8).

The flood: 100 workflows that fail and are retried at once and without limit, with the highest
priority, and 34 steps whose calls do not end. All of it in virtual time.
"""

import asyncio
import itertools

import pytest
from msgspec.structs import replace

from wf_core.config import Config, ControllerConfig, Floors, QueueConfig, ShareBy
from wf_core.model.outcomes import Failure, Progressing, Severity
from wf_core.model.phases import Phase
from wf_core.model.spec import Key, RetryPolicy, StepTemplate
from wf_core.testing.bench import Bench, chain, step, within, workflow
from wf_core.testing.scripted_hooks import FOREVER, Do, Script

NO_PATIENCE = RetryPolicy(run_retry_limit=-1, run_retry_period_seconds=0.0)
LINKS = ("a", "b", "c", "d", "e", "f")


def of_the_chart(**queue: object) -> Config:
    """What the chart sets: namespaces share."""
    named = {"max_running_count_per_namespace": 60, **queue}
    return Config(
        controller_config=ControllerConfig(
            share_permits=True,
            floors=Floors(1.0),
            queue=QueueConfig(**named),  # type: ignore[arg-type]  # as each test names them
        )
    )


def script() -> Script:
    fails = Do(Failure(Severity.RETRYABLE, "no"), seconds=0.2)
    return Script(Do(seconds=1)).on("fail", fails).on("hang", Do(seconds=FOREVER))


async def flood(bench: Bench, spaces: int) -> None:
    """100 workflows that fail for ever, and 34 calls that never end, in so many namespaces each."""
    failing = step("fail", template=StepTemplate("plain", {}, NO_PATIENCE))
    hanging = [
        step(f"hang{n}", template=StepTemplate("plain", {}, timeout_seconds=1e9)) for n in range(34)
    ]
    for n in range(spaces):
        held = within(f"hostile{n}", workflow(*hanging, name="long", priority=1_000_000))
        await bench.create(held)
        for i in range(100):
            name = f"failing{i}"
            await bench.create(
                within(f"hostile{n}", workflow(failing, name=name, priority=1_000_000))
            )


async def seconds_of_a_chain(config: Config, spaces: int) -> float:
    """What another namespace's chain takes, once so many namespaces have flooded the engine."""
    scripted = script()
    for n in range(34):
        scripted.on(f"hang{n}", Do(seconds=FOREVER))
    bench = Bench(scripted, config=config)
    await flood(bench, spaces)
    process = bench.process()
    process.serve()
    await asyncio.sleep(5)
    began = bench.clock.now()
    mine = await bench.create(within("mine", chain(*LINKS, name="order")))

    def over() -> bool:
        return bench.backing.entries[mine].head.phase is Phase.SUCCESS

    for _ in range(120):
        if over():
            break
        await asyncio.sleep(0.5)
    took = bench.clock.now() - began if over() else float("inf")
    await process.crash()
    return took


@pytest.mark.parametrize("strategy", ["FIFO", "FAIR"])
@pytest.mark.parametrize("hostile", [1, 5])
async def test_e4_e6_a_flood_costs_another_namespace_at_most_twice_its_time_alone(
    strategy: str, hostile: int
) -> None:
    config = of_the_chart(strategy=strategy)
    alone = await seconds_of_a_chain(config, 0)
    assert alone == pytest.approx(len(LINKS), abs=1.0)
    assert await seconds_of_a_chain(config, hostile) <= 2 * alone


@pytest.mark.parametrize(
    "config",
    [
        of_the_chart(share_by=ShareBy.QUEUE),
        of_the_chart(max_running_count_per_namespace=None),
        Config(
            controller_config=ControllerConfig(
                queue=QueueConfig(max_running_count_per_namespace=60)
            )
        ),
    ],
    ids=["one line", "no share of slots", "no share of permits"],
)
async def test_the_same_flood_stops_another_namespace_where_nothing_is_shared(
    config: Config,
) -> None:
    assert await seconds_of_a_chain(config, 5) == float("inf")


async def test_e8_a_look_follows_another_after_a_tenth_of_a_second_whatever_the_kind_asks() -> None:
    bench = Bench(Script(Do(Progressing(0.0))))
    process = bench.process()
    key = await bench.create(workflow(step("a", kind="looked")))
    await process.adopt(key)
    await asyncio.sleep(10)
    looks = [each.began_at for each in bench.calls]
    assert 90 <= len(looks) <= 102
    assert all(b - a >= 0.1 - 1e-6 for a, b in itertools.pairwise(looks))
    assert (await bench.stored(Key("default", "order"))).head.phase is Phase.RUNNING


@pytest.mark.parametrize("most", [3600.0, 0.3])
async def test_e8_a_retry_waits_at_least_for_the_floor(most: float) -> None:
    bench = Bench(script(), config=of_the_chart())
    process = bench.process()
    key = await bench.create(
        workflow(
            step(
                "fail",
                template=StepTemplate("plain", {}, replace(NO_PATIENCE, max_period_seconds=most)),
            )
        )
    )
    await process.adopt(key)
    await asyncio.sleep(30)
    began = [each.began_at for each in bench.calls]
    assert len(began) > 20
    assert all(later - earlier >= 1.2 - 1e-6 for earlier, later in itertools.pairwise(began))
