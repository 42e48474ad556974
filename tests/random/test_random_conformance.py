"""The kind `random` keeps the promises of a kind."""

from collections.abc import Collection, Iterable, Mapping

import pytest

from wf_core.model.spec import Json
from wf_core.testing.conformance import Conformance, World
from wf_random.kind import Random

pytestmark = pytest.mark.slow


class Sleeping(World):
    """Nothing happens outside."""

    kind = Random
    effects_of_a_run = 0

    def parameters(self) -> Mapping[str, Json]:
        return {"sleepSeconds": 0, "attributes": {"ip": "10.0.0.1"}}

    def effects(self) -> Collection[object]:
        return ()

    def bad_parameters(self) -> Iterable[Mapping[str, Json]]:
        return [{"sleepSeconds": -1}, {"failureRate": 2}]

    def long_parameters(self) -> Mapping[str, Json] | None:
        return {"sleepSeconds": 600}


class Waiting(Sleeping):
    """It is in progress for a moment."""

    def parameters(self) -> Mapping[str, Json]:
        return {"sleepSeconds": 0.05, "async": True}


class TestRandom(Conformance):
    world_class = Sleeping


class TestRandomInProgress(Conformance):
    world_class = Waiting
