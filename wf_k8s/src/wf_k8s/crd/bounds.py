"""How much an object may hold. The API server refuses a definition whose rules could cost too much,
and it computes that from these bounds: a rule that reads a list or a text needs one there.
"""

from wf_core.codec import Schema
from wf_core.codec.checks import CLUSTER_STEPS, EVENTS, MAX_NAME
from wf_core.model.requests import MAX_REQUESTS
from wf_core.model.state import MAX_OUTBOX

MAX_DEPENDS = 64
"""Conditions of one step."""

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
    "answers": {"maxItems": MAX_ANSWERS},
    "steps": {"maxProperties": CLUSTER_STEPS},
    "outbox": {"maxItems": MAX_OUTBOX},
    "history": {"maxItems": MAX_HISTORY},
    "blocked": {"maxItems": MAX_BLOCKED_SHOWN},
}
"""Of `status`, by path."""


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
