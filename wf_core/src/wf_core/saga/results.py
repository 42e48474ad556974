"""Keeping what a hook gave: its resource and attributes, as far as they fit (semantics C7)."""

from wf_core.model.outcomes import Progressing, Succeeded
from wf_core.saga import sizes, statuses
from wf_core.saga.ledger import Ledger


def keep(ledger: Ledger, i: int, result: Succeeded | Progressing) -> str | None:
    """Keep what a hook gave; the reason where it is too large.

    Then the attributes are dropped and the resource kept: the effect has happened and must be
    undone.
    """
    step = ledger.steps[i]
    why = sizes.too_large(step, result.attributes, result.resource, ledger.attribute_bytes)
    changes: dict[str, object] = {}
    if result.resource is not None and result.resource != step.resource:
        changes["resource"] = sizes.fitting(result.resource)
    if why is None and result.attributes is not None and result.attributes != step.attributes:
        changes["attributes"] = dict(result.attributes)
        ledger.attribute_bytes += sizes.size(result.attributes) - sizes.size(step.attributes)
    if changes:
        ledger.put(i, **changes)
        statuses.recheck(ledger, i)
    return why and f"ResultTooLarge: {why}"
