"""`podFailurePolicy`, as for Jobs."""

from typing import Any

import pytest
from tests.podstep.pod_objects import disrupted, ended, pod

from wf_core.plugins import LoadedKind
from wf_podstep.kind import PodStep
from wf_podstep.parameters import PodParameters
from wf_podstep.policy import weighed
from wf_podstep.weights import Weight

IN = {"operator": "In", "values": [3]}
NOT_IN = {"operator": "NotIn", "values": [3]}


def weight(code: int, *rules: dict[str, Any], container: str = "main") -> Weight | None:
    """What these rules say of a pod whose container exited with `code`."""
    loaded = LoadedKind("pod", PodStep(), "tested", "")
    given = {"image": "x", "podFailurePolicy": {"rules": list(rules)}}
    parameters = loaded.decode(given)
    assert isinstance(parameters, PodParameters)
    failed = pod(
        "Failed",
        containers=[ended(code, name=container)],
        conditions=[disrupted("PreemptionByScheduler")],
    )
    return weighed(failed, parameters.pod_failure_policy)


@pytest.mark.parametrize(
    ("action", "expected"),
    [("FailJob", Weight.FATAL), ("Ignore", Weight.IGNORED), ("Count", Weight.COUNTED)],
)
def test_the_actions_of_jobs(action: str, expected: Weight) -> None:
    assert weight(3, {"action": action, "onExitCodes": IN}) is expected


def test_the_first_rule_that_fits_decides() -> None:
    rules = (
        {"action": "FailJob", "onExitCodes": NOT_IN},
        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]},
        {"action": "Count", "onExitCodes": IN},
    )
    assert weight(4, *rules) is Weight.FATAL
    assert weight(3, *rules) is Weight.IGNORED
    assert weight(3, *rules[2:]) is Weight.COUNTED
    assert weight(4, *rules[2:]) is None


def test_a_rule_may_name_the_container() -> None:
    rule = {"action": "FailJob", "onExitCodes": {**IN, "containerName": "helper"}}
    assert weight(3, rule) is None
    assert weight(3, rule, container="helper") is Weight.FATAL


def test_a_container_that_succeeded_fits_no_rule() -> None:
    assert weight(0, {"action": "FailJob", "onExitCodes": NOT_IN}) is None
