"""Fault 16 of the design this project started from: half of its configuration had no reader."""

import asyncio
from pathlib import Path
from typing import Any

import attrs
from tests.patience import PATIENCE

from wf_core.codec import read
from wf_core.config import (
    CallbackConfig,
    Config,
    ControllerConfig,
    QueueConfig,
    QueueLimits,
    StepConfig,
)
from wf_core.engine.local import open_engine, registry_of
from wf_core.kinds import Answer, StepCall, StepKind
from wf_core.model.phases import Phase
from wf_core.model.spec import Key

OF_THE_CLUSTER = {"namespace", "throttle_qps"}
"""What only a controller on Kubernetes has a use for: its own namespace, requests to the API."""

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

DOCUMENT = """\
apiVersion: workflow.example.com/v1alpha1
kind: Workflow
metadata: {name: order}
spec:
  queue: orders
  steps:
  - {name: first, stepTemplate: {type: nothing}}
"""


class Nothing(StepKind):
    """Does nothing."""

    name = "nothing"

    def run(self, call: StepCall) -> Answer:  # noqa: ARG002
        return None

    def rollback(self, call: StepCall) -> Answer:  # noqa: ARG002
        return None


class Noted:
    """Stands for a part of the configuration and notes which of its fields are read."""

    def __init__(self, value: Any, path: str, noted: set[str]) -> None:
        self._value = value
        self._path = path
        self._noted = noted

    def __getattr__(self, name: str) -> Any:
        path = f"{self._path}.{name}".lstrip(".")
        value = getattr(self._value, name)
        if attrs.has(type(value)):
            return Noted(value, path, self._noted)
        self._noted.add(path)
        if isinstance(value, dict) and value:
            return {key: Noted(each, f"{path}[]", self._noted) for key, each in value.items()}
        if isinstance(value, tuple) and value and attrs.has(type(value[0])):
            return tuple(Noted(each, f"{path}[]", self._noted) for each in value)
        return value


def every_field(value: Any, path: str = "") -> set[str]:
    found: set[str] = set()
    for field in attrs.fields(type(value)):
        inner = getattr(value, field.name)
        name = f"{path}.{field.name}".lstrip(".")
        if attrs.has(type(inner)):
            found |= every_field(inner, name)
            continue
        found.add(name)
        parts = inner.values() if isinstance(inner, dict) else inner
        for part in parts if isinstance(inner, dict | tuple) else ():
            if attrs.has(type(part)):
                found |= every_field(part, f"{name}[]")
    return found


def test_seed_fault_16_the_engine_reads_every_key(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    config = Config(
        controller_config=ControllerConfig(
            queue=QueueConfig("FAIR", queues={"orders": QueueLimits(2.0, 3)}),
            steps=(StepConfig("nothing", 100.0, 1, 1, 5.0),),
        ),
        callbacks=CallbackConfig(("receiver.example",), str(secret)),
    )
    noted: set[str] = set()

    async def serve() -> None:
        stand_in: Any = Noted(config, "", noted)
        registry = registry_of([Nothing()])
        async with open_engine("memory:", stand_in, registry) as engine:
            await engine.create(read(DOCUMENT, "order.yaml", registry))
            serving = asyncio.ensure_future(engine.serve())
            key = Key("default", "order")
            async with asyncio.timeout(PATIENCE):
                while (await engine.store.load(key)).head.phase is not Phase.SUCCESS:
                    await asyncio.sleep(0.01)
                await engine.stop()
                await serving

    asyncio.run(serve())
    assert every_field(config) - noted == OF_THE_CLUSTER
