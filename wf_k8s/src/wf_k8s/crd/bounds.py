"""How much an object may hold. The API server refuses a definition whose rules could cost too much,
and it computes that from these bounds: a rule that reads a list or a text needs one there.
"""

from wf_core.codec import Schema
from wf_core.codec.checks import EVENTS, MAX_NAME
from wf_core.codec.cluster_bounds import CLUSTER_STEPS
from wf_core.model.requests import MAX_REQUESTS
from wf_core.model.state import MAX_OUTBOX

MAX_DEPENDS = 64
"""Conditions of one step; those of all steps together are bounded by a rule."""

MAX_ANSWERS = 2 * MAX_REQUESTS
"""The engine keeps as many as there may be requests; others stay while their request does."""

MAX_HISTORY = 100
"""Lines of history; how long ago a step reached its phases is kept with the step."""

MAX_BLOCKED_SHOWN = 16
"""Entries of `status.blocked`, which repeats what stands with the steps."""

MAX_ERROR_SHOWN = 128
"""Characters of an error in `status.runError` and the like, which repeat the steps' own."""

MAX_ATTRIBUTES_SHOWN = 32 * 1024
"""Bytes of `status.attributes`, which repeats the steps' own; left out where it is larger."""

_INT32: Schema = {"format": "int32"}
_REASON = 256
_STATUS = 256
_URL = 2048

SPEC: dict[str, Schema] = {
    "queue": {"maxLength": MAX_NAME},
    "priority": _INT32,
    "callback.url": {"maxLength": _URL},
    "callback.events": {"maxItems": len(EVENTS)},
    "steps": {"maxItems": CLUSTER_STEPS},
    "steps[].dependOns": {"maxItems": MAX_DEPENDS},
    "steps[].dependOns[].resourceStatus": {"maxLength": _STATUS},
    "steps[].stepTemplate.type": {"maxLength": MAX_NAME},
    "steps[].stepTemplate.retryPolicy.runRetryLimit": _INT32,
    "steps[].stepTemplate.retryPolicy.rollbackRetryLimit": _INT32,
}
"""Of `spec`, by path, over what holds of every document."""

REQUEST: dict[str, Schema] = {
    "step": {"maxLength": MAX_NAME},
    "reason": {"maxLength": _REASON},
    "by": {"maxLength": _REASON},
    "name": {"minLength": 1, "maxLength": _STATUS},
}
"""Of an entry of `spec.requests`."""

STATUS: dict[str, Schema] = {
    "keyUid": {"maxLength": MAX_NAME, "pattern": "^[-0-9A-Za-z]*$"},
    "answers": {"maxItems": MAX_ANSWERS},
    "steps": {"maxProperties": CLUSTER_STEPS},
    "outbox": {"maxItems": MAX_OUTBOX},
    "history": {"maxItems": MAX_HISTORY},
    "blocked": {"maxItems": MAX_BLOCKED_SHOWN},
}
"""Of `status`, by path."""


LATEST = 253402300799
"""Of a time: the end of the year 9999, beyond which no time can be written down."""

MOST_SECONDS = 10_000_000_000
"""Of what an author writes in seconds: any time that it is added to can still be written down."""

MOST_COUNTED = 2**53 - 1
"""Of a counter: beyond it numbers are rounded on their way through JSON."""

_SIGNED = frozenset({"priority"})


def bound_numbers(schema: Schema, most: int = MOST_SECONDS, name: str = "") -> Schema:
    """`schema`, in which no number is one that an engine could not have written, or not go on from:
    times up to `most`, and counters. What is bounded already stays so."""
    kind = schema.get("type")
    if kind in ("number", "integer") and name not in _SIGNED:
        schema.setdefault("minimum", 0)
        counted = 2**31 - 1 if schema.get("format") == "int32" else MOST_COUNTED
        schema.setdefault("maximum", most if kind == "number" else counted)
    for key, each in schema.get("properties", {}).items():
        bound_numbers(each, most, key)
    for part in ("items", "additionalProperties"):
        if isinstance(schema.get(part), dict):
            bound_numbers(schema[part], most)
    return schema


def bound(schema: Schema, bounds: dict[str, Schema]) -> Schema:
    """`schema` with `bounds` put in, by path: `a.b` is a property, `a[]` the items of a list.

    Raises KeyError for a path that leads nowhere.
    """
    for path, extra in bounds.items():
        inner = schema
        for part in path.split("."):
            inner = inner["properties"][part.removesuffix("[]")]
            if part.endswith("[]"):
                inner = inner["items"]
        inner.update(extra)
    return schema
