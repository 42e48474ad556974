"""What it means that the API server refused a pod: a table, each row with its sentence."""

from collections.abc import Callable

import attrs

from wf_k8s.client.errors import RefusedError
from wf_podstep.weights import Weight


@attrs.frozen
class Refusal:
    """Why in a word, what it counts, the sentence, and seconds until another try (if ignored)."""

    reason: str
    weight: Weight
    sentence: str
    after: float = 15.0


@attrs.frozen
class Row:
    """One row: the first that applies decides."""

    reason: str
    weight: Weight
    applies: Callable[[RefusedError], bool]
    told: str


def _forbidden(*texts: str) -> Callable[[RefusedError], bool]:
    return lambda error: error.code == 403 and any(text in error.message for text in texts)


TABLE: tuple[Row, ...] = (
    Row(
        "NamespaceTerminating",
        Weight.FATAL,
        lambda error: (
            error.code == 403
            and any(each.reason == "NamespaceTerminating" for each in error.causes)
        ),
        "namespace {namespace} is being deleted: no pod can be created there any more; "
        "`wf skip-rollback` or `wf mark-rolled-back` release what can't be undone",
    ),
    Row(
        "QuotaExceeded",
        Weight.IGNORED,
        _forbidden("exceeded quota"),
        "the quota of namespace {namespace} has no room for its pod",
    ),
    Row(
        "QuotaWantsMore",
        Weight.FATAL,
        _forbidden("failed quota"),
        "the quota of namespace {namespace} wants its resources to be given",
    ),
    Row(
        "ServiceAccount",
        Weight.FATAL,
        _forbidden("error looking up service account"),
        "its service account does not exist in namespace {namespace}",
    ),
    Row(
        "PodSecurity",
        Weight.FATAL,
        _forbidden("violates PodSecurity"),
        "the pod security of namespace {namespace} forbids its pod",
    ),
    Row(
        "NoRight",
        Weight.COUNTED,
        _forbidden("cannot create resource"),
        "whoever runs this workflow may not create pods in namespace {namespace}",
    ),
    Row("Forbidden", Weight.FATAL, lambda error: error.code == 403, "its pod is forbidden"),
    Row(
        "NoNamespace",
        Weight.FATAL,
        lambda error: error.code == 404,
        "there is no namespace {namespace}",
    ),
    Row(
        "Invalid",
        Weight.FATAL,
        lambda error: error.code in (400, 413, 422),
        "Kubernetes does not take its pod",
    ),
    Row(
        "Busy",
        Weight.IGNORED,
        lambda error: error.passing or error.code == 409,
        "the API server can't take its pod",
    ),
    Row("Refused", Weight.COUNTED, lambda _: True, "the API server refused its pod"),
)


def refusal(error: RefusedError, namespace: str) -> Refusal:
    """What a refused creation means."""
    row = next(row for row in TABLE if row.applies(error))
    causes = "; ".join(f"{each.field}: {each.message}" for each in error.causes if each.field)
    said = " ".join((causes or error.message).split())
    sentence = row.told.format(namespace=namespace)
    return Refusal(row.reason, row.weight, f"{sentence}: {said}", max(error.after or 0.0, 15.0))
