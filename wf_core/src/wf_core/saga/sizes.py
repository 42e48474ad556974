"""What fits into a saved state (semantics C7)."""

from collections.abc import Iterable, Mapping
from itertools import chain

import msgspec

from wf_core.model.spec import Json
from wf_core.model.state import (
    MAX_ATTRIBUTES,
    MAX_ERROR,
    MAX_SAVED_PARAMETERS,
    MAX_STEP_ATTRIBUTES,
    STEP_PARAMETERS,
    Resource,
    StepState,
)

MEASURED = 8 * MAX_STEP_ATTRIBUTES
"""Bytes of a result up to which it is said how large it is."""

_KEPT = 1024
_DEEP = 500
_encode = msgspec.json.Encoder().encode


def size(value: Mapping[str, Json] | Resource | None) -> int:
    """Bytes of a value as JSON; nothing costs nothing."""
    return len(_encode(value)) if value else 0


def beyond(value: object, most: int) -> bool:
    """Whether a value surely takes more than `most` bytes as JSON. It takes no longer than `most`
    allows, whatever the value is: one text that stands in it a thousand times is a thousand times
    as long in JSON, and must not be written to be measured."""
    total = 0
    open_ = [(value, 0)]
    while open_:
        each, depth = open_.pop()
        total += 1
        inner: Iterable[object] = ()
        if isinstance(each, str):
            total += len(each)
        elif isinstance(each, Resource):
            inner = (each.status, each.id, each.name, each.address, each.attributes)
        elif isinstance(each, Mapping | list | tuple):
            total += len(each)
            inner = chain(each, each.values()) if isinstance(each, Mapping) else each
        if total > most:
            return True
        if depth > _DEEP:
            return False  # whoever writes it finds that, and says so
        open_ += ((one, depth + 1) for one in inner)
    return False


def too_large(
    step: StepState, attributes: Mapping[str, Json] | None, resource: Resource | None, total: int
) -> str | None:
    """Why a result can't be kept, or None. `total` is the bytes of all steps' attributes so far."""
    for what, value in (("attributes are", attributes), ("resource is", resource)):
        if beyond(value, MEASURED):
            return f"the {what} more than {MEASURED} bytes; a step may keep {MAX_STEP_ATTRIBUTES}"
    try:
        ours, of_resource = size(attributes), size(resource)
    except (TypeError, ValueError) as error:
        return f"the result is not JSON: {error}"
    if ours > MAX_STEP_ATTRIBUTES:
        return f"the attributes are {ours} bytes; a step may keep {MAX_STEP_ATTRIBUTES}"
    if of_resource > MAX_STEP_ATTRIBUTES:
        return f"the resource is {of_resource} bytes; a step may keep {MAX_STEP_ATTRIBUTES}"
    if total - size(step.attributes) + ours > MAX_ATTRIBUTES:
        return f"the attributes of all steps together may be {MAX_ATTRIBUTES} bytes"
    return None


def parameters_size(saved: Mapping[str, Json] | None) -> int:
    """Bytes of a step's saved parameters beyond what every step is granted."""
    return max(0, size(saved) - STEP_PARAMETERS)


def parameters_too_large(saved: Mapping[str, Json], total: int) -> str | None:
    """Why a step's parameters can't be saved, or None. `total` is `parameters_size` of all steps so
    far. What the document says itself is not saved again, and not counted."""
    try:
        ours = size(saved)
    except (TypeError, ValueError) as error:
        return f"its parameters are not JSON: {error}"
    if ours > MAX_SAVED_PARAMETERS:
        return (
            f"ParametersTooLarge: its parameters are {ours:,} bytes once references have their "
            f"values, and a step may save {MAX_SAVED_PARAMETERS:,}; pass where the data is instead"
        )
    if total + parameters_size(saved) > MAX_SAVED_PARAMETERS:
        return (
            f"ParametersTooLarge: its parameters are {ours:,} bytes once references have their "
            f"values; beyond {STEP_PARAMETERS:,} each, all steps of a workflow together may save "
            f"{MAX_SAVED_PARAMETERS:,}: pass where the data is instead"
        )
    return None


def fitting(resource: Resource) -> Resource:
    """The resource as it can be kept: without its attributes where it is too large or no JSON, and
    with its texts cut, since an undo with half a name is better than none."""
    try:
        if not beyond(resource, MEASURED) and size(resource) <= MAX_STEP_ATTRIBUTES:
            return resource
    except (TypeError, ValueError):
        pass  # `too_large` says so; what can be kept is kept below
    return Resource(
        status=_cut(resource.status),
        id=_cut(resource.id),
        name=_cut(resource.name),
        address=_cut(resource.address),
    )


def _cut(text: str) -> str:
    return text[:_KEPT].encode(errors="replace").decode()


def short(message: str) -> str:
    """An error as it is saved: at most 1 KiB (semantics C7)."""
    data = message.encode(errors="replace")
    if len(data) <= MAX_ERROR:
        return data.decode()
    return data[: MAX_ERROR - 3].decode(errors="ignore") + "..."
