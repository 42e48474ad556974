"""The kind `approval` keeps the promises of a kind, whenever the answer comes."""

from collections.abc import Collection, Iterable, Mapping

import pytest

from wf_approval.gate import Answer, signalled
from wf_approval.kind import Approval
from wf_core.model.spec import Json
from wf_core.testing.conformance import Conformance, World

pytestmark = pytest.mark.slow

AT = 1_790_000_000.0


class Asking(World):
    """Nothing happens outside; a person answers between two looks."""

    kind = Approval
    effects_of_a_run = 0

    def parameters(self) -> Mapping[str, Json]:
        return {"message": "ship it", "signal": "gate", "deadlineSeconds": 3600}

    def bad_parameters(self) -> Iterable[Mapping[str, Json]]:
        return [{"deadlineSeconds": 0}, {"approvers": [" "]}]

    def effects(self) -> Collection[object]:
        return ()

    def begin(self) -> None:
        self.signals = {}

    def finish(self) -> None:
        self.signals = {"gate": signalled(Answer(True, "ada"), AT)}


class Answered(Asking):
    """The answer is there before it is asked for."""

    def begin(self) -> None:
        self.finish()


class TestApproval(Conformance):
    world_class = Asking


class TestApprovalAnsweredBefore(Conformance):
    world_class = Answered
