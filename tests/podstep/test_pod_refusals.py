"""What it means that the API server refused a pod: every row, and its sentence."""

import pytest

from wf_k8s.client.errors import Cause, RefusedError
from wf_podstep.refusals import TABLE, refusal
from wf_podstep.weights import Weight

ROWS: dict[str, tuple[RefusedError, Weight, str]] = {}


def row(
    name: str, weight: Weight, told: str, code: int, message: str = "no", *causes: Cause
) -> None:
    """One row."""
    ROWS[name] = (RefusedError(code, "X", message, what="POST", causes=causes), weight, told)


FORBIDDEN = "forbidden: "
row(
    "NamespaceTerminating",
    Weight.FATAL,
    "namespace shop is being deleted: no pod can be created there any more; "
    "`wf skip-rollback` or `wf mark-rolled-back` release what can't be undone: no",
    403,
    "no",
    Cause(reason="NamespaceTerminating"),
)
row(
    "QuotaExceeded",
    Weight.IGNORED,
    "the quota of namespace shop has no room for its pod: forbidden: exceeded quota: q",
    403,
    FORBIDDEN + "exceeded quota: q",
)
row(
    "QuotaWantsMore",
    Weight.FATAL,
    "the quota of namespace shop wants its resources to be given: failed quota: must specify cpu",
    403,
    "failed quota: must specify cpu",
)
row(
    "ServiceAccount",
    Weight.FATAL,
    "its service account does not exist in namespace shop: error looking up service account x",
    403,
    "error looking up service account x",
)
row(
    "PodSecurity",
    Weight.FATAL,
    'the pod security of namespace shop forbids its pod: violates PodSecurity "restricted"',
    403,
    'violates PodSecurity "restricted"',
)
row(
    "NoRight",
    Weight.COUNTED,
    "whoever runs this workflow may not create pods in namespace shop: "
    'User "x" cannot create resource "pods"',
    403,
    'User "x" cannot create resource "pods"',
)
row("Forbidden", Weight.FATAL, "its pod is forbidden: by policy", 403, "by policy")
row("NoNamespace", Weight.FATAL, "there is no namespace shop: no", 404)
row(
    "Invalid",
    Weight.FATAL,
    "Kubernetes does not take its pod: spec.x: is wrong",
    422,
    "no",
    Cause("spec.x", "Invalid", "is wrong"),
)
row("Busy", Weight.IGNORED, "the API server can't take its pod: no", 503)
row("Refused", Weight.COUNTED, "the API server refused its pod: no", 402)


@pytest.mark.parametrize("name", ROWS)
def test_a_refusal_is_told_by_its_row(name: str) -> None:
    error, weight, told = ROWS[name]
    found = refusal(error, "shop")
    assert (found.reason, found.weight, found.sentence) == (name, weight, told)


def test_every_row_of_refusals_has_a_test() -> None:
    assert [each.reason for each in TABLE] == list(ROWS)


def test_a_quota_that_changed_meanwhile_is_asked_again() -> None:
    conflict = RefusedError(409, "Conflict", "quota was modified", what="POST")
    assert refusal(conflict, "shop").weight is Weight.IGNORED


def test_what_the_server_asks_to_wait_is_waited() -> None:
    busy = RefusedError(503, "X", "no", what="POST", after=40.0)
    assert refusal(busy, "shop").after == 40.0
